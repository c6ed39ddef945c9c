"""Windows cover all of time behind them, whatever the outages and clocks."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.importer.settings import ImporterSettings
from services.importer.windows import Window, halved, moved, next_window
from tests.unit.importer.answers import NOW, STORE
from waybill.contracts.imports import ImportCursor

gaps_s = st.one_of(
    st.integers(0, 200), st.integers(0, 100_000), st.integers(0, 20 * 86_400), st.integers(-900, 0)
)
plans = st.builds(
    ImporterSettings,
    window_overlap_s=st.integers(0, 7_200),
    clock_skew_s=st.integers(0, 7_200),
    window_max_s=st.integers(3_600, 10 * 86_400),
    first_import_days=st.integers(0, 60),
)


@given(plans, st.lists(st.tuples(gaps_s, st.booleans()), min_size=1, max_size=60))
def test_the_cursor_goes_forward_over_ground_that_was_asked_for(
    plan: ImporterSettings, steps: list[tuple[int, bool]]
) -> None:
    now = NOW
    cursor: ImportCursor | None = None
    for gap_s, must_halve in steps:
        now += timedelta(seconds=gap_s)
        window = next_window(STORE, cursor, now, plan)
        if must_halve:
            window = halved(window, plan) or window
        check(window, cursor, now, plan)
        cursor = moved(cursor, window, store_id="s-1", now=now, published=0)


def check(
    window: Window, cursor: ImportCursor | None, now: datetime, plan: ImporterSettings
) -> None:
    assert window.start <= window.base <= window.until <= window.end
    assert window.end <= max(window.until, now + timedelta(seconds=plan.clock_skew_s))
    if cursor and cursor.modified_until <= now + timedelta(seconds=plan.clock_skew_s):
        assert window.base == cursor.modified_until
        overlap = timedelta(seconds=plan.window_overlap_s)
        earliest = STORE.connected_at - timedelta(days=plan.first_import_days)
        assert window.start == max(earliest, cursor.modified_until - overlap)
    length_max_s = plan.window_max_s + plan.window_overlap_s + plan.clock_skew_s
    assert window.until - window.base <= timedelta(seconds=length_max_s)


@settings(max_examples=50, deadline=None)
@given(plans, st.integers(0, 40))
def test_any_outage_is_caught_up(plan: ImporterSettings, days: int) -> None:
    last = NOW - timedelta(days=days)
    cursor = ImportCursor(store_id="s-1", modified_until=last, finished_at=last)
    store = STORE.model_copy(update={"import_from": last})
    steps_max = days * 86_400 // int(plan.window_max_s) + 1
    for step in range(steps_max + 1):
        window = next_window(store, cursor, NOW, plan)
        cursor = moved(cursor, window, store_id="s-1", now=NOW, published=0)
        if not window.more:
            break
        assert step < steps_max
    assert cursor.modified_until == max(last, NOW - timedelta(seconds=plan.clock_skew_s))
