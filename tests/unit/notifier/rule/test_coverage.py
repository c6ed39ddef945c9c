"""Items of a shipment against the lines of the order."""

from decimal import Decimal

import pytest

from services.notifier.rule.coverage import Fit, fit
from tests.unit.notifier.rule.builders import Life, make_order
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason
from waybill.contracts.order import OrderItem
from waybill.contracts.shipment import Coverage, ShipmentItem


def line(line_id: str, quantity: str, sku: str | None = None, **more: str) -> OrderItem:
    return OrderItem(line_id=line_id, name="x", quantity=Decimal(quantity), sku=sku, **more)


def item(
    quantity: str, line_id: str | None = None, sku: str | None = None, unit: str | None = None
) -> ShipmentItem:
    return ShipmentItem(line_id=line_id, sku=sku, quantity=Decimal(quantity), unit=unit)


ORDER = (line("L1", "2", "LAMP", unit="Piece"), line("L2", "1.5", "CABLE", unit="m"))


@pytest.mark.parametrize(
    ("shipped", "expected"),
    [
        ((), Fit.WHOLE),
        ((item("2", "L1"), item("1.5", "L2")), Fit.WHOLE),
        ((item("1", "L1"), item("1", "L1"), item("1.50", "L2")), Fit.WHOLE),
        ((item("2", sku="LAMP"), item("1.5", sku="CABLE")), Fit.WHOLE),
        ((item("2", "L1"), item("1.5", sku="CABLE")), Fit.WHOLE),
        ((item("2", "L1"),), Fit.PARTIAL),
        ((item("1", "L1"), item("1.5", "L2")), Fit.PARTIAL),
        ((item("2", sku="LAMP"), item("1.4", sku="CABLE")), Fit.PARTIAL),
        ((item("2", sku="LAMP"),), Fit.PARTIAL),
        ((item("1", "L1"), item("1.5", sku="CABLE")), Fit.PARTIAL),
        ((item("2", "L9"), item("1.5", "L2")), Fit.CONTRADICTS),
        ((item("3", "L1"), item("1.5", "L2")), Fit.CONTRADICTS),
        ((item("2", "L1"), item("1", "L1"), item("1.5", "L2")), Fit.CONTRADICTS),
    ],
)
def test_items_against_lines(shipped: tuple[ShipmentItem, ...], expected: Fit) -> None:
    assert fit(shipped, ORDER) is expected


@pytest.mark.parametrize(
    "shipped",
    [
        (item("1", sku="SET-OF-TWO"),),  # nobody can tell which line that is
        (item("1"),),
        (item("1", "L1", unit="Carton"), item("1.5", "L2")),
        (item("9", "L1", unit="Carton"), item("1.5", "L2")),
        (item("1", sku="LAMP", unit="Carton"), item("1.5", sku="CABLE")),
        (item("9", sku="LAMP"), item("9", sku="CABLE")),  # only line ids can contradict
    ],
)
def test_what_cannot_be_compared_is_never_held_against_a_shipment(
    shipped: tuple[ShipmentItem, ...],
) -> None:
    assert fit(shipped, ORDER) is Fit.WHOLE


def test_units_are_compared_without_regard_to_case() -> None:
    assert fit((item("1", "L1", unit="piece"), item("1.5", "L2", unit="M")), ORDER) is Fit.PARTIAL


def test_lines_that_were_deleted_need_no_shipping() -> None:
    order = (*ORDER, line("L3", "5", "GONE", status="delete"))

    assert fit((item("2", "L1"), item("1.5", "L2")), order) is Fit.WHOLE
    assert fit((item("5", "L3"),), order) is Fit.CONTRADICTS


def test_two_lines_of_one_sku_are_covered_together() -> None:
    order = (line("L1", "2", "LAMP"), line("L2", "3", "LAMP"))

    assert fit((item("5", sku="LAMP"),), order) is Fit.WHOLE
    assert fit((item("4", sku="LAMP"),), order) is Fit.PARTIAL
    assert fit((item("2", "L1"), item("3", sku="LAMP")), order) is Fit.WHOLE


def test_a_line_without_sku_is_not_missed_by_a_shipment_that_knows_skus_only() -> None:
    order = (*ORDER, line("L3", "1"))

    assert fit((item("2", sku="LAMP"), item("1.5", sku="CABLE")), order) is Fit.WHOLE


def test_an_order_without_lines_is_covered_by_anything() -> None:
    assert fit((item("1", "L1"),), ()) is Fit.WHOLE


def test_a_publisher_that_says_full_is_believed_over_its_own_list() -> None:
    life = Life()
    life.ship(items=(item("1", "L1"),), covers_order=Coverage.FULL)

    assert life.is_in(State.CLAIMED)


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ((item("1", "L1"),), Reason.PARTIAL_SHIPMENT),
        ((item("1", "L9"),), Reason.ITEMS_NOT_IN_ORDER),
        ((item("7", "L1"),), Reason.ITEMS_NOT_IN_ORDER),
    ],
)
def test_items_that_do_not_fit_refuse_the_shipment(
    items: tuple[ShipmentItem, ...], reason: Reason
) -> None:
    life = Life(order=make_order())
    life.ship(items=items)

    assert life.at == (State.REJECTED, reason)
