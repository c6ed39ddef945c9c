"""How long the stores' authorisations last: a gauge for each, and a warning in time."""

from datetime import datetime

import structlog

from services.importer import refresh
from services.importer.metrics import ImporterMetrics
from waybill.contracts import StoreTokens

log = structlog.get_logger()

_LABELLED_MAX = 1_000
"""Stores with a gauge of their own in one process; a label for each of more would burden Prometheus."""


class Forewarning:
    """Tells of each warning once in this process, and again for the next connection."""

    def __init__(self, metrics: ImporterMetrics) -> None:
        self._metrics = metrics
        self._labelled: set[str] = set()
        self._warned: dict[str, tuple[int, int]] = {}
        """By store: the generation, and the days that were told last."""

    def tell(self, tokens: StoreTokens, now: datetime, *, refreshable: bool | None) -> None:
        """Set the gauge, and warn if a new warning is due."""
        store_id, end = tokens.store_id, refresh.ends_at(tokens, refreshable=refreshable)
        if end is None:
            self._unlabel(store_id)
            return
        if store_id in self._labelled or len(self._labelled) < _LABELLED_MAX:
            self._labelled.add(store_id)
            left_s = max(0.0, (end - now).total_seconds())
            self._metrics.authorisation_left.labels(store_id).set(left_s)
        generation, warned = self._warned.get(store_id, (0, 0))
        told = warned if generation == tokens.generation else None
        days = refresh.warning_days(tokens, end, now, told)
        if days is not None:
            self._warned[store_id] = (tokens.generation, days)
            log.warning(
                "authorisation_ends",
                store_id=store_id,
                within_days=days,
                ends_at=end.isoformat(),
                todo=todo(store_id),
            )

    def forget(self, store_id: str) -> None:
        """The store is not this process's any more; what was told of it stays told."""
        self._unlabel(store_id)

    def _unlabel(self, store_id: str) -> None:
        if store_id in self._labelled:
            self._labelled.discard(store_id)
            self._metrics.authorisation_left.remove(store_id)


def todo(store_id: str) -> str:
    """What somebody has to do."""
    return f"connect it again: waybill stores connect {store_id} --authorization 1m|3m|6m"
