"""The lines of an order."""

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from services.importer.items import ITEMS_BYTES_MAX, ITEMS_MAX
from waybill.contracts.base import Money, Option
from waybill.contracts.order import NotImportable, Order, OrderItem

Read = Callable[..., Order]
Payload = dict[str, Any]


def lines(payload: Payload, count: int) -> list[Payload]:
    """The order's first line, several times."""
    return [deepcopy(payload["order_products"][0]) for _ in range(count)]


def test_a_line_in_full(read: Read, payload: Payload) -> None:
    assert read(payload).items == (
        OrderItem(
            line_id="1",
            product_id="1600123456789",
            sku_id="100",
            sku="HX-200-B",
            model_number="HX-200",
            name="Portable Blender",
            quantity=Decimal("2.5"),
            unit="Piece/Pieces",
            unit_price=Money(amount=Decimal(40), currency="USD"),
            image_url="https://s.alicdn.example/kf/H1.jpg",
            options=(Option(name="Color", value="军绿色"), Option(name="Plug", value="EU")),
            status="normal",
        ),
    )


def test_nested_arrays_of_the_older_gateway_are_read(read: Read, payload: Payload) -> None:
    plain = read(payload)
    product = payload["order_products"][0]
    product["sku_attributes"] = {"sku_attribute": product["sku_attributes"]}
    payload["order_products"] = {"trade_ecology_order_product": [product]}
    assert read(payload).content_sha256 == plain.content_sha256


def test_a_bare_price_is_in_the_orders_currency(read: Read, payload: Payload) -> None:
    payload["order_products"][0]["unit_price"] = "40.00"
    assert read(payload).items[0].unit_price == Money(amount=Decimal(40), currency="USD")


def test_a_price_too_fine_for_the_contract_is_noted_and_the_order_goes_on(
    read: Read, payload: Payload
) -> None:
    payload["order_products"][0]["unit_price"] = {"amount": "0.00125", "currency": "USD"}
    order = read(payload)
    assert order.items[0].unit_price is None
    assert order.importable
    assert order.provenance == {"items.0.unit_price": "unreadable"}


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("//s.alicdn.example/1.jpg", "https://s.alicdn.example/1.jpg"),
        ("http://s.alicdn.example/1.jpg", "https://s.alicdn.example/1.jpg"),
        ("https://s.alicdn.example/1.jpg?a=1", "https://s.alicdn.example/1.jpg?a=1"),
        ("null", None),
        ("javascript:alert(1)", None),
        ("//x.example/" + "a" * 2_000, None),
    ],
)
def test_image_addresses_are_https(
    read: Read, payload: Payload, image: str, url: str | None
) -> None:
    payload["order_products"][0]["product_image"] = image
    assert read(payload).items[0].image_url == url


def test_lines_follow_the_sites_sorting_and_stay_in_place_without_one(
    read: Read, payload: Payload
) -> None:
    rows = lines(payload, 4)
    for row, number, sort in zip(rows, "abcd", ("3", "null", 1, "2.0"), strict=True):
        row |= {"id": number, "sort": sort}
    payload["order_products"] = rows
    assert [item.line_id for item in read(payload).items] == ["c", "d", "a", "b"]


def test_a_line_without_number_gets_a_stable_one(read: Read, payload: Payload) -> None:
    payload["order_products"] = lines(payload, 2)
    for row in payload["order_products"]:
        row["id"] = "null"
    first, second = (item.line_id for item in read(payload).items)
    assert first.startswith("h-")
    assert second == f"{first}-2"
    payload["order_products"][0]["quantity"] = "7"
    assert read(payload).items[0].line_id == first
    payload["order_products"][0]["sku_attributes"] = []
    assert read(payload).items[0].line_id != first


def test_line_numbers_are_unique(read: Read, payload: Payload) -> None:
    payload["order_products"] = lines(payload, 3)
    assert [item.line_id for item in read(payload).items] == ["1", "1-2", "1-3"]


