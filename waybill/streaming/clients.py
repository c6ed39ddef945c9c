"""librdkafka clients with the settings that the runtime relies on, each with its reason."""

import logging
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from waybill.clock import boot_s
from waybill.settings import KafkaSettings

log = structlog.get_logger()

_MESSAGE_BYTES_MAX = 8 * 1024 * 1024 + 65_536
"""The largest topic allows 8 MiB; some room for the batch around it."""

Config = dict[str, Any]

_SILENT = logging.getLogger("librdkafka")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


_REPORT_EVERY_S = 10.0
"""While a broker is away, each client fails to connect several times a second."""
_reported_at_s: dict[str, float] = {}


def _report(error: KafkaError) -> None:
    """The library reconnects by itself; an operator wants to know that it has to, but not each time."""
    name, now_s = error.name(), boot_s()
    if now_s - _reported_at_s.get(name, float("-inf")) >= _REPORT_EVERY_S:
        _reported_at_s[name] = now_s
        log.warning("kafka_client", error=name, detail=error.str())


def _base(kafka: KafkaSettings, client_id: str) -> Config:
    return {
        **kafka.client_config(),
        "client.id": client_id,
        # the library's own lines are no log of ours: what matters comes through `error_cb`
        "logger": _SILENT,
        "error_cb": _report,
        "socket.keepalive.enable": True,
        # after a broker restart, be back within a second instead of ten
        "reconnect.backoff.max.ms": 1_000,
    }


def admin_client(kafka: KafkaSettings, client_id: str = "waybill-admin") -> AdminClient:
    """For metadata, offsets and topics."""
    return AdminClient(_base(kafka, client_id))


def transactional_producer(kafka: KafkaSettings, transactional_id: str) -> Producer:
    """One per owned partition; its transactional id is the fence."""
    return Producer(
        {
            **_base(kafka, transactional_id),
            "transactional.id": transactional_id,
            "transaction.timeout.ms": kafka.transaction_timeout_ms,
            "message.max.bytes": _MESSAGE_BYTES_MAX,
            "compression.type": "none",  # every client can read it; the images are compressed already
            "linger.ms": 0,  # a transaction is flushed at once anyway
            # send_offsets right after produce waits out one back-off while partitions are added:
            # 100 ms by default, in every transaction
            "retry.backoff.ms": 5,
            "retry.backoff.max.ms": 200,
        }
    )


def plain_producer(kafka: KafkaSettings, client_id: str, bounds: Config | None = None) -> Producer:
    """Idempotent, for records that may come twice; the caller names partitions where they matter.

    `bounds`: other limits than the client's own, of its queue and of how long a record waits in it.
    """
    return Producer(
        {
            **_base(kafka, client_id),
            "enable.idempotence": True,
            "message.max.bytes": _MESSAGE_BYTES_MAX,
            "partitioner": "murmur2_random",
            "compression.type": "none",
            "linger.ms": 0,
            "queue.buffering.max.kbytes": 65_536,
            **(bounds or {}),
        }
    )


def _consumer_base(kafka: KafkaSettings, client_id: str) -> Config:
    return {
        **_base(kafka, client_id),
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        # a position that is gone must stop the partition, not jump silently
        "auto.offset.reset": "error",
        "fetch.message.max.bytes": _MESSAGE_BYTES_MAX,
        "fetch.max.bytes": 2 * _MESSAGE_BYTES_MAX,
        "queued.max.messages.kbytes": 16_384,  # what is prefetched is memory too
        # a full queue is emptied in milliseconds; the default waits a second before it fetches again
        "fetch.queue.backoff.ms": 10,
        # a partition that joins waits for the fetch under way; the default is 500 ms
        "fetch.wait.max.ms": 100,
        "fetch.error.backoff.ms": 50,
    }


def member_consumer(kafka: KafkaSettings, group: str) -> Consumer:
    """Holds a process's membership in the group; it owns partitions and never reads them."""
    return Consumer(
        {
            **_consumer_base(kafka, f"{group}-member"),
            **_membership(kafka, group),
        }
    )


def _membership(kafka: KafkaSettings, group: str) -> Config:
    """Dynamic: a static member whose broker restarts can be shut out for ever by its own former id."""
    return {
        "group.id": group,
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": kafka.session_timeout_ms,
        # several beats in a session, and a joining member waits for the next one
        "heartbeat.interval.ms": max(300, kafka.session_timeout_ms // 10),
    }


def reader_consumer(kafka: KafkaSettings, group: str) -> Consumer:
    """Reads explicit partitions; it belongs to no group and commits nothing."""
    return Consumer(
        {
            **_consumer_base(kafka, f"{group}-reader"),
            "group.id": f"{group}-reader",  # asked for by the client, never joined
            "enable.partition.eof": True,  # tells the end behind commit markers, which positions do not
        }
    )


def offsets_consumer(kafka: KafkaSettings, group: str, *, settled: bool = True) -> Consumer:
    """Asks for a group's committed positions without joining it.

    Settled: positions that an open transaction is about to change are waited for, else told as they are.
    """
    isolation = "read_committed" if settled else "read_uncommitted"
    own = {"group.id": group, "isolation.level": isolation}
    return Consumer({**_consumer_base(kafka, f"{group}-offsets"), **own})


def worker_consumer(kafka: KafkaSettings, group: str) -> Consumer:
    """A plain member of a group that reads what it is given: for stateless services."""
    return Consumer(
        {
            **_consumer_base(kafka, f"{group}-worker"),
            **_membership(kafka, group),
            "auto.offset.reset": "earliest",
        }
    )
