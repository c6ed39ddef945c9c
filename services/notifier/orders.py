"""The form in which an order is kept: whole while it may still ship, slim once nothing can be shipped."""

from waybill.contracts import Order
from waybill.contracts.codec import Codec
from waybill.contracts.headers import ORDER_STATUS
from waybill.contracts.order import OrderStatus
from waybill.streaming.records import Inbound

_FINISHED = {OrderStatus.SHIPPED, OrderStatus.CANCELLED}
_HEAVY: dict[str, object] = {
    "buyer": None,
    "ship_to": None,
    "bill_to": None,
    "ship_from": None,
    "payment": None,
    "totals": None,
    "adjustments": (),
    "gift": None,
    "notes": None,
    "items": (),
    "tags": {},
    "provenance": {},
}


def kept_form(record: Inbound, codec: Codec[Order]) -> bytes:
    """The framed order; without personal data and items once it is shipped or cancelled.

    Millions of finished orders would else fill the disk; a shipment for one of them needs its status only.
    """
    value = record.value or b""
    header = record.header(ORDER_STATUS)
    if header is not None and header.decode(errors="replace") not in _FINISHED:
        return value
    order = codec.decode(value)
    if order.status not in _FINISHED:
        return value
    return codec.encode(order.model_copy(update=_HEAVY))
