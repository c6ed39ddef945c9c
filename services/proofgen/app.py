"""Claims in, proofs out: at least once, in no order between keys, without transactions.

Produce, await the acknowledgement, then commit: a crash in between draws the same proof again, and
the notifier takes the first. Drawing runs in worker processes, so several partitions use several cores.
"""

from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from services.proofgen.metrics import ProofgenMetrics
from services.proofgen.proving import Proved, Unreadable, prove
from waybill.clock import Clock, boot_s
from waybill.contracts.base import millis
from waybill.contracts.codec import DeadReason
from waybill.contracts.headers import event_headers
from waybill.settings import KafkaSettings
from waybill.streaming.dead_letters import dead_letter
from waybill.streaming.errors import FatalError
from waybill.streaming.failures import FailureTally
from waybill.streaming.kafka import inbound
from waybill.streaming.ports import Place
from waybill.streaming.records import Inbound, Outbound
from waybill.streaming.survey import physical_names

log = structlog.get_logger()

_POLL_S = 0.5
"""Longest wait for a claim; a stop is noticed in between."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A claim whose proof is being drawn."""

    record: Inbound
    future: Future[Proved | Unreadable]
    started_s: float


class Proofgen:
    """The loop; one thread, beside the workers."""

    def __init__(
        self,
        kafka: KafkaSettings,
        group: str,
        clients: tuple[Consumer, Producer],
        workers: Executor,
        metrics: ProofgenMetrics,
        batch_max: int,
    ) -> None:
        self._consumer, self._producer = clients
        self._group = group
        self._workers = workers
        self._metrics = metrics
        self._batch_max = batch_max
        self._clock = Clock()
        self._physical = physical_names(kafka)
        self._failed: KafkaError | None = None
        self._failures = FailureTally()
        self._open: list[Inbound] = []
        self.assigned = 0
        self.turned_at_s = boot_s()
        topic = self._physical["claims"]
        self._consumer.subscribe([topic], on_assign=self._on_change, on_revoke=self._on_change)

    def _on_change(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        # called before the change is made: the count is refreshed in the next turn
        self.assigned = len(consumer.assignment())

    @property
    def ready(self) -> bool:
        """Whether this process takes part in the work."""
        return self.assigned > 0

    def turn(self) -> None:
        """One batch: read, draw, produce, await, commit."""
        self.turned_at_s = boot_s()
        if self._open and not self._finished():
            return
        first = self._consumer.poll(_POLL_S)
        self.assigned = len(self._consumer.assignment())
        if first is None:
            return
        messages = [first, *self._consumer.consume(self._batch_max - 1, 0)]
        records = [
            inbound(Place("claims", message.partition() or 0), message)
            for message in messages
            if self._is_record(message)
        ]
        drawings = [
            Drawing(record, self._workers.submit(prove, record.value), boot_s())
            for record in records
        ]
        for drawing in drawings:
            self._produce(drawing)
        self._open = records
        self._finished()

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.fatal():
            raise FatalError(f"the Kafka client gave up: {error.str()}")
        return False

    def _produce(self, drawing: Drawing) -> None:
        record, proved = drawing.record, self._drawn(drawing)
        self._metrics.drawn(proved, boot_s() - drawing.started_s)
        if isinstance(proved, Unreadable):
            log.warning("dead_letter", topic="claims", offset=record.offset, reason=proved.reason)
            now_ms = millis(self._clock.now())
            self._send(
                dead_letter(record, proved.reason, proved.detail, group=self._group, now_ms=now_ms)
            )
            return
        trace = record.header("traceparent")
        headers = event_headers(
            "proof",
            proved.claim_id,
            "waybill/proofgen",
            millis(self._clock.now()),
            trace.decode(errors="replace") if trace else None,
        )
        # the claim lies where its order belongs, and so does its proof
        self._send(Outbound("proofs", record.partition, record.key or b"", proved.value, headers))

    def _drawn(self, drawing: Drawing) -> Proved | Unreadable:
        """A defect of ours over one claim is a dead letter; over one in ten, the version stops itself.

        The notifier asks again for a proof that does not come, so nothing is lost with the claim.
        """
        try:
            proved = drawing.future.result()
        except BrokenExecutor:
            raise  # the workers are gone: a restart makes new ones, and the claims are still unread
        except Exception as error:
            log.exception("claim_failed", offset=drawing.record.offset)
            self._failures.failed("claims", error)
            return Unreadable(DeadReason.PROCESSING_FAILED, type(error).__name__)
        self._failures.succeeded("claims")
        return proved

    def _send(self, output: Outbound) -> None:
        self._producer.produce(
            self._physical[output.topic],
            value=output.value,
            key=output.key,
            partition=output.partition,
            headers=list(output.headers),
            on_delivery=self._delivered,
        )
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed = error

    def _finished(self) -> bool:
        """Commit the batch once every proof is acknowledged; a broker that is away is waited for."""
        left = self._producer.flush(_POLL_S)
        if self._failed is not None:
            raise FatalError(
                f"a proof was not delivered ({self._failed.str()}); it is drawn again at the next start"
            )
        if left:
            return False
        ends = {record.partition: record.offset + 1 for record in self._open}
        offsets = [TopicPartition(self._physical["claims"], p, end) for p, end in ends.items()]
        self._open = []
        if offsets:
            self._commit(offsets)
        return True

    def _commit(self, offsets: list[TopicPartition]) -> None:
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:  # given to another member meanwhile: it draws them again
            log.info("commit_refused", detail=error.args[0].str())

    def stop(self, _deadline_s: float) -> bool:
        """Nothing is under way between turns."""
        return True

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
