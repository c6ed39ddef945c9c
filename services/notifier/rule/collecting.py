"""Collecting parts: who joins the shipment that holds an order, who is replaced, and who leaves.

While nothing can have been sent, the set changes as its publisher says, and is judged anew each time. After
that what comes is too late and only kept, a void like any other newest word. Should Alibaba turn out to hold
nothing, the set goes as its publisher wants it by then, and whoever does not go with it is told.
"""

from dataclasses import dataclass, replace

from services.notifier.rule.answers import answer, remember, seen_with, too_late
from services.notifier.rule.entry import UNSENT, may_have_acted, moved, part_ids, seen_of
from services.notifier.rule.evaluate import (
    Refuse,
    Verdict,
    Wait,
    candidate_of,
    evaluate,
    held_parts,
    unwanted_reason,
)
from services.notifier.rule.notices import notice, told_apart
from services.notifier.rule.parcel import parcel_sha256, same_facts
from services.notifier.rule.parts import (
    SET_BYTES_MAX,
    Member,
    are_partial,
    in_order,
    repeats,
    says_part,
)
from services.notifier.rule.settle import Comeback, settle, waits
from services.notifier.rule.types import Decision, Facts, ShipmentArrived
from waybill.contracts import LedgerEntry, Notification, Shipment
from waybill.contracts.ledger import LedgerPart, SeenEnd, State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.shipment import Action
from waybill.contracts.store import PartialPolicy


@dataclass(frozen=True, slots=True)
class Leaving:
    """A part that does not go with the others: how it ends, and what its publisher is told."""

    shipment: Shipment
    end: SeenEnd
    outcome: Outcome
    reason: Reason


def is_in_set(entry: LedgerEntry, shipment_id: str) -> bool:
    """Whether the shipment is one of several that hold the order together."""
    ids = part_ids(entry)
    return bool(ids) and shipment_id in (entry.shipment_id, *ids)


# -------------------------------------------------------------------------------------- who joins


def join(entry: LedgerEntry, event: ShipmentArrived, facts: Facts) -> Decision | None:
    """Take another part into the set; None when it is none, and then it is one shipment too many."""
    held = _members(entry, facts)
    if held is None or may_have_acted(entry) or entry.state not in UNSENT:
        return None
    new = Member(event.shipment, event.raw)
    if not _are_parts(tuple(each.shipment for each in held), new.shipment, facts):
        return None
    if any(_is_repeated(each.shipment, new.shipment, facts) for each in held):
        return None
    members = in_order((*held, new))
    if sum(len(each.raw) for each in members) > SET_BYTES_MAX:
        return answer(entry, event, facts, SeenEnd.REFUSED, Outcome.REFUSED, Reason.TOO_LARGE)
    verdict = evaluate(candidate_of(members), facts)
    if isinstance(verdict, Refuse):
        return answer(entry, event, facts, SeenEnd.REFUSED, Outcome.REFUSED, verdict.reason)
    return _told_of(event, _settled(entry, members, event, facts), verdict, facts)


def _are_parts(held: tuple[Shipment, ...], new: Shipment, facts: Facts) -> bool:
    """Before order and store are known, only what is called a part is taken for one."""
    order, store = facts.order, facts.store
    if order is None or store is None:
        return says_part(new) and all(says_part(each) for each in held)
    collects = store.partial_policy is PartialPolicy.COLLECT
    return collects and are_partial(held, order.items) and are_partial((new,), order.items)


def _is_repeated(one: Shipment, other: Shipment, facts: Facts) -> bool:
    parcel = parcel_sha256(one, facts.store)
    return (
        parcel is not None and parcel == parcel_sha256(other, facts.store) and repeats(one, other)
    )


def _told_of(
    event: ShipmentArrived, decision: Decision, verdict: Verdict, facts: Facts
) -> Decision:
    """A part that waits is told so by its own id, whether or not the order waited before."""
    after = decision.entry
    if after is None or not isinstance(verdict, Wait):
        return decision
    told = waits(after, verdict, facts, **_about(event))
    return replace(decision, notifications=told_apart(told, *decision.notifications))


def _about(event: ShipmentArrived) -> dict[str, object]:
    shipment = event.shipment
    return {
        "shipment_id": shipment.shipment_id,
        "shipment_revision": shipment.effective_revision,
    }


# ------------------------------------------------------------------------ newer revisions and voids


