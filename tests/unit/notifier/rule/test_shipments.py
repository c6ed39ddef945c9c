"""Who holds an order: replays, revisions, voids, other shipments, and what comes too late."""

from datetime import timedelta
from typing import Any

import pytest

from services.notifier.rule import (
    Accepted,
    Holds,
    NotSent,
    RejectedByAlibaba,
    SendHint,
    Unclear,
)
from tests.unit.notifier.rule.builders import (
    NOTHING,
    START,
    Life,
    arrival,
    make_order,
    make_shipment,
    make_store,
    make_void,
    with_limits,
)
from waybill.contracts.base import LogisticsType
from waybill.contracts.codec import DeadReason
from waybill.contracts.ledger import SeenEnd, State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Action, Carrier, Coverage, Source
from waybill.contracts.store import ResendPolicy

OTHER_PARCEL: dict[str, Any] = {"tracking_number": "1Z999AA10123456784"}


def in_doubt() -> Life:
    life = Life().dispatched()
    life.end_call(Unclear("ServiceTimeout", "r-1"))
    return life


def confirmed() -> Life:
    life = Life().dispatched()
    life.end_call(Accepted("v-1", "r-1"))
    return life


def parked_after_a_call() -> Life:
    life = in_doubt()
    life.store_becomes(make_store(resend_policy=ResendPolicy.ASK_OPERATOR))
    life.wait(900).none()
    life.wait(120).none()
    assert life.at == (State.PARKED, Reason.ASK_OPERATOR)
    return life


def parked_before_a_call() -> Life:
    life = Life().claimed()
    life.proof(refusal="bad_date", refusal_detail="shipped_at: after the upload")
    assert life.at == (State.PARKED, Reason.PROOF_REFUSED)
    return life


def waiting() -> Life:
    life = Life(order=make_order(OrderStatus.AWAITING_PAYMENT))
    life.ship()
    return life


def rejected() -> Life:
    life = Life().dispatched()
    life.end_call(RejectedByAlibaba("402", "r-1"))
    assert life.is_in(State.REJECTED)
    return life


def voided() -> Life:
    life = Life().claimed()
    life.void()
    return life


UNSENT = [waiting, lambda: Life().claimed(), parked_before_a_call]
MAY_HAVE_ACTED = [lambda: Life().dispatched(), in_doubt, confirmed, parked_after_a_call]

# ------------------------------------------------------------------------------------- replays


@pytest.mark.parametrize("make", [*UNSENT, *MAY_HAVE_ACTED, rejected])
def test_the_same_revision_again_changes_nothing_in_any_state(make: Any) -> None:
    life = make()

    assert life.ship() == NOTHING
    assert life.ship(revision=0, tracking_number="OTHER") == NOTHING


def test_without_a_revision_the_event_time_counts() -> None:
    life = Life()
    life.ship(revision=None)
    later = START + timedelta(milliseconds=1)

    assert life.ship(revision=None) == NOTHING
    assert life.ship(revision=None, occurred_at=later, **OTHER_PARCEL).entry is not None


def test_a_replay_of_create_and_void_revives_nothing() -> None:
    life = voided()
    before = life.entry

    assert life.ship() == NOTHING
    assert life.void() == NOTHING
    assert life.entry == before


def test_a_replay_of_two_versions_does_not_flip_the_entry_back() -> None:
    life = Life().claimed()
    life.ship(revision=2, **OTHER_PARCEL)
    before = life.entry

    assert life.ship(revision=1) == NOTHING
    assert life.ship(revision=2, **OTHER_PARCEL) == NOTHING
    assert life.entry == before


# ------------------------------------------------------------------------------ newer revisions


@pytest.mark.parametrize("make", [*UNSENT, rejected, voided])
def test_a_newer_revision_replaces_what_is_surely_unsent(make: Any) -> None:
    life = make()
    life.order_becomes(make_order())
    before = life.entry
    life.ship(revision=9, **OTHER_PARCEL)

    assert life.is_in(State.CLAIMED)
    assert life.entry.shipment_revision == 9
    assert life.entry.failures == 0
    assert life.entry.claim is not None
    assert before.claim is None or life.entry.claim.claim_id != before.claim.claim_id
    life.upload()
    assert life.calls[-1].request.tracking_number == OTHER_PARCEL["tracking_number"]


