"""The plan of windows: from the cursor to the present, in steps, with overlap."""

import itertools
from datetime import datetime, timedelta

import pytest

from services.importer.settings import ImporterSettings
from services.importer.windows import (
    EARLIEST,
    Window,
    backfill_begun,
    backfill_due,
    backfill_moved,
    backfill_window,
    halved,
    moved,
    next_window,
)
from waybill.contracts.imports import ImportCursor
from waybill.contracts.store import Store

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def cursor_at(at: datetime) -> ImportCursor:
    return ImportCursor(store_id="s-1", modified_until=at, finished_at=at, orders_total=7)


def test_the_first_window_starts_a_month_before_the_store_was_connected(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    window = next_window(store, None, now, settings)
    assert window.base == window.start == now - 30 * DAY
    assert window.until == window.end == now - 29 * DAY
    assert window.more


def test_a_store_may_choose_where_its_import_starts(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    chosen = store.model_copy(update={"import_from": now - 2 * HOUR})
    window = next_window(chosen, None, now, settings)
    assert window.start == window.base == now - 2 * HOUR
    assert not window.more


def test_a_window_to_the_present_overlaps_on_both_sides(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    window = next_window(store, cursor_at(now - 20 * MINUTE), now, settings)
    assert window == Window(
        base=now - 20 * MINUTE,
        until=now - 15 * MINUTE,
        start=now - 30 * MINUTE,
        end=now + 15 * MINUTE,
        more=False,
        step_max=DAY,
    )


def test_a_long_outage_is_caught_up_in_steps_without_a_gap(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    cursor = cursor_at(now - 10 * DAY)
    steps = 0
    more = True
    while more:
        window = next_window(store, cursor, now, settings)
        assert window.base == cursor.modified_until
        assert window.start == window.base - 10 * MINUTE
        assert window.until - window.base <= DAY
        cursor = moved(cursor, window, store_id="s-1", now=now, published=2)
        steps, more = steps + 1, window.more
    assert steps == 10
    assert cursor.modified_until == now - 15 * MINUTE
    assert cursor.orders_total == 27


def test_the_cursor_stays_where_it_is_when_the_clock_steps_back(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    window = next_window(store, cursor_at(now), now, settings)
    assert window.until == now
    assert window.end == now + 15 * MINUTE


def test_a_cursor_from_the_future_tells_nothing(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    window = next_window(store, cursor_at(now + 16 * MINUTE), now, settings)
    assert window == next_window(store, None, now, settings)


def test_an_import_that_starts_in_the_future_asks_for_nothing_earlier(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    chosen = store.model_copy(update={"import_from": now + DAY})
    for cursor in (None, cursor_at(now - HOUR)):
        window = next_window(chosen, cursor, now, settings)
        assert window.start == window.base == window.until == window.end == now + DAY


def test_half_a_window_ends_in_the_past_and_is_followed_by_the_rest(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    whole = next_window(store, cursor_at(now - 4 * HOUR), now, settings)
    half = halved(whole, settings)
    assert half is not None
    assert half.start == whole.start
    assert half.until == half.end == whole.base + (whole.until - whole.base) / 2
    assert half.more
    rest = next_window(
        store, moved(None, half, store_id="s-1", now=now, published=0), now, settings
    )
    assert rest.base == half.until
    assert rest.until == whole.until


def test_after_halving_steps_grow_again_by_doubling(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    whole = next_window(store, None, now, settings)
    quarter = halved(halved(whole, settings) or whole, settings)
    steps = []
    last, cursor = quarter, None
    for _ in range(4):
        assert last is not None
        cursor = moved(cursor, last, store_id="s-1", now=now, published=0)
        steps.append(last.until - last.base)
        last = next_window(store, cursor, now, settings, last=last)
    assert steps == [DAY / 4, DAY / 2, DAY, DAY]


def test_halving_ends(store: Store, now: datetime, settings: ImporterSettings) -> None:
    window: Window | None = next_window(store, None, now, settings)
    halvings = 0
    while window := halved(window, settings) if window else None:
        assert window.until - window.base >= MINUTE
        halvings += 1
    assert halvings == 10


@pytest.mark.parametrize("published", [0, 3])
def test_the_first_cursor_counts_from_nothing(
    store: Store, now: datetime, settings: ImporterSettings, published: int
) -> None:
    window = next_window(store, None, now, settings)
    cursor = moved(None, window, store_id="s-1", now=now, published=published)
    assert cursor == ImportCursor(
        store_id="s-1", modified_until=window.until, finished_at=now, orders_total=published
    )


def test_history_is_read_to_the_moment_at_which_that_was_asked_for(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    asking = store.model_copy(update={"backfill": 1, "backfill_from": now - 60 * HOUR})
    cursor = cursor_at(now)
    assert not backfill_due(asking, None), "the usual import comes first"
    assert backfill_due(asking, cursor)
    cursor = backfill_begun(asking, cursor, now)
    reach, last = [], None
    while backfill_due(asking, cursor):
        window = backfill_window(cursor, settings, last=last, was_empty=False)
        reach.append((window.base, window.until))
        cursor, last = backfill_moved(cursor, window, now=now, published=2), window
    assert reach[0][0] == now - 60 * HOUR
    assert reach[-1][1] == now
    assert all(before[1] == after[0] for before, after in itertools.pairwise(reach))
    assert (cursor.backfill_orders, cursor.orders_total) == (6, 13)
    assert cursor.modified_until == now, "the usual import goes its own way"


def test_steps_grow_where_history_is_empty_and_fall_back_where_it_is_not(
    store: Store, now: datetime, settings: ImporterSettings
) -> None:
    cursor = backfill_begun(store.model_copy(update={"backfill": 1}), cursor_at(now), now)
    assert cursor.backfill_until == EARLIEST
    last, steps = None, []
    for _ in range(8):
        window = backfill_window(cursor, settings, last=last, was_empty=True)
        steps.append(window.step_max / DAY)
        cursor, last = backfill_moved(cursor, window, now=now, published=0), window
    assert steps == [1, 2, 4, 8, 16, 31, 31, 31]
    window = backfill_window(cursor, settings, last=last, was_empty=False)
    assert window.step_max == DAY


def test_a_second_request_forgets_nothing_of_the_first(store: Store, now: datetime) -> None:
    first = store.model_copy(update={"backfill": 1, "backfill_from": now - 30 * DAY})
    second = store.model_copy(update={"backfill": 2, "backfill_from": now - DAY})
    cursor = backfill_begun(first, cursor_at(now), now)
    assert backfill_begun(first, cursor, now + HOUR) is cursor
    again = backfill_begun(second, cursor, now + HOUR)
    assert (again.backfill, again.backfill_until) == (2, now - 30 * DAY)
    assert again.backfill_end == now + HOUR
