"""An order, and the shipment if there is one, become a `SlipDocument`. Pure; nothing is guessed.

A shipment that names its items decides what is picked; else it is every line of the order that was not
taken out of it. What a line of the shipment leaves out comes from the order's line, as on the proof.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from services.proofgen.addresses import postal_address
from services.proofgen.claims import (
    local_if_known,
    name_or_code,
    order_lines,
    paper_of,
    sender,
    shipped_lines,
    third_language_of,
)
from services.proofgen.document import ItemLine
from services.proofgen.slip.document import SlipDocument, SlipLine, Standing
from waybill.contracts import Order, Shipment, Store
from waybill.contracts.order import OrderItem, OrderStatus

_NUMBER = re.compile("([0-9]{1,18})")
_STANDINGS = {
    OrderStatus.AWAITING_PAYMENT: Standing.UNPAID,
    OrderStatus.ON_HOLD: Standing.ON_HOLD,
    OrderStatus.CANCELLED: Standing.CANCELLED,
    OrderStatus.UNMAPPED: Standing.UNCLEAR,
    OrderStatus.UNRECOGNISED: Standing.UNCLEAR,
}


def slip_of(order: Order, shipment: Shipment | None, store: Store) -> SlipDocument:
    """The facts that the slip shows, still without pictures.

    `render_slip` refuses a document that is of no use.
    """
    zone = store.time_zone
    gift = order.gift
    return SlipDocument(
        order_id=order.trade_id,
        order_number=order.order_number,
        lines=_lines(order, shipment),
        ordered_at=local_if_known(order.ordered_at, zone),
        ship_by_at=local_if_known(order.ship_by_at, zone),
        standing=_STANDINGS.get(order.status),
        store_name=store.branding.name or store.name,
        seller=sender(shipment, order, store.branding),
        ship_to=postal_address(order.ship_to) if order.ship_to else None,
        carrier=name_or_code(shipment.carrier) if shipment else None,
        service=name_or_code(shipment.service) if shipment else None,
        requested_service=_requested(order),
        shipment_id=shipment.shipment_id if shipment else None,
        tracking_number=shipment.tracking_number if shipment else None,
        is_part=bool(shipment and shipment.items),
        is_gift=bool(gift and (gift.is_gift or gift.message)),
        gift_message=gift.message if gift else None,
        customer_notes=tuple(note.text for note in order.notes.customer) if order.notes else (),
        logo=store.branding.logo,
        paper=paper_of(store.branding),
        third_language=third_language_of(store.branding),
    )


def with_pictures(document: SlipDocument, pictures: Mapping[str, bytes]) -> SlipDocument:
    """The same with pictures, small grey PNG files by URL; a line whose picture is not there is marked."""
    lines = (replace(line, picture=pictures.get(line.picture_url or "")) for line in document.lines)
    return replace(document, lines=tuple(lines), shows_pictures=True)


def _requested(order: Order) -> str | None:
    service = order.requested_service
    return (service.text or service.code) if service else None


def _lines(order: Order, shipment: Shipment | None) -> tuple[SlipLine, ...]:
    named = shipment and shipment.items
    pairs = shipped_lines((shipment,), order) if shipment and named else order_lines(order)
    return tuple(sorted((_line(*pair) for pair in pairs), key=_way))


def _line(item: ItemLine, ordered: OrderItem | None) -> SlipLine:
    if ordered is None:
        return SlipLine(item)
    return SlipLine(item, ordered.warehouse_location, ordered.image_url)


def _way(line: SlipLine) -> tuple[bool, list[str | int]]:
    """Along the shelves: A2 before A10; what has no known place comes last, in the order's order."""
    parts = _NUMBER.split((line.location or "").casefold())
    numbers = [int(part) if index % 2 else part for index, part in enumerate(parts)]
    return not line.location, numbers
