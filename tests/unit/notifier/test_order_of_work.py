"""Who goes when: slots, gates, due times, sweeps, stopping; through the whole notifier."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notifier.rule import (
    HoldsNone,
    LookupFailed,
    NotSent,
    Throttled,
    Unauthorised,
    Unclear,
)
from services.notifier.rule.types import UploadFailed
from tests.unit.notifier.conftest import OpenDesk
from tests.unit.notifier.rule.builders import make_store
from tests.unit.notifier.world import Desk, key_of
from waybill.contracts.base import Address
from waybill.contracts.order import OrderStatus

KEY = key_of(1)


def _shipped(desk: Desk, count: int, **changes: Any) -> list[str]:
    """So many orders with their shipments, one after the other."""
    keys = [key_of(number) for number in range(count)]
    for key in keys:
        desk.process(desk.order(key, **changes), desk.shipment(key))
        desk.clock.passed_s += 0.01
    return keys


def _asked(desk: Desk) -> list[str]:
    return [claim.order_key for claim in desk.claims()]


def _proved(desk: Desk, key: str) -> None:
    """From claim to the end of an upload that failed for a while: the place is free again."""
    desk.process(desk.proof(key))
    desk.answer(key, UploadFailed(NotSent()))


# ------------------------------------------------------------------------------------------ slots


def test_no_more_claims_are_out_than_the_store_has_places(open_desk: OpenDesk) -> None:
    desk = open_desk(settings={"works_per_store_max": 3})
    keys = _shipped(desk, 10)
    for _ in range(5):
        desk.turn()

    assert _asked(desk) == keys[:3]
    assert all(desk.at(key) == "claimed" for key in keys), "intake waits for nobody"


def test_a_place_that_gets_free_goes_to_the_oldest(open_desk: OpenDesk) -> None:
    desk = open_desk(settings={"works_per_store_max": 3})
    keys = _shipped(desk, 6)

    for key in keys[:3]:
        desk.process(desk.proof(key, pages=(), refusal="no_ship_date"))
        desk.turn()
        desk.turn()

    assert _asked(desk) == keys


def test_who_comes_when_others_wait_stands_in_line(open_desk: OpenDesk) -> None:
    desk = open_desk(settings={"works_per_store_max": 1})
    keys = _shipped(desk, 3)
    desk.process(desk.proof(keys[0], pages=(), refusal="no_ship_date"))

    last = key_of(99)
    desk.process(desk.order(last), desk.shipment(last))
    desk.turn()
    desk.turn()

    assert _asked(desk) == keys[:2]


def test_the_limit_over_all_stores_holds(open_desk: OpenDesk) -> None:
    stores = tuple(make_store(store_id=f"store-{n}") for n in range(4))
    desk = open_desk(stores=stores, settings={"works_max": 5, "works_per_store_max": 3})
    for number in range(20):
        key = key_of(number)
        desk.process(desk.order(key, store_id=f"store-{number % 4}"), desk.shipment(key))
        desk.turn()
        desk.turn()
        assert len(desk.shared.works) <= 5

    assert len(_asked(desk)) == 5


def test_stores_go_in_turn(open_desk: OpenDesk) -> None:
    stores = tuple(make_store(store_id=f"store-{n}") for n in range(3))
    desk = open_desk(stores=stores, settings={"works_max": 3, "works_per_store_max": 3})
    for store in range(3):  # the first store has been waiting longest, and with most orders
        for number in range(9 - store):
            key = key_of(100 * store + number)
            desk.process(desk.order(key, store_id=f"store-{store}"), desk.shipment(key))
            desk.clock.passed_s += 1
    for _ in range(6):
        for work in list(desk.shared.works):
            desk.process(desk.proof(work.key, pages=(), refusal="no_ship_date"))
        desk.turn()
        desk.turn()

    by_store = [int(key.partition(":")[2]) // 100 for key in _asked(desk)]
    later = by_store[3:]  # the first three went at once, when nobody else was there
    assert {store: later[:9].count(store) for store in range(3)} == {0: 3, 1: 3, 2: 3}


# ------------------------------------------------------------------------------------------ gates


@pytest.mark.parametrize("condition", ["paused", "disconnected"])
def test_orders_of_a_store_that_is_not_open_wait_in_the_ledger(
    open_desk: OpenDesk, condition: str
) -> None:
    desk = open_desk()
    changes: dict[str, Any] = {condition: True}
    desk.connect(make_store(revision=2, **changes))
    desk.process(desk.order(KEY), desk.shipment(KEY))
    for _ in range(3):
        desk.wait(1_000)

    assert desk.claims() == []
    desk.connect(make_store(revision=3))
    desk.turn()
    desk.turn()

    assert _asked(desk) == [KEY]


def test_a_store_without_good_tokens_waits_and_goes_on_when_they_are_there(desk: Desk) -> None:
    desk.calling(KEY)
    desk.answer(KEY, desk.called(KEY, Unauthorised()), gate="unauthorised")
    keys = [key_of(number) for number in range(10, 15)]
    for key in keys:
        desk.process(desk.order(key), desk.shipment(key))
    for _ in range(5):
        desk.wait(10)
    assert _asked(desk) == [KEY]
    told = len(desk.notifications())

    desk.reconnect("store-1")
    desk.turn()
    desk.turn()

    assert sorted(_asked(desk)) == sorted([KEY, KEY, *keys])
    assert len(desk.notifications()) == told, "a condition of the store is no news of its orders"


def test_a_proof_that_comes_when_the_tokens_are_gone_is_asked_for_again_later(desk: Desk) -> None:
    """Claimed, and nobody's: it must not be forgotten."""
    desk.claimed(KEY)
    desk.turn()
    desk.shared.sealed.clear()
    desk.process(desk.proof(KEY))
    assert desk.caller.uploads == []
    assert len(desk.shared.works) == 0

    desk.reconnect("store-1")
    for _ in range(3):
        desk.wait(100)
    desk.process(desk.proof(KEY))

    assert len(desk.caller.uploads) == 1


