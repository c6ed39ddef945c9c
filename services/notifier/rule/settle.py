"""Where a shipment that is surely not sent belongs: waiting, claimed or rejected.

Shipments that arrive, orders and stores that change, and calls that had no effect all end here.
"""

from dataclasses import dataclass
from datetime import datetime

from services.notifier.rule.backoff import after_pause
from services.notifier.rule.claims import claim_stands, new_claim
from services.notifier.rule.doubt import enter_doubt
from services.notifier.rule.entry import ended_seen, moved, part_ids, was_called
from services.notifier.rule.evaluate import (
    Candidate,
    Ready,
    Refuse,
    Wait,
    evaluate,
    held_candidate,
    is_live,
)
from services.notifier.rule.notices import MESSAGES, notice
from services.notifier.rule.parcel import parcel_sha256
from services.notifier.rule.types import NOTHING, Decision, Facts, SendHint
from waybill.contracts import LedgerEntry, Notification
from waybill.contracts.ledger import Attempt, SeenEnd, State
from waybill.contracts.notification import Outcome, Reason


@dataclass(frozen=True, slots=True)
class Comeback:
    """Why a shipment comes back to the queue, and when it may go again; None of each says at once."""

    reason: Reason | None = None
    due_at: datetime | None = None
    failures: int = 0


def settle(
    entry: LedgerEntry,
    candidate: Candidate,
    facts: Facts,
    *,
    replaced: bool = False,
    comeback: Comeback | None = None,
) -> Decision:
    """The decision on a shipment under today's facts; NOTHING when it already stands where it belongs.

    `replaced`: the entry holds a newer body than the one written, so it is written whatever the verdict.
    `comeback`: the shipment returns from a call, so it cannot stay where it was.
    """
    verdict = evaluate(candidate, facts)
    entry = _placed(entry, candidate, facts)
    if isinstance(verdict, Refuse):
        return refuse(entry, verdict.reason, facts)
    if isinstance(verdict, Wait):
        must_write = replaced or comeback is not None
        return _wait(entry, verdict, facts, must_write)
    return _claim(entry, candidate, verdict, facts, replaced, comeback)


def settle_held(entry: LedgerEntry, facts: Facts, *, comeback: Comeback | None = None) -> Decision:
    """The same for the shipment that the entry holds; NOTHING when its body cannot be had."""
    candidate = held_candidate(entry, facts)
    return settle(entry, candidate, facts, comeback=comeback) if candidate else NOTHING


def refuse(entry: LedgerEntry, reason: Reason, facts: Facts) -> Decision:
    """The shipment that holds the order does not go; the order is free for another one.

    "Shipped" after a call of ours may be our own shipment: then a look-up decides.
    """
    if reason is Reason.SHIPPED_ELSEWHERE and was_called(entry):
        return enter_doubt(entry, facts)
    return reject(entry, reason, facts)


def reject(entry: LedgerEntry, reason: Reason, facts: Facts) -> Decision:
    """The shipment that holds the order is refused by a rule, and the publisher is told why."""
    seen = ended_seen(entry, SeenEnd.REFUSED)
    after = moved(entry, facts, State.REJECTED, reason, seen=seen, attention=None)
    parts = part_ids(entry)
    return Decision(
        after, (notice(after, facts, Outcome.REFUSED, reason, part_shipment_ids=parts),)
    )


def _placed(entry: LedgerEntry, candidate: Candidate, facts: Facts) -> LedgerEntry:
    """With the store and the parcel as they are known today."""
    store_id = facts.order.store_id if facts.order else entry.store_id
    parcel = parcel_sha256(candidate.shipment, facts.store)
    if (store_id, parcel) == (entry.store_id, entry.parcel_sha256):
        return entry
    return entry.model_copy(update={"store_id": store_id, "parcel_sha256": parcel})


def _wait(entry: LedgerEntry, wait: Wait, facts: Facts, must_write: bool) -> Decision:
    reason = wait.reason
    is_news = (entry.state, entry.reason) != (State.WAITING, reason)
    is_due = entry.due_at is not None and facts.now >= entry.due_at
    asks = reason is Reason.ORDER_UNKNOWN and (is_news or is_due)
    if not (is_news or asks or must_write):
        return NOTHING
    hints = (0 if is_news else entry.failures) + asks
    due_at = _next_hint_at(entry, facts, hints) if asks else None if is_news else entry.due_at
    after = moved(
        entry,
        facts,
        State.WAITING,
        reason,
        due_at,
        failures=hints,
        claim=None,
        order=None,
        order_sha256=None,
        lookups=None,
        attempt=without_pages(entry.attempt),
    )
    told = (waits(after, wait, facts),) if is_news else ()
    return Decision(after, told, (SendHint(),) if asks else ())


def waits(entry: LedgerEntry, wait: Wait, facts: Facts, **about: object) -> Notification:
    """What a publisher is told of a shipment that has to wait, and what for."""
    message = f"{MESSAGES[Outcome.WAITING, wait.reason]} {wait.detail}".rstrip()
    return notice(entry, facts, Outcome.WAITING, wait.reason, message=message, **about)


def _next_hint_at(entry: LedgerEntry, facts: Facts, hints: int) -> datetime:
    limits = facts.limits
    return after_pause(entry, facts, hints, limits.hint_first_s, limits.hint_max_s)


def _claim(
    entry: LedgerEntry,
    candidate: Candidate,
    ready: Ready,
    facts: Facts,
    replaced: bool,
    comeback: Comeback | None,
) -> Decision:
    stands = claim_stands(entry, candidate, ready, facts)
    goes_live = entry.state is State.WAITING and is_live(facts.store)
    if stands and not (replaced or comeback or goes_live):
        return NOTHING
    comeback = comeback or Comeback()
    changes: dict[str, object] = {"claimed_at": entry.claimed_at or facts.now}
    if stands and not goes_live:
        changes |= {"failures": comeback.failures}
    else:
        changes |= {
            "failures": 0,
            "claim": new_claim(candidate, ready, facts),
            "order": facts.order_bytes,
            "order_sha256": facts.order.content_sha256 if facts.order else None,
            "attempt": without_pages(entry.attempt),
        }
    after = moved(entry, facts, State.CLAIMED, comeback.reason, comeback.due_at, **changes)
    return Decision(after)


def without_pages(attempt: Attempt | None) -> Attempt | None:
    """Uploaded pages belong to one claim: with another claim they are worth nothing."""
    if attempt is None or not attempt.file_paths:
        return attempt
    return attempt.model_copy(update={"file_paths": (), "proof_sha256": ()})
