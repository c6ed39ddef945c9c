"""Metrics: declared once with their meaning, collected per process, listed in `docs/metrics.md`.

Labels come from closed lists: never an order, a shipment or a text from outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Buckets for calls and transactions."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric as the documentation shows it."""

    name: str
    kind: str
    about: str
    labels: tuple[str, ...]


class Registry:
    """Makes metrics and remembers what was declared."""

    def __init__(self) -> None:
        self.collectors = CollectorRegistry()
        self.declared: list[Declared] = []

    def counter(self, name: str, about: str, labels: Sequence[str] = ()) -> Counter:
        """Something counted; the name ends in `_total`."""
        self._declare(name, "counter", about, labels)
        return Counter(name, about, labels, registry=self.collectors)

    def gauge(self, name: str, about: str, labels: Sequence[str] = ()) -> Gauge:
        """Something that goes up and down."""
        self._declare(name, "gauge", about, labels)
        return Gauge(name, about, labels, registry=self.collectors)

    def histogram(
        self,
        name: str,
        about: str,
        labels: Sequence[str] = (),
        buckets: Sequence[float] = SECONDS,
    ) -> Histogram:
        """A distribution; the name ends in its unit."""
        self._declare(name, "histogram", about, labels)
        return Histogram(name, about, labels, registry=self.collectors, buckets=buckets)

    def _declare(self, name: str, kind: str, about: str, labels: Sequence[str]) -> None:
        self.declared.append(Declared(name, kind, about, tuple(labels)))
