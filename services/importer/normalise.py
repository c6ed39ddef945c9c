"""From Alibaba's raw order to our Order. Pure.

Lenient in, strict out: nothing raises for odd data but the three facts without which a record could
not be keyed, translated or put in order (trade id, status, modified time). An order that cannot be
shipped as it is goes out all the same, held, with the reasons; an unknown status is never guessed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.importer import addresses, money
from services.importer.fields import NOTE_CHARS_MAX, Fields, Notes, shape
from services.importer.fingerprint import content_sha256, raw_sha256
from services.importer.items import Items, read_items
from services.importer.statuses import mapped_status, mapping_version
from waybill.alibaba.envelope import contents
from waybill.contracts.base import Address, LogisticsType
from waybill.contracts.keys import order_key
from waybill.contracts.order import (
    Marketplace,
    NotImportable,
    Order,
    OrderStatus,
    Payment,
    RequestedService,
)
from waybill.contracts.order import Note as OrderNote
from waybill.contracts.order import Notes as OrderNotes
from waybill.contracts.store import Store

FUTURE_S_MAX: Final = 86_400
"""A modified time later than this after the reading is unreadable: taken as it is, it would make every
true state that follows look older. A day, since clocks and zones are hours apart at most."""

_STATUS_CHARS_MAX: Final = 128
_UNHASHED: Final = "0" * 64


class UnreadableOrder(ValueError):  # noqa: N818 - it tells the state of an order, like Unauthorised
    """An order that cannot become a record: the field, and what was found in shape, never the value."""

    def __init__(self, field: str, found: str, wanted: str) -> None:
        super().__init__(
            f"order field {field}: found {found}, want {wanted}; nothing of this order was "
            "published. Look at it on the site, then ask for it again with a hint."
        )
        self.field = field
        self.found = found


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that is only being talked about: counted, never published."""

    order_key: str
    store_id: str
    modified_at: datetime
    raw_status: str


@dataclass(frozen=True, slots=True)
class _Head:
    """What every record needs."""

    trade_id: str
    raw_status: str
    modified_at: datetime


def normalise(
    payload: Mapping[str, object],
    *,
    payments: Mapping[str, object] | None,
    site: str,
    store: Store,
    imported_at: datetime,
) -> Order | Draft:
    """The full current state of an order, or a `Draft`.

    `payload` is the answer of the order query and `payments` that of the fund query (`None`: not
    asked), each whole or only its `value`. The same answers always give the same content hash.
    Raises UnreadableOrder when trade id, status or modified time cannot be read, and ValueError for a
    site that is none.
    """
    fields = Fields(_content(payload), Notes())
    head = _head(fields, imported_at)
    key = order_key(site, head.trade_id)
    mapped = mapped_status(fields, head.raw_status, store)
    if mapped.draft:
        return Draft(key, store.store_id, head.modified_at, head.raw_status)
    currency = money.order_currency(fields)
    items = read_items(fields, currency)
    ship_to = addresses.delivery_address(fields)
    sums = money.totals(fields, currency)
    paid = money.payment(fields, payments, currency)
    reasons = tuple(_reasons(mapped.status, ship_to, items))
    order = Order(
        key=key,
        site=site,
        trade_id=head.trade_id,
        store_id=store.store_id,
        order_number=head.trade_id,
        status=mapped.status,
        raw_status=head.raw_status,
        mapping_version=mapping_version(store),
        progress=mapped.progress,
        importable=not reasons,
        not_importable=reasons,
        ordered_at=fields.time("ordered_at", "create_date"),
        modified_at=head.modified_at,
        paid_at=_paid_at(mapped.status, paid),
        ship_by_at=_ship_by(fields),
        buyer=addresses.buyer(fields),
        ship_to=ship_to,
        requested_service=_requested_service(fields),
        payment=paid,
        totals=sums,
        adjustments=money.adjustments(fields, currency, sums),
        notes=_notes(fields),
        items=items.lines,
        marketplace=_marketplace(fields),
        content_sha256=_UNHASHED,
        raw_sha256=raw_sha256(payload, payments),
        imported_at=imported_at,
    )
    # only now has everything been read, and noted
    order = order.model_copy(update={"provenance": fields.notes.provenance()})
    return order.model_copy(update={"content_sha256": content_sha256(order)})


