"""Which listed orders need a detail call. Pure.

Windows overlap, so the same orders are listed again and again; this memory keeps most of them from
being read again and again. It may be lost at any time: that costs calls, never a change.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.importer.settings import ImporterSettings


@dataclass(frozen=True, slots=True)
class _Reading:
    modified_at: datetime
    first_at: datetime
    last_at: datetime


class Readings:
    """The last readings of at most `readings_max` orders; the longest unused one goes first."""

    def __init__(self, settings: ImporterSettings) -> None:
        self._settle = timedelta(seconds=settings.settle_s)
        self._max = settings.readings_max
        self._of: OrderedDict[str, _Reading] = OrderedDict()

    def __len__(self) -> int:
        return len(self._of)

    def remember(self, order_key: str, modified_at: datetime, read_at: datetime) -> None:
        """Keep that an order, read at this time and dealt with, said it was modified then.

        Call it only after what was read has been committed.
        """
        last = self._of.get(order_key)
        same = last is not None and last.modified_at == modified_at
        first_at = last.first_at if last and same else read_at
        self._of[order_key] = _Reading(modified_at, first_at, read_at)
        self._of.move_to_end(order_key)
        if len(self._of) > self._max:
            self._of.popitem(last=False)

    def needed(self, order_key: str, listed_modified_at: datetime | None) -> bool:
        """Whether an order that is listed with this modified time may have changed since.

        The site's time may be a whole second in which an order changes twice. That second is surely
        over when two readings, `settle_s` apart on our own clock, have shown it.
        """
        last = self._of.get(order_key)
        if last is None or listed_modified_at is None or last.modified_at != listed_modified_at:
            return True
        self._of.move_to_end(order_key)
        return last.last_at - last.first_at < self._settle

    def forget(self, order_key: str) -> None:
        """Have an order read the next time that it is listed."""
        self._of.pop(order_key, None)
