"""May this shipment go? One pure answer, asked again whenever shipment, order or store change.

The first that applies decides, in this order: the shipment is none for Alibaba; the order is unknown or
another store's; the store is not connected; the order is past shipping; it is not ready for it; the
items do not fit; the request lacks a field.
"""

from dataclasses import dataclass

from services.notifier.rule.coverage import Fit, fit
from services.notifier.rule.parcel import alibaba_carrier, normalise_tracking
from services.notifier.rule.parts import (
    Member,
    are_complete,
    are_partial,
    items_of,
    missing_numbers,
)
from services.notifier.rule.types import Facts
from waybill.contracts import LedgerEntry, Order, Shipment, Store
from waybill.contracts.base import LogisticsType
from waybill.contracts.notification import Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Carrier
from waybill.contracts.store import PartialPolicy, StoreMode

_WORDS_MAX = 100
"""Characters of a carrier's code or name that a publisher is told."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A shipment as it is judged: decoded, and untouched as it came; with its further parts, if any."""

    shipment: Shipment
    raw: bytes
    size_bytes: int
    others: tuple[Member, ...] = ()

    @property
    def shipments(self) -> tuple[Shipment, ...]:
        """All that go together, the leading one first."""
        return (self.shipment, *(other.shipment for other in self.others))


def candidate_of(members: tuple[Member, ...]) -> Candidate:
    """Members of a set, in their order."""
    lead, *others = members
    return Candidate(lead.shipment, lead.raw, len(lead.raw), tuple(others))


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, and only a newer revision or another shipment can change that."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet; it goes by itself when the missing fact arrives."""

    reason: Reason
    detail: str = ""
    """What is missing, in words for the publisher."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Yes, with these fields of the request."""

    carrier_code: str
    logistics_type: LogisticsType
    tracking_number: str


Verdict = Refuse | Wait | Ready


def held_candidate(entry: LedgerEntry, facts: Facts) -> Candidate | None:
    """The shipment that the entry holds; None when its body is gone or was not decoded."""
    body, shipment, others = entry.shipment, facts.shipment, held_parts(entry, facts)
    if body is None or shipment is None or others is None or not _is_held(entry, shipment):
        return None
    return Candidate(shipment, body, len(body), others)


def held_parts(entry: LedgerEntry, facts: Facts) -> tuple[Member, ...] | None:
    """The further parts that the entry holds; None when the facts do not speak of these bodies."""
    known = [(each.shipment_id, each.effective_revision) for each in facts.parts]
    if known != [(part.shipment_id, part.revision) for part in entry.parts]:
        return None
    bodies = (part.shipment for part in entry.parts)
    return tuple(Member(*each) for each in zip(facts.parts, bodies, strict=True))


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
    order = facts.order
    if unwanted := unwanted_reason(candidate, facts.limits.shipment_bytes_max):
        return Refuse(unwanted)
    if order is None:
        return Wait(Reason.ORDER_UNKNOWN)
    if any(each.store_id not in (None, order.store_id) for each in candidate.shipments):
        return Refuse(Reason.ORDER_OF_ANOTHER_STORE)
    if facts.store is None or facts.store.disconnected:
        return Wait(Reason.STORE_NOT_CONNECTED)
    return _against_order(candidate.shipments, order, facts.store)


def unwanted_reason(candidate: Candidate, bytes_max: int) -> Reason | None:
    """Why a shipment is none for Alibaba, whatever the order is."""
    if candidate.shipment.is_return:
        return Reason.RETURN_SHIPMENT
    if candidate.shipment.test:
        return Reason.TEST_SHIPMENT
    return Reason.TOO_LARGE if candidate.size_bytes > bytes_max else None


def _against_order(shipments: tuple[Shipment, ...], order: Order, store: Store) -> Verdict:
    if refusal := _past_shipping(shipments, order, store):
        return Refuse(refusal)
    if not order.importable:
        return Wait(Reason.ORDER_HELD)
    if order.status is not OrderStatus.AWAITING_SHIPMENT:
        return Wait(Reason.ORDER_NOT_SHIPPABLE_YET)
    return _judge_items(shipments, order, store) or _complete(shipments[0], store)


def _past_shipping(shipments: tuple[Shipment, ...], order: Order, store: Store) -> Reason | None:
    if any(each.shipped_at is not None and each.shipped_at < store.ship_from for each in shipments):
        return Reason.BEFORE_START
    if order.status is OrderStatus.CANCELLED:
        return Reason.ORDER_CANCELLED
    return Reason.SHIPPED_ELSEWHERE if order.status is OrderStatus.SHIPPED else None


def _judge_items(
    shipments: tuple[Shipment, ...], order: Order, store: Store
) -> Refuse | Wait | None:
    """What is in them: None when it is the whole order, or all of its parts where the store collects them."""
    is_partial = are_partial(shipments, order.items)
    if is_partial and store.partial_policy is not PartialPolicy.COLLECT:
        return Refuse(Reason.PARTIAL_SHIPMENT)
    if fit(items_of(shipments), order.items) is Fit.CONTRADICTS:
        return Refuse(Reason.ITEMS_NOT_IN_ORDER)
    if is_partial and not are_complete(shipments, order.items):
        return Wait(Reason.PARTS_MISSING, _missing(shipments))
    return None


def _missing(shipments: tuple[Shipment, ...]) -> str:
    numbers = ", ".join(map(str, missing_numbers(shipments)))
    return f"Parts not seen yet: {numbers}." if numbers else ""


def _unmapped(carrier: Carrier | None) -> str:
    """The words to put into the store's map: the code, and the name if there is one."""
    given = (
        [text.strip()[:_WORDS_MAX] for text in (carrier.code, carrier.name) if text]
        if carrier
        else []
    )
    return f"Found: {' / '.join(dict.fromkeys(given))}." if given else ""


def _complete(shipment: Shipment, store: Store) -> Verdict:
    if not shipment.tracking_number or not normalise_tracking(shipment.tracking_number):
        return Wait(Reason.NO_TRACKING_NUMBER)
    code = alibaba_carrier(shipment.carrier, store)
    if code is None:
        return Wait(Reason.CARRIER_UNMAPPED, _unmapped(shipment.carrier))
    logistics_type = shipment.logistics_type or LogisticsType.EXPRESS
    return Ready(code, logistics_type, shipment.tracking_number)