def test_a_throttled_store_rests_and_others_go_on(open_desk: OpenDesk) -> None:
    desk = open_desk(stores=(make_store(), make_store(store_id="store-2")))
    desk.calling(KEY)
    until = datetime.now(UTC)
    desk.answer(KEY, desk.called(KEY, Throttled(until)), gate="throttled", gate_s=20.0)
    mine, other = key_of(10), key_of(11)
    desk.process(desk.order(mine), desk.shipment(mine))
    desk.process(desk.order(other, store_id="store-2"), desk.shipment(other))
    desk.turn()
    assert other in _asked(desk)
    assert mine not in _asked(desk)

    desk.wait(19)
    assert mine not in _asked(desk)
    desk.wait(2)
    desk.turn()
    assert mine in _asked(desk)


@pytest.mark.parametrize("gate", ["throttled", "misconfigured"])
def test_a_paused_store_stays_paused_whatever_its_last_calls_say(desk: Desk, gate: str) -> None:
    desk.calling(KEY)
    desk.connect(make_store(revision=2, paused=True))
    until = desk.clock.now() + timedelta(seconds=1)
    desk.answer(KEY, desk.called(KEY, Throttled(until)), gate=gate, gate_s=1.0)
    other = key_of(10)
    desk.process(desk.order(other), desk.shipment(other))

    for _ in range(5):
        desk.wait(100)

    assert _asked(desk) == [KEY], "a paused store went on by itself"


def test_a_store_that_is_resumed_while_its_token_is_refused_closes_again(desk: Desk) -> None:
    desk.calling(KEY)
    desk.answer(KEY, desk.called(KEY, Unauthorised()), gate="unauthorised")
    desk.connect(make_store(revision=2, paused=True))
    for _ in range(3):
        desk.wait(10)
    assert _asked(desk) == [KEY]


