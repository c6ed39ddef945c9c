"""The one entrance: every pair of state and event has a defined answer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from services.notifier.rule.backoff import to_millis
from services.notifier.rule.calls import call_ended, call_never_started, upload_failed, uploaded
from services.notifier.rule.commands import command_arrived
from services.notifier.rule.entry import recognised
from services.notifier.rule.lookups import looked_up
from services.notifier.rule.proofs import proof_arrived, proof_overdue
from services.notifier.rule.shipments import shipment_arrived
from services.notifier.rule.types import (
    NOTHING,
    CallEnded,
    CallNeverStarted,
    CommandArrived,
    Decision,
    DueReached,
    Event,
    Facts,
    LookedUp,
    OrderChanged,
    ProofArrived,
    ProofOverdue,
    ShipmentArrived,
    StoreChanged,
    TakenOver,
    Uploaded,
    UploadFailed,
)
from services.notifier.rule.world import due_reached, order_changed, store_changed, taken_over
from waybill.contracts import LedgerEntry

HANDLERS: dict[type[Event], Callable[[LedgerEntry, Any, Facts], Decision]] = {
    CommandArrived: command_arrived,
    OrderChanged: lambda entry, _, facts: order_changed(entry, facts),
    StoreChanged: lambda entry, _, facts: store_changed(entry, facts),
    ProofArrived: proof_arrived,
    ProofOverdue: lambda entry, _, facts: proof_overdue(entry, facts),
    Uploaded: uploaded,
    UploadFailed: upload_failed,
    CallEnded: call_ended,
    CallNeverStarted: call_never_started,
    LookedUp: looked_up,
    TakenOver: lambda entry, _, facts: taken_over(entry, facts),
    DueReached: lambda entry, _, facts: due_reached(entry, facts),
}
"""Who answers which event about an order that has an entry."""


def decide(entry: LedgerEntry | None, event: Event, facts: Facts) -> Decision:
    """What this event means for this entry under these facts; the same arguments give the same decision.

    An entry with words of a newer version is left alone whatever happens; see `recognised`.
    """
    if entry is not None and not recognised(entry):
        return NOTHING
    now = to_millis(facts.now)
    if now is not facts.now:
        facts = replace(facts, now=now)
    if isinstance(event, ShipmentArrived):
        return shipment_arrived(entry, event, facts)
    if entry is None:
        return NOTHING  # an order nobody shipped yet: its facts are read when somebody does
    return HANDLERS[type(event)](entry, event, facts)
