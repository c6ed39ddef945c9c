"""One transaction of one partition: outputs and reading positions, all or nothing, fenced.

The only fence is the transactional id `<state topic>-<partition>`: group metadata is none. After any
unclear end the producer is dropped and a new one re-reads the tail (librdkafka has no KIP-890).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from waybill.clock import boot_s
from waybill.streaming.errors import FencedError, UnclearError
from waybill.streaming.records import Outbound

_CALL_S = 5.0
"""Longest wait for one answer of the broker."""
_STEP_S = 15.0
"""Longest time for one step with its repetitions: the broker gives a transaction no longer either."""
_TRIES_MAX = 5
"""How often a cleanly aborted transaction is made again before the partition is opened anew."""
_FENCED = {
    KafkaError._FENCED,  # noqa: SLF001 - the client names its local codes so
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.PRODUCER_FENCED,
}
_FORGOTTEN = {KafkaError.INVALID_PRODUCER_ID_MAPPING, KafkaError.UNKNOWN_PRODUCER_ID}
"""The id was idle for so long that the broker dropped it (`transactional.id.expiration.ms`, 7 days), and
with it who was shut out. An abort lets the client ask for the id anew, and a broker that knows no owner
grants it: to a process too that a newer owner had fenced before it fell asleep itself."""


@dataclass(slots=True)
class Delivered:
    """Offsets that a transaction's records got: logical topic to the highest one of each partition."""

    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    failure: KafkaError | None = None


class FencedProducer:
    """Commits transactions of one partition, one after another; used by one thread at a time."""

    def __init__(self, producer: Producer, physical: Mapping[str, str]) -> None:
        self._producer = producer
        self._physical = physical

    def fence(self, timeout_s: float) -> None:
        """Abort or finish the predecessor's transaction and shut it out; raises FencedError, UnclearError."""
        try:
            _retried(lambda: self._producer.init_transactions(_CALL_S), timeout_s)
        except KafkaException as error:
            raise _translated(error) from error

    def commit(
        self, outputs: Sequence[Outbound], positions: Sequence[TopicPartition], group_metadata: Any
    ) -> Delivered:
        """Write all outputs and positions as one; a clean abort is tried again, with the same content.

        Raises FencedError when another owner took over, UnclearError when the end is not known, or when the
        broker does not know this producer any more: only who reads the state again may go on then.
        """
        for _ in range(_TRIES_MAX):
            try:
                return self._attempt(outputs, positions, group_metadata)
            except KafkaException as error:
                self._abort_or_raise(error)
        raise UnclearError(f"aborted {_TRIES_MAX} times in a row")

    def _attempt(
        self, outputs: Sequence[Outbound], positions: Sequence[TopicPartition], group_metadata: Any
    ) -> Delivered:
        delivered = Delivered()
        self._producer.begin_transaction()
        for output in outputs:
            self._produce(output, delivered)
        if positions:
            _retried(
                lambda: self._producer.send_offsets_to_transaction(
                    list(positions), group_metadata, _CALL_S
                )
            )
        # a commit whose answer is lost must not be mistaken for a clean failure
        _retried(lambda: self._producer.commit_transaction(_CALL_S))
        if (
            delivered.failure is not None
        ):  # cannot follow a commit; checked because money hangs on it
            raise UnclearError(
                f"committed, but a record was not delivered: {delivered.failure.name()}"
            )
        return delivered

    def _produce(self, output: Outbound, delivered: Delivered) -> None:
        def on_delivery(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                delivered.failure = error
                return
            place = (output.topic, output.partition)
            delivered.ends[place] = max(delivered.ends.get(place, -1), message.offset() or 0)

        self._producer.produce(
            self._physical[output.topic],
            value=output.value,
            key=output.key,
            partition=output.partition,
            headers=list(output.headers),
            on_delivery=on_delivery,
        )

    def _abort_or_raise(self, error: KafkaException) -> None:
        cause: KafkaError = error.args[0]
        if not cause.txn_requires_abort() or cause.code() in _FORGOTTEN:
            raise _translated(error) from error
        try:
            _retried(lambda: self._producer.abort_transaction(_CALL_S))
        except KafkaException as abort_error:
            raise _translated(abort_error) from abort_error


def _retried(step: Callable[[], Any], for_s: float = _STEP_S) -> None:
    """Repeat a step as librdkafka asks: the same call again while the error is retriable."""
    deadline_s = boot_s() + for_s
    while True:
        try:
            step()
        except KafkaException as error:
            if not error.args[0].retriable() or boot_s() > deadline_s:
                raise

        else:
            return


def _translated(error: KafkaException) -> Exception:
    cause: KafkaError = error.args[0]
    if cause.code() in _FENCED:
        return FencedError(cause.str())
    return UnclearError(cause.str())
