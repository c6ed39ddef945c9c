"""What is written: size and privacy of finished entries, history, words of newer versions, totality."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from services.notifier.rule import (
    Accepted,
    CallEnded,
    CallNeverStarted,
    CommandArrived,
    Contradicts,
    DueReached,
    Event,
    Holds,
    HoldsNone,
    LookedUp,
    LookupFailed,
    NotSent,
    OrderChanged,
    ProofArrived,
    ProofOverdue,
    RejectedByAlibaba,
    ShipmentArrived,
    StoreChanged,
    TakenOver,
    Throttled,
    Unauthorised,
    Unclear,
    Uploaded,
    UploadFailed,
    decide,
    recognised,
)
from services.notifier.rule.decision import HANDLERS
from services.notifier.rule.notices import MESSAGES
from tests.unit.notifier.rule.builders import (
    ENTRIES,
    KEY,
    NOTHING,
    SHA_A,
    SHA_C,
    START,
    Life,
    arrival,
    check_form,
    make_order,
    make_shipment,
    make_store,
    make_void,
)
from waybill.contracts import Command, LedgerEntry
from waybill.contracts.base import LogisticsType
from waybill.contracts.command import CommandKind
from waybill.contracts.ledger import (
    Attempt,
    Result,
    ResultVia,
    Seen,
    SeenEnd,
    State,
    Step,
)
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus

LONG_ID = "0b9e4a4e-6f4b-4f57-9c1c-0f1d8e3b7a55"
OTHER_ID = "5f7c2e5e-95a3-4a51-8b38-7a3c1f0e2d11"

# ------------------------------------------------------------------------------ finished entries


def confirmed(life: Life) -> Life:
    life.end_call(Accepted("300000000012345678", "21411f8e17639456000001234e0f5a"))
    return life


def through_doubt() -> Life:
    life = Life(order=None, store=None)
    life.ship(LONG_ID)
    life.store = make_store()
    life.order_becomes(make_order(OrderStatus.AWAITING_PAYMENT))
    life.order_becomes(make_order())
    life.ship(OTHER_ID, tracking_number="1Z999AA10123456784")
    life.upload()
    life.end_call(NotSent())
    life.come_due()
    life.upload()
    life.end_call(Unclear("ServiceTimeout", "21411f8e17639456000001234e0f5a"))
    life.wait(20).answer(Holds((("776705370628", "FEDEX", "300000000012345678"),)))
    return life


def rejected_by_alibaba() -> Life:
    life = Life().dispatched(shipment_id=LONG_ID)
    life.end_call(RejectedByAlibaba("402", "21411f8e17639456000001234e0f5a"))
    return life


def found_elsewhere() -> Life:
    life = Life().dispatched(shipment_id=LONG_ID)
    life.end_call(Unclear())
    life.answer(Holds((("SF1", "SF", None),)))
    return life


def refused() -> Life:
    life = Life()
    life.ship(LONG_ID, is_return=True)
    return life


def taken_back() -> Life:
    life = Life().dispatched(shipment_id=LONG_ID)
    life.end_call(NotSent())
    life.void(LONG_ID)
    return life


FINISHED = {
    "confirmed": lambda: confirmed(Life().dispatched(shipment_id=LONG_ID)),
    "confirmed without revisions": lambda: confirmed(
        Life().dispatched(shipment_id=LONG_ID, revision=None)
    ),
    "confirmed after a long way": through_doubt,
    "rejected by Alibaba": rejected_by_alibaba,
    "shipped elsewhere": found_elsewhere,
    "refused": refused,
    "voided": taken_back,
}


@pytest.mark.parametrize("make", FINISHED.values(), ids=FINISHED.keys())
def test_a_finished_entry_is_small_and_holds_nothing_personal(make: Any) -> None:
    entry = make().entry
    encoded = ENTRIES.encode(entry)

    assert entry.state in (State.CONFIRMED, State.REJECTED, State.VOIDED)
    assert len(encoded) <= 400
    assert (entry.shipment, entry.order, entry.claim, entry.due_at) == (None, None, None, None)
    for personal in (b"Ada", b"King", b"Square", b"4711", b"/f/1.png"):
        assert personal not in encoded
    assert entry.history[-1].state is entry.state


def test_an_ordinary_history_is_kept_whole() -> None:
    life = confirmed(Life().dispatched(shipment_id=LONG_ID))

    assert [step.state for step in life.entry.history] == [
        State.CLAIMED,
        State.DISPATCHED,
        State.CONFIRMED,
    ]


def test_many_shipments_cut_the_history_first() -> None:
    life = Life().claimed(shipment_id=LONG_ID)
    for number in range(20):
        life.ship(f"{number:036d}", tracking_number=f"T{number}")
    life.upload()
    confirmed(life)

    assert [step.state for step in life.entry.history] == [State.CONFIRMED]
    assert len(life.entry.seen) == 21


def test_the_parcel_of_a_finished_entry_is_still_known() -> None:
    life = confirmed(Life().dispatched())
    life.ship("S2")

    assert life.told[-1] == (Outcome.DUPLICATE, Reason.SAME_PARCEL)


def test_a_parked_entry_keeps_what_it_needs_to_go_on() -> None:
    life = Life().claimed()
    life.proof(refusal="bad")

    assert life.entry.shipment is not None
    assert life.entry.order is not None


# ----------------------------------------------------------------------------------- history


def test_the_history_tells_each_change_of_state_once() -> None:
    life = Life(order=make_order(OrderStatus.AWAITING_PAYMENT))
    life.ship()
    life.wait(1).order_becomes(make_order())
    life.wait(1).upload()
    life.wait(1).end_call(Unclear())
    for _ in range(5):
        life.come_due()

    assert [(step.state, step.reason) for step in life.entry.history] == [
        (State.WAITING, Reason.ORDER_NOT_SHIPPABLE_YET),
        (State.CLAIMED, None),
        (State.DISPATCHED, None),
        (State.IN_DOUBT, Reason.OUTCOME_UNKNOWN),
    ]
    assert life.entry.history[1].at == START + timedelta(seconds=1)


def test_repeated_attempts_do_not_push_out_the_history() -> None:
    life = Life(order=make_order(OrderStatus.AWAITING_PAYMENT))
    life.ship()
    life.order_becomes(make_order())
    for _ in range(50):
        life.upload()
        life.end_call(NotSent())
        life.come_due()

    assert [step.state for step in life.entry.history] == [
        State.WAITING,
        State.CLAIMED,
        State.DISPATCHED,
        State.CLAIMED,
    ]
    assert life.entry.attempt is not None
    assert life.entry.attempt.number == 50


def test_the_history_is_bounded_and_keeps_the_latest() -> None:
    life = Life().claimed()
    for number in range(40):
        status = OrderStatus.AWAITING_SHIPMENT if number % 2 else OrderStatus.ON_HOLD
        life.wait(1).order_becomes(status)

    assert len(life.entry.history) == 32
    assert life.entry.history[-1].at == life.now


def test_a_clock_finer_than_milliseconds_is_cut() -> None:
    life = Life(now=START + timedelta(microseconds=1_999))
    life.ship()

    assert life.entry.claimed_at == START + timedelta(milliseconds=1)


def test_every_entry_names_its_writer_and_partition_count() -> None:
    entry = Life().claimed().entry

    assert (entry.partition_count, entry.writer) == (12, "0.1.0")


# -------------------------------------------------------------------- words of newer versions


def unknown_words() -> list[LedgerEntry]:
    entry = Life().dispatched().entry
    attempt = entry.attempt
    assert attempt is not None
    changes: list[dict[str, Any]] = [
        {"state": State.UNRECOGNISED},
        {"reason": Reason.UNRECOGNISED},
        {"attention": Reason.UNRECOGNISED},
        {"seen": (Seen(shipment_id="S1", revision=1, end=SeenEnd.UNRECOGNISED),)},
        {"history": (Step(at=START, state=State.UNRECOGNISED),)},
        {"history": (Step(at=START, state=State.CLAIMED, reason=Reason.UNRECOGNISED),)},
        {"attempt": attempt.model_copy(update={"logistics_type": LogisticsType.UNRECOGNISED})},
        {"result": Result(via=ResultVia.UNRECOGNISED, at=START)},
    ]
    return [entry.model_copy(update=change) for change in changes]


EVENTS: list[Event] = [
    arrival(make_shipment()),
    arrival(make_shipment(revision=2, tracking_number="1Z")),
    arrival(make_shipment("S2", tracking_number="1Z")),
    arrival(make_shipment("S2", is_return=True)),
    arrival(make_void(revision=3)),
    arrival(make_void("S2")),
    *(
        CommandArrived(
            Command(
                command_id="cmd-1",
                order_key=KEY,
                kind=kind,
                entry_revision=revision,
                who="ops",
                why="looked",
                issued_at=START,
            )
        )
        for kind in CommandKind
        for revision in range(1, 6)
    ),
    OrderChanged(),
    StoreChanged(),
    ProofArrived("no-such-claim", (SHA_C,)),
    ProofOverdue(),
    Uploaded(("/f/1",), (SHA_C,)),
    *(
        UploadFailed(each)
        for each in (NotSent(), Throttled(START), Unauthorised(), RejectedByAlibaba(), Unclear())
    ),
    *(
        CallEnded(each)
        for each in (
            Accepted(),
            NotSent(),
            Throttled(START),
            Unauthorised(),
            RejectedByAlibaba(),
            Unclear(),
        )
    ),
    CallNeverStarted(),
    *(
        LookedUp(each)
        for each in (
            Holds((("1", None, None),)),
            HoldsNone(OrderStatus.AWAITING_SHIPMENT),
            Contradicts(),
            LookupFailed("x"),
        )
    ),
    TakenOver(),
    DueReached(),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_entry_with_unknown_words_is_left_alone_by_every_event(event: Event) -> None:
    life = Life()

    for entry in unknown_words():
        assert not recognised(entry)
        life.written = entry
        assert decide(entry, event, life.facts()) == NOTHING


# ------------------------------------------------------------------------------------ totality


def entries_of_every_state() -> list[LedgerEntry]:
    waiting = Life(order=None, store=None)
    waiting.ship()
    doubt = Life().dispatched()
    doubt.end_call(Unclear())
    parked = Life().claimed()
    parked.proof(refusal="bad")
    lives = [waiting, Life().claimed(), Life().dispatched(), doubt, parked]
    lives += [make() for make in FINISHED.values()]
    entries = [life.entry for life in lives]
    assert {entry.state for entry in entries} == set(State) - {State.UNRECOGNISED}
    # what no path writes, but another's hand might
    bare = Attempt(
        number=1,
        request_sha256=SHA_A,
        tracking_number="1",
        carrier_code="X",
        logistics_type=LogisticsType.POST,
    )
    hollow = {"shipment": None, "order": None, "claim": None, "lookups": None, "due_at": START}
    entries += [entry.model_copy(update=hollow | {"attempt": None}) for entry in entries]
    entries += [entry.model_copy(update=hollow | {"attempt": bare}) for entry in entries]
    return entries


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("order", [make_order(), make_order(OrderStatus.SHIPPED), None])
def test_every_state_has_an_answer_to_every_event(event: Event, order: Any) -> None:
    for entry in entries_of_every_state():
        for store in (make_store(), None):
            life = Life(order=order, store=store, written=entry, now=START + timedelta(hours=1))
            decision = decide(entry, event, life.facts())
            check_form(entry, decision)
            assert decision == decide(entry, event, life.facts())


def test_every_event_has_its_handler() -> None:
    assert set(HANDLERS) | {ShipmentArrived} == set(get_args(Event))


# ------------------------------------------------------------------------------------ messages


def test_every_message_is_a_sentence_or_more_and_fits() -> None:
    for message in MESSAGES.values():
        assert message[0].isupper()
        assert message.endswith(".")
        assert 20 <= len(message) <= 400


def test_notifications_hold_nothing_personal() -> None:
    lives = [make() for make in FINISHED.values()]
    told = [each for life in lives for each in life.notifications]

    assert told
    for each in told:
        text = each.model_dump_json()
        assert not any(word in text for word in ("Ada", "King", "Square", "4711"))


def test_a_decision_that_is_taken_again_tells_it_under_the_same_id() -> None:
    life = Life()
    event = arrival(make_shipment(is_return=True))
    first, again = (decide(None, event, life.facts()) for _ in range(2))

    assert first == again
    assert first.notifications[0].notification_id == again.notifications[0].notification_id


def test_ids_of_different_decisions_differ() -> None:
    lives = [make() for make in FINISHED.values()]
    for life in lives:
        ids = [each.notification_id for each in life.notifications]
        assert len(ids) == len(set(ids))
