"""What a packing slip shows (`SlipDocument`) and what drawing it gives (`RenderedSlip` or `SlipRefusal`).

Prices, payment, internal notes and e-mail addresses have no field: they are not printed, so they cannot be.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.proofgen.document import ItemLine, PostalAddress, ProofWarning
from services.proofgen.grid import A4, Paper


@dataclass(frozen=True, slots=True)
class SlipLine:
    """One line to pick."""

    item: ItemLine
    location: str | None = None
    """Where it lies in the warehouse."""
    picture_url: str | None = field(default=None, repr=False)
    """As the order has it; never printed, and not to be trusted."""
    picture: bytes | None = field(default=None, repr=False)
    """A small grey PNG file."""


class Standing(StrEnum):
    """Why an order is not to be sent; printed where nobody overlooks it."""

    UNPAID = "unpaid"
    ON_HOLD = "on_hold"
    CANCELLED = "cancelled"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class SlipDocument:
    """All facts of one slip. Times carry the offset in which they are printed.

    Making one checks nothing: `render_slip` answers bad facts with a `SlipRefusal`.
    """

    order_id: str
    """The number at the site; the bar code."""
    order_number: str
    """The number that people see; mostly the same."""
    lines: tuple[SlipLine, ...]
    """In the order in which they are picked."""
    ordered_at: datetime | None = None
    ship_by_at: datetime | None = None
    standing: Standing | None = None
    store_name: str | None = None
    seller: PostalAddress | None = None
    ship_to: PostalAddress | None = None
    carrier: str | None = None
    service: str | None = None
    requested_service: str | None = None
    """What the buyer asked for."""
    shipment_id: str | None = None
    tracking_number: str | None = None
    is_part: bool = False
    """True when the shipment names its items: there may be more in the order."""
    is_gift: bool = False
    gift_message: str | None = None
    customer_notes: tuple[str, ...] = ()
    shows_pictures: bool = False
    """True leaves a place for each line's picture, and marks it where there is none."""
    logo: bytes | None = field(default=None, repr=False)
    """A PNG file; one that cannot be drawn is left out with a warning."""
    paper: Paper = A4
    third_language: str | None = None
    """One of `labels.LANGUAGES`, beside English and Chinese."""


class SlipRefusalReason(StrEnum):
    """Why there is no slip. A closed list."""

    MISSING_ORDER_ID = "missing_order_id"
    NO_ITEMS = "no_items"
    TOO_MANY_PAGES = "too_many_pages"
    CODE_UNREADABLE = "code_unreadable"


@dataclass(frozen=True, slots=True)
class SlipRefusal:
    """No page was drawn; `detail` names the field and what to do, without any of its values."""

    reason: SlipRefusalReason
    detail: str


@dataclass(frozen=True, slots=True)
class RenderedSlip:
    """The pages as PNG files, and what they could not show as given."""

    pages: tuple[bytes, ...]
    warnings: tuple[ProofWarning, ...] = ()
