"""Collecting parts: who joins the shipment that holds an order, who is replaced, and who leaves.

While nothing can have been sent, the set changes as its publisher says, and is judged anew each time. After
that it stays as it was sent, and what comes is too late; should Alibaba turn out to hold nothing, the set
goes as its publisher wants it then.
"""

from dataclasses import replace

from services.notifier.rule.answers import answer, remember, seen_with, too_late
from services.notifier.rule.entry import UNSENT, may_have_acted, part_ids
from services.notifier.rule.evaluate import (
    Refuse,
    Verdict,
    Wait,
    candidate_of,
    evaluate,
    held_parts,
    unwanted_reason,
)
from services.notifier.rule.notices import notice
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
from waybill.contracts import LedgerEntry, Shipment
from waybill.contracts.ledger import LedgerPart, Seen, SeenEnd, State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.store import PartialPolicy


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
    return replace(decision, notifications=(told,))


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
    if unwanted := _unwanted(held, event, facts):
        return _cast_out(entry, held, event, facts, unwanted)
    if may_have_acted(entry):
        return _kept_for_later(entry, event, facts, end)
    members = in_order((*_without(held, new.shipment_id), Member(new, event.raw)))
    verdict = evaluate(candidate_of(members), facts)
    return _told_of(event, _settled(entry, members, event, facts), verdict, facts)


def void(entry: LedgerEntry, event: ShipmentArrived, facts: Facts) -> Decision:
    """One of several that hold the order together is taken back; the others stay."""
    held, shipment_id = _members(entry, facts), event.shipment.shipment_id
    if held is None:
        return too_late(entry, event, facts, Reason.VOID_TOO_LATE, _end_of(entry, event))
    if not may_have_acted(entry):
        seen = seen_with(entry, event, SeenEnd.VOIDED)
        return _left(entry, held, event, facts, seen, (Outcome.VOIDED, Reason.TAKEN_BACK))
    parts = tuple(part for part in entry.parts if part.shipment_id != shipment_id)
    changes = {"parts": parts, "attention": _attention(entry)}
    return too_late(entry, event, facts, Reason.VOID_TOO_LATE, SeenEnd.VOIDED, **changes)


def _kept_for_later(
    entry: LedgerEntry, event: ShipmentArrived, facts: Facts, end: SeenEnd
) -> Decision:
    """A part was sent as it was before; should Alibaba hold nothing, it goes as it is now."""
    shipment_id = event.shipment.shipment_id
    new = _ledger_part(Member(event.shipment, event.raw))
    parts = tuple(new if part.shipment_id == shipment_id else part for part in entry.parts)
    changes = {"parts": parts, "attention": _attention(entry)}
    return too_late(entry, event, facts, Reason.CORRECTION_TOO_LATE, end, **changes)


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


def _cast_out(
    entry: LedgerEntry,
    held: tuple[Member, ...],
    event: ShipmentArrived,
    facts: Facts,
    reason: Reason,
) -> Decision:
    """Its newer revision is none for Alibaba. Once sent it stays, and the newer one is refused."""
    if may_have_acted(entry):
        return answer(entry, event, facts, _end_of(entry, event), Outcome.REFUSED, reason)
    seen = seen_with(entry, event, SeenEnd.REFUSED)
    return _left(entry, held, event, facts, seen, (Outcome.REFUSED, reason))


def _left(
    entry: LedgerEntry,
    held: tuple[Member, ...],
    event: ShipmentArrived,
    facts: Facts,
    seen: tuple[Seen, ...],
    told: tuple[Outcome, Reason],
) -> Decision:
    """Unsent, the set goes on without it; its publisher is told, unless that is the end of the others too."""
    outcome, reason = told
    rest = in_order(_without(held, event.shipment.shipment_id))
    decision = settle(
        grouped(entry.model_copy(update={"seen": seen}), rest),
        candidate_of(rest),
        facts,
        replaced=True,
    )
    after = decision.entry
    if after is None or after.state is State.REJECTED:
        return decision
    about = notice(after, facts, outcome, reason, **_about(event))
    return replace(decision, notifications=(about,))


# ------------------------------------------------------------------------------- back from a call


def go_on(
    entry: LedgerEntry, facts: Facts, comeback: Comeback, without: str | None = None
) -> Decision | None:
    """The set goes where today's facts put it, as its publisher wants it now; None where it is no set.

    `without`: a part that was taken back too late, which turned out to be in time.
    """
    held = _members(entry, facts)
    if held is None or len(held) == 1:
        return None
    members = in_order(_without(held, without) if without else held)
    cleared = entry.model_copy(update={"attention": None})
    if without:
        ends = tuple(
            each.model_copy(update={"end": SeenEnd.VOIDED}) if each.shipment_id == without else each
            for each in entry.seen
        )
        cleared = cleared.model_copy(update={"seen": ends})
    after = grouped(cleared, members)
    return settle(after, candidate_of(members), facts, replaced=True, comeback=comeback)


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