def revise(entry: LedgerEntry, event: ShipmentArrived, facts: Facts) -> Decision:
    """A newer revision of one of several that hold the order together."""
    held, end = _members(entry, facts), _end_of(entry, event)
    if held is None:  # finished, or its bodies are gone: nothing is left to compare
        return too_late(entry, event, facts, Reason.CORRECTION_TOO_LATE, end)
    new, before = event.shipment, _of(held, event.shipment.shipment_id)
    may_differ = entry.state is State.PARKED and not may_have_acted(entry)
    if before is not None and same_facts(before.shipment, new) and not may_differ:
        return remember(entry, event, facts, end)
    unwanted = _unwanted(held, event, facts)
    if may_have_acted(entry):
        if unwanted is Reason.TOO_LARGE:
            return answer(entry, event, facts, end, Outcome.REFUSED, unwanted)
        return _kept_for_later(entry, event, facts, Reason.CORRECTION_TOO_LATE)
    if unwanted:
        leaving = Leaving(new, SeenEnd.REFUSED, Outcome.REFUSED, unwanted)
        return _left(entry, held, event, facts, leaving)
    members = in_order((*_without(held, new.shipment_id), Member(new, event.raw)))
    verdict = evaluate(candidate_of(members), facts)
    return _told_of(event, _settled(entry, members, event, facts), verdict, facts)


def void(entry: LedgerEntry, event: ShipmentArrived, facts: Facts) -> Decision:
    """One of several that hold the order together is taken back; the others stay."""
    held, shipment_id = _members(entry, facts), event.shipment.shipment_id
    if held is None:
        return too_late(entry, event, facts, Reason.VOID_TOO_LATE, _end_of(entry, event))
    if not may_have_acted(entry):
        leaving = Leaving(event.shipment, SeenEnd.VOIDED, Outcome.VOIDED, Reason.TAKEN_BACK)
        return _left(entry, held, event, facts, leaving)
    before = _of(held, shipment_id)
    if before is not None and before.shipment.action is Action.VOID:
        return remember(entry, event, facts, SeenEnd.PART, parts=_parts_with(entry, event))
    return _kept_for_later(entry, event, facts, Reason.VOID_TOO_LATE)


def _kept_for_later(
    entry: LedgerEntry, event: ShipmentArrived, facts: Facts, reason: Reason
) -> Decision:
    """A part was sent as it was before; should Alibaba hold nothing, it is what it is now, or stays away."""
    changes = {"parts": _parts_with(entry, event), "attention": _attention(entry)}
    return too_late(entry, event, facts, reason, SeenEnd.PART, **changes)


def _parts_with(entry: LedgerEntry, event: ShipmentArrived) -> tuple[LedgerPart, ...]:
    """With the newest word on a part; one that the entry kept no body of gets it back."""
    new = _ledger_part(Member(event.shipment, event.raw))
    others = (part for part in entry.parts if part.shipment_id != new.shipment_id)
    return (*others, new)


def _attention(entry: LedgerEntry) -> Reason:
    """A void of the leading part says more than whatever came to another one."""
    is_void = entry.attention is Reason.VOID_TOO_LATE
    return Reason.VOID_TOO_LATE if is_void else Reason.CORRECTION_TOO_LATE


def _unwanted(held: tuple[Member, ...], event: ShipmentArrived, facts: Facts) -> Reason | None:
    limits, new = facts.limits, event.shipment
    fresh = candidate_of((Member(new, event.raw),))
    if event.size_bytes > limits.shipment_bytes_max:
        return Reason.TOO_LARGE
    others = sum(len(each.raw) for each in _without(held, new.shipment_id))
    if others + len(event.raw) > SET_BYTES_MAX:
        return Reason.TOO_LARGE
    return unwanted_reason(fresh, limits.shipment_bytes_max)


def _left(
    entry: LedgerEntry,
    held: tuple[Member, ...],
    event: ShipmentArrived,
    facts: Facts,
    leaving: Leaving,
) -> Decision:
    """Unsent, the set goes on without it; its publisher is told, and the others' where they stand now."""
    rest = _without(held, event.shipment.shipment_id)
    seen = seen_with(entry, event, leaving.end)
    return _go_on_without((leaving,), entry.model_copy(update={"seen": seen}), rest, facts)


# ------------------------------------------------------------------------------- back from a call


def go_on(entry: LedgerEntry, facts: Facts, comeback: Comeback) -> Decision | None:
    """The set goes where today's facts put it, as its publisher wants it now; None where it is no set.

    What was taken back too late, or became none for Alibaba, turned out to be in time: it leaves the set.
    """
    held = _members(entry, facts)
    if held is None or len(held) == 1:
        return None
    leaving = tuple(filter(None, (_leaving(each, entry, facts) for each in held)))
    gone = {each.shipment.shipment_id: each.end for each in leaving}
    seen = tuple(
        each.model_copy(update={"end": gone.get(each.shipment_id, each.end)}) for each in entry.seen
    )
    cleared = entry.model_copy(update={"attention": None, "seen": seen})
    rest = tuple(each for each in held if each.shipment.shipment_id not in gone)
    return _go_on_without(leaving, cleared, rest, facts, comeback)


