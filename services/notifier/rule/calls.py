"""The declare call: dispatched before its first byte, and what its end means."""

from datetime import datetime, timedelta

from services.notifier.rule.backoff import after_pause, to_millis
from services.notifier.rule.claims import declare_request, standing
from services.notifier.rule.doubt import enter_doubt, look_first
from services.notifier.rule.entry import FINISHED, ended_seen, moved, part_ids, was_called
from services.notifier.rule.evaluate import held_candidate, is_live
from services.notifier.rule.notices import notice
from services.notifier.rule.outcomes import come_back, confirmed, is_superseded
from services.notifier.rule.proofs import show_dry_run
from services.notifier.rule.settle import Comeback, settle, settle_held
from services.notifier.rule.types import (
    NOTHING,
    Accepted,
    CallEnded,
    CallNeverStarted,
    Decision,
    DeclareRequest,
    Facts,
    Failure,
    NotSent,
    RejectedByAlibaba,
    StartCall,
    Throttled,
    Unauthorised,
    Unclear,
    Uploaded,
    UploadFailed,
)
from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import Attempt, Result, ResultVia, SeenEnd, State
from waybill.contracts.notification import Outcome, Reason


def uploaded(entry: LedgerEntry, event: Uploaded, facts: Facts) -> Decision:
    """The proof is at Alibaba: write `dispatched`, and start the call when that is committed.

    Facts that moved on since the claim come first: this proof then shows what is no longer true.
    """
    candidate = held_candidate(entry, facts)
    if candidate is None or not _may_dispatch(entry, event):
        return NOTHING
    ready = standing(entry, candidate, facts)
    if ready is None:
        return settle(entry, candidate, facts)
    if not is_live(facts.store):
        return show_dry_run(entry, candidate, ready, event.proof_sha256, facts)
    return _dispatch(
        entry, declare_request(candidate, ready, facts, event.file_paths), event, facts
    )


def _may_dispatch(entry: LedgerEntry, event: Uploaded) -> bool:
    """Only a claimed shipment goes, only with a proof, and only with the proof of its own claim."""
    if entry.state is not State.CLAIMED or entry.claim is None or not event.file_paths:
        return False
    return event.claim_id in (None, entry.claim.claim_id)


def _dispatch(
    entry: LedgerEntry, request: DeclareRequest, event: Uploaded, facts: Facts
) -> Decision:
    before = entry.attempt.number if entry.attempt else 0
    attempt = Attempt(
        number=before + 1,
        request_sha256=request.sha256(),
        tracking_number=request.tracking_number,
        carrier_code=request.carrier_code,
        logistics_type=request.logistics_type,
        file_paths=event.file_paths,
        proof_sha256=event.proof_sha256,
        dispatched_at=facts.now,
    )
    if quiet_since := _must_look_first(entry, facts):
        unsent = attempt.model_copy(update={"number": before, "dispatched_at": None})
        known = entry.model_copy(update={"attempt": unsent, "lookups": None})
        return look_first(known, facts, quiet_since)
    lease_end = facts.now + timedelta(seconds=_lease_s(facts))
    fresh = {"attempt": attempt, "lookups": None, "error_code": None, "request_id": None}
    after = moved(entry, facts, State.DISPATCHED, None, lease_end, **fresh)
    return Decision(after, (), (StartCall(request, attempt.number),))


def _must_look_first(entry: LedgerEntry, facts: Facts) -> datetime | None:
    """Since when a call that the ledger may have forgotten is quiet, if Alibaba has to be asked for it.

    A store can ask for it too; its forgotten calls were made elsewhere, so they count as quiet from now.
    """
    asked_for = facts.store is not None and facts.store.verify_first
    if asked_for and entry.lookups is None and not was_called(entry):
        return facts.now
    forgotten = facts.forgotten
    if forgotten is None or not forgotten.may_cover(facts.order):
        return None
    return None if _knows_since(entry, forgotten.accepted_at) else forgotten.quiet_since