def test_a_tracking_number_that_alibaba_rejected_is_corrected_and_goes_out() -> None:
    life = rejected()
    life.ship(revision=2, action=Action.CORRECT, **OTHER_PARCEL)
    life.upload()
    life.end_call(Accepted("v-2"))

    assert life.is_in(State.CONFIRMED)
    assert [call.attempt for call in life.calls] == [1, 2]
    assert life.told == [
        (Outcome.REJECTED, Reason.REJECTED_BY_ALIBABA),
        (Outcome.CONFIRMED, None),
    ]


def test_a_refused_proof_is_made_again_from_the_corrected_shipment() -> None:
    life = parked_before_a_call()
    life.ship(revision=2, shipped_at=START - timedelta(hours=3))

    assert life.is_in(State.CLAIMED)


def test_a_correction_resets_the_back_off() -> None:
    life = Life().dispatched()
    life.end_call(NotSent())
    assert life.entry.failures == 1
    life.ship(revision=2, **OTHER_PARCEL)

    assert life.entry.failures == 0
    assert life.entry.due_at is None


@pytest.mark.parametrize(
    "noise",
    [
        {"occurred_at": START + timedelta(hours=1)},
        {"action": Action.CORRECT},
        {"source": Source(system="wms", received_at=START)},
    ],
)
@pytest.mark.parametrize("make", [waiting, lambda: Life().claimed(), lambda: Life().dispatched()])
def test_a_newer_revision_with_the_same_facts_is_only_remembered(
    make: Any, noise: dict[str, Any]
) -> None:
    life = make()
    before = life.entry
    decision = life.ship(revision=2, **noise)

    assert decision.notifications == ()
    assert decision.effects == ()
    assert life.at == (before.state, before.reason)
    assert life.entry.claim == before.claim
    assert life.entry.seen[0].revision == 2


@pytest.mark.parametrize("make", MAY_HAVE_ACTED)
def test_a_correction_after_the_call_is_too_late_and_asks_for_a_person(make: Any) -> None:
    life = make()
    before = life.entry
    life.ship(revision=2, action=Action.CORRECT, **OTHER_PARCEL)
    told = life.notifications[-1]

    assert life.at == (before.state, before.reason)
    assert (told.outcome, told.reason) == (Outcome.TOO_LATE, Reason.CORRECTION_TOO_LATE)
    assert told.needs_operator
    assert told.shipment_revision == 2
    assert told.tracking_number == make_shipment().tracking_number  # what Alibaba has
    assert life.entry.attention is Reason.CORRECTION_TOO_LATE
    assert life.entry.shipment_revision == 1
    assert life.ship(revision=2, action=Action.CORRECT, **OTHER_PARCEL) == NOTHING


@pytest.mark.parametrize("make", MAY_HAVE_ACTED)
def test_a_void_after_the_call_is_too_late_and_told_once(make: Any) -> None:
    life = make()
    before = life.entry
    life.void(revision=2)
    life.void(revision=3)

    assert life.at == (before.state, before.reason)
    assert life.told[-1] == (Outcome.TOO_LATE, Reason.VOID_TOO_LATE)
    assert life.told.count((Outcome.TOO_LATE, Reason.VOID_TOO_LATE)) == 1
    assert life.entry.attention is Reason.VOID_TOO_LATE
    assert life.entry.seen[0].revision == 3


def test_a_republished_create_after_confirmation_needs_nobody_when_the_parcel_is_the_same() -> None:
    life = confirmed()
    decision = life.ship(revision=2, note_to_buyer="Thanks again")

    assert decision.notifications == ()
    assert life.entry.attention is None
    assert life.entry.seen[0].revision == 2


def test_an_explicit_correction_after_confirmation_is_reported_even_for_the_same_parcel() -> None:
    life = confirmed()
    life.ship(revision=2, action=Action.CORRECT, note_to_buyer="Thanks again")

    assert life.told[-1] == (Outcome.TOO_LATE, Reason.CORRECTION_TOO_LATE)


def test_a_correction_that_is_too_large_does_not_replace_what_was_sent() -> None:
    life = Life().dispatched()
    before = life.entry
    life.tell(arrival(make_shipment(revision=2, **OTHER_PARCEL), size_bytes=10**6))

    assert life.told[-1] == (Outcome.REFUSED, Reason.TOO_LARGE)
    assert life.entry.shipment == before.shipment
    assert life.entry.attention is None


