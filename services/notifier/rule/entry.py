"""Building entries: every write adds one to the revision and keeps the history; a finished entry is stripped.

Entries are copied, not validated again: what goes in is validated already, or made here.
"""

from datetime import datetime

from services.notifier.rule.types import Facts, Limits
from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import Attempt, Lookups, Seen, SeenEnd, State, Step
from waybill.contracts.notification import Reason

FINISHED = frozenset({State.CONFIRMED, State.REJECTED, State.VOIDED})
"""States that keep no bodies and no personal data."""

UNSENT = frozenset({State.WAITING, State.CLAIMED, State.PARKED})
"""Open states in which no call is under way; see `may_have_acted` for the parked ones."""

_WITH_RESULT = frozenset({State.CONFIRMED, State.IN_DOUBT, State.PARKED})
"""States that keep how Alibaba came to hold the shipment: one that is looked up again may be found again."""

_IN_DOUBT_WHEN_PARKED = frozenset({Reason.LOOKUPS_CONTRADICT, Reason.ASK_OPERATOR})
_STEP_BYTES = 10
_FIXED_BYTES = 75


def recognised(entry: LedgerEntry) -> bool:
    """False when a newer version wrote words that this one does not know: hands off, and alert."""
    words: list[str | None] = [entry.state, entry.reason, entry.attention]
    words += [seen.end for seen in entry.seen]
    words += [word for step in entry.history for word in (step.state, step.reason)]
    words += [entry.attempt.logistics_type] if entry.attempt else []
    words += [entry.result.via] if entry.result else []
    return "UNRECOGNISED" not in words


def may_have_acted(entry: LedgerEntry) -> bool:
    """Whether a call of this entry acted, may have acted, or may still act."""
    if entry.state is State.PARKED:
        return entry.reason in _IN_DOUBT_WHEN_PARKED
    return entry.state in (State.DISPATCHED, State.IN_DOUBT, State.CONFIRMED)


def is_sticky(entry: LedgerEntry) -> bool:
    """Whether a look-up found another's shipment: the order then never takes one of ours again."""
    found_elsewhere = entry.state is State.REJECTED and entry.reason is Reason.SHIPPED_ELSEWHERE
    return found_elsewhere and entry.lookups is not None


def was_called(entry: LedgerEntry) -> bool:
    """Whether a call was ever written down for the shipment that holds the order."""
    return entry.attempt is not None and entry.attempt.dispatched_at is not None


def blank(facts: Facts) -> LedgerEntry:
    """The entry of an order that has none: never written as it is."""
    limits = facts.limits
    return LedgerEntry(
        key=facts.key,
        revision=0,
        state=State.WAITING,
        partition_count=limits.partition_count,
        writer=limits.writer,
    )


def moved(
    entry: LedgerEntry,
    facts: Facts,
    state: State,
    reason: Reason | None = None,
    due_at: datetime | None = None,
    **changes: object,
) -> LedgerEntry:
    """The next revision in this state; reason and due time are those given, or none."""
    changes |= {"state": state, "reason": reason, "due_at": due_at}
    changes["history"] = _continued(entry, facts, state, reason)
    if state not in _WITH_RESULT:
        changes["result"] = None
    after = noted(entry, facts, **changes)
    return finished(after, facts.limits) if state in FINISHED else after


def noted(entry: LedgerEntry, facts: Facts, **changes: object) -> LedgerEntry:
    """The next revision in the same state, for the same reason and due at the same time."""
    stamp: dict[str, object] = {
        "revision": entry.revision + 1,
        "partition_count": facts.limits.partition_count,
        "writer": facts.limits.writer,
    }
    return entry.model_copy(update=stamp | changes)


def _continued(
    entry: LedgerEntry, facts: Facts, state: State, reason: Reason | None
) -> tuple[Step, ...]:
    """A step per change of state, and per new reason to wait or to be parked.

    A repeated attempt that ended as the one before leaves no step, or retries would push out the rest.
    """
    steps = entry.history
    speaks = state is not entry.state or state in (State.WAITING, State.PARKED)
    if steps and not (speaks and (state, reason) != (entry.state, entry.reason)):
        return steps
    if state is State.CLAIMED and len(steps) > 1 and steps[-1].state is State.DISPATCHED:
        before = steps[-2]
        if (before.state, before.reason) == (state, reason):
            return steps[:-1]
    return (*steps, Step(at=facts.now, state=state, reason=reason))[-facts.limits.history_max :]


def finished(entry: LedgerEntry, limits: Limits) -> LedgerEntry:
    """Without bodies, personal data and whatever only an open entry needs; history cut to what fits.

    The look-ups stay where they are what makes a refusal final.
    """
    bare = entry.model_copy(
        update={
            "due_at": None,
            "claimed_at": None,
            "shipment": None,
            "order": None,
            "order_sha256": None,
            "parts": (),
            "claim": None,
            "failures": 0,
            "attempt": _bare_attempt(entry.attempt),
            "lookups": Lookups(made=entry.lookups.made)
            if entry.lookups and is_sticky(entry)
            else None,
        }
    )
    steps_max = max(1, (limits.finished_bytes_max - _bytes_without_history(bare)) // _STEP_BYTES)
    return bare.model_copy(update={"history": bare.history[-steps_max:]})


def _bare_attempt(attempt: Attempt | None) -> Attempt | None:
    """Its pages are named by the notification of the outcome, which stays for a year."""
    gone = {"file_paths": (), "proof_sha256": (), "quiet_since": None}
    return attempt and attempt.model_copy(update=gone)


def _bytes_without_history(entry: LedgerEntry) -> int:
    """An upper estimate of the encoded size: encoding itself would be slower than the whole rule."""
    texts = [entry.key, entry.store_id, entry.shipment_id, entry.parcel_sha256, entry.writer]
    texts += [entry.error_code, entry.request_id, entry.last_command_id]
    if entry.attempt:
        sent = entry.attempt
        texts += [sent.request_sha256, sent.tracking_number, sent.carrier_code]
    if entry.result:
        texts.append(entry.result.voucher_id)
    seen = sum(len(each.shipment_id) + 9 for each in entry.seen)
    return _FIXED_BYTES + seen + sum(len(text) for text in texts if text)


def with_seen(
    entry: LedgerEntry, shipment_id: str, revision: int, end: SeenEnd
) -> tuple[Seen, ...]:
    """The ids seen with this one at this revision; its place in the order does not change."""
    mark = Seen(shipment_id=shipment_id, revision=revision, end=end)
    if any(each.shipment_id == shipment_id for each in entry.seen):
        return tuple(mark if each.shipment_id == shipment_id else each for each in entry.seen)
    return (*entry.seen, mark)


def seen_of(entry: LedgerEntry | None, shipment_id: str) -> Seen | None:
    """What the entry remembers of a shipment id."""
    seen = entry.seen if entry else ()
    return next((each for each in seen if each.shipment_id == shipment_id), None)


def ended_seen(entry: LedgerEntry, end: SeenEnd) -> tuple[Seen, ...]:
    """The ids seen, with the end of the shipment that holds the order; its further parts end with it.

    What Alibaba has keeps them as parts.
    """
    ids = {entry.shipment_id} | (set() if end is SeenEnd.CURRENT else set(part_ids(entry)))
    return tuple(
        each.model_copy(update={"end": end}) if each.shipment_id in ids else each
        for each in entry.seen
    )


def part_ids(entry: LedgerEntry) -> tuple[str, ...]:
    """The further shipments that go, or went, with the one that holds the order."""
    return tuple(each.shipment_id for each in entry.seen if each.end is SeenEnd.PART)
