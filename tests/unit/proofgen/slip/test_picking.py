"""Which lines are picked, in which order, and with what beside them."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.proofgen.grid import LETTER
from services.proofgen.slip.document import SlipDocument, Standing
from services.proofgen.slip.picking import slip_of, with_pictures
from waybill.contracts import Order, Shipment, Store
from waybill.contracts.order import OrderItem, OrderStatus
from waybill.contracts.shipment import ShipmentItem

EXAMPLES = Path(__file__).parents[4] / "schemas" / "examples"


def example(record: str, name: str = "full") -> dict[str, Any]:
    text = (EXAMPLES / record / "v1" / f"{name}.json").read_text("utf-8")
    value: dict[str, Any] = json.loads(text)["value"]
    return value


ORDER = Order.model_validate(example("order"))
SHIPMENT = Shipment.model_validate(example("shipment"))
STORE = Store.model_validate(example("store"))


def order_of(*items: dict[str, Any], **changes: Any) -> Order:
    lines = tuple(
        OrderItem.model_validate({"line_id": str(n), "name": f"Item {n}", "quantity": 1} | item)
        for n, item in enumerate(items)
    )
    return ORDER.model_copy(update={"items": lines} | changes)


def names(document: SlipDocument) -> list[str | None]:
    return [line.item.name for line in document.lines]


def test_every_fact_of_an_order_is_taken_over() -> None:
    found = slip_of(ORDER, None, STORE)

    assert (found.order_id, found.order_number) == (ORDER.trade_id, ORDER.order_number)
    assert names(found) == ["Desk lamp", "电缆 2 m"]
    lamp = found.lines[0]
    assert (lamp.item.sku, lamp.item.quantity, lamp.item.unit) == (
        "LAMP-RED-L",
        Decimal(20),
        "Piece",
    )
    assert lamp.item.options == (("Color", "red"), ("Size", "L"))
    assert (lamp.location, lamp.picture_url) == ("A-03-2", "https://example.com/lamp.jpg")
    assert (found.is_gift, found.gift_message) == (True, "Všechno nejlepší! 🎁")
    assert found.customer_notes == ("Please deliver before noon.",)
    assert found.ship_to is not None
    assert found.ship_to.latin == ("Jana Kovarova", "Dlouha 12, Patro 3", "110 00 Praha 1")
    assert found.requested_service == "Alibaba.com Standard"
    assert (found.carrier, found.service, found.shipment_id) == (None, None, None)
    assert found.ordered_at is not None
    assert found.ordered_at.utcoffset() == timedelta(hours=8)
    assert (found.paper, found.third_language) == (LETTER, "de")
    assert found.logo == STORE.branding.logo
    assert not found.is_part
    assert found.standing is None


def test_nothing_of_what_is_the_sellers_own_gets_onto_the_slip() -> None:
    told = repr(slip_of(ORDER, SHIPMENT, STORE))

    for secret in ("Pack with foam", "45.0000", "1184.50", "jana@example.com", "NOV100"):
        assert secret in ORDER.model_dump_json()
        assert secret not in told


def test_a_shipment_that_names_its_items_decides_what_is_picked() -> None:
    order = order_of(
        {"sku": "A", "warehouse_location": "R2", "image_url": "https://x.org/a.jpg", "quantity": 9},
        {"sku": "B", "warehouse_location": "R1"},
    )
    items = (ShipmentItem(sku="A", quantity=Decimal(4)), ShipmentItem(sku="C", quantity=Decimal(1)))
    found = slip_of(order, SHIPMENT.model_copy(update={"items": items}), STORE)

    assert [(line.item.sku, line.item.quantity) for line in found.lines] == [
        ("A", Decimal(4)),
        ("C", Decimal(1)),
    ]
    assert (found.lines[0].item.name, found.lines[0].location) == ("Item 0", "R2")
    assert found.lines[0].picture_url == "https://x.org/a.jpg"
    assert found.is_part
    assert (found.carrier, found.service) == ("FedEx", "FedEx International Priority®")
    assert (found.shipment_id, found.tracking_number) == ("se-28529731", "776705370628")


def test_a_shipment_without_items_is_the_whole_order() -> None:
    found = slip_of(ORDER, SHIPMENT.model_copy(update={"items": ()}), STORE)

    assert names(found) == ["Desk lamp", "电缆 2 m"]
    assert not found.is_part


def test_lines_that_were_taken_out_of_the_order_are_not_picked() -> None:
    assert names(
        slip_of(order_of({"status": "delete"}, {"status": "normal"}, {}), None, STORE)
    ) == [
        "Item 1",
        "Item 2",
    ]


def test_lines_come_along_the_shelves_and_those_without_a_place_last() -> None:
    places = ["b-1", "A10-2", None, "A2-10", "A2-9", "", "A2-9", "9", "货架3", "1" * 5_000]
    order = order_of(*({"warehouse_location": place} for place in places))

    assert [line.location for line in slip_of(order, None, STORE).lines] == [
        "9", "1" * 5_000, "A2-9", "A2-9", "A2-10", "A10-2", "b-1", "货架3", None, "",
    ]  # fmt: skip
    assert names(slip_of(order, None, STORE))[2:4] == ["Item 4", "Item 6"]


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        (OrderStatus.AWAITING_SHIPMENT, None),
        (OrderStatus.SHIPPED, None),
        (OrderStatus.AWAITING_PAYMENT, Standing.UNPAID),
        (OrderStatus.ON_HOLD, Standing.ON_HOLD),
        (OrderStatus.CANCELLED, Standing.CANCELLED),
        (OrderStatus.UNMAPPED, Standing.UNCLEAR),
        (OrderStatus.UNRECOGNISED, Standing.UNCLEAR),
    ],
)
def test_an_order_that_may_not_leave_says_so(
    status: OrderStatus, standing: Standing | None
) -> None:
    order = ORDER.model_copy(update={"status": status})

    assert standing == slip_of(order, None, STORE).standing


def test_every_status_has_its_standing() -> None:
    free = {OrderStatus.AWAITING_SHIPMENT, OrderStatus.SHIPPED}
    orders = (ORDER.model_copy(update={"status": status}) for status in OrderStatus)

    assert free == {order.status for order in orders if not slip_of(order, None, STORE).standing}


def test_pictures_go_to_their_lines() -> None:
    order = order_of({"image_url": "https://x.org/a.jpg"}, {"image_url": "https://x.org/b.jpg"}, {})
    found = with_pictures(slip_of(order, None, STORE), {"https://x.org/b.jpg": b"png"})

    assert [line.picture for line in found.lines] == [None, b"png", None]
    assert found.shows_pictures
    assert not slip_of(order, None, STORE).shows_pictures


def test_an_order_with_next_to_nothing_has_a_slip() -> None:
    order = Order.model_validate(example("order", "minimal"))
    found = slip_of(order, None, Store.model_validate(example("store", "minimal")))

    assert (found.is_gift, found.gift_message, found.customer_notes) == (False, None, ())
    assert found.store_name == "200042360"