def _leaving(member: Member, entry: LedgerEntry, facts: Facts) -> Leaving | None:
    shipment = member.shipment
    is_lead = shipment.shipment_id == entry.shipment_id
    if shipment.action is Action.VOID or (is_lead and entry.attention is Reason.VOID_TOO_LATE):
        return Leaving(shipment, SeenEnd.VOIDED, Outcome.VOIDED, Reason.TAKEN_BACK)
    unwanted = unwanted_reason(candidate_of((member,)), facts.limits.shipment_bytes_max)
    return Leaving(shipment, SeenEnd.REFUSED, Outcome.REFUSED, unwanted) if unwanted else None


def _go_on_without(
    leaving: tuple[Leaving, ...],
    entry: LedgerEntry,
    rest: tuple[Member, ...],
    facts: Facts,
    comeback: Comeback | None = None,
) -> Decision:
    """The rest is judged afresh; every publisher is told, whether his part leaves or has to wait again.

    `entry`: with the ends of those that leave. With nobody left the order is free.
    """
    if not rest:
        return _given_up(leaving, entry, facts)
    members = in_order(rest)
    base = grouped(entry, members)
    decision = settle(base, candidate_of(members), facts, replaced=True, comeback=comeback)
    after = decision.entry or base
    told = (_told(each, after, facts) for each in leaving)
    return replace(decision, notifications=told_apart(*told, *decision.notifications))


def _given_up(leaving: tuple[Leaving, ...], entry: LedgerEntry, facts: Facts) -> Decision:
    """All of them left: the order is free. A part that the entry kept no body of ends with them."""
    refused = next((each for each in leaving if each.end is SeenEnd.REFUSED), None)
    last = refused or leaving[0]
    ends = tuple(
        each.model_copy(update={"end": last.end}) if each.end is SeenEnd.PART else each
        for each in entry.seen
    )
    after = moved(
        entry,
        facts,
        State.REJECTED if refused else State.VOIDED,
        last.reason,
        shipment_id=last.shipment.shipment_id,
        shipment_revision=last.shipment.effective_revision,
        seen=ends,
        attention=None,
    )
    told = (_told(each, after, facts) for each in leaving if each is not last)
    first = _told(last, after, facts, part_shipment_ids=part_ids(entry))
    return Decision(after, told_apart(first, *told))


def _told(leaving: Leaving, after: LedgerEntry, facts: Facts, **more: object) -> Notification:
    known = seen_of(after, leaving.shipment.shipment_id)
    about = {
        "shipment_id": leaving.shipment.shipment_id,
        "shipment_revision": known.revision if known else leaving.shipment.effective_revision,
    }
    return notice(after, facts, leaving.outcome, leaving.reason, **about, **more)


# ---------------------------------------------------------------------------------------- the set


def grouped(entry: LedgerEntry, members: tuple[Member, ...]) -> LedgerEntry:
    """The entry held by these, the leading one first."""
    lead, others = members[0].shipment, members[1:]
    ends = {each.shipment.shipment_id: SeenEnd.PART for each in others}
    ends[lead.shipment_id] = SeenEnd.CURRENT
    return entry.model_copy(
        update={
            "shipment": members[0].raw,
            "shipment_id": lead.shipment_id,
            "shipment_revision": lead.effective_revision,
            "parts": tuple(_ledger_part(each) for each in others),
            "seen": tuple(
                each.model_copy(update={"end": ends.get(each.shipment_id, each.end)})
                for each in entry.seen
            ),
        }
    )


def _settled(
    entry: LedgerEntry, members: tuple[Member, ...], event: ShipmentArrived, facts: Facts
) -> Decision:
    """The unsent set with the event's shipment in it, judged afresh."""
    fresh = {
        "seen": seen_with(entry, event, SeenEnd.PART),
        "attention": None,
        "error_code": None,
        "request_id": None,
    }
    base = grouped(entry.model_copy(update=fresh), members)
    return settle(base, candidate_of(members), facts, replaced=True)


def _members(entry: LedgerEntry, facts: Facts) -> tuple[Member, ...] | None:
    """What holds the order, the leading one first; None when a body cannot be had."""
    others, lead = held_parts(entry, facts), facts.shipment
    if others is None or lead is None or entry.shipment is None:
        return None
    return (Member(lead, entry.shipment), *others)


def _of(members: tuple[Member, ...], shipment_id: str) -> Member | None:
    return next((each for each in members if each.shipment.shipment_id == shipment_id), None)


def _without(members: tuple[Member, ...], shipment_id: str) -> tuple[Member, ...]:
    return tuple(each for each in members if each.shipment.shipment_id != shipment_id)


def _end_of(entry: LedgerEntry, event: ShipmentArrived) -> SeenEnd:
    is_lead = event.shipment.shipment_id == entry.shipment_id
    return SeenEnd.CURRENT if is_lead else SeenEnd.PART


def _ledger_part(member: Member) -> LedgerPart:
    shipment = member.shipment
    return LedgerPart(
        shipment_id=shipment.shipment_id,
        revision=shipment.effective_revision,
        final=shipment.part is not None and shipment.part.final,
        shipment=member.raw,
    )