def _knows_since(entry: LedgerEntry, accepted_at: datetime) -> bool:
    """Whether the entry was written, or Alibaba asked, after the ledger knew everything again.

    An entry from an old copy may have been called before and have forgotten the call that came after.
    """
    called_at = entry.attempt.dispatched_at if entry.attempt else None
    if called_at is not None and called_at >= accepted_at:
        return True
    none_at = entry.lookups.none_at if entry.lookups else ()
    return len(none_at) > 1 and none_at[0] >= accepted_at


def _lease_s(facts: Facts) -> int:
    """The caller reports the end within start and total time; the margin covers its own delay."""
    limits = facts.limits
    return limits.call_start_s + limits.call_s + limits.call_margin_s


def upload_failed(entry: LedgerEntry, event: UploadFailed, facts: Facts) -> Decision:
    """The proof did not get there; nothing was declared, so even an unclear failure is only a failure."""
    if entry.state is not State.CLAIMED:
        return NOTHING  # the shipment went elsewhere in the meantime
    if isinstance(event.failure, RejectedByAlibaba):
        return _rejected(entry, event.failure, facts)
    return settle_held(entry, facts, comeback=_comeback(entry, event.failure, facts))


def call_ended(entry: LedgerEntry, event: CallEnded, facts: Facts) -> Decision:
    """The end of a call. "Accepted" is true whenever it is heard, any other end only of the call in flight"""
    outcome = event.outcome
    if isinstance(outcome, Accepted):
        return _accepted(entry, outcome, facts)
    if not _is_in_flight(entry, event.attempt):
        return NOTHING  # an older call's end, or look-ups decide already
    if isinstance(outcome, Unclear):
        told = {"error_code": outcome.code, "request_id": outcome.request_id}
        return enter_doubt(entry, facts, **told)
    if isinstance(outcome, RejectedByAlibaba) and not is_superseded(entry):
        return _rejected(entry, outcome, facts)
    return come_back(entry, _comeback(entry, outcome, facts), facts)


def call_never_started(entry: LedgerEntry, event: CallNeverStarted, facts: Facts) -> Decision:
    """The lease ran out first, so the call surely did not act."""
    return call_ended(entry, CallEnded(NotSent(), event.attempt), facts)


def _is_in_flight(entry: LedgerEntry, attempt: int | None) -> bool:
    if entry.state is not State.DISPATCHED or entry.attempt is None:
        return False
    return attempt in (None, entry.attempt.number)


def _accepted(entry: LedgerEntry, outcome: Accepted, facts: Facts) -> Decision:
    if entry.state in FINISHED or not was_called(entry):
        return NOTHING  # told already; or nothing was called, and then nobody can have accepted it
    result = Result(voucher_id=outcome.voucher_id, via=ResultVia.CALL, at=facts.now)
    return confirmed(entry, result, None, facts, outcome.request_id)


def _rejected(entry: LedgerEntry, outcome: RejectedByAlibaba, facts: Facts) -> Decision:
    reason = Reason.REJECTED_BY_ALIBABA
    after = moved(
        entry,
        facts,
        State.REJECTED,
        reason,
        error_code=outcome.code,
        request_id=outcome.request_id,
        seen=ended_seen(entry, SeenEnd.REFUSED),
    )
    parts = part_ids(entry)
    return Decision(
        after, (notice(after, facts, Outcome.REJECTED, reason, part_shipment_ids=parts),)
    )


def _comeback(entry: LedgerEntry, failure: Failure, facts: Facts) -> Comeback:
    """When it may go again: at the end of a ban, when the store's gate opens, or after a growing pause."""
    limits = facts.limits
    if isinstance(failure, Throttled):
        until = max(to_millis(failure.until), facts.now)
        return Comeback(Reason.THROTTLED, until, entry.failures)
    if isinstance(failure, Unauthorised):
        return Comeback(Reason.UNAUTHORISED, None, entry.failures)
    if isinstance(failure, RejectedByAlibaba):
        return Comeback()  # a correction or void arrived meanwhile: it decides, at once
    failures = entry.failures + 1
    due_at = after_pause(entry, facts, failures, limits.retry_first_s, limits.retry_max_s)
    return Comeback(Reason.NOT_SENT, due_at, failures)