# ---------------------------------------------------------------------------------- stores change


def test_a_changed_store_wakes_what_waits_for_it(desk: Desk) -> None:
    desk.process(desk.order(KEY), desk.shipment(KEY, carrier={"code": "yodel"}))
    assert desk.at(KEY) == "waiting: carrier_unmapped"

    desk.connect(make_store(revision=2, carrier_map={"yodel": "YODEL"}))
    desk.turn()
    desk.turn()

    assert desk.at(KEY) == "claimed"


def test_a_change_during_the_sweep_of_the_one_before_reaches_everybody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier.handler._SWEEP_MAX", 2)
    keys = [key_of(number) for number in range(5)]
    for key in keys:
        desk.process(desk.order(key), desk.shipment(key, carrier={"code": "yodel"}))
    desk.connect(make_store(revision=2, carrier_map={"other": "OTHER"}))
    desk.process()  # the sweep has passed the first two
    desk.connect(make_store(revision=3, carrier_map={"yodel": "YODEL"}))

    for _ in range(10):
        desk.turn()

    assert [desk.at(key) for key in keys] == ["claimed"] * 5


def test_an_older_revision_of_a_store_changes_nothing(desk: Desk) -> None:
    desk.connect(make_store(revision=3, paused=True))
    desk.connect(make_store(revision=2))
    desk.process(desk.order(KEY), desk.shipment(KEY))
    desk.turn()

    assert desk.claims() == []


def test_look_ups_read_the_statuses_as_the_store_maps_them_now(desk: Desk) -> None:
    desk.claimed(KEY)
    assert desk.shared.line("store-1") is not None

    desk.connect(make_store(revision=2, status_map={"frozen_by_risk": "on_hold"}))

    line = desk.shared.line("store-1")
    assert line is not None
    assert line.status_map == {"frozen_by_risk": "on_hold"}


# ------------------------------------------------------------------------------------------- due


def test_a_pause_ends_at_its_time_and_not_before(desk: Desk) -> None:
    desk.calling(KEY)
    desk.answer(KEY, desk.called(KEY, NotSent()))
    due_at = desk.entry(KEY).due_at
    assert due_at is not None
    left_s = (due_at - desk.clock.now()).total_seconds()

    desk.wait(left_s - 0.001)
    desk.turn()
    assert _asked(desk) == [KEY]

    desk.wait(0.001)
    desk.turn()
    assert _asked(desk) == [KEY, KEY]


def test_what_is_due_is_dealt_with_in_bounded_batches_earliest_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier.handler._SWEEP_MAX", 3)
    keys = [key_of(number) for number in range(7)]
    for key in keys:
        desk.process(desk.shipment(key))
        desk.clock.passed_s += 1
    hints = len(desk.to("order-hints"))
    desk.clock.passed_s += 100
    desk.shared.tick()

    swept = []
    while desk.handler().wants_turn():
        desk.process()
        swept.append(len(desk.to("order-hints")) - hints)
        assert len(swept) < 10

    assert swept[:3] == [3, 6, 7]
    assert {hint.key for hint in desk.to("order-hints")[hints:]} == {key.encode() for key in keys}
    first = [hint.key for hint in desk.to("order-hints")[hints:]][:3]
    assert set(first) == {key.encode() for key in keys[:3]}


def test_a_call_that_is_never_heard_of_again_is_in_doubt_after_its_lease(desk: Desk) -> None:
    desk.calling(KEY)

    desk.wait(94)
    assert desk.at(KEY) == "dispatched"
    desk.wait(3)

    assert desk.at(KEY) == "in_doubt: outcome_unknown"
    desk.turn()
    assert desk.caller.lookups == [KEY]