# ------------------------------------------------------------- too late, and then in time after all


@pytest.mark.parametrize("end", [NotSent(), RejectedByAlibaba("402")])
def test_a_correction_during_a_call_that_had_no_effect_goes_instead(end: Any) -> None:
    life = Life().dispatched()
    life.ship(revision=2, **OTHER_PARCEL)
    life.end_call(end)

    assert life.is_in(State.CLAIMED)
    assert life.entry.shipment_revision == 2
    assert life.entry.attention is None
    life.upload()
    assert life.calls[-1].request.tracking_number == OTHER_PARCEL["tracking_number"]


@pytest.mark.parametrize("end", [NotSent(), RejectedByAlibaba("402")])
def test_a_void_during_a_call_that_had_no_effect_takes_the_shipment_back(end: Any) -> None:
    life = Life().dispatched()
    life.void()
    life.end_call(end)

    assert life.at == (State.VOIDED, Reason.TAKEN_BACK)
    assert life.told[-1] == (Outcome.VOIDED, Reason.TAKEN_BACK)
    assert life.entry.attention is None
    assert life.ship("S2", **OTHER_PARCEL).entry is not None
    assert life.is_in(State.CLAIMED)


def test_a_void_in_doubt_is_never_sent_again_when_look_ups_find_nothing() -> None:
    life = in_doubt()
    life.void()
    life.wait(900).none()
    life.wait(120).none()

    assert life.is_in(State.VOIDED)
    assert len(life.calls) == 1


def test_a_void_in_doubt_that_was_accepted_is_confirmed_and_asks_for_a_person() -> None:
    life = in_doubt()
    life.void()
    life.answer(Holds((("776705370628", "FEDEX", "v-1"),)))

    assert life.is_in(State.CONFIRMED)
    assert life.notifications[-1].needs_operator
    assert life.entry.attention is Reason.VOID_TOO_LATE


def test_publishing_the_shipment_again_withdraws_a_void_that_came_too_late() -> None:
    life = in_doubt()
    life.void(revision=2)
    life.ship(revision=3)

    assert life.entry.attention is None
    life.wait(900).none()
    life.wait(120).none()
    assert life.is_in(State.CLAIMED)


def test_withdrawing_a_void_leaves_an_earlier_correction_in_place() -> None:
    life = in_doubt()
    life.ship(revision=2, **OTHER_PARCEL)
    life.void(revision=3)
    life.ship(revision=4, **OTHER_PARCEL)
    assert life.entry.attention is Reason.CORRECTION_TOO_LATE
    life.wait(900).none()
    life.wait(120).none()

    life.upload()
    assert life.calls[-1].request.tracking_number == OTHER_PARCEL["tracking_number"]


def test_the_confirmation_names_the_revision_that_was_sent_not_the_later_one() -> None:
    life = Life().dispatched()
    life.ship(revision=2, **OTHER_PARCEL)
    life.end_call(Accepted("v-1"))
    told = life.notifications[-1]

    assert told.shipment_revision == 1
    assert told.tracking_number == make_shipment().tracking_number
    assert told.needs_operator


# ---------------------------------------------------------------------------------------- voids


@pytest.mark.parametrize("make", [*UNSENT, rejected])
def test_a_void_before_any_call_frees_the_order(make: Any) -> None:
    life = make()
    life.void()

    assert life.at == (State.VOIDED, Reason.TAKEN_BACK)
    assert life.told[-1] == (Outcome.VOIDED, Reason.TAKEN_BACK)
    assert life.entry.shipment is None
    assert life.entry.seen[0].end is SeenEnd.VOIDED


def test_a_void_of_an_unknown_shipment_is_remembered_against_its_older_create() -> None:
    life = Life()
    life.void("S1", revision=5)

    assert life.at == (State.VOIDED, Reason.TAKEN_BACK)
    assert life.ship("S1", revision=4) == NOTHING
    assert life.ship("S1", revision=6).entry is not None
    assert life.is_in(State.CLAIMED)


