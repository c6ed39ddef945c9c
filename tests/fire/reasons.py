"""Whether what a publisher was told last is so. Pure."""

from collections.abc import Callable, Mapping

from tests.fire.case import Case
from waybill.contracts import LedgerEntry, Notification, Shipment
from waybill.contracts.keys import parse_order_key
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.shipment import Action, Coverage
from waybill.demo.installation import CARRIERS


def untrue(
    case: Case, key: str, entry: LedgerEntry, shipment_id: str, last: Notification
) -> str | None:
    """Why the outcome or the reason is not so; None when it is, or when the verdict looks at it elsewhere."""
    events = [e for e in case.events[key] if e.shipment_id == shipment_id]
    others = [e for e in case.events[key] if e.shipment_id != shipment_id]
    found: str | None = None
    match last.outcome:
        case Outcome.WAITING:
            held = [e for e in case.events[key] if e.shipment_id == entry.shipment_id]
            current = [e for e in held if e.effective_revision == entry.shipment_revision]
            found = _untrue_wait(case, key, current, entry.reason)
        case Outcome.REFUSED:
            found = _untrue_refusal(case, key, events, others, last.reason)
        case Outcome.REJECTED if not _said_no(case, key):
            found = "Alibaba refused nothing"
        case Outcome.VOIDED if not any(event.action is Action.VOID for event in events):
            found = "nobody took it back"
        case Outcome.DUPLICATE if not _numbers(events) & _numbers(others):
            found = "no other shipment has its tracking number"
        case Outcome.PARKED if last.reason is Reason.NO_PROOF:
            found = "proofs can be made"
    return found


def _said_no(case: Case, key: str) -> bool:
    trade_id = parse_order_key(key).trade_id
    return any(
        row["kind"] == "shipment_refused" and row["trade_id"] == trade_id
        for row in case.evidence.journal
    )


def _numbers(events: list[Shipment]) -> set[str]:
    return {event.tracking_number for event in events if event.tracking_number}


def _untrue_wait(
    case: Case, key: str, current: list[Shipment], reason: Reason | None
) -> str | None:
    if key in case.accepted:
        return "Alibaba has a shipment of it"
    shipment = current[-1] if current else None
    carrier = shipment.carrier.code if shipment and shipment.carrier else None
    is_true = {
        Reason.ORDER_UNKNOWN: key not in case.importable,
        Reason.ORDER_HELD: key in case.importable - case.open_at_site,
        Reason.ORDER_NOT_SHIPPABLE_YET: key in case.importable - case.open_at_site,
        Reason.NO_TRACKING_NUMBER: shipment is not None and not shipment.tracking_number,
        Reason.CARRIER_UNMAPPED: carrier not in CARRIERS,
        Reason.PARTS_MISSING: not _are_all_there(case.events[key]),
    }
    return None if reason and is_true.get(reason) else f"its reason {reason} is not true"


def _are_all_there(events: list[Shipment]) -> bool:
    """Whether the parts of an order that nobody took back reach from the first to the final one."""
    newest: dict[str, Shipment] = {}
    for event in sorted(events, key=lambda each: each.effective_revision):
        newest[event.shipment_id] = event
    parts = [one.part for one in newest.values() if one.part and one.action is not Action.VOID]
    last = next((part.number for part in parts if part.final), None)
    return last is not None and {part.number for part in parts} >= set(range(1, last + 1))


_BY_ITS_FIELDS: Mapping[Reason, Callable[[Shipment], bool]] = {
    Reason.PARTIAL_SHIPMENT: lambda e: e.covers_order is Coverage.PARTIAL or e.part is not None,
    Reason.RETURN_SHIPMENT: lambda e: e.is_return,
    Reason.TEST_SHIPMENT: lambda e: e.test,
    Reason.ORDER_OF_ANOTHER_STORE: lambda e: e.store_id is not None,
    Reason.ITEMS_NOT_IN_ORDER: lambda e: bool(e.items),
    Reason.BEFORE_START: lambda e: e.shipped_at is not None and e.shipped_at < e.occurred_at,
}


def _untrue_refusal(
    case: Case, key: str, events: list[Shipment], others: list[Shipment], reason: Reason | None
) -> str | None:
    if reason is Reason.ORDER_ALREADY_SHIPPED:
        return None if others else "no other shipment was published for the order"
    if reason in (Reason.ORDER_CANCELLED, Reason.SHIPPED_ELSEWHERE):
        closed = key not in case.open_at_site and key not in case.accepted
        return None if closed else f"{reason} is not true at Alibaba"
    is_so = _BY_ITS_FIELDS.get(reason) if reason else None
    if is_so is None or not any(is_so(event) for event in events):
        return f"its reason {reason} is not true"
    return None
