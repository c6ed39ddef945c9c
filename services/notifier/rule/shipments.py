"""Shipments that arrive: who holds the order, who is turned away, and what comes too late.

Each shipment id counts once per revision, so replaying the topic from its start changes nothing.
"""

from services.notifier.rule import collecting
from services.notifier.rule.answers import answer, remember, seen_with, too_late
from services.notifier.rule.entry import FINISHED, blank, is_sticky, may_have_acted, seen_of
from services.notifier.rule.evaluate import Candidate, unwanted_reason
from services.notifier.rule.outcomes import take_back
from services.notifier.rule.parcel import parcel_sha256, same_facts
from services.notifier.rule.settle import settle
from services.notifier.rule.types import NOTHING, Decision, Facts, ShipmentArrived
from waybill.contracts import LedgerEntry, Shipment
from waybill.contracts.base import LogisticsType
from waybill.contracts.codec import DeadReason
from waybill.contracts.ledger import Attempt, Seen, SeenEnd, State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.shipment import Action, Coverage


def shipment_arrived(entry: LedgerEntry | None, event: ShipmentArrived, facts: Facts) -> Decision:
    """A shipment, a correction or a void; at or below a known revision it changes nothing."""
    shipment = event.shipment
    before = seen_of(entry, shipment.shipment_id)
    if before is not None and shipment.effective_revision <= before.revision:
        return NOTHING
    if before is None and entry is not None and len(entry.seen) >= facts.limits.seen_max:
        return Decision(dead=DeadReason.TOO_MANY_SHIPMENTS)
    if not _is_understood(shipment):
        return Decision(dead=DeadReason.INVALID)
    if shipment.action is Action.VOID:
        return _void(entry, before, event, facts)
    if entry is None:
        return _take(blank(facts), event, facts)
    return _offer(entry, before, event, facts)


def _is_understood(shipment: Shipment) -> bool:
    """Words of a newer contract are not guessed at: the dead letters keep them for a newer version."""
    return (
        shipment.action is not Action.UNRECOGNISED
        and shipment.covers_order is not Coverage.UNRECOGNISED
        and shipment.logistics_type is not LogisticsType.UNRECOGNISED
    )


# ---------------------------------------------------------------------------------- create and correct


def _offer(
    entry: LedgerEntry, before: Seen | None, event: ShipmentArrived, facts: Facts
) -> Decision:
    """A create or a correction for an order that has an entry."""
    if is_sticky(entry):
        return _turn_away(entry, event, facts, Reason.SHIPPED_ELSEWHERE)
    is_holder = entry.shipment_id == event.shipment.shipment_id
    if _belongs_to_set(entry, event.shipment):
        return collecting.revise(entry, event, facts)
    unwanted = unwanted_reason(_candidate(event), facts.limits.shipment_bytes_max)
    if unwanted and not is_holder:
        return _turn_away(entry, event, facts, unwanted)
    if entry.state in (State.REJECTED, State.VOIDED):
        return _take(entry, event, facts)
    return _revise(entry, event, facts) if is_holder else _compete(entry, before, event, facts)


def _belongs_to_set(entry: LedgerEntry, shipment: Shipment) -> bool:
    """Whether it is one of several parts. The leading one, once sent, is like any shipment that was sent."""
    is_sent_lead = entry.shipment_id == shipment.shipment_id and may_have_acted(entry)
    return not is_sent_lead and collecting.is_in_set(entry, shipment.shipment_id)


def _take(entry: LedgerEntry, event: ShipmentArrived, facts: Facts) -> Decision:
    """The shipment takes the order, or the place of its own older revision, and is judged afresh."""
    shipment = event.shipment
    is_holder = entry.shipment_id == shipment.shipment_id
    base = entry.model_copy(
        update={
            "shipment": event.raw,
            "shipment_id": shipment.shipment_id,
            "shipment_revision": shipment.effective_revision,
            "seen": seen_with(entry, event, SeenEnd.CURRENT),
            "claimed_at": entry.claimed_at if is_holder else None,
            "attempt": entry.attempt if is_holder else _retired(entry.attempt),
            "attention": None,
            "error_code": None,
            "request_id": None,
        }
    )
    return settle(base, _candidate(event), facts, replaced=True)


def _retired(attempt: Attempt | None) -> Attempt | None:
    """Of another shipment's call, which surely did not act, only the number goes on."""
    nothing = {"dispatched_at": None, "quiet_since": None, "file_paths": (), "proof_sha256": ()}
    return attempt and attempt.model_copy(update=nothing)


def _revise(entry: LedgerEntry, event: ShipmentArrived, facts: Facts) -> Decision:
    """A newer revision of the shipment that holds the order."""
    if may_have_acted(entry):
        return _revise_too_late(entry, event, facts)
    held = facts.shipment
    is_same = held is not None and same_facts(held, event.shipment)
    if is_same and entry.state in (State.WAITING, State.CLAIMED):
        return remember(entry, event, facts, SeenEnd.CURRENT)
    return _take(entry, event, facts)