def test_a_void_of_an_unknown_shipment_leaves_the_holder_alone() -> None:
    life = Life().claimed()
    life.void("S9", revision=5)
    told = life.notifications[-1]

    assert life.is_in(State.CLAIMED)
    assert life.entry.shipment_id == "S1"
    assert (told.outcome, told.shipment_id, told.winner_shipment_id) == (
        Outcome.VOIDED,
        "S9",
        "S1",
    )
    assert life.ship("S9", revision=4) == NOTHING


def test_a_second_void_is_only_remembered() -> None:
    life = voided()
    decision = life.void(revision=3)

    assert decision.notifications == ()
    assert life.entry.seen[0].revision == 3


def test_a_refused_shipment_can_be_voided_without_touching_the_holder() -> None:
    life = Life().claimed()
    life.ship("S2", **OTHER_PARCEL)
    life.void("S2", revision=2)

    assert life.is_in(State.CLAIMED)
    assert [seen.end for seen in life.entry.seen] == [SeenEnd.CURRENT, SeenEnd.VOIDED]
    assert life.told[-1] == (Outcome.VOIDED, Reason.TAKEN_BACK)


# ------------------------------------------------------------------------------ other shipments


@pytest.mark.parametrize("make", [*UNSENT, *MAY_HAVE_ACTED])
def test_another_shipment_is_refused_and_told_who_holds_the_order(make: Any) -> None:
    life = make()
    before = life.entry
    life.ship("S2", **OTHER_PARCEL)
    told = life.notifications[-1]

    assert life.at == (before.state, before.reason)
    assert life.entry.shipment_id == "S1"
    assert (told.outcome, told.reason) == (Outcome.REFUSED, Reason.ORDER_ALREADY_SHIPPED)
    assert (told.shipment_id, told.winner_shipment_id) == ("S2", "S1")
    assert told.tracking_number == OTHER_PARCEL["tracking_number"]
    assert life.entry.seen[-1].end is SeenEnd.REFUSED
    assert life.ship("S2", **OTHER_PARCEL) == NOTHING


@pytest.mark.parametrize("make", [*UNSENT, *MAY_HAVE_ACTED])
@pytest.mark.parametrize(
    "spelling",
    [
        {"tracking_number": "776705370628"},
        {"tracking_number": "7767-0537-0628", "carrier": Carrier(code="FEDEX")},
        {"carrier": Carrier(name="FedEx")},
    ],
)
def test_the_same_parcel_under_another_id_is_a_duplicate_told_once(
    make: Any, spelling: dict[str, Any]
) -> None:
    life = make()
    life.ship("shipstation-7", **spelling)
    told = life.notifications[-1]

    assert (told.outcome, told.reason) == (Outcome.DUPLICATE, Reason.SAME_PARCEL)
    assert told.winner_shipment_id == "S1"
    assert life.entry.shipment_id == "S1"
    assert life.entry.seen[-1].end is SeenEnd.SAME_PARCEL
    assert life.ship("shipstation-7", revision=2, **spelling).notifications == ()


def test_the_same_number_with_another_carrier_is_another_parcel() -> None:
    life = Life().claimed()
    life.ship("S2", carrier=Carrier(code="DHL"))

    assert life.told == [(Outcome.REFUSED, Reason.ORDER_ALREADY_SHIPPED)]


def test_two_shipments_without_numbers_are_not_the_same_parcel() -> None:
    life = Life()
    life.ship(tracking_number=None)
    life.ship("S2", tracking_number=None)

    assert life.told[-1] == (Outcome.REFUSED, Reason.ORDER_ALREADY_SHIPPED)


def test_the_parcel_is_compared_by_todays_carrier_map() -> None:
    life = Life(order=None, store=None)
    life.ship(carrier=Carrier(code="FDX"))
    life.order, life.store = (
        make_order(),
        make_store(carrier_map={"fdx": "FEDEX", "fedex": "FEDEX"}),
    )
    life.ship("S2", carrier=Carrier(code="fedex"))

    assert life.told[-1] == (Outcome.DUPLICATE, Reason.SAME_PARCEL)


@pytest.mark.parametrize("make", [rejected, voided])
def test_a_free_order_goes_to_the_next_shipment(make: Any) -> None:
    life = make()
    life.wait(60).ship("S2", **OTHER_PARCEL)

    assert life.is_in(State.CLAIMED)
    assert life.entry.shipment_id == "S2"
    assert life.entry.claimed_at == life.now
    life.upload()
    life.end_call(Accepted("v-2"))
    assert life.is_in(State.CONFIRMED)
    assert len({call.attempt for call in life.calls}) == len(life.calls)


