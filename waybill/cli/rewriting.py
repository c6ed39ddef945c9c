"""Writing records again: in small transactions at a limited rate, by one tool at a time.

Each batch is there whole or not at all, and in the order given. The transactional id is one per installation:
who begins shuts out whoever was at it before, so that two runs never write the same letter twice.
"""

import math
from collections.abc import Callable, Iterable
from time import monotonic, sleep

from confluent_kafka import KafkaError, KafkaException, Producer

from waybill.cli.cluster import Cluster, told
from waybill.cli.errors import CommandError
from waybill.streaming.records import Inbound, Outbound

_BATCH_RECORDS_MAX = 500
_BATCH_BYTES_MAX = 4 * 1024 * 1024
_TRANSACTION_S = 20.0
"""A fresh cluster elects its transaction coordinator first, which takes some seconds."""
_OPEN_MS = 10_000
"""Readers wait for a transaction that a killed run left open no longer than this."""
_MESSAGE_BYTES_MAX = 8 * 1024 * 1024 + 65_536
_SHUT_OUT = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001 - the client names its local codes so
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
    }
)

Written = Callable[[list[Inbound]], None]
"""Is told of the records whose copies are committed now."""


class Rewriter:
    """Writes what others were made of; see the module. Making it shuts out the one before."""

    def __init__(
        self,
        cluster: Cluster,
        rate_per_s: float,
        *,
        clock: Callable[[], float] = monotonic,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        """`rate_per_s`: records per second, on the average of a batch."""
        self._cluster = cluster
        self._rate_per_s = rate_per_s
        self._clock = clock
        self._pause = pause
        self._records_max = max(1, min(_BATCH_RECORDS_MAX, math.ceil(rate_per_s)))
        self._producer = self._opened()

    def _opened(self) -> Producer:
        writing: dict[str, str | int | float | bool] = {
            "transactional.id": f"{self._cluster.name('shipments')}-rewriter",
            "transaction.timeout.ms": _OPEN_MS,
            "acks": "all",
            "compression.type": "none",
            "message.max.bytes": _MESSAGE_BYTES_MAX,
        }
        producer = Producer(self._cluster.config() | writing)
        try:
            producer.init_transactions(_TRANSACTION_S)
        except KafkaException as error:
            raise CommandError(told(error)) from error
        return producer

    def write(self, pairs: Iterable[tuple[Inbound, Outbound]], written: Written) -> None:
        """Write the second of each pair; `written` hears the first ones, batch by batch.

        Raises CommandError when a batch was not committed, or may not have been: what `written` heard of
        stays, and writing the rest once more is harmless.
        """
        batch: list[tuple[Inbound, Outbound]] = []
        size = 0
        for pair in pairs:
            batch.append(pair)
            size += len(pair[1].value or b"")
            if len(batch) >= self._records_max or size >= _BATCH_BYTES_MAX:
                self._commit(batch, written)
                batch, size = [], 0
        if batch:
            self._commit(batch, written)

    def _commit(self, batch: list[tuple[Inbound, Outbound]], written: Written) -> None:
        began_s = self._clock()
        try:
            self._producer.begin_transaction()
            for _, output in batch:
                self._produce(output)
            self._producer.commit_transaction(_TRANSACTION_S)
        except KafkaException as error:
            raise CommandError(_why(error)) from error
        written([source for source, _ in batch])
        self._pause(max(0.0, len(batch) / self._rate_per_s - (self._clock() - began_s)))

    def _produce(self, output: Outbound) -> None:
        self._producer.produce(
            self._cluster.name(output.topic),
            value=output.value,
            key=output.key,
            partition=output.partition,
            headers=list(output.headers),
        )
        self._producer.poll(0)


def _why(error: KafkaException) -> str:
    cause = error.args[0]
    if isinstance(cause, KafkaError) and cause.code() in _SHUT_OUT:
        return "another replay or redrive of this installation has begun: wait for its end"
    return told(error)
