"""May this shipment go? One pure answer, asked again whenever shipment, order or store change.

The first that applies decides, in this order: the shipment is none for Alibaba; the order is unknown or
another store's; the store is not connected; the order is past shipping; it is not ready for it; the
items do not fit; the request lacks a field.
"""

from dataclasses import dataclass

from services.notifier.rule.coverage import Fit, fit
from services.notifier.rule.parcel import alibaba_carrier, normalise_tracking
from services.notifier.rule.types import Facts
from waybill.contracts import LedgerEntry, Order, Shipment, Store
from waybill.contracts.base import LogisticsType
from waybill.contracts.notification import Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Coverage
from waybill.contracts.store import StoreMode


@dataclass(frozen=True, slots=True)
class Candidate:
    """A shipment as it is judged: decoded, and untouched as it came."""

    shipment: Shipment
    raw: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, and only a newer revision or another shipment can change that."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet; it goes by itself when the missing fact arrives."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Ready:
    """Yes, with these fields of the request."""

    carrier_code: str
    logistics_type: LogisticsType
    tracking_number: str


Verdict = Refuse | Wait | Ready


def held_candidate(entry: LedgerEntry, facts: Facts) -> Candidate | None:
    """The shipment that the entry holds; None when its body is gone or was not decoded."""
    body, shipment = entry.shipment, facts.shipment
    if body is None or shipment is None or not _is_held(entry, shipment):
        return None
    return Candidate(shipment, body, len(body))


def _is_held(entry: LedgerEntry, shipment: Shipment) -> bool:
    """Whether the facts speak of the body that the entry holds: another, or an older one, must not go."""
    if shipment.shipment_id != entry.shipment_id or entry.shipment_revision is None:
        return False
    ahead = shipment.effective_revision - entry.shipment_revision
    return ahead > 0 if entry.attention is Reason.CORRECTION_TOO_LATE else ahead == 0


def is_live(store: Store | None) -> bool:
    """Whether calls are made for this store; a mode that this version does not know makes none."""
    return store is not None and store.mode is StoreMode.LIVE


def evaluate(candidate: Candidate, facts: Facts) -> Verdict:
    """The verdict on a shipment under the order and store of `facts`."""
    shipment, order = candidate.shipment, facts.order
    if unwanted := unwanted_reason(candidate, facts.limits.shipment_bytes_max):
        return Refuse(unwanted)
    if order is None:
        return Wait(Reason.ORDER_UNKNOWN)
    if shipment.store_id not in (None, order.store_id):
        return Refuse(Reason.ORDER_OF_ANOTHER_STORE)
    if facts.store is None or facts.store.disconnected:
        return Wait(Reason.STORE_NOT_CONNECTED)
    return _against_order(shipment, order, facts.store)


def unwanted_reason(candidate: Candidate, bytes_max: int) -> Reason | None:
    """Why a shipment is none for Alibaba, whatever the order is."""
    if candidate.shipment.is_return:
        return Reason.RETURN_SHIPMENT
    if candidate.shipment.test:
        return Reason.TEST_SHIPMENT
    return Reason.TOO_LARGE if candidate.size_bytes > bytes_max else None


def _against_order(shipment: Shipment, order: Order, store: Store) -> Verdict:
    if refusal := _past_shipping(shipment, order, store):
        return Refuse(refusal)
    if not order.importable:
        return Wait(Reason.ORDER_HELD)
    if order.status is not OrderStatus.AWAITING_SHIPMENT:
        return Wait(Reason.ORDER_NOT_SHIPPABLE_YET)
    if refusal := _items_refusal(shipment, order):
        return Refuse(refusal)
    return _complete(shipment, store)


def _past_shipping(shipment: Shipment, order: Order, store: Store) -> Reason | None:
    if shipment.shipped_at is not None and shipment.shipped_at < store.ship_from:
        return Reason.BEFORE_START
    if order.status is OrderStatus.CANCELLED:
        return Reason.ORDER_CANCELLED
    return Reason.SHIPPED_ELSEWHERE if order.status is OrderStatus.SHIPPED else None


def _items_refusal(shipment: Shipment, order: Order) -> Reason | None:
    """A publisher that says `full` is believed over its own list, which may leave out what it cannot name."""
    found = fit(shipment.items, order.items)
    is_part = shipment.part is not None or shipment.covers_order is Coverage.PARTIAL
    if is_part or (found is Fit.PARTIAL and shipment.covers_order is not Coverage.FULL):
        return Reason.PARTIAL_SHIPMENT
    return Reason.ITEMS_NOT_IN_ORDER if found is Fit.CONTRADICTS else None


def _complete(shipment: Shipment, store: Store) -> Verdict:
    if not shipment.tracking_number or not normalise_tracking(shipment.tracking_number):
        return Wait(Reason.NO_TRACKING_NUMBER)
    code = alibaba_carrier(shipment.carrier, store)
    if code is None:
        return Wait(Reason.CARRIER_UNMAPPED)
    logistics_type = shipment.logistics_type or LogisticsType.EXPRESS
    return Ready(code, logistics_type, shipment.tracking_number)
