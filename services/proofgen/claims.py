"""A claim with its decoded shipment and order becomes a `ProofDocument`. Pure; nothing is guessed.

The recipient is the order's; the label's address is only compared with it. What an item of the
shipment leaves out (name, options, unit) is taken from the order's line of the same line id, else
of the same SKU.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.proofgen.addresses import match, postal_address
from services.proofgen.document import (
    AddressMatch,
    Cost,
    ItemLine,
    Parcel,
    PostalAddress,
    ProofDocument,
)
from services.proofgen.grid import A4, PAPERS, Paper
from services.proofgen.labels import LANGUAGES
from waybill.contracts import Claim, Order, Shipment
from waybill.contracts.base import Address, LogisticsType, Option, WeightUnit
from waybill.contracts.order import OrderItem
from waybill.contracts.proof import AddressMismatch, Branding
from waybill.contracts.shipment import Carrier, Package, Service, ShipmentItem

_REMOVED_LINE = "delete"
"""Alibaba's status of a line that is no longer part of the order."""


def document_of(
    claim: Claim, shipment: Shipment, order: Order, parts: tuple[Shipment, ...] = ()
) -> ProofDocument:
    """The facts that the proof shows; `render` refuses a document whose must-haves are missing.

    `shipment` and `order` are the decoded bytes of the claim, `parts` its decoded further shipments.
    """
    shipments = (shipment, *parts)
    items_named = all(each.items for each in shipments)
    zone, shipment_zone = claim.time_zone, shipment.shipped_at_zone or claim.time_zone
    return ProofDocument(
        document_id=claim.claim_id,
        order_id=order.trade_id,
        issued_at=_local(claim.issued_at, zone),
        shipment_id=shipment.shipment_id,
        shipment_revision=shipment.effective_revision,
        further_shipments=tuple((part.shipment_id, part.effective_revision) for part in parts),
        tracking_number=shipment.tracking_number,
        carrier_name=name_or_code(shipment.carrier),
        carrier_code=claim.carrier_code or None,
        logistics_type=_logistics_type(claim),
        shipped_at=local_if_known(shipment.shipped_at, shipment_zone),
        ship_to=_postal(order.ship_to),
        store_name=claim.branding.name,
        ordered_at=local_if_known(order.ordered_at, zone),
        buyer_name=order.buyer.name if order.buyer else None,
        tracking_url=shipment.tracking_url,
        service=name_or_code(shipment.service),
        label_created_at=local_if_known(shipment.label_created_at, shipment_zone),
        ship_from=sender(shipment, order, claim.branding),
        address_match=match(order.ship_to, shipment.ship_to) if order.ship_to else AddressMatch(),
        address_must_match=claim.branding.address_mismatch is not AddressMismatch.WARN,
        items=tuple(
            line
            for line, _ in (shipped_lines(shipments, order) if items_named else order_lines(order))
        ),
        items_are_whole_order=not items_named,
        parcels=_parcels(shipments),
        cost=_cost(shipments),
        shows_cost=claim.branding.show_cost,
        note_to_buyer=_note(shipments, order),
        logo=claim.branding.logo,
        paper=paper_of(claim.branding),
        third_language=third_language_of(claim.branding),
    )


def _local(time: datetime, zone: str) -> datetime:
    """The time in the zone; in UTC when nobody knows the zone, as the page prints the offset in any case."""
    try:
        return time.astimezone(ZoneInfo(zone))
    except (
        LookupError,
        ValueError,
        OSError,
        OverflowError,
    ):  # no such zone, no such name, year 9999
        return time.astimezone(UTC)


def local_if_known(time: datetime | None, zone: str) -> datetime | None:
    """The time as it is printed for the zone, or in UTC when nobody knows the zone."""
    return _local(time, zone) if time else None


def name_or_code(named: Carrier | Service | None) -> str | None:
    """What people call it."""
    return (named.name or named.code) if named else None


def _postal(address: Address | None) -> PostalAddress | None:
    return postal_address(address) if address else None


def _note(shipments: tuple[Shipment, ...], order: Order) -> str | None:
    """The shipments' own, each once; else the order's."""
    notes = dict.fromkeys(each.note_to_buyer for each in shipments if each.note_to_buyer)
    return "\n".join(notes) or (order.notes.to_buyer if order.notes else None)


