"""Answers to a shipment that leave the order as it is: told, too late, or only remembered."""

from services.notifier.rule.entry import noted, with_seen
from services.notifier.rule.notices import notice
from services.notifier.rule.types import Decision, Facts, ShipmentArrived
from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import Seen, SeenEnd, State
from waybill.contracts.notification import Outcome, Reason


def too_late(
    entry: LedgerEntry,
    event: ShipmentArrived,
    facts: Facts,
    reason: Reason,
    end: SeenEnd = SeenEnd.CURRENT,
    **changes: object,
) -> Decision:
    """The state stays, a person is asked to look, and the publisher is told."""
    shipment = event.shipment
    seen = seen_with(entry, event, end)
    after = noted(entry, facts, **{"attention": reason, "seen": seen} | changes)
    more = {
        "shipment_id": shipment.shipment_id,
        "shipment_revision": shipment.effective_revision,
        "needs_operator": True,
    }
    return Decision(after, (notice(after, facts, Outcome.TOO_LATE, reason, **more),))


def answer(
    entry: LedgerEntry,
    event: ShipmentArrived,
    facts: Facts,
    end: SeenEnd,
    outcome: Outcome,
    reason: Reason,
) -> Decision:
    """Tell the publisher of this shipment, remember its revision, and leave the order as it is."""
    after = noted(entry, facts, seen=seen_with(entry, event, end))
    shipment = event.shipment
    is_free = entry.state in (State.REJECTED, State.VOIDED)
    is_holder = entry.shipment_id == shipment.shipment_id
    told = notice(
        after,
        facts,
        outcome,
        reason,
        shipment_id=shipment.shipment_id,
        shipment_revision=shipment.effective_revision,
        tracking_number=shipment.tracking_number,
        winner_shipment_id=None if is_free or is_holder else entry.shipment_id,
    )
    return Decision(after, (told,))


def remember(
    entry: LedgerEntry, event: ShipmentArrived, facts: Facts, end: SeenEnd, **changes: object
) -> Decision:
    """Nothing a publisher would want to know: only the revision is written down."""
    return Decision(noted(entry, facts, seen=seen_with(entry, event, end), **changes))


def seen_with(entry: LedgerEntry, event: ShipmentArrived, end: SeenEnd) -> tuple[Seen, ...]:
    """The ids seen, with this one."""
    shipment = event.shipment
    return with_seen(entry, shipment.shipment_id, shipment.effective_revision, end)