def test_a_shipment_that_was_refused_can_take_the_order_later_with_a_newer_revision() -> None:
    life = Life().claimed()
    life.ship("S2", **OTHER_PARCEL)
    life.void("S1")

    assert life.ship("S2", **OTHER_PARCEL) == NOTHING
    life.ship("S2", revision=2, **OTHER_PARCEL)
    assert life.is_in(State.CLAIMED)
    assert {seen.shipment_id: seen.end for seen in life.entry.seen} == {
        "S1": SeenEnd.VOIDED,
        "S2": SeenEnd.CURRENT,
    }


@pytest.mark.parametrize("make", [*UNSENT, *MAY_HAVE_ACTED, rejected, voided])
def test_a_return_never_touches_the_order(make: Any) -> None:
    life = make()
    before = life.entry
    life.ship("R1", is_return=True)

    assert life.told[-1] == (Outcome.REFUSED, Reason.RETURN_SHIPMENT)
    assert life.at == (before.state, before.reason)
    assert life.entry.shipment_id == "S1"


def test_an_order_that_another_system_shipped_never_takes_a_shipment_again() -> None:
    life = in_doubt()
    life.answer(Holds((("SF123", "SF", None),)))
    assert life.at == (State.REJECTED, Reason.SHIPPED_ELSEWHERE)
    life.ship("S2", **OTHER_PARCEL)
    life.ship("S1", revision=2)
    life.void("S1", revision=3)
    life.ship("S3", tracking_number="SF123", carrier=Carrier(code="SF"))

    assert life.at == (State.REJECTED, Reason.SHIPPED_ELSEWHERE)
    assert life.told[2:] == [
        (Outcome.REFUSED, Reason.SHIPPED_ELSEWHERE),
        (Outcome.REFUSED, Reason.SHIPPED_ELSEWHERE),
        (Outcome.VOIDED, Reason.TAKEN_BACK),
        (Outcome.REFUSED, Reason.SHIPPED_ELSEWHERE),
    ]
    assert len(life.calls) == 1


def test_a_second_account_announcing_a_waiting_parcel_needs_no_hint() -> None:
    life = Life(order=None, store=None)
    life.ship("S1")
    life.ship("S2", **OTHER_PARCEL)

    assert life.told[-1] == (Outcome.REFUSED, Reason.ORDER_ALREADY_SHIPPED)
    assert len(life.effects(SendHint)) == 1


# ----------------------------------------------------------------------------- limits and words


def test_after_32_shipment_ids_new_ones_are_dead_letters_and_known_ones_still_count() -> None:
    life = Life().claimed()
    for number in range(2, 33):
        life.ship(f"S{number}", tracking_number=f"T{number}")
    before = life.entry
    dead = life.ship("S33", tracking_number="T33")

    assert dead.dead is DeadReason.TOO_MANY_SHIPMENTS
    assert dead.entry is None
    assert life.entry == before
    assert len(before.seen) == 32
    life.ship("S1", revision=2, **OTHER_PARCEL)
    assert life.entry.shipment_revision == 2


def test_the_number_of_ids_is_a_limit() -> None:
    life = Life(limits=with_limits(seen_max=1)).claimed()

    assert life.void("S2").dead is DeadReason.TOO_MANY_SHIPMENTS


@pytest.mark.parametrize(
    "unknown",
    [
        {"action": Action.UNRECOGNISED},
        {"covers_order": Coverage.UNRECOGNISED},
        {"logistics_type": LogisticsType.UNRECOGNISED},
    ],
)
def test_words_of_a_newer_contract_are_not_guessed_at(unknown: dict[str, Any]) -> None:
    fresh, held = Life(), Life().claimed()

    assert fresh.ship(**unknown).dead is DeadReason.INVALID
    assert held.ship(revision=2, **unknown).dead is DeadReason.INVALID
    assert held.ship(revision=1, **unknown) == NOTHING


def test_a_void_needs_no_facts() -> None:
    life = Life(order=None, store=None)
    life.tell(arrival(make_void()))

    assert life.is_in(State.VOIDED)
