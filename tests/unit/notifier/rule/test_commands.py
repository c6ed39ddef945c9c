"""What operators may decide, what it leads to, and what read again or too late does nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.notifier.rule import (
    Accepted,
    CommandArrived,
    Contradicts,
    Holds,
    NotSent,
    Objection,
    Plan,
    ProofOverdue,
    RejectedByAlibaba,
    StartLookUp,
    Unclear,
    plan_of,
)
from tests.unit.notifier.rule.builders import (
    ENTRIES,
    NOTHING,
    Life,
    command,
    make_order,
    make_store,
    none_twice,
    order_to,
    with_limits,
)
from waybill.contracts.command import CommandKind
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Action
from waybill.contracts.store import ResendPolicy

RELEASE, RESEND = CommandKind.RELEASE, CommandKind.RESEND
CANCEL, ACKNOWLEDGE = CommandKind.CANCEL, CommandKind.ACKNOWLEDGE
OPERATORS = (RELEASE, RESEND, CANCEL, ACKNOWLEDGE)
NUMBER = "776705370628"

# ------------------------------------------------------------------------------- ways to a state


def waiting() -> Life:
    life = Life(order=None, store=None)
    life.ship()
    return life


def proof_refused() -> Life:
    life = Life().claimed()
    life.proof(refusal="no_ship_date")
    return life


def no_proof() -> Life:
    life = Life(limits=with_limits(proof_asks_max=1)).claimed()
    life.tell(ProofOverdue())
    return life


def in_doubt() -> Life:
    life = Life(store=make_store(resend_policy=ResendPolicy.ASK_OPERATOR)).dispatched()
    life.end_call(Unclear())
    return life


def ask_operator() -> Life:
    life = in_doubt()
    none_twice(life)
    assert life.at == (State.PARKED, Reason.ASK_OPERATOR)
    return life


def contradictory() -> Life:
    life = Life().dispatched()
    life.end_call(Unclear())
    for _ in range(60):
        if life.is_in(State.IN_DOUBT):
            life.come_due()
            life.answer(Contradicts())
    assert life.at == (State.PARKED, Reason.LOOKUPS_CONTRADICT)
    return life


def confirmed() -> Life:
    life = Life().dispatched()
    life.end_call(Accepted("v-1"))
    return life


def rejected_by_alibaba() -> Life:
    life = Life().dispatched()
    life.end_call(RejectedByAlibaba("402"))
    return life


def found_elsewhere() -> Life:
    life = Life().dispatched()
    life.end_call(Unclear())
    life.answer(Holds((("SF 9", None, None),)))
    assert life.at == (State.REJECTED, Reason.SHIPPED_ELSEWHERE)
    return life


def refused_by_rule() -> Life:
    life = Life()
    life.ship(is_return=True)
    return life


def voided() -> Life:
    life = Life().claimed()
    life.void()
    return life


def corrected_too_late() -> Life:
    life = confirmed()
    life.ship("S1", 2, action=Action.CORRECT, tracking_number="CD 2")
    assert life.entry.attention is Reason.CORRECTION_TOO_LATE
    return life


WAYS: dict[str, Callable[[], Life]] = {
    "waiting": waiting,
    "claimed": lambda: Life().claimed(),
    "dispatched": lambda: Life().dispatched(),
    "proof_refused": proof_refused,
    "no_proof": no_proof,
    "in_doubt": in_doubt,
    "ask_operator": ask_operator,
    "contradictory": contradictory,
    "confirmed": confirmed,
    "rejected_by_alibaba": rejected_by_alibaba,
    "found_elsewhere": found_elsewhere,
    "refused_by_rule": refused_by_rule,
    "voided": voided,
    "corrected_too_late": corrected_too_late,
}

APPLIES = {
    RELEASE: {
        "proof_refused",
        "no_proof",
        "ask_operator",
        "contradictory",
        "rejected_by_alibaba",
        "found_elsewhere",
    },
    RESEND: {
        "in_doubt",
        "ask_operator",
        "contradictory",
        "confirmed",
        "corrected_too_late",
        "rejected_by_alibaba",
        "found_elsewhere",
    },
    CANCEL: {"waiting", "claimed", "proof_refused", "no_proof"},
    ACKNOWLEDGE: {"corrected_too_late"},
}

# --------------------------------------------------------------------------- what applies, and when


@pytest.mark.parametrize("kind", OPERATORS)
@pytest.mark.parametrize("name", WAYS)
def test_a_command_applies_where_the_table_says_and_changes_nothing_elsewhere(
    name: str, kind: CommandKind
) -> None:
    life = WAYS[name]()

    judged = plan_of(life.entry, kind)
    decision = order_to(life, kind)

    assert isinstance(judged, Plan) == (name in APPLIES[kind])
    assert isinstance(judged, Objection) == (decision == NOTHING)
    assert len(judged.words) > 20


@pytest.mark.parametrize("kind", OPERATORS)
@pytest.mark.parametrize("name", WAYS)
def test_no_command_calls_by_itself(name: str, kind: CommandKind) -> None:
    life = WAYS[name]()
    calls = len(life.calls)

    order_to(life, kind)

    assert len(life.calls) == calls


@pytest.mark.parametrize("kind", OPERATORS)
@pytest.mark.parametrize("name", WAYS)
def test_read_again_now_or_later_it_does_nothing(name: str, kind: CommandKind) -> None:
    life = WAYS[name]()
    event = CommandArrived(command(life, kind))
    life.tell(event)

    assert life.tell(event) == NOTHING
    for _ in range(8):  # whatever became of it since
        if life.entry.due_at is not None:
            life.come_due()
            life.none()
        assert life.tell(event) == NOTHING


@pytest.mark.parametrize("kind", OPERATORS)
@pytest.mark.parametrize("ahead", [-1, 1])
@pytest.mark.parametrize("name", WAYS)
def test_a_command_about_another_revision_does_nothing(
    name: str, ahead: int, kind: CommandKind
) -> None:
    life = WAYS[name]()

    other = command(life, kind, life.entry.revision + ahead)

    assert life.tell(CommandArrived(other)) == NOTHING


@pytest.mark.parametrize("kind", [CommandKind.ACCEPT_LOSS, CommandKind.UNRECOGNISED])
def test_what_is_no_command_about_an_order_does_nothing(kind: CommandKind) -> None:
    assert order_to(confirmed(), kind) == NOTHING


def test_the_entry_remembers_the_command_that_applied() -> None:
    life = proof_refused()
    event = CommandArrived(command(life, RELEASE))

    life.tell(event)

    assert life.entry.last_command_id == event.command.command_id


# ------------------------------------------------------------------------------ surely not called


@pytest.mark.parametrize("make", [proof_refused, no_proof])
def test_released_before_any_call_it_goes_on_with_a_new_claim_and_one_call(
    make: Callable[[], Life],
) -> None:
    life = make()
    former = life.entry.claim
    life.wait(1)

    order_to(life, RELEASE)

    assert life.told[-1] == (Outcome.WAITING, Reason.RELEASED)
    assert life.is_in(State.CLAIMED)
    assert former is not None
    assert life.entry.claim is not None
    assert life.entry.claim.claim_id != former.claim_id
    assert life.entry.claim.asks == 1
    life.upload()
    life.end_call(Accepted("v-1"))
    assert life.is_in(State.CONFIRMED)
    assert len(life.calls) == 1


def test_released_it_stands_where_todays_facts_put_it() -> None:
    life = proof_refused()
    life.order = make_order(OrderStatus.CANCELLED)

    order_to(life, RELEASE)

    assert life.at == (State.REJECTED, Reason.ORDER_CANCELLED)
    assert life.told[-1] == (Outcome.REFUSED, Reason.ORDER_CANCELLED)


def test_cancelled_it_is_void_and_goes_again_with_a_higher_revision_only() -> None:
    life = proof_refused()

    order_to(life, CANCEL)

    assert life.at == (State.VOIDED, Reason.CANCELLED_BY_OPERATOR)
    assert life.told[-1] == (Outcome.VOIDED, Reason.CANCELLED_BY_OPERATOR)
    assert life.ship("S1", 1) == NOTHING
    life.ship("S1", 2)
    assert life.is_in(State.CLAIMED)


# ------------------------------------------------------------------------------------ look-ups first


@pytest.mark.parametrize("kind", [RELEASE, RESEND])
@pytest.mark.parametrize("make", [ask_operator, contradictory])
def test_parked_after_a_call_only_none_twice_opens_the_way(
    make: Callable[[], Life], kind: CommandKind
) -> None:
    life = make()
    order_to(life, kind)
    assert life.is_in(State.IN_DOUBT)
    assert isinstance(life.last.effects[0], StartLookUp)
    asked_at = life.now

    life.none()
    assert life.is_in(State.IN_DOUBT)
    none_twice(life)

    assert life.is_in(State.CLAIMED)
    assert life.now - asked_at >= timedelta(seconds=900 + 120)
    assert len(life.calls) == 1
    life.upload()
    assert len(life.calls) == 2


def test_a_release_counts_for_one_doubt_only() -> None:
    """The store still wants to be asked about the next lost answer."""
    life = ask_operator()
    order_to(life, RELEASE)
    none_twice(life)
    life.upload()
    life.end_call(Unclear())

    none_twice(life)

    assert life.at == (State.PARKED, Reason.ASK_OPERATOR)


def test_a_release_survives_a_change_of_owner_and_the_look_ups_begin_anew() -> None:
    life = ask_operator()
    order_to(life, RELEASE)
    life.wait(950)
    life.none()

    life.take_over()

    assert life.at == (State.IN_DOUBT, Reason.RELEASED)
    assert life.entry.lookups is not None
    assert life.entry.lookups.none_at == ()
    none_twice(life)
    assert life.is_in(State.CLAIMED)


def test_resend_while_in_doubt_answers_the_question_before_it_is_asked() -> None:
    life = in_doubt()
    order_to(life, RESEND)
    assert life.at == (State.IN_DOUBT, Reason.RESEND_ASKED)

    none_twice(life)

    assert life.is_in(State.CLAIMED)


@pytest.mark.parametrize("kind", [RELEASE, RESEND])
def test_what_is_found_is_confirmed_and_never_sent(kind: CommandKind) -> None:
    life = ask_operator()
    order_to(life, kind)

    life.answer(Holds(((NUMBER, None, None),)))

    assert life.at == (State.CONFIRMED, Reason.FOUND_BY_LOOKUP)
    assert len(life.calls) == 1


def test_contradictions_are_counted_anew_after_a_release() -> None:
    life = contradictory()
    order_to(life, RELEASE)

    life.wait(1_000)
    life.answer(Contradicts())

    assert life.is_in(State.IN_DOUBT)


# -------------------------------------------------------------------------------- finished once before


def test_a_confirmed_shipment_that_is_found_stays_confirmed_with_its_voucher() -> None:
    life = confirmed()
    order_to(life, RESEND)
    assert life.told[-1] == (Outcome.IN_DOUBT, Reason.RESEND_ASKED)

    life.answer(Holds(((NUMBER, None, None),)))

    assert life.at == (State.CONFIRMED, Reason.FOUND_BY_LOOKUP)
    assert life.entry.result is not None
    assert life.entry.result.voucher_id == "v-1"
    assert len(life.calls) == 1
    assert len(ENTRIES.encode(life.entry)) <= 400


@pytest.mark.parametrize("make", [confirmed, rejected_by_alibaba, found_elsewhere])
def test_missing_and_no_longer_kept_it_frees_the_order_for_what_is_published(
    make: Callable[[], Life],
) -> None:
    life = make()
    order_to(life, RESEND)

    none_twice(life)

    assert life.at == (State.VOIDED, Reason.NOT_AT_ALIBABA)
    assert life.told[-1] == (Outcome.VOIDED, Reason.NOT_AT_ALIBABA)
    assert life.entry.result is None
    assert len(life.calls) == 1
    assert life.ship("S1", 1) == NOTHING
    life.ship("S1", 2)
    assert life.is_in(State.CLAIMED)
    life.upload()
    assert [call.attempt for call in life.calls] == [1, 2]


def test_missing_it_frees_the_order_for_another_shipment_too() -> None:
    life = confirmed()
    order_to(life, RESEND)
    none_twice(life)

    life.ship("S2", 1, tracking_number="CD 2")

    assert life.is_in(State.CLAIMED)
    assert life.entry.shipment_id == "S2"


def test_published_again_while_it_is_looked_up_it_goes_out_when_it_is_missing() -> None:
    life = confirmed()
    order_to(life, RESEND)
    told = len(life.told)

    life.ship("S1", 2)
    assert len(life.told) == told
    none_twice(life)

    assert life.is_in(State.CLAIMED)
    life.upload()
    assert len(life.calls) == 2


def test_corrected_while_it_is_looked_up_the_correction_goes_out_when_it_is_missing() -> None:
    life = confirmed()
    order_to(life, RESEND)

    life.ship("S1", 2, tracking_number="CD 2")
    assert life.told[-1] == (Outcome.TOO_LATE, Reason.CORRECTION_TOO_LATE)
    none_twice(life)

    assert life.is_in(State.CLAIMED)
    life.upload()
    assert life.calls[-1].request.tracking_number == "CD 2"


def test_published_again_and_found_nothing_is_sent() -> None:
    life = confirmed()
    order_to(life, RESEND)
    life.ship("S1", 2)

    life.answer(Holds(((NUMBER, None, None),)))

    assert life.is_in(State.CONFIRMED)
    assert life.entry.attention is None
    assert life.entry.shipment_revision == 2


def test_a_void_that_came_too_late_keeps_what_is_missing_unsent() -> None:
    life = confirmed()
    life.void()
    order_to(life, RESEND)

    none_twice(life)

    assert life.at == (State.VOIDED, Reason.TAKEN_BACK)


def test_a_cancelled_order_stays_refused() -> None:
    life = rejected_by_alibaba()
    order_to(life, RELEASE)

    none_twice(life, OrderStatus.CANCELLED)

    assert life.at == (State.REJECTED, Reason.ORDER_CANCELLED)


def test_a_shipment_that_only_failed_before_another_took_over_is_not_looked_up_as_the_others() -> (
    None
):
    life = rejected_by_alibaba()
    life.ship("S2", 1, tracking_number="CD 2")
    life.void("S2", 2)

    assert isinstance(plan_of(life.entry, RELEASE), Objection)


# --------------------------------------------------------------------------------------- acknowledge


def test_acknowledged_nobody_needs_to_look_any_more() -> None:
    life = corrected_too_late()

    order_to(life, ACKNOWLEDGE)

    assert life.entry.attention is None
    assert life.is_in(State.CONFIRMED)
    assert life.told[-1] == (Outcome.CONFIRMED, Reason.ACKNOWLEDGED)
    assert not life.notifications[-1].needs_operator
    assert len(ENTRIES.encode(life.entry)) <= 400


def test_what_comes_too_late_while_in_doubt_cannot_be_acknowledged_away() -> None:
    """A void would else be forgotten, and its shipment sent."""
    life = in_doubt()
    life.void()

    assert order_to(life, ACKNOWLEDGE) == NOTHING
    none_twice(life)
    assert life.at == (State.VOIDED, Reason.TAKEN_BACK)


def test_a_call_that_surely_failed_leaves_a_shipment_that_can_be_cancelled() -> None:
    life = Life().dispatched()
    life.end_call(NotSent())

    order_to(life, CANCEL)

    assert life.at == (State.VOIDED, Reason.CANCELLED_BY_OPERATOR)
