"""Scripts come from their seed alone, and stay within what the promise is given for."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest

from tests.fire import script
from tests.fire.script import Deed

SPAN_S = 24.0


@pytest.mark.parametrize("seed", range(50))
def test_the_deeds_of_one_target_never_overlap(seed: int) -> None:
    deeds = script.script(Random(seed), SPAN_S)
    by_target: dict[str, list[Deed]] = defaultdict(list)
    for deed in deeds:
        by_target[deed.target].append(deed)
    assert deeds == script.script(Random(seed), SPAN_S)
    for of_target in by_target.values():
        assert all(a.at_s + a.for_s <= b.at_s for a, b in pairwise(of_target))


@pytest.mark.parametrize("seed", range(50))
def test_no_call_can_act_after_a_successor_may_send_again(seed: int) -> None:
    deeds = script.script(Random(seed), SPAN_S)
    faults = [fault for deed in deeds for fault in deed.faults]
    late_s = max((fault["after_s"] for fault in faults if "after_s" in fault), default=0)
    slow = [f for f in faults if f["kind"] == "latency" and f.get("when") != "after"]
    slow_s = max(((fault["ms"] + fault["jitter_ms"]) / 1000 for fault in slow), default=0)
    lag_s = max((fault["lag_s"] for fault in faults if "lag_s" in fault), default=0)
    frozen_s = _longest_s(deeds, script.SERVICES)
    acts_s = _longest_s(deeds, ("site",)) + slow_s + late_s

    assert script.CALL_START_S + acts_s <= script.CALL_HORIZON_S
    assert lag_s <= script.LOOKUP_GAP_S
    resent_s = 0.9 * script.SESSION_S + script.CALL_HORIZON_S + script.LOOKUP_GAP_S
    assert frozen_s + acts_s < resent_s


def _longest_s(deeds: list[Deed], targets: Sequence[str]) -> float:
    found = (deed.for_s for deed in deeds if deed.kind == "freeze" and deed.target in targets)
    return max(found, default=0.0)


@pytest.mark.parametrize("seed", range(50))
def test_a_call_meets_one_freeze_of_the_site_at_most(seed: int) -> None:
    freezes = [d for d in script.script(Random(seed), SPAN_S) if d.target == "site"]
    acts_s = script.BEFORE_S + script.LATE_S

    assert all(0 < deed.for_s <= script.SITE_FROZEN_S for deed in freezes)
    assert all(a.at_s + a.for_s + acts_s < b.at_s for a, b in pairwise(freezes))


@pytest.mark.parametrize("seed", range(50))
def test_the_tokens_of_a_store_come_back(seed: int) -> None:
    """Nothing could be settled otherwise: the end of the fire waits for every deed to be over."""
    deeds = [d for d in script.script(Random(seed), SPAN_S) if d.target in script.STORES]

    assert {deed.kind for deed in deeds} <= {"tokens end", "access token ends"}
    assert all(deed.for_s > 0 for deed in deeds)
    assert all(deed.at_s < SPAN_S for deed in deeds)


def test_every_trouble_comes_up_within_a_few_seeds() -> None:
    deeds = [deed for seed in range(10) for deed in script.script(Random(seed), SPAN_S)]

    assert {(deed.target, deed.kind) for deed in deeds} >= {
        *((store, kind) for store in script.STORES for kind in ("tokens end", "access token ends")),
        *((service, "freeze") for service in (*script.SERVICES, "broker", "site")),
        *((service, "kill") for service in (*script.SERVICES, "broker")),
        ("alibaba", "misbehave"),
    }
