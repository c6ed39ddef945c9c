"""What a proof shows (`ProofDocument`) and what rendering it gives (`RenderedProof` or `Refusal`).

The document holds facts that somebody stated, nothing guessed: a fact that nobody gave is None and is
printed as "not provided"; a value worked out here is marked as calculated. Prices of items, payment
data, internal notes and the buyer's e-mail have no field: they are not printed, so they cannot be.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from services.proofgen.grid import A4, Paper

TEMPLATE_VERSION = "2"
"""Layout that draws the page; a change of the pixels of a page is a new version."""

FACTS_CHARS_MAX = 8 * 1024 * 1024
"""Of all texts together: twice what a claim carries, as lines of a shipment take texts from the order's. It
bounds the work of hashing them."""
_VALUE_CHARS = 24
"""What any value counts beside its text."""


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """A postal address as it is to be read: original script, and Latin letters where known."""

    name: str | None = None
    company: str | None = None
    lines: tuple[str, ...] = ()
    phone: str | None = None
    latin: tuple[str, ...] = ()
    country_code: str | None = None
    """ISO 3166, two letters; decides the regional forms of Chinese characters."""

    @property
    def is_empty(self) -> bool:
        """True when nothing says where the parcel goes: no name, no company and no line."""
        return not any((self.name, self.company, *self.lines, *self.latin))


class AddressPart(StrEnum):
    """What is compared of two addresses."""

    NAME = "name"
    STREET = "street"
    CITY = "city"
    STATE = "state"
    POSTAL_CODE = "postal code"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of the label's address that is not what the order says."""

    part: AddressPart
    order: str | None
    label: str | None


@dataclass(frozen=True, slots=True)
class AddressMatch:
    """Whether the label's address is the order's: no differences means it is."""

    compared: bool = False
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One line of what was shipped."""

    name: str | None
    quantity: Decimal
    sku: str | None = None
    unit: str | None = None
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel of the shipment."""

    tracking_number: str | None = None
    weight: Decimal | None = None
    weight_unit: str | None = None
    dimensions_cm: tuple[Decimal, Decimal, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the carrier charges."""

    amount: Decimal
    currency: str
    calculated: bool = False
    """True when it is a sum made here."""


@dataclass(frozen=True, slots=True)
class ProofDocument:
    """All facts of one proof. Times carry the offset in which they are printed.

    Making one checks nothing: `render` answers bad facts with a `Refusal`.
    """

    document_id: str
    """The claim's id: equal facts, equal id."""
    order_id: str
    issued_at: datetime
    """When the order was claimed, in the store's zone; never the time of drawing."""
    shipment_id: str
    shipment_revision: int
    """With the shipment id, the event that this page shows: of parts, the leading one."""
    tracking_number: str | None
    carrier_name: str | None
    carrier_code: str | None
    """Alibaba's code, as it will be declared."""
    logistics_type: str | None
    """EXPRESS or POST."""
    shipped_at: datetime | None
    ship_to: PostalAddress | None
    store_name: str | None = None
    ordered_at: datetime | None = None
    buyer_name: str | None = None
    further_shipments: tuple[tuple[str, int], ...] = ()
    """Ids and revisions of the other parts that it shows."""
    tracking_url: str | None = None
    service: str | None = None
    label_created_at: datetime | None = None
    ship_from: PostalAddress | None = None
    address_match: AddressMatch = field(default_factory=AddressMatch)
    address_must_match: bool = False
    """The store's policy; True refuses a label for another place."""
    items: tuple[ItemLine, ...] = ()
    items_are_whole_order: bool = False
    """True when the shipment named no items and the order's lines stand here."""
    parcels: tuple[Parcel, ...] = ()
    cost: Cost | None = None
    shows_cost: bool = True
    """The store's switch; False leaves the cost out."""
    note_to_buyer: str | None = None
    logo: bytes | None = field(default=None, repr=False)
    """A PNG file; one that cannot be drawn is left out with a warning."""
    paper: Paper = A4
    third_language: str | None = None
    """One of `labels.LANGUAGES`, beside English and Chinese."""
    template_version: str = TEMPLATE_VERSION

    @property
    def is_too_large(self) -> bool:
        """Whether it holds more than `FACTS_CHARS_MAX`; counting stops there."""
        left = FACTS_CHARS_MAX
        values: list[object] = [self]
        while values and left >= 0:
            value = values.pop()
            left -= _VALUE_CHARS
            if isinstance(value, str | bytes):
                left -= len(value)
            elif isinstance(value, tuple):
                values.extend(value)
            elif dataclasses.is_dataclass(value) and not isinstance(value, type):
                values.extend(_facts_of(value).values())
        return left < 0

    def payload_sha256(self) -> str:
        """SHA-256 in hex over the facts as JSON with sorted keys; its first 16 digits are printed."""
        facts = json.dumps(self, default=_json_form, sort_keys=True)
        return hashlib.sha256(facts.encode("ascii")).hexdigest()


def _json_form(value: object) -> object:
    if isinstance(value, Paper):
        return value.name
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _facts_of(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _facts_of(record: Any) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__slots__}


def plain(number: Decimal) -> str:
    """The number without exponent and without zeros at its end: 2.5000 is 2.5, 1E+3 is 1000."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class RefusalReason(StrEnum):
    """Why there is no proof. A closed list: it goes into `Proof.refusal` and metric labels."""

    UNKNOWN_TEMPLATE = "unknown_template"
    MISSING_ORDER_ID = "missing_order_id"
    MISSING_TRACKING_NUMBER = "missing_tracking_number"
    MISSING_CARRIER = "missing_carrier"
    MISSING_SHIP_DATE = "missing_ship_date"
    MISSING_SHIP_TO = "missing_ship_to"
    UNPRINTABLE_TRACKING_NUMBER = "unprintable_tracking_number"
    ADDRESS_DIFFERS = "address_differs"
    FACTS_TOO_LARGE = "facts_too_large"
    CODE_UNREADABLE = "code_unreadable"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No page was drawn; `detail` names the field and what to do, without any of its values."""

    reason: RefusalReason
    detail: str


class ProofWarning(StrEnum):
    """What a page could not show as given; a closed list."""

    UNPRINTABLE_CHARACTERS = "unprintable_characters"
    TEXT_CUT = "text_cut"
    ITEMS_CUT = "items_cut"
    PARCELS_CUT = "parcels_cut"
    NO_BAR_CODE = "no_bar_code"
    NO_QR_CODE = "no_qr_code"
    LOGO_UNREADABLE = "logo_unreadable"
    ADDRESS_DIFFERS = "address_differs"
    SHIPPED_BEFORE_ORDER = "shipped_before_order"
    SHIPPED_AFTER_ISSUE = "shipped_after_issue"


@dataclass(frozen=True, slots=True)
class RenderedProof:
    """The pages as PNG files. The first holds every must-have, but addresses of dozens of lines."""

    pages: tuple[bytes, ...]
    payload_sha256: str
    template_version: str
    warnings: tuple[ProofWarning, ...] = ()

    media_type = "image/png"
