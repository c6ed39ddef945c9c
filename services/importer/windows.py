"""Which stretch of time to ask the site for next. Pure.

The cursor says: every change up to here has been published. A window takes up new ground from there,
and reaches back over ground that was already asked for, because a site may list a change late; the
ends are meant to be included. What is read twice is recognised later, so windows may overlap freely
and a crash in the middle only means that the same window is read again.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from services.importer.settings import ImporterSettings
from waybill.contracts.imports import ImportCursor
from waybill.contracts.store import Store

EARLIEST: Final = datetime(2010, 1, 1, tzinfo=UTC)
"""Before the first order that the site can hold: the orders of this kind came in 2015."""


@dataclass(frozen=True, slots=True)
class Window:
    """Ask for orders modified from `start` to `end`; when all are published the cursor is `until`."""

    base: datetime
    """Where the cursor stands now."""
    until: datetime
    """Where it stands afterwards, at or after `base`."""
    start: datetime
    """At or before `base`."""
    end: datetime
    """At or after `until`; in the future when the window reaches the present."""
    more: bool
    """True: known ground is left behind the window; go on with the next one at once."""
    step_max: timedelta
    """How far it was allowed to reach beyond `base`."""


def next_window(
    store: Store,
    cursor: ImportCursor | None,
    now: datetime,
    settings: ImporterSettings,
    *,
    last: Window | None = None,
) -> Window:
    """The window that follows the cursor; without a cursor the first of the store's history.

    A window that does not reach the present ends where no change can turn up any more: orders may
    leave it while it is read, by being changed again, but none can come in. After a window that had
    to be halved (`last`) steps grow again by doubling.

    The cursor stays behind `now` by as much as the clocks may differ, and never goes back, but for
    one case: a cursor in the future was written under a wrong clock and tells nothing. Then history
    is read again; what has been published is recognised.
    """
    skew = timedelta(seconds=settings.clock_skew_s)
    earliest = store.import_from or store.connected_at - timedelta(days=settings.first_import_days)
    known = cursor is not None and cursor.modified_until <= now + skew
    base = max(earliest, cursor.modified_until) if cursor and known else earliest
    overlap = timedelta(seconds=settings.window_overlap_s)
    step_max = timedelta(seconds=settings.window_max_s)
    step_max = min(step_max, 2 * last.step_max) if last else step_max
    more = base + step_max < now - skew - overlap
    until = base + step_max if more else max(base, now - skew)
    return Window(
        base=base,
        until=until,
        start=max(earliest, base - overlap),
        end=until if more else max(until, now + skew),
        more=more,
        step_max=step_max,
    )


def halved(window: Window, settings: ImporterSettings) -> Window | None:
    """The first half of a window that could not be read to its end; `None` if it is short already.

    Of half a window the end lies in the past, so that orders can only leave it while it is read.
    """
    step = (window.until - window.base) / 2
    if step < timedelta(seconds=settings.window_min_s):
        return None
    until = window.base + step
    return replace(window, until=until, end=until, more=True, step_max=step)


def moved(
    cursor: ImportCursor | None, window: Window, *, store_id: str, now: datetime, published: int
) -> ImportCursor:
    """The cursor after a window, to be written in the transaction of the window's last orders."""
    before = cursor or ImportCursor(store_id=store_id, modified_until=window.until, finished_at=now)
    return before.model_copy(
        update={
            "modified_until": window.until,
            "finished_at": now,
            "orders_total": before.orders_total + published,
        }
    )


def backfill_due(store: Store, cursor: ImportCursor | None) -> bool:
    """Whether history is to be read once more; not before the first window of the usual import is."""
    return cursor is not None and (
        cursor.backfill_until is not None or store.backfill > cursor.backfill
    )


def backfill_begun(store: Store, cursor: ImportCursor, now: datetime) -> ImportCursor:
    """The cursor with the newest request under way; one that is not finished is not forgotten over it."""
    if store.backfill <= cursor.backfill:
        return cursor
    start = store.backfill_from or EARLIEST
    if cursor.backfill_until is not None:
        start = min(start, cursor.backfill_until)
    return cursor.model_copy(
        update={
            "backfill": store.backfill,
            "backfill_until": min(start, now),
            "backfill_end": now,
            "backfill_orders": 0,
        }
    )


def backfill_window(
    cursor: ImportCursor, settings: ImporterSettings, *, last: Window | None, was_empty: bool
) -> Window:
    """The next window of a back-fill that has begun; steps grow by doubling, far where nothing is.

    What changes meanwhile is the usual import's: history ends when it was begun. Both ends of a
    window are included, and a second more at its start, since the site may know whole seconds only.
    """
    base, end = cursor.backfill_until, cursor.backfill_end
    if base is None or end is None:
        raise ValueError(f"no back-fill of {cursor.store_id} is under way")
    step = timedelta(seconds=settings.window_max_s)
    if last is not None:
        longest = timedelta(seconds=settings.backfill_window_max_s) if was_empty else step
        step = min(2 * last.step_max, longest)
    until = min(base + step, end)
    return Window(
        base=base,
        until=until,
        start=base - timedelta(seconds=1),
        end=until,
        more=until < end,
        step_max=step,
    )


def backfill_moved(
    cursor: ImportCursor, window: Window, *, now: datetime, published: int
) -> ImportCursor:
    """The cursor after a window of a back-fill."""
    return cursor.model_copy(
        update={
            "finished_at": now,
            "orders_total": cursor.orders_total + published,
            "backfill_until": window.until if window.more else None,
            "backfill_orders": cursor.backfill_orders + published,
        }
    )
