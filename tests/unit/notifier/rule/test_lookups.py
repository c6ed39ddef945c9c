"""In doubt: what Alibaba's answers mean, when a "none" counts, and what a change of owner does."""

from datetime import timedelta
from typing import Any

import pytest

from services.notifier.rule import (
    Contradicts,
    DueReached,
    Holds,
    HoldsNone,
    LookedUp,
    LookupAnswer,
    LookupFailed,
    NotSent,
    StartLookUp,
    Unclear,
)
from tests.unit.notifier.rule.builders import (
    NOTHING,
    START,
    Life,
    make_order,
    make_store,
    with_limits,
)
from waybill.contracts.ledger import ResultVia, State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.store import ResendPolicy, StoreMode

OURS = ("7767-0537-0628", "FEDEX", "v-7")
OTHERS = ("SF123", "SF", "v-8")


def in_doubt(**changes: Any) -> Life:
    life = Life(**changes).dispatched()
    life.end_call(Unclear("ServiceTimeout"))
    assert life.is_in(State.IN_DOUBT)
    return life


# ----------------------------------------------------------------------------------- a shipment found


@pytest.mark.parametrize("held", [(OURS,), (OTHERS, OURS), (("776705370628", None, None),)])
def test_our_tracking_number_confirms_at_once(held: Any) -> None:
    life = in_doubt()
    life.wait(1).answer(Holds(held))
    assert life.entry.result is not None

    assert life.at == (State.CONFIRMED, Reason.FOUND_BY_LOOKUP)
    assert life.entry.result.via is ResultVia.LOOKUP
    assert life.told[-1] == (Outcome.CONFIRMED, Reason.FOUND_BY_LOOKUP)
    assert life.notifications[-1].tracking_number == "7767 0537 0628"


def test_anothers_shipment_ends_it_at_once() -> None:
    life = in_doubt()
    life.wait(1).answer(Holds((OTHERS,)))

    assert life.at == (State.REJECTED, Reason.SHIPPED_ELSEWHERE)
    assert life.told[-1] == (Outcome.REFUSED, Reason.SHIPPED_ELSEWHERE)


@pytest.mark.parametrize("held", [(), (("", "FEDEX", None),), ((None, None, "v-1"),)])
def test_a_shipment_without_a_number_is_nobodys_yet(held: Any) -> None:
    life = in_doubt()
    life.answer(Holds(held))

    assert life.is_in(State.IN_DOUBT)
    assert life.entry.lookups is not None
    assert life.entry.lookups.contradictions == 1


def test_the_sent_number_counts_not_the_corrected_one() -> None:
    life = in_doubt()
    life.ship(revision=2, tracking_number="1Z999")
    life.answer(Holds((OURS,)))

    assert life.is_in(State.CONFIRMED)


# -------------------------------------------------------------------------------------- none


def test_none_counts_only_twice_and_only_after_the_horizon() -> None:
    life = in_doubt()
    for _ in range(3):
        life.wait(200)
        assert life.none() == NOTHING
    life.now = START + timedelta(seconds=900)
    life.none()
    assert life.is_in(State.IN_DOUBT)
    life.wait(119)
    assert life.none() == NOTHING
    life.wait(1).none()

    assert life.at == (State.CLAIMED, None)
    assert life.told == [(Outcome.IN_DOUBT, Reason.OUTCOME_UNKNOWN)]
    life.upload()
    assert [call.attempt for call in life.calls] == [1, 2]


def test_what_counts_is_when_the_question_left_not_when_the_answer_came() -> None:
    life = in_doubt()
    early = START + timedelta(seconds=899)
    life.wait(905)

    assert life.tell(LookedUp(HoldsNone(OrderStatus.AWAITING_SHIPMENT), early)) == NOTHING
    life.none()
    together = life.now
    life.wait(300)
    assert life.tell(LookedUp(HoldsNone(OrderStatus.AWAITING_SHIPMENT), together)) == NOTHING
    assert life.is_in(State.IN_DOUBT)


def test_a_question_from_the_future_was_asked_now() -> None:
    life = in_doubt()
    later = START + timedelta(days=1)

    assert life.tell(LookedUp(HoldsNone(OrderStatus.AWAITING_SHIPMENT), later)) == NOTHING


def test_look_ups_start_at_once_double_their_pause_and_meet_the_horizon_exactly() -> None:
    life = in_doubt()
    times = []
    while life.now < START + timedelta(seconds=900):
        life.come_due()
        assert life.last.effects == (StartLookUp(),)
        times.append((life.now - START).total_seconds())
    pauses = [later - earlier for earlier, later in zip([0.0, *times], times, strict=False)]

    assert 5 <= pauses[0] <= 6.25
    assert 10 <= pauses[1] <= 12.5
    assert max(pauses) <= 75
    assert times[-1] == 900
    assert len(times) < 25


