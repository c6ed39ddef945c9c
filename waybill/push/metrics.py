"""What the push endpoint tells Prometheus."""

from enum import StrEnum

from waybill.metrics import Registry

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
"""Half a second is Alibaba's limit."""


class Result(StrEnum):
    """What became of a message."""

    HINTED = "hinted"
    UNKNOWN_TYPE = "unknown_type"
    """No order message: nothing to do, and right so."""
    UNKNOWN_SELLER = "unknown_seller"
    """Of a seller that no connected store belongs to."""
    UNREADABLE = "unreadable"
    """Signed rightly, and no JSON object, or its order has no number that a call takes."""
    UNAUTHORISED = "unauthorised"
    TOO_LONG = "too_long"
    TOO_SLOW = "too_slow"
    """Its body did not arrive in time."""
    UNAVAILABLE = "unavailable"
    """Kafka was away: Alibaba repeats."""


class PushMetrics:
    """All metrics of the endpoint."""

    def __init__(self, registry: Registry) -> None:
        self.messages = registry.counter(
            "waybill_push_messages_total",
            "Push messages by what became of them: hinted, unknown_type, unknown_seller, unreadable, "
            "unauthorised, too_long, too_slow, unavailable.",
            ("result",),
        )
        self.seconds = registry.histogram(
            "waybill_push_seconds",
            "From the head of a push message to its answer; Alibaba waits 0.5 s.",
            buckets=_SECONDS,
        )
        for result in Result:
            self.messages.labels(result.value)
