"""Addresses are written in their script's order and compared for what they mean."""

from typing import Any

import pytest

from services.proofgen.addresses import match, postal_address
from waybill.contracts.base import Address

BERLIN = Address(
    name="Erika Mustermann",
    company="Mustermann GmbH",
    lines=("Musterstraße 118", "Hinterhaus"),
    city="Berlin",
    state="Berlin",
    postal_code="10969",
    country_code="DE",
    country="Germany",
)


def changed(**parts: Any) -> Address:
    return BERLIN.model_copy(update=parts)


def test_latin_addresses_go_from_small_to_large() -> None:
    shown = postal_address(changed(district="Kreuzberg"))

    assert shown.lines == (
        "Musterstraße 118",
        "Hinterhaus",
        "Kreuzberg, Berlin 10969",
        "Germany (DE)",
    )


@pytest.mark.parametrize(
    ("country_code", "line"),
    [
        ("DE", "10969 Berlin"),
        ("PL", "10969 Berlin"),
        ("GB", "Berlin 10969"),
        (None, "Berlin 10969"),
    ],
)
def test_the_postal_code_stands_where_the_country_writes_it(
    country_code: str | None, line: str
) -> None:
    shown = postal_address(Address(city="Berlin", postal_code="10969", country_code=country_code))

    assert shown.lines[0] == line


def test_arabic_places_have_an_arabic_comma() -> None:
    shown = postal_address(Address(district="العليا", city="الرياض", postal_code="12211"))

    assert shown.lines == ("العليا، الرياض 12211",)


def test_chinese_and_japanese_addresses_go_from_large_to_small() -> None:
    shown = postal_address(
        Address(
            lines=("高新南一道008号",),
            district="南山区",
            city="深圳市",
            state="广东省",
            country_code="CN",
        )
    )

    assert shown.lines == ("高新南一道008号", "广东省深圳市南山区", "CN")


def test_korean_addresses_go_from_large_to_small_with_spaces() -> None:
    assert postal_address(Address(city="강남구", state="서울특별시")).lines == (
        "서울특별시 강남구",
    )


def test_absent_parts_leave_no_trace() -> None:
    shown = postal_address(Address(name="Ana", lines=("Rua 1",)))

    assert shown.lines == ("Rua 1",)
    assert postal_address(Address()).is_empty


@pytest.mark.parametrize(
    "label",
    [
        BERLIN,
        changed(name="ERIKA MUSTERMANN", city="berlin", lines=("Musterstrasse 118, Hinterhaus",)),
        changed(name="Mustermann GmbH", company="Erika Mustermann"),
        changed(postal_code="10 969", country=None),
        changed(phone="+49 1"),
        changed(postal_code=None, state=None),
    ],
)
def test_the_same_place_written_otherwise_matches(label: Address) -> None:
    found = match(BERLIN, label)

    assert found.compared
    assert found.differences == ()


@pytest.mark.parametrize(
    ("label", "part"),
    [
        (changed(name="Max Mustermann"), "name"),
        (changed(lines=("Musterstraße 181", "Hinterhaus")), "street"),
        (changed(lines=("118 Hinterhaus Musterstraße",)), "street"),
        (changed(city="Bern"), "city"),
        (changed(state="Brandenburg"), "state"),
        (changed(postal_code="10968"), "postal code"),
        (changed(country_code="CH"), "country"),
    ],
)
def test_what_differs_is_named(label: Address, part: str) -> None:
    assert [part] == [difference.part for difference in match(BERLIN, label).differences]


def test_a_state_may_be_given_by_its_code() -> None:
    order = changed(state="California", state_code="CA")

    assert match(order, changed(state="CA")).differences == ()
    assert [d.part for d in match(order, changed(state="NV")).differences] == ["state"]


@pytest.mark.parametrize(
    "label", [None, Address(name="Erika"), changed(lines=()), changed(city=None)]
)
def test_nothing_is_claimed_without_street_and_city(label: Address | None) -> None:
    assert not match(BERLIN, label).compared