def test_the_second_none_is_asked_for_exactly_one_gap_after_the_first() -> None:
    life = in_doubt()
    while life.now < START + timedelta(seconds=900):
        life.come_due()
    life.none()
    life.come_due()
    life.none()

    assert life.now == START + timedelta(seconds=1020)
    assert life.is_in(State.CLAIMED)


def test_the_demos_short_horizon_works_the_same() -> None:
    life = in_doubt(limits=with_limits(call_horizon_s=3, lookup_gap_s=1))
    life.come_due()
    life.none()
    life.come_due()
    life.none()

    assert life.is_in(State.CLAIMED)
    assert life.now == START + timedelta(seconds=4)


@pytest.mark.parametrize(
    "status",
    [
        OrderStatus.AWAITING_PAYMENT,
        OrderStatus.ON_HOLD,
        OrderStatus.UNMAPPED,
        OrderStatus.UNRECOGNISED,
    ],
)
def test_none_under_a_status_that_may_still_move_does_not_count(status: OrderStatus) -> None:
    life = in_doubt()
    for _ in range(5):
        assert life.wait(900).none(status) == NOTHING

    assert life.is_in(State.IN_DOUBT)


def test_none_of_a_cancelled_order_counted_twice_refuses_it() -> None:
    life = in_doubt()
    life.wait(900).none(OrderStatus.CANCELLED)
    life.wait(120).none(OrderStatus.CANCELLED)

    assert life.at == (State.REJECTED, Reason.ORDER_CANCELLED)
    assert life.told[-1] == (Outcome.REFUSED, Reason.ORDER_CANCELLED)


@pytest.mark.parametrize(
    "store",
    [
        make_store(resend_policy=ResendPolicy.ASK_OPERATOR),
        make_store(resend_policy=ResendPolicy.UNRECOGNISED),
        None,
    ],
)
def test_a_store_that_wants_a_person_to_decide_gets_one(store: Any) -> None:
    life = in_doubt()
    life.store_becomes(store)
    life.wait(900).none()
    life.wait(120).none()

    assert life.at == (State.PARKED, Reason.ASK_OPERATOR)
    assert life.notifications[-1].needs_operator
    assert len(life.calls) == 1


@pytest.mark.parametrize("reason", ["ask", "contradict"])
def test_parked_after_a_call_nothing_but_a_person_moves_it(reason: str) -> None:
    life = in_doubt(store=make_store(resend_policy=ResendPolicy.ASK_OPERATOR))
    for _ in range(12):
        life.wait(900).answer(
            HoldsNone(OrderStatus.AWAITING_SHIPMENT) if reason == "ask" else Contradicts()
        )
    assert life.is_in(State.PARKED)
    parked = life.entry

    for status in (OrderStatus.CANCELLED, OrderStatus.SHIPPED, OrderStatus.AWAITING_SHIPMENT):
        assert life.order_becomes(status) == NOTHING
    assert life.store_becomes(make_store(StoreMode.LIVE, revision=3)) == NOTHING
    assert life.take_over() == NOTHING
    assert life.none() == NOTHING
    assert life.entry == parked


def test_after_none_twice_todays_facts_decide() -> None:
    on_hold, dry_run, cancelled = in_doubt(), in_doubt(), in_doubt()
    on_hold.order_becomes(OrderStatus.ON_HOLD)
    dry_run.store_becomes(make_store(StoreMode.DRY_RUN))
    cancelled.order_becomes(OrderStatus.CANCELLED)
    for life in (on_hold, dry_run, cancelled):
        life.wait(900).none()
        life.wait(120).none()

    assert on_hold.at == (State.WAITING, Reason.ORDER_NOT_SHIPPABLE_YET)
    assert dry_run.is_in(State.CLAIMED)
    assert cancelled.at == (State.REJECTED, Reason.ORDER_CANCELLED)
    dry_run.upload()
    assert dry_run.at == (State.WAITING, Reason.DRY_RUN)


def test_none_is_no_answer_while_the_imported_order_says_shipped() -> None:
    life = in_doubt()
    life.order_becomes(OrderStatus.SHIPPED)
    life.wait(900).none()
    life.wait(120).none()

    assert life.is_in(State.IN_DOUBT)
    assert life.entry.lookups is not None
    assert life.entry.lookups.contradictions == 1
    assert life.entry.lookups.none_at == ()


# ---------------------------------------------------------------------- contradictions and failures


@pytest.mark.parametrize("answer", [Contradicts(), HoldsNone(OrderStatus.SHIPPED)])
def test_contradictions_are_looked_up_again_and_parked_past_the_horizon(
    answer: LookupAnswer,
) -> None:
    life = in_doubt()
    for _ in range(12):
        life.wait(60).answer(answer)
    assert life.is_in(State.IN_DOUBT)  # one of both sources is usually only late
    life.now = START + timedelta(seconds=900)
    life.answer(answer)

    assert life.at == (State.PARKED, Reason.LOOKUPS_CONTRADICT)
    assert life.told[-1] == (Outcome.PARKED, Reason.LOOKUPS_CONTRADICT)
    assert life.notifications[-1].needs_operator