@pytest.mark.parametrize("quantity", [None, "null", "some", "-1", "0.00001", [2]])
def test_a_quantity_nobody_can_read_holds_the_order(
    read: Read, payload: Payload, quantity: object
) -> None:
    payload["order_products"][0]["quantity"] = quantity
    order = read(payload)
    assert order.items[0].quantity == 0
    assert order.not_importable == (NotImportable.NO_ITEMS,)
    assert order.provenance == {"items.0.quantity": "unreadable"}


def test_a_deleted_line_is_kept_and_not_waited_for(read: Read, payload: Payload) -> None:
    payload["order_products"] = lines(payload, 2)
    payload["order_products"][1] |= {"item_status": "delete", "quantity": "null"}
    order = read(payload)
    assert [item.status for item in order.items] == ["normal", "delete"]
    assert order.importable


def test_an_order_of_deleted_lines_only_has_nothing_to_ship(read: Read, payload: Payload) -> None:
    payload["order_products"][0]["item_status"] = "delete"
    assert read(payload).not_importable == (NotImportable.NO_ITEMS,)


@pytest.mark.parametrize("products", [None, "null", [], {}, "text", {"a": 1}, ["text"]])
def test_an_order_without_readable_lines_is_held(
    read: Read, payload: Payload, products: object
) -> None:
    order = read(payload | {"order_products": products})
    assert order.items == ()
    assert order.not_importable == (NotImportable.NO_ITEMS,)


def test_a_line_that_is_no_object_is_not_lost_in_silence(read: Read, payload: Payload) -> None:
    payload["order_products"].append("text")
    order = read(payload)
    assert len(order.items) == 1
    assert order.not_importable == (NotImportable.NO_ITEMS,)
    assert order.provenance == {"items": "unreadable"}


def test_a_line_without_name_is_called_by_what_there_is(read: Read, payload: Payload) -> None:
    payload["order_products"][0]["name"] = "null"
    assert read(payload).items[0].name == "HX-200"
    payload["order_products"] = [{"id": "1", "quantity": "1"}]
    order = read(payload)
    assert order.items[0].name == "(no name)"
    assert order.provenance == {"items.0.name": "unreadable"}


def test_too_many_lines_are_cut_and_the_order_is_held(read: Read, payload: Payload) -> None:
    payload["order_products"] = [{"name": "x", "quantity": 1}] * (ITEMS_MAX + 1)
    order = read(payload)
    assert len(order.items) == ITEMS_MAX
    assert order.provenance["items"] == f"cut: {ITEMS_MAX} of {ITEMS_MAX + 1} lines"
    assert order.not_importable == (NotImportable.NO_ITEMS,)


def test_lines_never_outgrow_the_record(read: Read, payload: Payload) -> None:
    payload["order_products"] = [{"name": "品" * 1_000, "quantity": 1}] * 1_000
    order = read(payload)
    assert 100 < len(order.items) < 1_000
    assert sum(len(item.model_dump_json().encode()) for item in order.items) <= ITEMS_BYTES_MAX
    assert not order.importable


def test_garbage_throughout_leaves_a_bounded_number_of_notes(read: Read, payload: Payload) -> None:
    payload["order_products"] = [{"name": [], "quantity": [1], "unit_price": [1]}] * 500
    order = read(payload)
    assert len(order.provenance) <= 201
    assert order.provenance["more"] == "unreadable"
    assert not order.importable


def test_an_unreadable_quantity_holds_the_order_even_behind_many_other_notes(
    read: Read, payload: Payload
) -> None:
    rows = [{"name": "x", "quantity": 1, "unit_price": [1]} for _ in range(300)]
    rows.append({"name": "x", "quantity": "some"})
    assert not read(payload | {"order_products": rows}).importable
    rows.pop()
    assert read(payload | {"order_products": rows}).importable
