"""What faults in force do to a call, on a clock of the test's own."""

from typing import Any

import pytest

from sandbox.faults import FAULTS_MAX, SPECS, ErrorAnswer, Faults, Plan

PATH = "/alibaba/v2/order/shipping"


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def faults(clock: Clock) -> Faults:
    return Faults(seed=1, clock_s=clock)


def add(faults: Faults, kind: str, **fields: Any) -> int:
    (spec,) = SPECS.validate_python([{"kind": kind, **fields}])
    return faults.add(spec).id


def code(plan: Plan) -> str | None:
    return plan.outcome.code if isinstance(plan.outcome, ErrorAnswer) else None


def test_without_faults_nothing_happens(faults: Faults) -> None:
    assert faults.plan(PATH, "s") == Plan()


def test_delays_add_up_and_stay_in_their_range(faults: Faults) -> None:
    add(faults, "latency", ms=100, jitter_ms=50)
    add(faults, "latency", ms=1000, when="after")
    plans = [faults.plan(PATH, None) for _ in range(200)]
    assert all(0.1 <= plan.before_s <= 0.15 for plan in plans)
    assert len({plan.before_s for plan in plans}) > 100
    assert {plan.after_s for plan in plans} == {1.0}


def test_the_largest_lag_counts(faults: Faults) -> None:
    add(faults, "lag", lag_s=5, path=None)
    add(faults, "lag", lag_s=3, path=None)
    assert faults.plan(PATH, "s").lag_s == 5


def test_times_count_hits_only(faults: Faults) -> None:
    add(faults, "gop_error", code="X", times=2, seller="s")
    found = [code(faults.plan(PATH, seller)) for seller in ("s", "t", "s", "s")]
    assert found == ["X", None, "X", None]
    assert faults.active() == []


def test_a_ban_holds_for_its_store_and_then_one_that_counts_is_over(
    faults: Faults, clock: Clock
) -> None:
    add(faults, "throttle", ban_s=2, times=1)
    assert code(faults.plan(PATH, "s")) == "ApiCallLimit"
    clock.now_s += 1.9
    plan = faults.plan(PATH, "s")
    assert isinstance(plan.outcome, ErrorAnswer)
    assert "last 1 seconds" in plan.outcome.message
    assert code(faults.plan(PATH, "t")) is None
    clock.now_s += 0.2
    assert code(faults.plan(PATH, "s")) is None
    assert faults.active() == []


def test_a_ban_without_a_count_begins_again(faults: Faults, clock: Clock) -> None:
    add(faults, "throttle", ban_s=2)
    for _ in range(3):
        plan = faults.plan(PATH, "s")
        assert isinstance(plan.outcome, ErrorAnswer)
        assert "last 2 seconds" in plan.outcome.message
        clock.now_s += 2


def test_a_quota_counts_each_store_and_each_second_by_itself(faults: Faults, clock: Clock) -> None:
    add(faults, "quota", per_second=2, ban_s=0.5)
    assert [code(faults.plan(PATH, "s")) for _ in range(2)] == [None, None]
    assert code(faults.plan(PATH, "t")) is None
    clock.now_s += 1
    found = [code(faults.plan(PATH, "s")) for _ in range(3)]
    assert found == [None, None, "ApiCallLimit"]
    clock.now_s += 1
    assert code(faults.plan(PATH, "s")) is None


def test_wildcards_choose_paths(faults: Faults) -> None:
    add(faults, "cut_before", path="/alibaba/*/shipping")
    assert faults.plan(PATH, None).outcome is not None
    assert faults.plan("/alibaba/order/get", None).outcome is None


def test_the_number_of_faults_is_bounded(faults: Faults) -> None:
    for _ in range(FAULTS_MAX):
        add(faults, "cut_before")
    with pytest.raises(ValueError, match=str(FAULTS_MAX)):
        add(faults, "cut_before")
    assert faults.remove(1)
    assert not faults.remove(1)
    add(faults, "cut_before")


def test_orders_shift_beside_whatever_happens_to_the_call(faults: Faults) -> None:
    add(faults, "shift", orders=2, create=1, times=1)
    add(faults, "http_error", path="/alibaba/order/list")
    plan = faults.plan("/alibaba/order/list", "s")
    assert [(spec.orders, spec.create) for spec in plan.shifts] == [(2, 1)]
    assert plan.outcome is not None
    assert faults.plan("/alibaba/order/list", "s").shifts == []
    assert faults.plan("/alibaba/order/get", "s").shifts == []


def test_an_error_is_asked_for_by_a_name_that_exists() -> None:
    with pytest.raises(ValueError, match="is none of api_limit"):
        SPECS.validate_python([{"kind": "api_error", "name": "no such error"}])