def test_a_few_contradictions_past_the_horizon_are_not_enough() -> None:
    life = in_doubt()
    life.wait(900)
    for _ in range(9):
        life.answer(Contradicts())
    assert life.is_in(State.IN_DOUBT)
    life.answer(Contradicts())

    assert life.is_in(State.PARKED)


def test_a_contradiction_between_two_nones_starts_the_count_again() -> None:
    life = in_doubt()
    life.wait(900).none()
    life.wait(60).answer(Contradicts())
    life.wait(60).none()
    assert life.is_in(State.IN_DOUBT)
    life.wait(120).none()

    assert life.is_in(State.CLAIMED)


def test_failed_look_ups_never_end_the_doubt_and_only_news_is_written() -> None:
    life = in_doubt()
    for _ in range(30):
        life.come_due()
        life.answer(LookupFailed("ApiCallLimit"))

    assert life.is_in(State.IN_DOUBT)
    assert life.entry.error_code == "ApiCallLimit"
    assert life.answer(LookupFailed("ApiCallLimit")) == NOTHING
    assert life.answer(LookupFailed()) == NOTHING


def test_long_past_the_horizon_look_ups_are_rare() -> None:
    life = in_doubt()
    for _ in range(40):
        life.come_due()
    before = life.now
    life.come_due()

    assert 300 <= (life.now - before).total_seconds() <= 375


def test_an_order_seen_shipped_brings_the_next_look_up_forward_once() -> None:
    life = in_doubt()
    for _ in range(5):
        life.come_due()
    life.order_becomes(OrderStatus.SHIPPED)

    assert life.entry.due_at == life.now
    assert life.tell(DueReached()).effects == (StartLookUp(),)
    assert life.order_becomes(OrderStatus.CANCELLED) == NOTHING


def test_an_answer_after_the_doubt_is_over_changes_nothing() -> None:
    life = in_doubt()
    life.answer(Holds((OURS,)))

    assert life.answer(Holds((OTHERS,))) == NOTHING
    assert life.none() == NOTHING


# --------------------------------------------------------------------------------- a new owner

OLD_CALL_S = 5 + 30
"""A call announced right before the fence starts within 5 s of it and ends within 30 s."""


def test_a_new_owner_looks_up_what_it_finds_dispatched() -> None:
    life = Life().dispatched()
    life.wait(3).take_over()
    attempt = life.entry.attempt
    assert attempt is not None

    assert life.is_in(State.IN_DOUBT)
    assert life.last.effects == (StartLookUp(),)
    assert life.told == [(Outcome.IN_DOUBT, Reason.OUTCOME_UNKNOWN)]
    # the old owner announced its call right before it was shut out: it may start and take its time
    assert attempt.quiet_since == life.now + timedelta(seconds=OLD_CALL_S)


def test_a_new_owner_counts_from_its_own_fence_on_its_own_clock() -> None:
    life = in_doubt()
    life.wait(900).none()
    life.wait(60).take_over()
    quiet = life.now + timedelta(seconds=OLD_CALL_S)

    assert life.entry.lookups is not None
    assert life.entry.lookups.none_at == ()
    life.now = quiet + timedelta(seconds=899)
    assert life.none() == NOTHING
    life.now = quiet + timedelta(seconds=900)
    life.none()
    life.wait(120).none()
    assert life.is_in(State.CLAIMED)
    assert life.told == [(Outcome.IN_DOUBT, Reason.OUTCOME_UNKNOWN)]


def test_a_clock_that_runs_behind_the_old_owners_only_waits_longer() -> None:
    life = in_doubt()
    life.now = START - timedelta(seconds=500)
    life.take_over()
    life.wait(OLD_CALL_S + 899)
    assert life.none() == NOTHING

    life.wait(1).none()
    life.wait(120).none()
    assert life.is_in(State.CLAIMED)


@pytest.mark.parametrize("make", [Life().claimed, lambda: Life(order=None)])
def test_a_new_owner_leaves_the_rest_alone_unless_it_is_due(make: Any) -> None:
    life = make()
    life.ship()

    assert life.take_over() == NOTHING


def test_a_new_owner_goes_on_with_what_is_due() -> None:
    waiting, claimed = Life(order=None, store=None), Life().dispatched()
    waiting.ship()
    claimed.end_call(NotSent())
    waiting.wait(3_600).take_over()
    claimed.wait(3_600).take_over()

    assert len(waiting.last.effects) == 1
    assert claimed.at == (State.CLAIMED, Reason.NOT_SENT)
    assert claimed.entry.due_at is None


def test_a_due_time_that_has_not_come_changes_nothing() -> None:
    life = Life(order=make_order())
    life.claimed()
    assert life.tell(DueReached()) == NOTHING
    doubtful = in_doubt()

    assert doubtful.tell(DueReached()) == NOTHING