def _content(payload: Mapping[str, object]) -> Mapping[str, object]:
    """The object that holds the order's fields, whatever is wrapped around it."""
    for layer in contents(dict(payload)):
        if "trade_id" in layer or "trade_status" in layer:
            return layer
    return payload


def _head(fields: Fields, imported_at: datetime) -> _Head:
    raw_status = fields.text("status", "trade_status", chars_max=_STATUS_CHARS_MAX + 1)
    if raw_status is None or len(raw_status) > _STATUS_CHARS_MAX:
        raise UnreadableOrder("trade_status", _found(fields, "trade_status"), "a status code")
    return _Head(_trade_id(fields), raw_status, _modified_at(fields, imported_at))


def _trade_id(fields: Fields) -> str:
    trade_id = fields.text("trade_id", "trade_id")
    try:
        order_key("site", trade_id or "")
    except ValueError:
        wanted = "1 to 64 letters, digits, '-' or '_'"
        raise UnreadableOrder("trade_id", _found(fields, "trade_id"), wanted) from None
    return trade_id or ""


def _modified_at(fields: Fields, imported_at: datetime) -> datetime:
    found = fields.time("modified_at", "modify_date")
    if found is None:
        wanted = "a date object, epoch milliseconds or a date text"
        raise UnreadableOrder("modify_date", _found(fields, "modify_date"), wanted)
    if found > imported_at + timedelta(seconds=FUTURE_S_MAX):
        raise UnreadableOrder("modify_date", "a time in the future", "the time of the last change")
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def _found(fields: Fields, name: str) -> str:
    return shape(fields.raw.get(name))


def _reasons(status: OrderStatus, ship_to: Address | None, items: Items) -> Iterator[NotImportable]:
    if not addresses.deliverable(ship_to):
        yield NotImportable.NO_DELIVERY_ADDRESS
    if status is OrderStatus.UNMAPPED:
        yield NotImportable.UNMAPPED_STATUS
    if not items.complete:
        yield NotImportable.NO_ITEMS


def _paid_at(status: OrderStatus, paid: Payment | None) -> datetime | None:
    """The latest payment, unless the order still waits for another one, such as the balance."""
    return paid.paid_at if paid and status is not OrderStatus.AWAITING_PAYMENT else None


def _ship_by(fields: Fields) -> datetime | None:
    """The agreed date, if there is one; a relative term does not say from when it counts."""
    return fields.inner("ship_by_at", "shipment_date").time("ship_by_at", "date")


def _requested_service(fields: Fields) -> RequestedService | None:
    text = fields.text("requested_service.text", "shipment_method")
    plain = {kind.value: kind for kind in (LogisticsType.EXPRESS, LogisticsType.POST)}
    found = RequestedService(
        text=text,
        code=fields.inner("requested_service.code", "carrier").text(
            "requested_service.code", "code"
        ),
        logistics_type=plain.get((text or "").upper()),
    )
    return None if found == RequestedService() else found


def _notes(fields: Fields) -> OrderNotes | None:
    """The buyer's remark; a remark of the order list, whose author is not documented, stays internal."""
    customer = fields.text("notes.customer", "remark", chars_max=NOTE_CHARS_MAX)
    internal = fields.text("notes.internal", "list_remark", chars_max=NOTE_CHARS_MAX)
    if customer is None and internal is None:
        return None
    return OrderNotes(
        customer=(OrderNote(text=customer),) if customer else (),
        internal=(OrderNote(text=internal),) if internal else (),
    )


def _marketplace(fields: Fields) -> Marketplace | None:
    carrier = fields.inner("marketplace.carrier_code", "carrier")
    found = Marketplace(
        fulfillment_channel=fields.text("marketplace.fulfillment_channel", "fulfillment_channel"),
        trade_term=fields.text("marketplace.trade_term", "trade_term"),
        carrier_code=carrier.text("marketplace.carrier_code", "code"),
        carrier_name=carrier.text("marketplace.carrier_name", "name"),
        port=fields.inner("ship_to", "shipping_address").text("marketplace.port", "port"),
    )
    return None if found == Marketplace() else found