def _logistics_type(claim: Claim) -> str | None:
    known = claim.logistics_type is not LogisticsType.UNRECOGNISED
    return claim.logistics_type.value if known else None


def paper_of(branding: Branding) -> Paper:
    """The store's paper; A4 for one that is not known."""
    return PAPERS.get(branding.paper, A4)


def third_language_of(branding: Branding) -> str | None:
    """The store's third language, if the labels know it."""
    known = branding.third_language in LANGUAGES
    return str(branding.third_language) if known else None


def sender(shipment: Shipment | None, order: Order, branding: Branding) -> PostalAddress | None:
    """Who sends: as the shipment says, else the store, else the order."""
    if shipment and shipment.ship_from:
        return _postal(shipment.ship_from)
    if branding.address_lines:
        return PostalAddress(
            company=branding.name, lines=branding.address_lines, phone=branding.phone
        )
    return _postal(order.ship_from)


Lines = tuple[tuple[ItemLine, OrderItem | None], ...]
"""Lines as they are printed, each with the order's line that it belongs to."""


def order_lines(order: Order) -> Lines:
    """The lines of the order that were not taken out of it."""
    lines = (item for item in order.items if item.status != _REMOVED_LINE)
    return tuple(
        (ItemLine(item.name, item.quantity, item.sku, item.unit, _options(item.options)), item)
        for item in lines
    )


def shipped_lines(shipments: tuple[Shipment, ...], order: Order) -> Lines:
    """The lines that the shipments name; the same line of the order in two of them is one."""
    by_line = {item.line_id: item for item in order.items}
    by_sku = {item.sku: item for item in order.items if item.sku}
    lines: dict[object, tuple[ItemLine, OrderItem | None]] = {}
    for number, item in enumerate(item for shipment in shipments for item in shipment.items):
        ordered = by_line.get(item.line_id or "") or by_sku.get(item.sku or "")
        line = _shipped_item(item, ordered)
        # the same line of the order in two parts is one line of the page
        key = (ordered.line_id, line.unit) if ordered else number
        if key in lines:
            line = replace(line, quantity=line.quantity + lines[key][0].quantity)
        lines[key] = (line, ordered)
    return tuple(lines.values())


def _shipped_item(item: ShipmentItem, ordered: OrderItem | None) -> ItemLine:
    if ordered is None:
        return ItemLine(item.name, item.quantity, item.sku, item.unit, _options(item.options))
    return ItemLine(
        name=item.name or ordered.name,
        quantity=item.quantity,
        sku=item.sku or ordered.sku,
        unit=item.unit or ordered.unit,
        options=_options(item.options or ordered.options),
    )


def _options(options: Iterable[Option]) -> tuple[tuple[str, str], ...]:
    return tuple((option.name, option.value) for option in options)


def _parcels(shipments: tuple[Shipment, ...]) -> tuple[Parcel, ...]:
    return tuple(parcel for shipment in shipments for parcel in _parcels_of(shipment, shipments))


def _parcels_of(shipment: Shipment, shipments: tuple[Shipment, ...]) -> Iterator[Parcel]:
    if not shipment.packages and len(shipments) > 1:
        yield Parcel(tracking_number=shipment.tracking_number)  # a part is a parcel at least
    for package in shipment.packages:
        parcel = _parcel(package)
        only_one = len(shipment.packages) == 1
        number = parcel.tracking_number or (shipment.tracking_number if only_one else None)
        yield replace(parcel, tracking_number=number)


def _parcel(package: Package) -> Parcel:
    weight, size = package.weight, package.dimensions
    known = weight is not None and weight.unit is not WeightUnit.UNRECOGNISED
    return Parcel(
        tracking_number=package.tracking_number,
        weight=weight.value if weight and known else None,
        weight_unit=weight.unit.value if weight and known else None,
        dimensions_cm=(size.length_cm, size.width_cm, size.height_cm) if size else None,
    )


def _cost(shipments: tuple[Shipment, ...]) -> Cost | None:
    """The carrier's charge; of parts the sum, if each tells it in the same currency."""
    costs = [shipment.cost for shipment in shipments if shipment.cost]
    currencies = {cost.currency for cost in costs}
    if len(costs) < len(shipments) or len(currencies) != 1:
        return None
    total = sum((cost.amount for cost in costs), Decimal())
    return Cost(total, currencies.pop(), calculated=len(costs) > 1)
