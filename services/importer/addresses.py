"""Delivery address, phone numbers and the buyer. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from services.importer.fields import CUT, Fields, clean_text
from waybill.alibaba.envelope import is_object, opened
from waybill.contracts.base import Address
from waybill.contracts.order import Buyer

_LINES_MAX: Final = 6
_LINE_CHARS_MAX: Final = 500
_PHONE_CHARS_MAX: Final = 100
_CODE: Final = re.compile(r"[A-Z]{2}")
_ISO: Final = {"UK": "GB"}
"""Codes of the site that ISO 3166 writes differently."""


def delivery_address(order: Fields) -> Address | None:
    """The delivery address as far as the site gives one; an empty object is none."""
    raw = order.inner("ship_to", "shipping_address")
    found = Address(
        name=raw.text("ship_to.name", "contact_person"),
        phone=raw.read("ship_to.phone", phone, "mobile", "telephone"),
        lines=_lines(raw),
        city=raw.text("ship_to.city", "city"),
        state=raw.text("ship_to.state", "province"),
        state_code=raw.text("ship_to.state_code", "province_code"),
        postal_code=raw.text("ship_to.postal_code", "zip"),
        country_code=_country_code(raw),
        country=raw.text("ship_to.country", "country"),
    )
    return None if found == Address() else found


def deliverable(address: Address | None) -> bool:
    """Whether goods can be sent there: a street line and a country. A postal code is not needed, and
    city states name no city.
    """
    return bool(address and address.lines and (address.country_code or address.country))


def _lines(raw: Fields) -> tuple[str, ...]:
    texts = (
        raw.text("ship_to.lines", name, chars_max=_LINES_MAX * _LINE_CHARS_MAX)
        for name in ("address", "alternate_address")
    )
    lines = [line.strip() for found in texts if found for line in found.splitlines()]
    lines = [line for line in dict.fromkeys(lines) if line]
    if len(lines) > _LINES_MAX:
        raw.notes.add("ship_to.lines", CUT)
    return tuple(lines[:_LINES_MAX])


def _country_code(raw: Fields) -> str | None:
    """The code, or the country if that is written as one."""
    code = raw.read("ship_to.country_code", country_code, "country_code")
    country = raw.text("ship_to.country", "country")
    is_code = code is None and country is not None and _CODE.fullmatch(country.upper())
    return country_code(country) if is_code else code


def country_code(value: object) -> str | None:
    """An ISO 3166 code of two letters; raises ValueError for any other text."""
    found = clean_text(value)
    if found is None:
        return None
    code = _ISO.get(found.upper(), found.upper())
    if not _CODE.fullmatch(code):
        raise ValueError("a country code that is not of two letters")
    return code


def phone(value: object) -> str | None:
    """`{country, area, number}` as one text, e.g. `+49 30 1234567`; a text stays as it is."""
    value = opened(value)
    found = _joined(value) if is_object(value) else clean_text(value)
    if found and len(found) > _PHONE_CHARS_MAX:
        raise ValueError(f"a phone number of more than {_PHONE_CHARS_MAX} characters")
    return found


def _joined(value: Mapping[str, object]) -> str | None:
    country, area, number = (clean_text(value.get(part)) for part in ("country", "area", "number"))
    if number is None or number.startswith("+"):
        return number
    prefix = (country or "").lstrip("+").removeprefix("00")
    return " ".join(part for part in (f"+{prefix}" if prefix else "", area, number) if part)


def buyer(order: Fields) -> Buyer | None:
    """Who bought. The site documents neither e-mail nor phone of the buyer."""
    raw = order.inner("buyer", "buyer")
    found = Buyer(
        id=raw.text("buyer.id", "immutable_eid", "e_account_id"),
        name=raw.text("buyer.name", "full_name"),
        email=raw.text("buyer.email", "email"),
        country_code=raw.read("buyer.country_code", country_code, "country"),
    )
    return None if found == Buyer() else found
