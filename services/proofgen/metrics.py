"""What proofgen tells Prometheus."""

from services.proofgen.document import RefusalReason
from services.proofgen.proving import Proved, Unreadable
from waybill.contracts.codec import DeadReason
from waybill.metrics import Registry

_DRAW_S = (0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1, 5)


class ProofgenMetrics:
    """All metrics of the drawing."""

    def __init__(self, registry: Registry) -> None:
        self._drawn = registry.counter(
            "waybill_proofs_total",
            "Claims answered: drawn, or refused with a reason.",
            ("outcome",),
        )
        self._seconds = registry.histogram(
            "waybill_proof_seconds", "From reading a claim to its finished proof.", buckets=_DRAW_S
        )
        self._dead = registry.counter(
            "waybill_dead_letters_total", "Records that nobody could read.", ("reason",)
        )
        self._drawn.labels("drawn")
        for refusal in RefusalReason:
            self._drawn.labels(refusal.value)
        for reason in DeadReason:
            self._dead.labels(reason.value)

    def drawn(self, proved: Proved | Unreadable, seconds: float) -> None:
        """A claim was dealt with."""
        if isinstance(proved, Unreadable):
            self._dead.labels(proved.reason.value).inc()
            return
        self._drawn.labels(proved.refusal or "drawn").inc()
        self._seconds.observe(seconds)
