"""What the notifier tells Prometheus; names are an interface for other people's dashboards."""

from waybill.contracts import LedgerEntry, Notification
from waybill.contracts.codec import DeadReason
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome
from waybill.metrics import Registry

_AGE_S = (0.03, 0.06, 0.1, 0.25, 0.5, 1, 5, 30, 60, 300, 900, 3600, 86_400)


class NotifierMetrics:
    """All metrics of the notifier's own work."""

    def __init__(self, registry: Registry) -> None:
        self._transitions = registry.counter(
            "waybill_ledger_transitions_total", "State changes of ledger entries.", ("from", "to")
        )
        self._decided = registry.counter(
            "waybill_notifications_total", "Decisions told to the outside.", ("outcome", "reason")
        )
        self.calls = registry.counter(
            "waybill_api_requests_total", "Calls to Alibaba by their end.", ("operation", "outcome")
        )
        self.call_seconds = registry.histogram(
            "waybill_api_request_seconds", "Duration of calls to Alibaba.", ("operation",)
        )
        self.in_flight = registry.gauge(
            "waybill_api_requests_in_flight", "Uploads and declares under way."
        )
        self.works = registry.gauge("waybill_orders_in_works", "Claims out, uploads and calls.")
        self.gates = registry.gauge(
            "waybill_stores_gated", "Stores whose orders wait for the store.", ("reason",)
        )
        self.rerouted = registry.counter(
            "waybill_records_rerouted_total",
            "Records forwarded to the right partition.",
            ("topic",),
        )
        self.dead_letters = registry.counter(
            "waybill_dead_letters_total", "Records that nobody could read.", ("reason",)
        )
        self.commands = registry.counter(
            "waybill_commands_total",
            "Commands of operators read, by whether they applied.",
            ("kind", "outcome"),
        )
        self.unreadable = registry.counter(
            "waybill_ledger_unreadable_total", "Events of orders whose entry cannot be read."
        )
        self.age = registry.histogram(
            "waybill_shipment_age_seconds",
            "From the shipment event to Alibaba's confirmation.",
            buckets=_AGE_S,
        )
        self.confirmed_at = registry.gauge(
            "waybill_last_confirmed_timestamp_seconds", "When Alibaba last confirmed a shipment."
        )
        for reason in DeadReason:
            self.dead_letters.labels(reason.value)
        for outcome in Outcome:
            if outcome is not Outcome.UNRECOGNISED:
                self._decided.labels(outcome.value, "")

    def transition(self, before: LedgerEntry | None, after: LedgerEntry) -> None:
        """An entry was written."""
        was = before.state.value if before else "none"
        if was != after.state.value:
            self._transitions.labels(was, after.state.value).inc()
        if after.state is State.CONFIRMED and before and before.claimed_at and after.result:
            self.age.observe((after.result.at - before.claimed_at).total_seconds())
            self.confirmed_at.set(after.result.at.timestamp())

    def decided(self, notification: Notification) -> None:
        """A decision goes out."""
        reason = notification.reason.value if notification.reason else ""
        self._decided.labels(notification.outcome.value, reason).inc()

    def called(self, operation: str, outcome: str, seconds: float) -> None:
        """A call ended; see `waybill.alibaba.client.CallObserver`."""
        self.calls.labels(operation, outcome).inc()
        self.call_seconds.labels(operation).observe(seconds)
