"""How a shipment ends that was on its way: Alibaba has it, it comes back, or it was taken back."""

from services.notifier.rule.entry import ended_seen, moved
from services.notifier.rule.notices import notice
from services.notifier.rule.settle import Comeback, settle_held
from services.notifier.rule.types import Decision, Facts
from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import Result, SeenEnd, State
from waybill.contracts.notification import Outcome, Reason


def confirmed(
    entry: LedgerEntry,
    result: Result,
    reason: Reason | None,
    facts: Facts,
    request_id: str | None = None,
) -> Decision:
    """Alibaba has the shipment, for ever; a correction or void that came too late still needs a person."""
    after = moved(
        entry,
        facts,
        State.CONFIRMED,
        reason,
        result=result,
        seen=ended_seen(entry, SeenEnd.CURRENT),
        error_code=None,
        request_id=None,
    )
    told = notice(
        after,
        facts,
        Outcome.CONFIRMED,
        reason,
        voucher_id=result.voucher_id,
        request_id=request_id,
        proof_sha256=entry.attempt.proof_sha256 if entry.attempt else (),
        needs_operator=entry.attention is not None,
    )
    return Decision(after, (told,))


def is_superseded(entry: LedgerEntry) -> bool:
    """Whether a correction or a void came while a call of the shipment might still act."""
    return entry.attention in (Reason.CORRECTION_TOO_LATE, Reason.VOID_TOO_LATE)


def come_back(entry: LedgerEntry, comeback: Comeback, facts: Facts) -> Decision:
    """The call surely did not act: the shipment goes where today's facts put it.

    What came too late is in time after all: a void takes it back, a correction takes its place.
    """
    if entry.attention is Reason.VOID_TOO_LATE:
        return take_back(entry, facts)
    if entry.attention is Reason.CORRECTION_TOO_LATE and facts.shipment is not None:
        revision = facts.shipment.effective_revision
        update = {"shipment_revision": revision, "attention": None}
        entry = entry.model_copy(update=update)
    return settle_held(entry, facts, comeback=comeback)


def take_back(entry: LedgerEntry, facts: Facts, reason: Reason = Reason.TAKEN_BACK) -> Decision:
    """The shipment that holds the order is void and surely unsent; the order is free."""
    seen = ended_seen(entry, SeenEnd.VOIDED)
    after = moved(entry, facts, State.VOIDED, reason, seen=seen, attention=None)
    return Decision(after, (notice(after, facts, Outcome.VOIDED, reason),))


def set_free(entry: LedgerEntry, facts: Facts) -> Decision:
    """Alibaba surely holds nothing, and what was sent once is no longer kept: the order is free.

    The same shipment takes it again with a higher revision, and so does any other.
    """
    return take_back(entry, facts, Reason.NOT_AT_ALIBABA)
