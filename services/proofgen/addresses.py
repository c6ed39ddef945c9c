"""Addresses of the contract as a page shows them, and whether two of them name the same place."""

import re
import unicodedata

from services.proofgen.document import AddressMatch, AddressPart, Difference, PostalAddress
from waybill.contracts.base import Address

_HAN_OR_KANA = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_HANGUL = re.compile("[\uac00-\ud7ff]")
_ARABIC = re.compile("[\u0600-\u06ff]")
_CODE_FIRST = frozenset(
    {
        "AT", "BE", "BG", "CH", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IS", "IT",
        "LI", "LU", "MC", "ME", "MK", "NL", "NO", "PL", "PT", "RO", "RS", "SE", "SI", "SK", "SM", "TR",
    }
)  # fmt: skip
"""Countries that write the postal code before the city, as the Universal Postal Union lists them."""


def postal_address(address: Address) -> PostalAddress:
    """The address in the order in which its script writes it; absent parts leave no trace."""
    return PostalAddress(
        name=address.name,
        company=address.company,
        lines=tuple(filter(None, (*address.lines, _locality(address), _country(address)))),
        phone=address.phone,
        latin=address.latin,
        country_code=address.country_code,
    )


def match(order: Address, label: Address | None) -> AddressMatch:
    """What differs between the order's address and the label's, comparing only what both of them say.

    Case, width of characters, spaces and punctuation do not count; a name may stand as the company
    and the other way round. Without a street and a city on both sides nothing is claimed.
    """
    if label is None or not (_both(order.lines, label.lines) and _both(order.city, label.city)):
        return AddressMatch(compared=False)
    pairs = (
        (AddressPart.NAME, _names(order), _names(label)),
        (AddressPart.STREET, " ".join(order.lines), " ".join(label.lines)),
        (AddressPart.CITY, order.city, label.city),
        (AddressPart.STATE, _state(order, label), label.state or label.state_code),
        (AddressPart.POSTAL_CODE, order.postal_code, label.postal_code),
        (AddressPart.COUNTRY, order.country_code, label.country_code),
    )
    differences = tuple(Difference(*pair) for pair in pairs if _differs(*pair))
    return AddressMatch(compared=True, differences=differences)


def _locality(address: Address) -> str:
    parts = [address.district, address.city, address.state or address.state_code]
    known = list(dict.fromkeys(part for part in parts if part))
    written = "".join(known)
    if _HAN_OR_KANA.search(written):
        place = "".join(reversed(known))
    elif _HANGUL.search(written):
        place = " ".join(reversed(known))
    elif _ARABIC.search(written):
        place = "، ".join(known)
    else:
        place = ", ".join(known)
    code = address.postal_code
    parts_in_order = (code, place) if _code_comes_first(address) else (place, code)
    return " ".join(filter(None, parts_in_order))


def _code_comes_first(address: Address) -> bool:
    """As its country writes it; a code in front of a list of places would seem to belong to the first one."""
    return address.country_code in _CODE_FIRST and not address.district


def _country(address: Address) -> str:
    if address.country and address.country_code and address.country != address.country_code:
        return f"{address.country} ({address.country_code})"
    return address.country or address.country_code or ""


def _names(address: Address) -> str:
    return ", ".join(filter(None, (address.name, address.company)))


def _state(order: Address, label: Address) -> str | None:
    """The order's state in the form, name or code, that the label uses."""
    wanted = {_plain(text) for text in (label.state, label.state_code) if text}
    return next(
        (text for text in (order.state, order.state_code) if text and _plain(text) in wanted),
        order.state or order.state_code,
    )


def _both(one: object, other: object) -> bool:
    return bool(one) and bool(other)


def _differs(part: AddressPart, order: str | None, label: str | None) -> bool:
    if not order or not label:
        return False
    if (
        part == AddressPart.NAME
    ):  # person and company may have changed places; house numbers may not
        return sorted(_words(order)) != sorted(_words(label))
    return _plain(order) != _plain(label)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def _plain(text: str) -> str:
    return "".join(_words(text))
