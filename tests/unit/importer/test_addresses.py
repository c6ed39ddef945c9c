"""Delivery address, phone and buyer."""

from collections.abc import Callable
from typing import Any

import pytest

from services.importer.addresses import country_code, phone
from waybill.contracts.base import Address
from waybill.contracts.order import Buyer, Order

Read = Callable[..., Order]
Payload = dict[str, Any]


def ship_to(order: Order) -> Address:
    assert order.ship_to is not None
    return order.ship_to


def test_an_address_in_full(read: Read, payload: Payload) -> None:
    assert ship_to(read(payload)) == Address(
        name="Ada King",
        phone="+44 7700900123",
        lines=("12 St James's Square",),
        city="London",
        state="Greater London",
        country_code="GB",
        country="United Kingdom",
    )


@pytest.mark.parametrize("postal_code", [None, "", "null"])
def test_a_postal_code_may_be_missing(read: Read, payload: Payload, postal_code: object) -> None:
    payload["shipping_address"]["zip"] = postal_code
    order = read(payload)
    assert ship_to(order).postal_code is None
    assert order.importable


def test_a_postal_code_that_came_as_a_number_stays_what_it_is(read: Read, payload: Payload) -> None:
    payload["shipping_address"]["zip"] = 90210
    assert ship_to(read(payload)).postal_code == "90210"


def test_a_city_state_names_no_city(read: Read, payload: Payload) -> None:
    payload["shipping_address"] = {"address": "1 Raffles Place", "country_code": "SG"}
    assert read(payload).importable


def test_the_country_may_be_a_name_only(read: Read, payload: Payload) -> None:
    payload["shipping_address"]["country_code"] = "null"
    order = read(payload)
    assert ship_to(order).country_code is None
    assert order.importable


def test_a_country_written_as_code_is_one(read: Read, payload: Payload) -> None:
    del payload["shipping_address"]["country_code"]
    payload["shipping_address"]["country"] = "uk"
    assert ship_to(read(payload)).country_code == "GB"


def test_an_odd_country_code_is_noted_and_the_name_serves(read: Read, payload: Payload) -> None:
    payload["shipping_address"]["country_code"] = "GBR1"
    order = read(payload)
    assert ship_to(order).country_code is None
    assert order.importable
    assert order.provenance == {"ship_to.country_code": "unreadable"}


def test_lines_are_split_cleaned_and_never_repeated(read: Read, payload: Payload) -> None:
    payload["shipping_address"]["address"] = "Flat 3\r\n 12 High Street \n"
    payload["shipping_address"]["alternate_address"] = "Flat 3"
    assert ship_to(read(payload)).lines == ("Flat 3", "12 High Street")


def test_too_many_lines_are_cut_with_a_note(read: Read, payload: Payload) -> None:
    payload["shipping_address"]["address"] = "\n".join("abcdefgh")
    order = read(payload)
    assert ship_to(order).lines == tuple("abcdef")
    assert order.provenance == {"ship_to.lines": "cut"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"country": "44", "area": "20", "number": "79460000"}, "+44 20 79460000"),
        ({"country": "+44", "area": "null", "number": "7700900123"}, "+44 7700900123"),
        ({"country": "0049", "area": "30", "number": 1234567}, "+49 30 1234567"),
        ({"country": "null", "area": "", "number": "030 1234567"}, "030 1234567"),
        ({"country": "44", "area": "20", "number": "+1 202 5550123"}, "+1 202 5550123"),
        ({"country": "44", "area": "20", "number": "null"}, None),
        ("+33 1 23 45", "+33 1 23 45"),
        ("null", None),
        (None, None),
    ],
)
def test_phone_numbers(value: object, expected: str | None) -> None:
    assert phone(value) == expected


def test_the_landline_serves_when_there_is_no_mobile(read: Read, payload: Payload) -> None:
    payload["shipping_address"]["mobile"]["number"] = "null"
    assert ship_to(read(payload)).phone == "+44 20 79460000"


def test_an_unreadable_mobile_does_not_hide_the_landline(read: Read, payload: Payload) -> None:
    payload["shipping_address"]["mobile"] = "1" * 101
    order = read(payload)
    assert ship_to(order).phone == "+44 20 79460000"
    assert order.provenance == {}


@pytest.mark.parametrize(
    ("value", "code"), [("uk", "GB"), ("GB", "GB"), (" de ", "DE"), (None, None)]
)
def test_country_codes(value: object, code: str | None) -> None:
    assert country_code(value) == code


def test_the_buyer(read: Read, payload: Payload) -> None:
    assert read(payload).buyer == Buyer(id="MC2abc", name="Ada King", country_code="GB")
    payload["buyer"] = {"e_account_id": 5544332211}
    assert read(payload).buyer == Buyer(id="5544332211")
