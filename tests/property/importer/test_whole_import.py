"""The whole importer against the sandbox: whatever happens, each last state arrives, each change once."""

import itertools
import tempfile
from datetime import timedelta
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sandbox.faults import SPECS
from services.importer.enriching import enriched
from services.importer.normalise import Draft, normalise
from services.importer.statuses import still_open
from tests.property.importer.whole import Chances, Installation, number_of
from waybill.contracts.order import Order

MINUTE_S = 60.0
TROUBLE = (
    {"kind": "http_error", "status": 503, "probability": 0.2, "times": 10},
    {"kind": "throttle", "ban_s": 3, "times": 2},
    {"kind": "gop_error", "code": "ServiceTimeout", "probability": 0.2, "times": 10},
    {"kind": "gop_error", "code": "500", "probability": 0.1, "times": 3},
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ages_h=st.lists(st.integers(0, 70), max_size=14),
    skew_s=st.integers(-890, 890),
    page_size=st.integers(1, 6),
    change=st.sampled_from([0.0, 0.05, 0.3]),
    new=st.sampled_from([0.0, 0.05]),
    push=st.sampled_from([0.0, 0.1]),
    crash=st.sampled_from([0.0, 0.02, 0.1]),
    trouble=st.booleans(),
    chance=st.integers(0, 2**32),
)
def test_every_last_state_arrives_and_each_change_is_published_once(  # noqa: PLR0917
    ages_h: list[int],
    skew_s: int,
    page_size: int,
    change: float,
    new: float,
    push: float,
    crash: float,
    trouble: bool,
    chance: int,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Installation(Path(folder), Random(chance), timedelta(seconds=skew_s), page_size)
        for age_h in sorted(ages_h, reverse=True):
            run.create(age_s=age_h * 3_600)
        if trouble:
            for spec in SPECS.validate_python(TROUBLE):
                run.faults.add(spec)
        run.chances = Chances(change, new, push, crash)
        run.run(6 * MINUTE_S)
        settle(run)
        event(f"crashes: {min(run.crashes, 5)}")
        event(f"states: {run.states // 10 * 10}")
        assert_in_step(run)
        run.world.close()


def settle(run: Installation) -> None:
    """Nothing happens any more; for longer than clocks, overlap and the longest rest together."""
    run.chances = Chances()
    run.faults.clear()
    run.run(60 * MINUTE_S)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ages_h=st.lists(st.integers(0, 70), min_size=1, max_size=10),
    crash=st.sampled_from([0.0, 0.02, 0.1]),
    change=st.sampled_from([0.0, 0.05]),
    chance=st.integers(0, 2**32),
)
def test_changed_tables_facts_and_wishes_reach_every_order_that_is_open(
    ages_h: list[int], crash: float, change: float, chance: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Installation(Path(folder), Random(chance), timedelta(0), page_size=5)
        for age_h in sorted(ages_h, reverse=True):
            run.create(age_s=age_h * 3_600)
        run.chances = Chances(change=change, crash=crash, settings=0.15, left=30)
        run.run(10 * MINUTE_S)
        settle(run)
        assert_facts_told(run)
        run.world.close()


def assert_facts_told(run: Installation) -> None:
    """Orders that can still change show what holds now, and no record repeats the one before it."""
    published = run.published()
    assert set(published) == set(run.world.orders.by_id)
    for trade_id, orders in published.items():
        last = orders[-1]
        wanted = expected(run, trade_id, last.store_id)
        if still_open(last.status, last.raw_status):
            assert last.content_sha256 == wanted.content_sha256, f"{trade_id} is not the last state"
        contents = [order.content_sha256 for order in orders]
        assert all(one != other for one, other in itertools.pairwise(contents))
    for progress in run.process.shared.progress.values():
        assert progress.cursor is not None
        assert progress.cursor.backfill_until is None, "history was read to its end"
        assert progress.cursor.backfill == run.stores[progress.cursor.store_id].backfill


def expected(run: Installation, trade_id: str, store_id: str) -> Order:
    """The order as it should be published now."""
    detail, funds = run.answers(trade_id)
    order = normalise(
        detail,
        payments=funds,
        site="sandbox",
        store=run.stores[store_id],
        imported_at=run.clock.now(),
    )
    assert not isinstance(order, Draft)
    return enriched(order, run.facts(store_id, order))


def assert_in_step(run: Installation) -> None:
    """The last record is what the site answers now, and no state came twice or out of turn."""
    published = run.published()
    assert set(published) == set(run.world.orders.by_id)
    for trade_id, orders in published.items():
        wanted = expected(run, trade_id, orders[-1].store_id).content_sha256
        assert orders[-1].content_sha256 == wanted, f"{trade_id} is not the last state"
        contents = [order.content_sha256 for order in orders]
        assert len(set(contents)) == len(contents), f"{trade_id}: a change was published twice"
        numbers = [number_of(order) for order in orders]
        assert numbers == sorted(numbers), f"{trade_id}: an older state after a newer one"
