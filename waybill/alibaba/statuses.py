"""What Alibaba's order status codes mean for shipping. Pure.

The 16 codes are those of the official ``trade_status`` enum; the 3 aliases are not in it but are
the names under which another shipping product files shipped orders. A code in neither list is
``UNMAPPED``: such an order is held and shown, never guessed. A store may override any code.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class OrderStatus(StrEnum):
    """Where an order stands, seen from shipping."""

    AWAITING_PAYMENT = "awaiting_payment"
    AWAITING_SHIPMENT = "awaiting_shipment"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    ON_HOLD = "on_hold"
    IGNORED = "ignored"
    """A draft: counted, not published."""
    UNMAPPED = "unmapped"
    """A code nobody has told us the meaning of."""


OFFICIAL: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {
        "to_be_audited": OrderStatus.AWAITING_PAYMENT,
        "intention_processing": OrderStatus.IGNORED,
        "unpay": OrderStatus.AWAITING_PAYMENT,
        "paying": OrderStatus.AWAITING_PAYMENT,
        "relating": OrderStatus.AWAITING_PAYMENT,
        # Paid is not yet shippable: Alibaba takes a shipment only for ``undeliver``.
        "paid": OrderStatus.AWAITING_PAYMENT,
        "captured": OrderStatus.AWAITING_PAYMENT,
        "undeliver": OrderStatus.AWAITING_SHIPMENT,
        "delivering": OrderStatus.SHIPPED,
        "wait_confirm_receipt": OrderStatus.SHIPPED,
        "trade_success": OrderStatus.SHIPPED,
        "trade_close": OrderStatus.CANCELLED,
        "charge_back": OrderStatus.CANCELLED,
        "wait_confirm_modify": OrderStatus.ON_HOLD,
        "trade_unavailable": OrderStatus.ON_HOLD,
        "frozen": OrderStatus.ON_HOLD,
    }
)
"""The 16 codes of the official enum."""

ALIASES: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {
        "partial_delivering": OrderStatus.SHIPPED,
        "waiting_for_delivery_confirmation": OrderStatus.SHIPPED,
        # Reads like ``undeliver``, whose English label it is, yet is known only as a shipped
        # status. Taken for shipped nothing is sent by mistake; a store that knows better overrides
        # it.
        "waiting_for_shipment": OrderStatus.SHIPPED,
    }
)
"""Three codes outside the enum."""

DEFAULT: Final[Mapping[str, OrderStatus]] = MappingProxyType({**OFFICIAL, **ALIASES})
"""What holds for a store without overrides."""


def order_status(
    raw: str | None, overrides: Mapping[str, OrderStatus | str] | None = None
) -> OrderStatus:
    """Translate a raw code; a store's overrides win, and what is in no table is ``UNMAPPED``.

    Codes are compared exactly, apart from surrounding white space: an upper-case look-alike belongs
    to a sibling platform and means something else there. An override that names no known status
    raises ``ValueError``.
    """
    code = (raw or "").strip()
    if overrides and code in overrides:
        return OrderStatus(overrides[code])
    return DEFAULT.get(code, OrderStatus.UNMAPPED)
