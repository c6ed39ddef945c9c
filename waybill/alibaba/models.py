"""What the client is asked and what it answers: small frozen types.

Requests are checked strictly, before anything is sent. Answers are read leniently and keep the
payload they were read from, out of ``repr``, because it holds personal data.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

# Printable text without control characters or line breaks.
_LINE: Final = r"^[^\x00-\x1f\x7f]+$"

TRADE_ID: Final = r"^[A-Za-z0-9_-]{1,64}$"
TradeId = Annotated[str, StringConstraints(pattern=TRADE_ID)]
"""An order number. A masked one (``21***54``), which some listings contain, is none."""

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_LINE)
]


class LogisticsType(StrEnum):
    """The only two classes of transport Alibaba knows."""

    EXPRESS = "EXPRESS"
    POST = "POST"


class _Request(BaseModel):
    # Inputs stay out of validation errors: they may be personal data.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Attachment(_Request):
    """An uploaded proof: ``file_path`` is what the upload answered."""

    file_name: Line
    file_path: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=_LINE)]


class ShippingRequest(_Request):
    """The one declaration of an order's shipment, exactly as it is sent.

    ``service_provider`` is a carrier code of ``list_channels``; ``contact_mobile`` the last four
    digits of a phone number, which some carriers require. Attachments count as optional in one
    place of the documentation and as a step of the procedure in another.
    """

    trade_id: TradeId
    service_provider: Line
    logistics_type: LogisticsType
    tracking_number: Line
    contact_mobile: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=10)] = ()

    def canonical_json(self) -> str:
        """The text that is sent: fields in the order of this class, no white space, nothing empty.

        Equal requests give equal text, in every process and version.
        """
        content = self.model_dump(mode="json", exclude_none=True)
        if not self.attachments:
            del content["attachments"]
        return orjson.dumps(content).decode()

    def sha256(self) -> str:
        """Lower-case hex SHA-256 of ``canonical_json()`` in UTF-8; names the request in a ledger.

        Token, timestamp and signature are no part of it: they differ at every call.
        """
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class OrderWindow:
    """The orders modified (or created) from ``start`` to ``end``, optionally of one status code.

    Whether the ends are included is not documented: take them as included and let windows overlap.
    """

    start: datetime
    end: datetime
    by: Literal["modified", "created"] = "modified"
    status: str | None = None

    def __post_init__(self) -> None:
        """Refuse times without a zone and windows that end before they start."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("start and end need a time zone")
        if self.end < self.start:
            raise ValueError("the window ends before it starts")


@dataclass(frozen=True, slots=True)
class OrderListing:
    """A line of a listing: that the order exists and changed. Unreadable dates are ``None``."""

    trade_id: str
    status: str | None
    created: datetime | None
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of a listing. Order and stability of pages are not documented."""

    page: int
    orders: tuple[OrderListing, ...]
    total: int | None
    """Orders in the whole window, if told."""
    masked: int
    """Entries whose number is masked or missing: no call can read them, so a count is all."""
    is_last: bool


@dataclass(frozen=True, slots=True)
class RawOrder:
    """An order as Alibaba tells it. ``status`` is the raw code; what it means is said elsewhere."""

    trade_id: str
    status: str | None
    modified: datetime | None
    payload: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount; the currency is ``None`` where the source gives a bare number."""

    amount: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of an order: ``step`` is ADVANCE, BALANCE or FULL."""

    method: str | None
    step: str | None
    status: str | None
    paid_at: datetime | None
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Payments:
    """An order's payments; fees and refunds, whose names vary, are in ``payload`` only."""

    payments: tuple[Payment, ...]
    payload: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeclaredShipment:
    """A shipment that Alibaba holds."""

    tracking_number: str
    service_provider: str | None
    logistics_type: str | None


@dataclass(frozen=True, slots=True)
class Logistics:
    """What Alibaba says of an order's shipments. One may show only some time after its call."""

    status: str | None
    """``UNDELIVERED``, ``DELIVERING``, ``PART_DELIVERED``, ``DELIVERED`` or ``CONFIRM_RECEIPT``."""
    shipments: tuple[DeclaredShipment, ...]
    nothing_shipped: bool
    """Alibaba clearly says that there is no shipment. ``False`` also when its answer leaves doubt,
    so it is not the opposite of ``bool(shipments)``."""
    payload: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Channel:
    """A carrier that Alibaba accepts: ``code`` is a request's ``service_provider``."""

    code: str
    name: str | None


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """Tokens of a store.

    Lifetimes count from the answer and differ from app to app. ``None`` where the answer does not
    tell: the tokens are good, but for how long is unknown.
    """

    access_token: SecretStr
    expires_in_s: int | None
    refresh_token: SecretStr | None
    refresh_expires_in_s: int | None
    """0: the token cannot be refreshed; the seller has to authorise again when it ends."""
    seller_id: str | None
    """The seller's identity: the first that is told of seller id, user id, account id."""
    country: str | None
    account: str | None = field(repr=False)
    """The account's e-mail address."""
    account_platform: str | None
    request_id: str | None
    havana_id: str | None = None
    """The number under which push messages may name the seller: the older platform's user id."""
    login_id: str | None = field(default=None, repr=False)
    """The account's login name."""