def test_two_answers_none_past_the_horizon_open_the_way_for_a_second_call(desk: Desk) -> None:
    desk.calling(KEY)
    desk.answer(KEY, desk.called(KEY, Unclear()))
    none = HoldsNone(OrderStatus.AWAITING_SHIPMENT)
    for _ in range(60):
        desk.wait(30)
        if desk.shared.under_way:
            desk.answer(KEY, desk.looked_up(none))
        if desk.at(KEY) == "claimed":
            break
    passed_s = desk.clock.passed_s

    assert desk.at(KEY) == "claimed"
    assert passed_s >= desk.shared.settings.call_horizon_s + desk.shared.settings.lookup_gap_s
    desk.turn()
    desk.process(desk.proof(KEY))
    desk.answer(KEY, desk.uploaded(KEY))
    assert [declare.attempt for declare in desk.caller.declares] == [1, 2]


def test_look_ups_are_bounded_and_each_order_is_asked_about_once_at_a_time(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk(settings={"lookups_max": 2})
    keys = [key_of(number) for number in range(5)]
    for key in keys:
        desk.calling(key)
        desk.answer(key, desk.called(key, Unclear()))
    for _ in range(3):
        desk.turn()
    assert len(desk.caller.lookups) == 2

    for key in list(desk.caller.lookups):
        desk.answer(key, desk.looked_up(LookupFailed()))
    desk.turn()

    assert len(desk.caller.lookups) == 4
    assert len(set(desk.caller.lookups)) == 4


# ------------------------------------------------------------------------------------------ stop


def test_a_stop_waits_for_calls_and_not_for_proofs(desk: Desk) -> None:
    desk.claimed(key_of(5))
    desk.notifier.stop_intake()
    assert desk.notifier.idle(), "a proof can be asked for again"


def test_a_stop_finishes_an_upload_with_its_call(desk: Desk) -> None:
    desk.uploading(KEY)
    desk.notifier.stop_intake()
    assert not desk.notifier.idle()

    desk.answer(KEY, desk.uploaded(KEY))
    assert not desk.notifier.idle()
    assert len(desk.caller.declares) == 1


def test_a_stop_starts_no_new_look_up_and_grants_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(settings={"lookups_max": 1, "works_per_store_max": 1})
    for key in (KEY, key_of(2)):
        desk.calling(key)
        desk.answer(key, desk.called(key, Unclear()))
    desk.claimed(key_of(3))
    waiting = key_of(4)
    desk.process(desk.order(waiting), desk.shipment(waiting))
    (started,) = desk.caller.lookups
    desk.notifier.stop_intake()

    desk.answer(started, desk.looked_up(LookupFailed()))
    for _ in range(3):
        desk.turn()

    assert len(desk.caller.lookups) == 1
    assert waiting not in _asked(desk)
    assert desk.notifier.idle()


# ------------------------------------------------------------------------------------- proofs' form


@pytest.mark.parametrize(("media_type", "ending"), [("image/png", ".png"), ("image/jpeg", ".jpg")])
def test_a_proof_is_uploaded_under_an_ending_that_alibaba_takes(
    desk: Desk, media_type: str, ending: str
) -> None:
    desk.claimed(KEY)
    page = {"image": b"x", "media_type": media_type, "sha256": "c" * 64}

    desk.process(desk.proof(KEY, pages=(page,)))

    (upload,) = desk.caller.uploads
    assert upload.pages[0].name.endswith(ending)
    assert upload.pages[0].name.startswith(f"proof_{KEY.partition(':')[2]}")


def test_no_address_gets_into_the_log(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    address = Address(name="Ada King", lines=("12 St James's Square",), country_code="GB")
    desk.process(desk.order(KEY, ship_to=address), desk.shipment(KEY))
    desk.process(desk.proof(KEY))
    desk.answer(KEY, desk.uploaded(KEY))
    desk.answer(KEY, desk.called(KEY, Unclear()))

    captured = capsys.readouterr()
    assert "decided" in captured.out + captured.err
    assert "Ada" not in captured.out + captured.err
    assert "James" not in captured.out + captured.err
