"""Scripts come from their seed alone, and stay within what the promise is given for."""

from collections import defaultdict
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
    frozen_s = max(
        (d.for_s for d in deeds if d.kind == "freeze" and d.target != "broker"), default=0
    )

    assert script.CALL_START_S + slow_s + late_s <= script.CALL_HORIZON_S
    assert lag_s <= script.LOOKUP_GAP_S
    resent_s = 0.9 * script.SESSION_S + script.CALL_HORIZON_S + script.LOOKUP_GAP_S
    assert frozen_s + slow_s + late_s < resent_s
