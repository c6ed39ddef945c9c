"""How a shipment ends that was on its way: Alibaba has it, it comes back, or it was taken back."""

from services.notifier.rule import collecting
from services.notifier.rule.entry import ended_seen, moved, part_ids
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
        mail_buyer=_is_to_be_mailed(entry, facts),
    )
    return Decision(after, (told,))


def _is_to_be_mailed(entry: LedgerEntry, facts: Facts) -> bool:
    """Once per shipment, and not when the shipping system mails the buyer itself."""
    store, shipment = facts.store, facts.shipment
    if store is None or shipment is None or entry.result is not None:
        return False
    return store.buyer_mail and shipment.notify_buyer_by_email is not False


def is_superseded(entry: LedgerEntry) -> bool:
    """Whether a correction or a void came while a call of the shipment might still act."""
    return entry.attention in (Reason.CORRECTION_TOO_LATE, Reason.VOID_TOO_LATE)


def come_back(entry: LedgerEntry, comeback: Comeback, facts: Facts) -> Decision:
    """The call surely did not act: the shipment goes where today's facts put it.

    What came too late is in time after all: a void takes it back, a correction takes its place. Of parts, one
    that was taken back leaves the others.
    """
    if (decision := collecting.go_on(entry, facts, comeback)) is not None:
        return decision
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
    parts = part_ids(entry)
    return Decision(after, (notice(after, facts, Outcome.VOIDED, reason, part_shipment_ids=parts),))


def set_free(entry: LedgerEntry, facts: Facts) -> Decision:
    """Alibaba surely holds nothing, and what was sent once is no longer kept: the order is free.

    The same shipment takes it again with a higher revision, and so does any other.
    """
    return take_back(entry, facts, Reason.NOT_AT_ALIBABA)