def _revise_too_late(entry: LedgerEntry, event: ShipmentArrived, facts: Facts) -> Decision:
    """Alibaba may have the older revision. The newer one is kept, for the case that it has none."""
    if _changes_nothing(entry, event.shipment, facts):
        attention = _void_withdrawn(entry, facts)
        return remember(entry, event, facts, SeenEnd.CURRENT, attention=attention)
    if event.size_bytes > facts.limits.shipment_bytes_max:
        return _turn_away(entry, event, facts, Reason.TOO_LARGE, SeenEnd.CURRENT)
    if entry.state in FINISHED:
        return too_late(entry, event, facts, Reason.CORRECTION_TOO_LATE)
    if entry.shipment is None and _repeats_parcel(entry, event.shipment, facts):
        return _kept_again(entry, event, facts)
    return too_late(entry, event, facts, Reason.CORRECTION_TOO_LATE, shipment=event.raw)


def _kept_again(entry: LedgerEntry, event: ShipmentArrived, facts: Facts) -> Decision:
    """What was sent once, while an operator has it looked up: now there is something to send again."""
    revision = event.shipment.effective_revision
    again = {"shipment": event.raw, "shipment_revision": revision, "attention": None}
    return remember(entry, event, facts, SeenEnd.CURRENT, **again)


def _void_withdrawn(entry: LedgerEntry, facts: Facts) -> Reason | None:
    """What is left to look at when the shipment is published once more: a correction from before the void,
    or whatever may have come to its parts.
    """
    if entry.attention is not Reason.VOID_TOO_LATE:
        return entry.attention
    held = facts.shipment
    is_corrected = held is not None and held.effective_revision != entry.shipment_revision
    return Reason.CORRECTION_TOO_LATE if is_corrected or entry.parts else None


def _changes_nothing(entry: LedgerEntry, shipment: Shipment, facts: Facts) -> bool:
    """Of a finished entry only the parcel is left to compare."""
    if facts.shipment is not None:
        return same_facts(facts.shipment, shipment)
    return entry.state in FINISHED and _repeats_parcel(entry, shipment, facts)


def _repeats_parcel(entry: LedgerEntry, shipment: Shipment, facts: Facts) -> bool:
    """A "correct" of the same parcel means something else that can no longer be compared."""
    return shipment.action is Action.CREATE and _is_same_parcel(entry, shipment, facts)


def _compete(
    entry: LedgerEntry, before: Seen | None, event: ShipmentArrived, facts: Facts
) -> Decision:
    """Another shipment for an order that is held: a part, the same parcel again, or one too many."""
    if (joined := collecting.join(entry, event, facts)) is not None:
        return joined
    if not _is_same_parcel(entry, event.shipment, facts):
        return _turn_away(entry, event, facts, Reason.ORDER_ALREADY_SHIPPED)
    if before is not None and before.end is SeenEnd.SAME_PARCEL:
        return remember(entry, event, facts, SeenEnd.SAME_PARCEL)
    return answer(entry, event, facts, SeenEnd.SAME_PARCEL, Outcome.DUPLICATE, Reason.SAME_PARCEL)


def _is_same_parcel(entry: LedgerEntry, shipment: Shipment, facts: Facts) -> bool:
    parcel = parcel_sha256(shipment, facts.store)
    held = [facts.shipment, *facts.parts] if facts.shipment else []
    known = {parcel_sha256(each, facts.store) for each in held} | {entry.parcel_sha256}
    return parcel is not None and parcel in known


def _turn_away(
    entry: LedgerEntry,
    event: ShipmentArrived,
    facts: Facts,
    reason: Reason,
    end: SeenEnd = SeenEnd.REFUSED,
) -> Decision:
    return answer(entry, event, facts, end, Outcome.REFUSED, reason)


# ------------------------------------------------------------------------------------------------ void


def _void(
    entry: LedgerEntry | None, before: Seen | None, event: ShipmentArrived, facts: Facts
) -> Decision:
    """The shipping system takes a shipment back; one that was never heard of is remembered as void."""
    if entry is None:
        return _take_back(blank(facts), event, facts)
    if before is not None and before.end is SeenEnd.VOIDED:
        return remember(entry, event, facts, SeenEnd.VOIDED)
    if _belongs_to_set(entry, event.shipment):
        return collecting.void(entry, event, facts)
    return _void_alone(entry, event, facts)


def _void_alone(entry: LedgerEntry, event: ShipmentArrived, facts: Facts) -> Decision:
    """The only shipment, the leading part that was sent, or one that does not hold the order."""
    if entry.shipment_id != event.shipment.shipment_id or is_sticky(entry):
        return answer(entry, event, facts, SeenEnd.VOIDED, Outcome.VOIDED, Reason.TAKEN_BACK)
    if not may_have_acted(entry):
        return _take_back(entry, event, facts)
    if entry.attention is Reason.VOID_TOO_LATE:
        return remember(entry, event, facts, SeenEnd.CURRENT)
    return too_late(entry, event, facts, Reason.VOID_TOO_LATE)


def _take_back(entry: LedgerEntry, event: ShipmentArrived, facts: Facts) -> Decision:
    shipment = event.shipment
    held = {
        "shipment_id": shipment.shipment_id,
        "shipment_revision": shipment.effective_revision,
        "seen": seen_with(entry, event, SeenEnd.VOIDED),
    }
    return take_back(entry.model_copy(update=held), facts)


def _candidate(event: ShipmentArrived) -> Candidate:
    return Candidate(event.shipment, event.raw, event.size_bytes)
