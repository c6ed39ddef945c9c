"""Proofs: an answer counts only for the current claim; one that does not come is asked for again."""

from services.notifier.rule.claims import declare_request, standing
from services.notifier.rule.entry import moved, noted
from services.notifier.rule.evaluate import Candidate, Ready, held_candidate, is_live
from services.notifier.rule.notices import DETAIL_CHARS_MAX, MESSAGES, notice
from services.notifier.rule.settle import settle
from services.notifier.rule.types import NOTHING, Decision, Facts, ProofArrived
from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome, Reason

_HIDDEN = "****"


def proof_arrived(entry: LedgerEntry, event: ProofArrived, facts: Facts) -> Decision:
    """A proof or its refusal. For a live store pages change nothing here: the caller uploads them.

    An entry that was parked for want of this very proof goes on.
    """
    if not _is_awaited(entry, event):
        return NOTHING
    if event.refusal is not None:
        return _refused(entry, event, facts)
    candidate = held_candidate(entry, facts)
    if candidate is None or not event.page_sha256s:
        return NOTHING  # neither pages nor a reason: it becomes overdue
    ready = standing(entry, candidate, facts)
    if ready is None:
        return settle(entry, candidate, facts)
    if not is_live(facts.store):
        return show_dry_run(entry, candidate, ready, event.page_sha256s, facts)
    return _resumed(entry, facts) if entry.state is State.PARKED else NOTHING


def proof_overdue(entry: LedgerEntry, facts: Facts) -> Decision:
    """No answer in time: ask again, the same claim; after the last time a person has to look."""
    claim = entry.claim
    if entry.state is not State.CLAIMED or claim is None:
        return NOTHING  # nobody asks any more
    if claim.asks < facts.limits.proof_asks_max:
        again = claim.model_copy(update={"asks": claim.asks + 1})
        return Decision(noted(entry, facts, claim=again))
    after = moved(entry, facts, State.PARKED, Reason.NO_PROOF)
    told = notice(after, facts, Outcome.PARKED, Reason.NO_PROOF, needs_operator=True)
    return Decision(after, (told,))


def show_dry_run(
    entry: LedgerEntry,
    candidate: Candidate,
    ready: Ready,
    proof_sha256: tuple[str, ...],
    facts: Facts,
) -> Decision:
    """Proof and request are ready and stay here until the store goes live.

    The digits of the recipient's phone are hidden: notifications are kept for a year.
    """
    request = declare_request(candidate, ready, facts, ())
    digits = f'"contact_mobile":"{request.contact_mobile}"'
    shown = request.canonical_json().replace(digits, f'"contact_mobile":"{_HIDDEN}"')
    after = moved(entry, facts, State.WAITING, Reason.DRY_RUN, failures=0)
    told = notice(
        after,
        facts,
        Outcome.DRY_RUN,
        Reason.DRY_RUN,
        request=shown,
        proof_sha256=proof_sha256,
        tracking_number=ready.tracking_number,
        carrier_code=ready.carrier_code,
    )
    return Decision(after, (told,))


def _is_awaited(entry: LedgerEntry, event: ProofArrived) -> bool:
    """Answers to older claims, and to entries that are past the proof, are duplicates."""
    awaits = entry.state is State.CLAIMED or (
        entry.state is State.PARKED and entry.reason is Reason.NO_PROOF
    )
    return awaits and entry.claim is not None and entry.claim.claim_id == event.claim_id


def _refused(entry: LedgerEntry, event: ProofArrived, facts: Facts) -> Decision:
    why = ": ".join(part for part in (event.refusal, event.refusal_detail) if part)
    message = f"{MESSAGES[Outcome.PARKED, Reason.PROOF_REFUSED]} {why[:DETAIL_CHARS_MAX]}"
    after = moved(entry, facts, State.PARKED, Reason.PROOF_REFUSED)
    more = {"message": message, "needs_operator": True}
    return Decision(after, (notice(after, facts, Outcome.PARKED, Reason.PROOF_REFUSED, **more),))


def _resumed(entry: LedgerEntry, facts: Facts) -> Decision:
    claim = entry.claim and entry.claim.model_copy(update={"asks": 1})
    return Decision(moved(entry, facts, State.CLAIMED, claim=claim, failures=0))
