"""Claims and proofs: which picture is asked for, and what its answer does."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.notifier.rule import NotSent, ProofArrived, ProofOverdue, Uploaded, claim_of
from tests.unit.notifier.rule.builders import (
    NOTHING,
    ORDERS,
    SHA_B,
    SHA_C,
    START,
    Life,
    make_order,
    make_store,
)
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.proof import Branding
from waybill.contracts.shipment import Carrier
from waybill.contracts.store import StoreMode


def claim_id(life: Life) -> str:
    assert life.entry.claim is not None
    return life.entry.claim.claim_id


# --------------------------------------------------------------------------------------- claims


def test_the_claim_record_carries_the_untouched_bytes_and_what_will_be_declared() -> None:
    life = Life().claimed()
    claim = claim_of(life.entry, life.facts())
    assert claim is not None
    assert life.order is not None

    assert claim.claim_id == claim_id(life)
    assert claim.shipment == life.entry.shipment
    assert claim.order == ORDERS.encode(life.order)
    assert (claim.carrier_code, claim.logistics_type.value) == ("FEDEX", "EXPRESS")
    assert claim.issued_at == START


def test_asking_later_gives_the_same_claim() -> None:
    life = Life().claimed()
    first = claim_of(life.entry, life.facts())
    life.wait(500).tell(ProofOverdue())

    assert claim_of(life.entry, life.facts()) == first


@pytest.mark.parametrize(
    "change",
    [
        {"order": make_order(content_sha256=SHA_B)},
        {"store": make_store(branding=Branding(name="Lamps"))},
        {"store": make_store(branding=Branding(show_cost=False))},
        {"store": make_store(time_zone="Asia/Shanghai")},
        {"store": make_store(carrier_map={"fedex": "FEDEX2"})},
    ],
)
def test_what_the_proof_shows_changes_so_the_order_is_claimed_again(change: dict[str, Any]) -> None:
    life = Life().claimed()
    before = claim_id(life)
    life.wait(60)
    for name, value in change.items():
        setattr(life, name, value)
    assert claim_of(life.entry, life.facts()) is None  # no stale claim goes out meanwhile
    life.order_becomes(life.order)

    assert life.is_in(State.CLAIMED)
    assert claim_id(life) != before
    assert life.entry.claimed_at == START  # it keeps its place in the queue
    assert life.entry.claim is not None
    assert life.entry.claim.issued_at == life.now
    assert life.told == []


def test_settings_that_the_proof_does_not_show_change_nothing() -> None:
    life = Life().claimed()

    assert life.store_becomes(make_store(revision=2, rate_per_s=3, paused=True)) == NOTHING
    assert life.order_becomes(make_order()) == NOTHING


def test_no_claim_record_for_what_is_not_claimed_or_has_words_of_a_newer_version() -> None:
    life, shown = Life().claimed(), dry_run()
    newer = life.entry.model_copy(update={"reason": Reason.UNRECOGNISED})

    assert claim_of(newer, life.facts()) is None
    assert claim_of(shown.entry, shown.facts()) is None


def test_no_claim_record_without_a_claim_or_its_facts() -> None:
    life = Life().claimed()

    assert claim_of(life.entry.model_copy(update={"claim": None}), life.facts()) is None
    life.store = None
    assert claim_of(life.entry, life.facts()) is None


def test_facts_that_speak_of_another_body_are_not_used() -> None:
    life, other = Life().claimed(), Life().claimed(shipment_id="S2")
    stale = Life().claimed(revision=0)

    assert claim_of(life.entry, other.facts()) is None
    assert claim_of(life.entry, stale.facts()) is None


# ----------------------------------------------------------------------------------- answers


def test_a_proof_for_a_live_store_is_left_to_the_caller_to_upload() -> None:
    life = Life().claimed()

    assert life.proof() == NOTHING


def test_a_proof_of_another_claim_counts_for_nothing() -> None:
    life = Life().claimed()
    before = claim_id(life)
    life.wait(1).order_becomes(make_order(content_sha256=SHA_B))

    assert life.tell(ProofArrived(before, (SHA_C,))) == NOTHING
    assert life.tell(ProofArrived(before, (), "bad_date")) == NOTHING
    assert life.tell(Uploaded(("/f",), (SHA_C,), before)) == NOTHING


def test_a_refused_proof_parks_the_shipment_and_says_why() -> None:
    life = Life().claimed()
    life.proof(refusal="bad_date", refusal_detail="shipped_at: lies in the future")
    told = life.notifications[-1]

    assert life.at == (State.PARKED, Reason.PROOF_REFUSED)
    assert told.needs_operator
    assert told.message.endswith("bad_date: shipped_at: lies in the future")


def test_a_long_refusal_is_cut() -> None:
    life = Life().claimed()
    life.proof(refusal="bad", refusal_detail="x" * 9_990)

    assert len(life.notifications[-1].message) < 1_000


def test_an_answer_with_neither_pages_nor_reason_becomes_overdue() -> None:
    life = Life().claimed()

    assert life.tell(ProofArrived(claim_id(life))) == NOTHING


def test_a_proof_is_asked_for_five_times_then_a_person_has_to_look() -> None:
    life = Life().claimed()
    asks = []
    for _ in range(5):
        life.wait(60).tell(ProofOverdue())
        assert life.entry.claim is not None
        asks.append((life.entry.state, life.entry.claim.asks))

    assert asks == [
        (State.CLAIMED, 2),
        (State.CLAIMED, 3),
        (State.CLAIMED, 4),
        (State.CLAIMED, 5),
        (State.PARKED, 5),
    ]
    assert life.told == [(Outcome.PARKED, Reason.NO_PROOF)]
    assert life.notifications[-1].needs_operator


def parked(reason: Reason) -> Life:
    life = Life().claimed()
    if reason is Reason.PROOF_REFUSED:
        life.proof(refusal="bad_date")
    else:
        for _ in range(5):
            life.tell(ProofOverdue())
    assert life.at == (State.PARKED, reason)
    return life


def test_a_proof_that_comes_after_all_lets_the_shipment_go_on() -> None:
    life = parked(Reason.NO_PROOF)
    life.proof()

    assert life.at == (State.CLAIMED, None)
    assert life.entry.claim is not None
    assert life.entry.claim.asks == 1


def test_a_refusal_that_comes_after_all_is_told() -> None:
    life = parked(Reason.NO_PROOF)
    life.proof(refusal="bad_date")

    assert life.at == (State.PARKED, Reason.PROOF_REFUSED)
    assert life.told[-1] == (Outcome.PARKED, Reason.PROOF_REFUSED)


def test_a_proof_does_not_undo_its_own_refusal() -> None:
    life = parked(Reason.PROOF_REFUSED)

    assert life.proof() == NOTHING


@pytest.mark.parametrize("reason", [Reason.PROOF_REFUSED, Reason.NO_PROOF])
def test_a_changed_order_or_store_asks_for_the_proof_again(reason: Reason) -> None:
    by_order, by_store, by_nothing = parked(reason), parked(reason), parked(reason)
    by_order.order_becomes(make_order(content_sha256=SHA_B))
    by_store.store_becomes(make_store(branding=Branding(name="Lamps")))

    assert by_order.is_in(State.CLAIMED)
    assert by_store.is_in(State.CLAIMED)
    assert by_nothing.order_becomes(make_order()) == NOTHING


def test_a_parked_shipment_of_a_cancelled_order_is_refused() -> None:
    life = parked(Reason.PROOF_REFUSED)
    life.order_becomes(OrderStatus.CANCELLED)

    assert life.at == (State.REJECTED, Reason.ORDER_CANCELLED)


def test_a_proof_that_meets_newer_facts_leads_to_a_new_claim() -> None:
    life = Life().claimed()
    before = claim_id(life)
    life.wait(1)
    life.order = make_order(content_sha256=SHA_B)  # the event of it is still on its way
    life.proof()

    assert claim_id(life) != before


# -------------------------------------------------------------------------------------- dry run


def dry_run(**changes: Any) -> Life:
    life = Life(store=make_store(StoreMode.DRY_RUN)).claimed(**changes)
    life.proof(SHA_C)
    return life


def test_a_dry_run_shows_proof_and_request_and_calls_nothing() -> None:
    life = dry_run()
    told = life.notifications[-1]
    assert told.request is not None

    assert life.at == (State.WAITING, Reason.DRY_RUN)
    assert (told.outcome, told.reason) == (Outcome.DRY_RUN, Reason.DRY_RUN)
    assert told.proof_sha256 == (SHA_C,)
    assert json.loads(told.request) == {
        "carrier_code": "FEDEX",
        "contact_mobile": "****",
        "logistics_type": "EXPRESS",
        "tracking_number": "7767 0537 0628",
        "trade_id": "255201166001024316",
    }
    assert life.calls == []


def test_a_store_that_goes_live_lets_its_dry_runs_go_with_a_fresh_proof() -> None:
    life = dry_run()
    before = claim_id(life)
    life.wait(3_600).store_becomes(make_store(StoreMode.LIVE))

    assert life.is_in(State.CLAIMED)
    assert claim_id(life) != before
    assert life.entry.claimed_at == START
    life.upload()
    assert len(life.calls) == 1


def test_a_dry_run_is_repeated_only_when_what_it_shows_changes() -> None:
    life = dry_run()
    still = make_store(StoreMode.DRY_RUN, revision=2, rate_per_s=3)

    assert life.store_becomes(still) == NOTHING
    assert life.order_becomes(make_order()) == NOTHING
    life.wait(1).order_becomes(make_order(content_sha256=SHA_B))
    assert life.is_in(State.CLAIMED)
    life.proof(SHA_B)
    assert life.told == [(Outcome.DRY_RUN, Reason.DRY_RUN)] * 2


def test_a_dry_run_notices_that_the_order_is_gone() -> None:
    life = dry_run()
    life.order_becomes(OrderStatus.CANCELLED)

    assert life.at == (State.REJECTED, Reason.ORDER_CANCELLED)


def test_a_store_that_goes_back_to_dry_run_stops_an_uploaded_shipment() -> None:
    life = Life().claimed()
    life.store = make_store(StoreMode.DRY_RUN)
    life.upload()

    assert life.at == (State.WAITING, Reason.DRY_RUN)
    assert life.calls == []


def test_a_dry_run_after_a_harmless_failure_starts_from_the_beginning() -> None:
    life = Life().dispatched()
    life.end_call(NotSent())
    life.store_becomes(make_store(StoreMode.DRY_RUN))
    life.proof()

    assert life.at == (State.WAITING, Reason.DRY_RUN)
    assert life.entry.due_at is None
    assert life.entry.failures == 0


def test_a_carrier_that_loses_its_code_waits_and_its_old_proof_counts_for_nothing() -> None:
    life = Life().claimed(carrier=Carrier(code="fedex"))
    old = claim_id(life)
    life.store_becomes(make_store(carrier_map={}))
    assert life.at == (State.WAITING, Reason.CARRIER_UNMAPPED)

    assert life.tell(ProofArrived(old, (SHA_C,))) == NOTHING
    life.wait(timedelta(minutes=1).seconds).store_becomes(make_store())
    assert life.is_in(State.CLAIMED)
    assert claim_id(life) != old
