"""Which of an order's shipments is the one to pack, and orders of which there is no slip."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.cli.test_order_story import BOOK, ENTRY, KEY, ORDER, SHIPMENT, record
from waybill.cli.errors import CommandError
from waybill.cli.order_story import Story, tell
from waybill.cli.slip_orders import shipment_of
from waybill.contracts import Shipment
from waybill.contracts.shipment import Action


def shipment(name: str, revision: int = 1, **changes: Any) -> Shipment:
    return SHIPMENT.model_copy(update={"shipment_id": name, "revision": revision} | changes)


def story(*shipments: Shipment, holder: str | None = None, known: bool = False) -> Story:
    entry = ENTRY.model_copy(update={"shipment_id": holder}) if holder or known else None
    return replace(Story(KEY), order=ORDER, entry=entry, shipments=[*shipments])


def test_without_a_shipment_there_is_none() -> None:
    assert shipment_of(story()) is None


def test_before_the_ledger_knows_it_the_latest_shipment_counts_in_its_newest_revision() -> None:
    first, corrected = shipment("a", 1), shipment("a", 2, action=Action.CORRECT)
    second = shipment("b")

    assert shipment_of(story(first, second)) is second
    assert shipment_of(story(first, second, corrected)) is corrected
    assert shipment_of(story(corrected, first)) is corrected


def test_the_shipment_that_holds_the_order_counts_whatever_came_later() -> None:
    winner, refused = shipment("a"), shipment("b")

    assert shipment_of(story(winner, refused, holder="a")) is winner
    assert shipment_of(story(refused, holder="a")) is None
    assert shipment_of(story(refused, known=True)) is None


@pytest.mark.parametrize(
    "changes",
    [{"action": Action.VOID}, {"action": Action.UNRECOGNISED}, {"is_return": True}, {"test": True}],
)
def test_what_does_not_leave_is_not_packed(changes: dict[str, Any]) -> None:
    former, gone = shipment("a", 1), shipment("a", 2, **changes)

    assert shipment_of(story(former, gone)) is None
    assert shipment_of(story(former, gone, holder="a")) is None


def test_a_part_is_packed_by_its_id() -> None:
    parts = shipment("a"), shipment("b")

    assert shipment_of(story(*parts, holder="a"), "b") is parts[1]
    with pytest.raises(CommandError, match="no shipment of that id"):
        shipment_of(story(*parts), "c")


def test_an_erased_order_is_told_no_more_until_it_is_imported_again() -> None:
    erased = tell(KEY, [record("orders", ORDER), record("orders", None, 5)], BOOK)
    again = tell(KEY, [record("orders", None), record("orders", ORDER, 5)], BOOK)

    assert (erased.order, erased.erased) == (None, True)
    assert erased.steps[-1].what == "erased"
    assert (again.order, again.erased) == (ORDER, False)
