"""What every service tells Prometheus about its loop, its partitions and its transactions."""

from collections.abc import Iterable, Sequence

from waybill.metrics import Registry
from waybill.streaming.partition import OwnedPartition, Phase
from waybill.streaming.ports import Place
from waybill.streaming.records import Inbound


class RuntimeMetrics:
    """The runtime's own metrics; names are an interface for other people's dashboards."""

    def __init__(self, registry: Registry) -> None:
        self._consumed = registry.counter(
            "waybill_records_consumed_total", "Records read.", ("topic",)
        )
        self._phase = registry.gauge("waybill_partitions", "Owned partitions by phase.", ("phase",))
        self._turned = registry.gauge(
            "waybill_last_loop_timestamp_seconds", "Boot time of the last turn of the loop."
        )
        self._restore = registry.histogram(
            "waybill_restore_seconds",
            "Time from takeover to being at work.",
            buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300),
        )
        self._commit = registry.histogram(
            "waybill_commit_seconds", "Duration of transactions, as the loop sees it."
        )
        self._fenced = registry.counter(
            "waybill_fenced_total", "Partitions shut out by a newer owner."
        )
        self._rebuilt = registry.counter(
            "waybill_producer_rebuilds_total",
            "Transactions with an unclear end: partition opened anew.",
        )
        self._lost = registry.counter(
            "waybill_positions_lost_total", "Positions that are gone from a topic.", ("topic",)
        )
        self._stopped = registry.gauge(
            "waybill_partition_stopped",
            "1 while a partition waits for an operator, because its ledger or its position lost records.",
            ("partition",),
        )
        self._inbox = registry.gauge(
            "waybill_inbox_records", "Records read that wait for the transaction under way."
        )
        self._ever_stopped: set[int] = set()
        self.turned_at_s = 0.0

    def consumed(self, records: Sequence[Inbound]) -> None:
        """Count records by topic."""
        counts: dict[str, int] = {}
        for record in records:
            counts[record.topic] = counts.get(record.topic, 0) + 1
        for topic, count in counts.items():
            self._consumed.labels(topic).inc(count)

    def turned(self, now_s: float, partitions: Iterable[OwnedPartition]) -> None:
        """The loop is alive; sampled ten times a second, since the loop turns far more often."""
        if now_s - self.turned_at_s < 0.1:
            return
        self.turned_at_s = now_s
        self._turned.set(now_s)
        owned = list(partitions)
        stopped = {p.number for p in owned if p.phase is Phase.STOPPED}
        for number in self._ever_stopped:
            self._stopped.labels(str(number)).set(number in stopped)
        for phase in Phase:
            self._phase.labels(phase.value).set(sum(p.phase is phase for p in owned))
        self._inbox.set(sum(len(p.inbox) for p in owned))

    def restored(self, took_s: float) -> None:
        """A partition is at work."""
        self._restore.observe(took_s)

    def committed(self, took_s: float) -> None:
        """A transaction counts."""
        self._commit.observe(took_s)

    def fenced(self) -> None:
        """A partition was shut out."""
        self._fenced.inc()

    def rebuilt(self) -> None:
        """A partition is opened anew."""
        self._rebuilt.inc()

    def stopped(self, number: int) -> None:
        """A partition waits for an operator."""
        self._ever_stopped.add(number)
        self._stopped.labels(str(number)).set(1)

    def position_lost(self, place: Place) -> None:
        """Records were deleted before they were read."""
        self._lost.labels(place.topic).inc()
