"""When the orders of a store may go: its delay, and its daily window on the clock on the store's wall.

Both only hold back what stands in line, so no order is written for them, and a changed setting counts at
once. What was taken into the works before a window closed is finished. Nothing here reads a clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from waybill.contracts import Store

OUTSIDE_WINDOW = "outside_window"
NO_SUCH_TIME_ZONE = "no_such_time_zone"
"""A window whose zone nobody knows opens never: an operator sees the gate and corrects the zone."""

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the day from `start_min` on and before `end_min`; or over midnight."""

    start_min: int
    end_min: int

    def contains(self, minute: int) -> bool:
        """Whether the minute of the day lies in it."""
        if self.start_min < self.end_min:
            return self.start_min <= minute < self.end_min
        return minute >= self.start_min or minute < self.end_min


def closed_because(store: Store, now: datetime) -> str | None:
    """Why none of the store's orders may go now by its window; None when they may.

    The hour that is repeated in autumn opens it twice; in spring a window that begins within the hour that
    is left out opens at its end, and one that lies in it as a whole does not open on that day.
    """
    if store.notify_window is None:
        return None
    zone = _zone(store.time_zone)
    if zone is None:
        return NO_SUCH_TIME_ZONE
    local = now.astimezone(zone)
    is_open = _window(store.notify_window).contains(local.hour * 60 + local.minute)
    return None if is_open else OUTSIDE_WINDOW


def claimed_by_ms(store: Store, now_ms: int) -> int:
    """Orders that were claimed until then, in epoch milliseconds, have waited long enough."""
    return now_ms - store.notify_delay_min * _MINUTE_MS


def closed(stores: Iterable[Store], now: datetime) -> list[str]:
    """Why each of the stores that are outside of their window now is closed."""
    found = (closed_because(store, now) for store in stores if store.notify_window is not None)
    return [reason for reason in found if reason is not None]


@lru_cache(1_024)
def _window(text: str) -> Window:
    start, _, end = text.partition("-")
    return Window(_minutes(start), _minutes(end))


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


@lru_cache(1_024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # no such zone, no such name
        return None
