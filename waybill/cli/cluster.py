"""A cluster as the commands see it: what lies on a topic now, and records written to it.

Reads end where the topics ended when they were asked (read_committed), belong to no group and commit
nothing. Every wait has a limit, and an unreachable cluster is one line that names its address.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from waybill.cli.errors import CommandError
from waybill.contracts.topics import topics
from waybill.settings import KafkaSettings
from waybill.streaming.kafka import inbound
from waybill.streaming.ports import Place
from waybill.streaming.records import Inbound, Outbound

READ_S = 30.0
"""Longest read of one command: a developer's topics are read in under a second."""
DELIVERY_S = 30.0
"""Longest wait until everything written is acknowledged by all replicas in sync."""
_REACH_S = 10.0
"""Longest wait for the cluster's metadata; a broker on the same machine answers in milliseconds."""
_REACH_TRY_S = 1.0
_BATCH = 500
_POLL_S = 0.2
_FETCH_BYTES_MAX = 8 * 1024 * 1024 + 65_536
"""The largest topic's limit, with room for the batch around it."""

_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001 - the client names its local codes so
_AWAY = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
    }
)

Config = dict[str, str | int | float | bool]


class Cluster:
    """One cluster with one topic prefix. Making it touches nothing."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._all_down = False

    @property
    def address(self) -> str:
        """Its bootstrap servers."""
        return self._kafka.bootstrap_servers

    def name(self, topic: str) -> str:
        """The physical name of a topic: `waybill.orders.v1` for `orders`, with the prefix."""
        return self._kafka.physical(topics()[topic].name)

    def config(self) -> Config:
        """librdkafka's settings; it stays silent, since the commands say themselves what is wrong."""
        return {
            **self._kafka.client_config(),
            "client.id": "waybill-cli",
            "log_level": 0,
            "reconnect.backoff.max.ms": 1_000,
        }

    def consumer(self) -> Consumer:
        """A reader of explicit partitions that tells their ends."""
        reading: Config = {
            "group.id": "waybill-cli",  # asked for by the client, never joined
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": _FETCH_BYTES_MAX,
            "fetch.wait.max.ms": 100,
        }
        return Consumer(self.config() | reading | {"error_cb": self._note_error})

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has now; raises CommandError when it, or the cluster, is away."""
        with self._opened() as consumer:
            return self._counts(consumer, [topic])[topic]

    def read(
        self,
        names: Sequence[str],
        partition: int | None = None,
        *,
        timeout_s: float = READ_S,
    ) -> Iterator[Inbound]:
        """Every record of these topics up to their present end; of one partition, or of all.

        In order per partition. Raises CommandError when the end is not reached within `timeout_s`:
        half of the records would tell a wrong story.
        """
        with self._opened() as consumer:
            counts = self._counts(consumer, names)
            logical = {self.name(name): name for name in names}
            places = [
                TopicPartition(self.name(name), number, OFFSET_BEGINNING)
                for name, count in counts.items()
                for number in (range(count) if partition is None else [partition])
            ]
            consumer.assign(places)
            yield from self._until_end(consumer, logical, len(places), timeout_s)

    def _until_end(
        self, consumer: Consumer, logical: dict[str, str], open_places: int, timeout_s: float
    ) -> Iterator[Inbound]:
        deadline_s = monotonic() + timeout_s
        ended: set[tuple[str | None, int | None]] = set()
        while len(ended) < open_places:
            if monotonic() > deadline_s:
                raise CommandError(
                    f"the topics at {self.address} were not read to their end within {timeout_s:.0f} s"
                )
            for message in consumer.consume(_BATCH, _POLL_S):
                error = message.error()
                if error is None:
                    if (message.topic(), message.partition()) not in ended:
                        yield inbound(_place(message, logical), message)
                elif error.code() == _EOF:
                    ended.add((message.topic(), message.partition()))
                elif not error.retriable() and error.code() not in _AWAY:
                    raise CommandError(told(KafkaException(error)))

    @contextmanager
    def _opened(self) -> Iterator[Consumer]:
        consumer = self.consumer()
        try:
            yield consumer
        finally:
            consumer.close()

    def _counts(self, consumer: Consumer, names: Sequence[str]) -> dict[str, int]:
        metadata = self._metadata(consumer)
        missing = [self.name(name) for name in names if self.name(name) not in metadata.topics]
        if missing:
            raise CommandError(
                f"{self.address} has no topic {', '.join(missing)}: run `waybill topics apply`, or name "
                "the right cluster and prefix"
            )
        return {name: len(metadata.topics[self.name(name)].partitions) for name in names}

    def _metadata(self, consumer: Consumer) -> Any:
        """Asked for again while it may still come; not at all once every broker has refused."""
        deadline_s = monotonic() + _REACH_S
        self._all_down = False
        while True:
            try:
                return consumer.list_topics(timeout=_REACH_TRY_S)
            except KafkaException as error:
                consumer.poll(0)  # hands over what `_note_error` waits for
                if self._all_down or monotonic() > deadline_s:
                    raise CommandError(unreachable(self.address, error)) from error

    def _note_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001
            self._all_down = True

    def writer(self, transactional_id: str | None = None) -> Producer:
        """An idempotent producer with acks=all; whoever uses it names partitions."""
        writing: Config = {
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "none",
            "message.max.bytes": _FETCH_BYTES_MAX,
            "message.timeout.ms": int(DELIVERY_S * 1_000),
            "linger.ms": 5,
        }
        if transactional_id is not None:
            writing["transactional.id"] = transactional_id
        return Producer(self.config() | writing)

    def publish(self, records: Iterable[Outbound]) -> int:
        """Write records and wait until all are acknowledged; returns how many.

        Raises CommandError naming how many were not; what was acknowledged stays.
        """
        delivery = Delivery(self.writer(), self.name)
        for record in records:
            delivery.send(record)
        return delivery.finish()


class Delivery:
    """Records on their way, counted until the last one is acknowledged."""

    def __init__(self, producer: Producer, name: Callable[[str], str]) -> None:
        """`name` gives the physical name of a topic."""
        self._producer = producer
        self._name = name
        self._sent = 0
        self._failures: list[str] = []

    def send(self, record: Outbound) -> None:
        """Hand one record to the client; waits for room when its queue is full."""
        deadline_s = monotonic() + DELIVERY_S
        while True:
            try:
                self._produce(record)
            except BufferError:
                if monotonic() > deadline_s:
                    raise CommandError(self._lost(self._sent)) from None
                self._producer.poll(_POLL_S)
            except KafkaException as error:
                raise CommandError(told(error)) from error
            else:
                self._sent += 1
                self._producer.poll(0)
                return

    def _produce(self, record: Outbound) -> None:
        self._producer.produce(
            self._name(record.topic),
            value=record.value,
            key=record.key,
            partition=record.partition,
            headers=list(record.headers),
            on_delivery=self._delivered,
        )

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failures.append(error.str())

    def finish(self) -> int:
        """Wait for every acknowledgement; returns how many records were written."""
        unsent = self._producer.flush(DELIVERY_S)
        lost = unsent + len(self._failures)
        if lost:
            raise CommandError(self._lost(lost))
        return self._sent

    def _lost(self, lost: int) -> str:
        why = self._failures[0] if self._failures else f"no answer within {DELIVERY_S:.0f} s"
        return f"{lost} of {self._sent} records were not acknowledged: {why}"


def _place(message: Message, logical: dict[str, str]) -> Place:
    return Place(logical[message.topic() or ""], message.partition() or 0)


def unreachable(address: str, error: KafkaException) -> str:
    """One line for a cluster that does not answer."""
    return (
        f"no Kafka at {address} ({error.args[0].str()}): start one with `waybill kafka start`, or name "
        "another address with --bootstrap or WAYBILL_KAFKA__BOOTSTRAP_SERVERS"
    )


def told(error: KafkaException) -> str:
    """One line for any failure of the client."""
    cause = error.args[0]
    if isinstance(cause, KafkaError) and cause.code() in _AWAY:
        return unreachable("the address given", error)
    return f"Kafka: {cause.str() if isinstance(cause, KafkaError) else cause}"
