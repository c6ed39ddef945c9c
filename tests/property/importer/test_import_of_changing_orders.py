"""Whatever changes while pages are read: every last state arrives, and each change once."""

from datetime import timedelta
from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.importer.settings import ImporterSettings
from tests.property.importer.site import SORTINGS, Import, Site, version_of
from tests.unit.importer.answers import NOW

SMALL = ImporterSettings(passes_max=3, pages_max=30)
"""So that windows are halved as well."""
MINUTE = timedelta(minutes=1)


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """Clocks differ by as much as is allowed; changes are listed at most as late as windows overlap."""
    skew_s = int(SMALL.clock_skew_s)
    return Site(
        behind=timedelta(seconds=draw(st.integers(-skew_s, skew_s))),
        list_lag=timedelta(seconds=draw(st.integers(0, int(SMALL.window_overlap_s) - 60))),
        whole_seconds=draw(st.booleans()),
        page_size=draw(st.integers(1, 5)),
        tells_total=draw(st.booleans()),
        sorting=SORTINGS[draw(st.sampled_from(sorted(SORTINGS)))],
    )


@settings(max_examples=60, deadline=None)
@given(
    site=sites(),
    ages_min=st.lists(st.integers(1, 4 * 1_440), max_size=12),
    churn=st.sampled_from([0.0, 0.05, 0.2, 0.4]),
    polls=st.integers(1, 12),
    restart_at=st.integers(0, 12),
    chance=st.integers(0, 2**32),
)
def test_every_last_state_arrives_and_each_change_is_published_once(
    site: Site, ages_min: list[int], churn: float, polls: int, restart_at: int, chance: int
) -> None:
    for number, age_min in enumerate(ages_min):
        site.change(f"{number:04d}", NOW - age_min * MINUTE + site.behind)
    run = Import(site, SMALL, Random(chance), NOW, churn=churn)
    for poll in range(polls):
        if poll == restart_at:
            run.restart()
        run.until_the_present()
        run.now += MINUTE
    settle(run)
    event(f"changes: {sum(len(v) for v in site.orders.values()) // 20 * 20}")
    assert_in_step(run)


@settings(max_examples=150, deadline=None)
@given(
    site=sites(),
    orders=st.integers(4, 24),
    oldest_h=st.sampled_from([12, 20, 60]),
    churn=st.sampled_from([0.1, 0.3, 0.5]),
    chance=st.integers(0, 2**32),
)
def test_orders_that_change_while_history_is_read_push_no_other_out_of_sight(
    site: Site, orders: int, oldest_h: int, churn: float, chance: int
) -> None:
    """All that is not seen in this one reading of history is too old to be listed again."""
    for number in range(orders):
        site.change(f"{number:04d}", NOW - timedelta(hours=oldest_h) + number * 20 * MINUTE)
    run = Import(site, SMALL, Random(chance), NOW, churn=churn, new_share=0, changes_left=orders)
    run.until_the_present()
    settle(run)
    assert_in_step(run)


@settings(max_examples=100, deadline=None)
@given(site=sites(), churn=st.sampled_from([0.3, 0.6]), chance=st.integers(0, 2**32))
def test_an_order_that_changes_twice_within_a_second_of_the_sites_clock_is_read_again(
    site: Site, churn: float, chance: int
) -> None:
    site.whole_seconds, site.list_lag = True, timedelta(0)
    site.change("0001", NOW)
    run = Import(site, SMALL, Random(chance), NOW, churn=churn, new_share=0, changes_left=20)
    for _ in range(10):
        run.until_the_present()
        run.now += timedelta(seconds=1)
    settle(run)
    assert_in_step(run)


def settle(run: Import) -> None:
    """No more changes; go on for longer than clocks, lag and overlap together."""
    run.churn = 0
    for _ in range(45):
        run.now += MINUTE
        run.until_the_present()


def assert_in_step(run: Import) -> None:
    last = {name: versions[-1].number for name, versions in run.site.orders.items()}
    assert {name: version_of(orders[-1]) for name, orders in run.published.items()} == last
    for orders in run.published.values():
        versions = [version_of(order) for order in orders]
        assert versions == sorted(set(versions)), "each change once, and never an older one after"


@settings(max_examples=25, deadline=None)
@given(site=sites(), orders=st.integers(1, 30), chance=st.integers(0, 2**32))
def test_a_quiet_store_costs_list_calls_only(site: Site, orders: int, chance: int) -> None:
    for number in range(orders):
        site.change(f"{number:04d}", NOW - timedelta(hours=number))
    run = Import(site, SMALL, Random(chance), NOW)
    for _ in range(60):
        run.until_the_present()
        run.now += MINUTE
    calls = run.calls
    run.until_the_present()
    assert run.calls - calls <= 2, "one page, or two alike when no total is told"
