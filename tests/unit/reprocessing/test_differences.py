"""What counts as a difference between Alibaba, the import and the ledger."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.reprocessing.records import T0
from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import State, Step
from waybill.contracts.notification import Reason
from waybill.reprocessing.differences import (
    WHAT_TO_DO,
    AtAlibaba,
    Imported,
    Kind,
    Known,
    Rules,
    Sent,
    Standing,
    differences,
)

KEY = "sandbox:1"
OLD = T0 - timedelta(hours=3)
FRESH = T0 - timedelta(minutes=1)
RULES = Rules(T0)
IMPORTED = Imported("s1", Standing.SHIPPED, OLD)
CONFIRMED = Sent("s1", State.CONFIRMED, None, OLD, "7767 1")
THERE = AtAlibaba(True, "s1", Standing.SHIPPED, OLD, ("77671",))
GOOD = Known(KEY, IMPORTED, CONFIRMED, THERE, pages=1)
LOOSE = replace(RULES, normalise=lambda number: (number or "").replace(" ", ""))


def kinds(known: Known, rules: Rules = LOOSE) -> list[Kind]:
    return [one.kind for one in differences(known, rules)]


def sent(state: State, reason: Reason | None = None, hours: float = 3) -> Sent:
    return Sent("s1", state, reason, T0 - timedelta(hours=hours))


def test_an_order_that_agrees_everywhere_is_no_difference() -> None:
    assert kinds(GOOD) == []
    assert kinds(replace(GOOD, alibaba=None)) == []


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (Known(KEY, None, None, THERE), [Kind.NOT_IMPORTED, Kind.SHIPPED_ELSEWHERE]),
        (Known(KEY, None, None, replace(THERE, standing=Standing.SHIPPABLE)), [Kind.NOT_IMPORTED]),
        (Known(KEY, None, None, replace(THERE, standing=Standing.DRAFT)), []),
        (Known(KEY, None, None, replace(THERE, modified_at=FRESH)), []),
        (replace(GOOD, alibaba=AtAlibaba(False, "s1")), [Kind.NOT_AT_ALIBABA]),
        (replace(GOOD, sent=None, pages=None), [Kind.SHIPPED_ELSEWHERE]),
        (replace(GOOD, sent=None, alibaba=None), [Kind.SHIPPED_ELSEWHERE]),
        (replace(GOOD, alibaba=replace(THERE, tracking_numbers=())), [Kind.NOT_SHIPPED_AT_ALIBABA]),
        (
            replace(
                GOOD, alibaba=replace(THERE, standing=Standing.SHIPPABLE, tracking_numbers=None)
            ),
            [Kind.NOT_SHIPPED_AT_ALIBABA],
        ),
        (
            replace(GOOD, alibaba=replace(THERE, standing=Standing.SHIPPABLE)),
            [Kind.NOT_SHIPPED_AT_ALIBABA],
        ),
        (
            replace(GOOD, alibaba=None, imported=replace(IMPORTED, standing=Standing.SHIPPABLE)),
            [Kind.NOT_SHIPPED_AT_ALIBABA],
        ),
        (
            replace(GOOD, alibaba=replace(THERE, tracking_numbers=("9",))),
            [Kind.OTHER_TRACKING_NUMBER],
        ),
        (replace(GOOD, pages=0), [Kind.CONFIRMED_WITHOUT_PROOF]),
        (replace(GOOD, pages=None), []),
        (replace(GOOD, sent=replace(CONFIRMED, since=FRESH), pages=0), []),
    ],
)
def test_presence_and_shipping_are_compared(known: Known, expected: list[Kind]) -> None:
    assert kinds(known) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (sent(State.WAITING, Reason.ORDER_UNKNOWN, hours=25), [Kind.WAITING_LONG]),
        (sent(State.WAITING, Reason.ORDER_UNKNOWN, hours=23), []),
        (sent(State.WAITING, Reason.DRY_RUN, hours=99), []),
        (sent(State.CLAIMED, hours=25), [Kind.WAITING_LONG]),
        (sent(State.IN_DOUBT), [Kind.IN_DOUBT]),
        (sent(State.DISPATCHED, hours=0), []),
        (sent(State.PARKED, Reason.NO_PROOF, hours=0), [Kind.PARKED]),
        (sent(State.REJECTED), [Kind.REJECTED]),
        (sent(State.VOIDED), []),
    ],
)
def test_the_state_of_the_ledger_is_a_difference_when_a_person_should_look(
    entry: Sent, expected: list[Kind]
) -> None:
    assert kinds(Known(KEY, replace(IMPORTED, standing=Standing.SHIPPABLE), entry)) == expected


def test_a_shipment_that_may_be_ours_is_not_called_somebody_elses() -> None:
    assert kinds(replace(GOOD, sent=sent(State.IN_DOUBT))) == [Kind.IN_DOUBT]


def test_what_was_shipped_before_the_store_began_is_history() -> None:
    rules = replace(LOOSE, ship_from={"s1": OLD + timedelta(seconds=1)})

    assert kinds(replace(GOOD, sent=None), rules) == []


def test_an_entry_stands_where_it_stands_since_the_first_of_its_last_equal_steps() -> None:
    steps = [(State.WAITING, 5), (State.CLAIMED, 4), (State.WAITING, 3), (State.WAITING, 2)]
    entry = LedgerEntry(
        key=KEY,
        revision=4,
        state=State.WAITING,
        history=tuple(Step(at=T0 - timedelta(hours=ago), state=state) for state, ago in steps),
        partition_count=12,
        writer="1",
    )

    assert Sent.of(entry).since == T0 - timedelta(hours=3)


def test_every_kind_says_what_to_do() -> None:
    assert set(WHAT_TO_DO) == set(Kind)
