"""The declare call: written down before its first byte, and what each of its ends leads to."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.notifier.rule import (
    Accepted,
    CallEnded,
    CallNeverStarted,
    DeclareRequest,
    DueReached,
    Forgotten,
    Holds,
    HoldsNone,
    LookedUp,
    NotSent,
    RejectedByAlibaba,
    StartCall,
    StartLookUp,
    Throttled,
    Unauthorised,
    Unclear,
    Uploaded,
    UploadFailed,
)
from tests.unit.notifier.rule.builders import (
    NOTHING,
    SHA_B,
    SHA_C,
    START,
    Life,
    make_order,
    make_store,
)
from waybill.contracts.base import LogisticsType
from waybill.contracts.ledger import Lookups, ResultVia, State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus

HARMLESS: list[Any] = [NotSent("connect"), Throttled(START + timedelta(seconds=90)), Unauthorised()]


# --------------------------------------------------------------------------------- dispatching


def test_an_uploaded_proof_writes_dispatched_and_starts_exactly_one_call() -> None:
    life = Life().claimed()
    life.wait(2).upload("/f/1.png")
    request = DeclareRequest(
        "255201166001024316",
        "FEDEX",
        LogisticsType.EXPRESS,
        "7767 0537 0628",
        "4711",
        ("/f/1.png",),
    )
    attempt = life.entry.attempt
    assert attempt is not None

    assert life.last.effects == (StartCall(request, 1),)
    assert life.at == (State.DISPATCHED, None)
    assert attempt.request_sha256 == request.sha256()
    assert attempt.dispatched_at == life.now
    assert attempt.file_paths == ("/f/1.png",)
    assert attempt.proof_sha256 == (SHA_C,)
    assert life.entry.due_at == life.now + timedelta(seconds=5 + 30 + 60)
    assert life.upload() == NOTHING


def test_the_canonical_request_is_sorted_compact_and_leaves_out_what_is_empty() -> None:
    request = DeclareRequest("1", "SF", LogisticsType.POST, "顺丰 1", None, ())

    assert request.canonical_json() == (
        '{"carrier_code":"SF","logistics_type":"POST","tracking_number":"顺丰 1","trade_id":"1"}'
    )
    expected = hashlib.sha256(request.canonical_json().encode()).hexdigest()
    assert request.sha256() == expected
    assert json.loads(request.canonical_json())["trade_id"] == "1"


def test_without_uploaded_pages_nothing_is_dispatched() -> None:
    life = Life().claimed()

    assert life.tell(Uploaded((), ())) == NOTHING


def test_the_caller_may_check_the_claim_itself() -> None:
    life = Life().claimed()
    life.tell(Uploaded(("/f",), (SHA_C,)))

    assert life.is_in(State.DISPATCHED)


@pytest.mark.parametrize(
    ("order", "at"),
    [
        (make_order(OrderStatus.CANCELLED), (State.REJECTED, Reason.ORDER_CANCELLED)),
        (make_order(OrderStatus.SHIPPED), (State.REJECTED, Reason.SHIPPED_ELSEWHERE)),
        (make_order(OrderStatus.ON_HOLD), (State.WAITING, Reason.ORDER_NOT_SHIPPABLE_YET)),
        (make_order(content_sha256=SHA_B), (State.CLAIMED, None)),
        (None, (State.WAITING, Reason.ORDER_UNKNOWN)),
    ],
)
def test_facts_that_moved_on_during_the_upload_come_before_the_call(order: Any, at: Any) -> None:
    life = Life().claimed()
    life.wait(1)
    life.order = order
    life.upload()

    assert life.at == at
    assert life.calls == []


@pytest.mark.parametrize("void_first", [True, False])
def test_an_upload_that_ends_after_a_void_or_another_claim_starts_nothing(void_first: bool) -> None:
    life = Life().claimed()
    assert life.entry.claim is not None
    upload = Uploaded(("/f",), (SHA_C,), life.entry.claim.claim_id)
    if void_first:
        life.void()
    else:
        life.ship(revision=2, tracking_number="1Z")

    assert life.tell(upload) == NOTHING


# ------------------------------------------------------------------------------- a failed upload


@pytest.mark.parametrize("failure", [NotSent("x"), Unclear("ServiceTimeout")])
def test_a_failed_upload_is_tried_again_after_a_growing_pause(failure: Any) -> None:
    life = Life().claimed()
    before = life.entry.claim
    pauses = []
    for _ in range(12):
        life.tell(UploadFailed(failure))
        assert life.at == (State.CLAIMED, Reason.NOT_SENT)
        assert life.entry.due_at is not None
        pauses.append((life.entry.due_at - life.now).total_seconds())

    assert all(2**n * 2 <= pause <= 2**n * 2.5 for n, pause in enumerate(pauses[:7]))
    assert all(300 <= pause <= 375 for pause in pauses[-3:])
    assert life.entry.claim == before
    assert life.told == []
    assert [step.state for step in life.entry.history] == [State.CLAIMED]


def test_a_throttled_upload_waits_for_the_end_of_the_ban() -> None:
    life = Life().claimed()
    life.tell(UploadFailed(Throttled(START + timedelta(seconds=90, microseconds=1))))

    assert life.at == (State.CLAIMED, Reason.THROTTLED)
    assert life.entry.due_at == START + timedelta(seconds=90)
    assert life.entry.failures == 0


def test_a_ban_in_the_past_ends_now() -> None:
    life = Life().claimed()
    life.tell(UploadFailed(Throttled(START - timedelta(seconds=90))))

    assert life.entry.due_at == START


def test_an_upload_without_a_valid_token_waits_for_the_stores_gate() -> None:
    life = Life().claimed()
    life.tell(UploadFailed(Unauthorised()))

    assert life.at == (State.CLAIMED, Reason.UNAUTHORISED)
    assert life.entry.due_at is None


def test_an_upload_that_alibaba_refuses_rejects_the_shipment() -> None:
    life = Life().claimed()
    life.tell(UploadFailed(RejectedByAlibaba("403", "r-9")))
    told = life.notifications[-1]

    assert life.at == (State.REJECTED, Reason.REJECTED_BY_ALIBABA)
    assert life.entry.error_code == "403"
    assert (told.outcome, told.reason) == (Outcome.REJECTED, Reason.REJECTED_BY_ALIBABA)


def test_when_the_pause_is_over_the_order_is_free_to_go_again() -> None:
    life = Life().claimed()
    life.tell(UploadFailed(NotSent()))
    life.come_due()

    assert life.at == (State.CLAIMED, Reason.NOT_SENT)
    assert life.entry.due_at is None
    assert life.entry.failures == 1


def test_an_upload_that_fails_after_the_order_was_cancelled_refuses() -> None:
    life = Life().claimed()
    life.order = make_order(OrderStatus.CANCELLED)
    life.tell(UploadFailed(NotSent()))

    assert life.at == (State.REJECTED, Reason.ORDER_CANCELLED)


# ----------------------------------------------------------------------------- the end of a call


def test_accepted_confirms_with_all_that_a_publisher_wants_to_know() -> None:
    life = Life().dispatched()
    life.wait(1).end_call(Accepted("v-1", "r-1"))
    told = life.notifications[-1]
    assert life.entry.result is not None

    assert life.at == (State.CONFIRMED, None)
    assert (life.entry.result.voucher_id, life.entry.result.via) == ("v-1", ResultVia.CALL)
    assert told.outcome is Outcome.CONFIRMED
    assert told.voucher_id == "v-1"
    assert told.tracking_number == "7767 0537 0628"
    assert told.carrier_code == "FEDEX"
    assert told.proof_sha256 == (SHA_C,)
    assert told.request_id == "r-1"
    assert told.attempt == 1
    assert not told.needs_operator


@pytest.mark.parametrize("outcome", HARMLESS)
def test_a_call_that_surely_did_not_act_is_made_again(outcome: Any) -> None:
    life = Life().dispatched()
    life.end_call(outcome)
    attempt = life.entry.attempt
    assert attempt is not None

    assert life.is_in(State.CLAIMED)
    assert attempt.file_paths == ("/f/1.png",)  # the pages of this claim may be used again
    assert life.told == []
    if life.entry.due_at is not None:
        life.come_due()
    life.upload("/f/1.png")
    assert [call.attempt for call in life.calls] == [1, 2]


def test_the_pages_of_an_older_claim_are_not_kept() -> None:
    life = Life().dispatched()
    life.end_call(NotSent())
    life.wait(1).order_becomes(make_order(content_sha256=SHA_B))
    attempt = life.entry.attempt
    assert attempt is not None

    assert attempt.file_paths == ()
    assert attempt.proof_sha256 == ()


def test_each_harmless_failure_has_its_own_time_to_go_again() -> None:
    not_sent, throttled, unauthorised = (Life().dispatched() for _ in HARMLESS)
    not_sent.end_call(HARMLESS[0])
    throttled.end_call(HARMLESS[1])
    unauthorised.end_call(HARMLESS[2])
    assert not_sent.entry.due_at is not None

    assert 2 <= (not_sent.entry.due_at - START).total_seconds() <= 2.5
    assert throttled.entry.due_at == START + timedelta(seconds=90)
    assert unauthorised.entry.due_at is None
    assert [life.entry.reason for life in (not_sent, throttled, unauthorised)] == [
        Reason.NOT_SENT,
        Reason.THROTTLED,
        Reason.UNAUTHORISED,
    ]


def test_a_call_whose_lease_ran_out_never_starts_and_is_planned_again() -> None:
    life = Life().dispatched()
    life.never_start()

    assert life.at == (State.CLAIMED, Reason.NOT_SENT)
    assert life.entry.due_at is not None


@pytest.mark.parametrize(
    ("order", "at"),
    [
        (OrderStatus.CANCELLED, (State.REJECTED, Reason.ORDER_CANCELLED)),
        (OrderStatus.ON_HOLD, (State.WAITING, Reason.ORDER_NOT_SHIPPABLE_YET)),
        (None, (State.WAITING, Reason.ORDER_UNKNOWN)),
    ],
)
def test_order_changes_during_a_call_decide_only_when_it_did_not_act(order: Any, at: Any) -> None:
    accepted, harmless = Life().dispatched(), Life().dispatched()
    for life in (accepted, harmless):
        assert life.order_becomes(order) == NOTHING
    accepted.end_call(Accepted())
    harmless.end_call(NotSent())

    assert accepted.is_in(State.CONFIRMED)
    assert harmless.at == at


def test_rejected_by_alibaba_ends_it_with_its_code() -> None:
    life = Life().dispatched()
    life.end_call(RejectedByAlibaba("402", "r-1"))
    told = life.notifications[-1]

    assert life.at == (State.REJECTED, Reason.REJECTED_BY_ALIBABA)
    assert (life.entry.error_code, life.entry.request_id) == ("402", "r-1")
    assert (told.outcome, told.error_code, told.request_id) == (Outcome.REJECTED, "402", "r-1")


def test_an_unclear_end_is_looked_up_at_once_and_told() -> None:
    life = Life().dispatched()
    life.wait(30).end_call(Unclear("ServiceTimeout", "r-1"))
    told = life.notifications[-1]
    attempt = life.entry.attempt
    assert attempt is not None

    assert life.at == (State.IN_DOUBT, Reason.OUTCOME_UNKNOWN)
    assert life.last.effects == (StartLookUp(),)
    assert attempt.quiet_since == life.now
    assert life.entry.error_code == "ServiceTimeout"
    assert (told.outcome, told.error_code) == (Outcome.IN_DOUBT, "ServiceTimeout")


def test_a_call_whose_end_nobody_reported_is_in_doubt_when_its_lease_is_long_over() -> None:
    life = Life().dispatched()
    assert life.wait(94).tell(DueReached()) == NOTHING
    life.come_due()

    assert life.is_in(State.IN_DOUBT)
    assert life.last.effects == (StartLookUp(),)


# -------------------------------------------------------------------------- ends that come late


@pytest.mark.parametrize("outcome", [*HARMLESS, RejectedByAlibaba("402"), Unclear()])
def test_the_end_of_an_older_attempt_does_not_touch_the_call_in_flight(outcome: Any) -> None:
    life = Life().dispatched()
    life.end_call(NotSent())
    life.come_due()
    life.upload()

    assert life.tell(CallEnded(outcome, attempt=1)) == NOTHING
    assert life.tell(CallNeverStarted(attempt=1)) == NOTHING
    assert life.is_in(State.DISPATCHED)


@pytest.mark.parametrize("outcome", [*HARMLESS, RejectedByAlibaba("402"), Unclear()])
def test_in_doubt_only_look_ups_and_a_yes_count(outcome: Any) -> None:
    life = Life().dispatched()
    life.end_call(Unclear())

    assert life.end_call(outcome) == NOTHING
    assert life.never_start() == NOTHING


def test_a_yes_counts_whenever_it_is_heard() -> None:
    in_doubt, claimed_again = Life().dispatched(), Life().dispatched()
    for life in (in_doubt, claimed_again):
        life.end_call(Unclear())
    claimed_again.wait(900).none()
    claimed_again.wait(120).none()
    assert claimed_again.is_in(State.CLAIMED)
    for life in (in_doubt, claimed_again):
        life.tell(CallEnded(Accepted("v-1"), 1))

    assert in_doubt.is_in(State.CONFIRMED)
    assert claimed_again.is_in(State.CONFIRMED)


def test_a_yes_is_not_believed_where_nothing_was_called() -> None:
    claimed, voided = Life().claimed(), Life().claimed()
    voided.void()

    assert claimed.tell(CallEnded(Accepted("v-1"))) == NOTHING
    assert voided.tell(CallEnded(Accepted("v-1"))) == NOTHING


def test_an_order_seen_shipped_after_a_call_that_came_back_is_looked_up_not_refused() -> None:
    life = Life().dispatched()
    life.end_call(NotSent())
    life.order_becomes(OrderStatus.SHIPPED)

    assert life.at == (State.IN_DOUBT, Reason.OUTCOME_UNKNOWN)
    assert life.last.effects == (StartLookUp(),)


def test_an_order_seen_shipped_before_the_first_call_is_refused() -> None:
    life = Life().claimed()
    life.order_becomes(OrderStatus.SHIPPED)

    assert life.at == (State.REJECTED, Reason.SHIPPED_ELSEWHERE)


# --------------------------------------------------------------- a ledger that may have forgotten


@pytest.mark.parametrize(
    "life",
    [
        Life(store=make_store(verify_first=True)),
        Life(forgotten=Forgotten(accepted_at=START, quiet_since=START)),
    ],
)
def test_verify_first_looks_the_order_up_before_its_first_call(life: Life) -> None:
    life.claimed().upload()

    assert life.at == (State.IN_DOUBT, None)
    assert life.last.effects == (StartLookUp(),)
    assert life.calls == []
    assert life.told == []
    life.none()  # too early: a forgotten call may still act
    assert life.is_in(State.IN_DOUBT)
    life.come_due()
    assert life.now == START + timedelta(seconds=900)
    life.none()
    life.come_due()
    life.none()
    assert life.is_in(State.CLAIMED)
    life.upload()
    assert [call.attempt for call in life.calls] == [1]


def test_verify_first_finds_what_the_ledger_forgot() -> None:
    life = Life(store=make_store(verify_first=True)).claimed()
    life.upload()
    life.tell(LookedUp(HoldsNone(OrderStatus.ON_HOLD)))
    life.answer(Holds((("776705370628", "FEDEX", "v-7"),)))
    told = life.notifications[-1]

    assert life.at == (State.CONFIRMED, Reason.FOUND_BY_LOOKUP)
    assert (told.tracking_number, told.attempt) == ("7767 0537 0628", 0)
    assert life.calls == []


def test_calls_forgotten_by_the_ledger_are_quiet_since_the_takeover() -> None:
    """The horizon is not counted anew for every order: a later one only waits for the second answer."""
    life = Life(forgotten=Forgotten(accepted_at=START, quiet_since=START))
    life.wait(900).claimed().upload()

    life.none()
    assert life.is_in(State.IN_DOUBT)
    life.come_due()
    assert life.now == START + timedelta(seconds=900 + 120)
    life.none()
    life.upload()

    assert [call.attempt for call in life.calls] == [1]


@pytest.mark.parametrize(
    ("ordered_at", "looks_first"),
    [
        (None, True),
        (START - timedelta(days=300), True),
        (START + timedelta(hours=23), True),
        (START + timedelta(days=1), False),
    ],
)
def test_an_order_placed_well_after_an_accepted_loss_cannot_have_been_forgotten(
    ordered_at: datetime | None, looks_first: bool
) -> None:
    order = make_order(ordered_at=ordered_at)
    life = Life(order=order, forgotten=Forgotten(accepted_at=START, quiet_since=START))
    life.wait(3 * 86_400).claimed().upload()

    assert life.is_in(State.IN_DOUBT) is looks_first
    assert (life.calls == []) is looks_first


def test_an_entry_of_an_older_ledger_is_looked_up_before_its_second_call_too() -> None:
    """It knows of a call that failed, and may have forgotten the one after it that did not."""
    life = Life().claimed()
    life.upload()
    life.end_call(NotSent())
    life.come_due()
    life.forgotten = Forgotten(accepted_at=life.now, quiet_since=life.now)
    life.wait(1).upload()

    assert life.is_in(State.IN_DOUBT)
    life.answer(Holds((("776705370628", "FEDEX", "v-7"),)))
    assert life.at == (State.CONFIRMED, Reason.FOUND_BY_LOOKUP)
    assert len(life.calls) == 1


def test_look_ups_from_before_the_loss_count_no_more() -> None:
    life = Life(store=make_store(verify_first=True)).claimed()
    life.upload()
    life.wait(900).none()
    life.wait(120).none()
    life.wait(60)
    life.forgotten = Forgotten(accepted_at=life.now, quiet_since=life.now)

    life.upload()

    assert life.is_in(State.IN_DOUBT)
    assert life.entry.lookups == Lookups(made=1)
    assert life.calls == []


def test_what_was_looked_up_after_the_loss_is_not_looked_up_again_by_the_next_owner() -> None:
    life = Life(forgotten=Forgotten(accepted_at=START, quiet_since=START)).claimed()
    life.upload()
    life.wait(900).none()
    life.wait(120).none()
    life.forgotten = Forgotten(accepted_at=START, quiet_since=life.now)
    life.upload()
    life.end_call(NotSent())
    life.come_due()
    life.upload()

    assert [call.attempt for call in life.calls] == [1, 2]


def test_a_second_call_of_the_same_shipment_needs_no_second_verification() -> None:
    life = Life(store=make_store(verify_first=True)).claimed()
    life.upload()
    life.wait(900).none()
    life.wait(120).none()
    life.upload()
    life.end_call(NotSent())
    life.come_due()
    life.upload()

    assert [call.attempt for call in life.calls] == [1, 2]
