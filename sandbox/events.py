"""What a sandbox remembers: one frozen record per accepted write, in the journal and in memory.

State changes by applying these events and in no other way, so a restart that applies the journal
again arrives at the same state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file was accepted."""

    kind: Literal["upload"] = "upload"
    at_ms: int
    seller: str
    file_path: str
    file_name: str
    media_type: str
    bytes: int
    sha256: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """An upload as a shipment names it."""

    file_path: str
    file_name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """A shipment was accepted through the API."""

    kind: Literal["shipment"] = "shipment"
    at_ms: int
    seller: str
    trade_id: str
    service_provider: str
    logistics_type: str
    tracking_number: str
    contact_mobile: str | None
    attachments: tuple[Attachment, ...]
    voucher_id: int
    request_id: str
    shipment_of_order: int
    """1 for the first accepted shipment of the order, 2 for one too many."""
    late: bool
    """Acted on after an answer (or none) had already gone out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentRefused:
    """A shipping call with a valid signature and token was refused."""

    kind: Literal["shipment_refused"] = "shipment_refused"
    at_ms: int
    seller: str
    trade_id: str
    tracking_number: str
    code: str
    message: str
    request_id: str
    only_by_status: bool
    """Everything else was right: in lenient mode this call would have acted."""
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersCreated:
    """Orders ``first`` to ``first + count - 1`` of a store came to be."""

    kind: Literal["orders_created"] = "orders_created"
    at_ms: int
    seller: str
    first: int
    count: int
    status: str | None
    """None: the usual mix."""
    payload: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedElsewhere:
    """A shipment that did not come through the API."""

    service_provider: str
    tracking_number: str
    logistics_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """Somebody changed an order: the buyer, Alibaba, or the seller in another tool."""

    kind: Literal["order_changed"] = "order_changed"
    at_ms: int
    trade_id: str
    status: str | None
    payload: dict[str, Any] | None
    shipped_elsewhere: ShippedElsewhere | None
    keep_modified: bool = False
    """The modification date does not tell of this change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeIssued:
    """A store authorised the application."""

    kind: Literal["code_issued"] = "code_issued"
    at_ms: int
    seller: str
    code: str
    ends_ms: int
    authorisation_ends_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensIssued:
    """Tokens of a store, new (``code``) or in place of older ones (``replaces``)."""

    kind: Literal["tokens_issued"] = "tokens_issued"
    at_ms: int
    seller: str
    access_token: str
    access_ends_ms: int
    refresh_token: str
    refresh_ends_ms: int
    authorisation_ends_ms: int
    code: str | None = None
    replaces: str | None = None
    """The refresh token that was used up."""
    authorisation_ms: int | None = None
    """The length the store chose; None where older journals do not tell."""
    old_access_ends_ms: int | None = None
    """Until when the replaced access token may still be used; None: not at all."""
    grace_ends_ms: int | None = None
    """Until when the replaced refresh token answers these tokens again; None: not at all."""
    ends_older: bool = False
    """Tokens of the store's earlier authorisations end with this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensEnded:
    """All access tokens, refresh tokens or both of a store end, or its authorisation does."""

    kind: Literal["tokens_ended"] = "tokens_ended"
    at_ms: int
    seller: str
    access: bool
    refresh: bool
    authorisation: bool = False
    ends_ms: int | None = None
    """When they end, if they would not earlier. None: now."""


Event = (
    Upload
    | Shipment
    | ShipmentRefused
    | OrdersCreated
    | OrderChanged
    | CodeIssued
    | TokensIssued
    | TokensEnded
)
