"""Look-ups: what Alibaba's answers mean for an entry in doubt.

A shipment found ends the doubt at once. "None" ends it only twice, `lookup_gap_s` apart, the first one
`call_horizon_s` after the call was over, by Alibaba's own status of the order at that moment.
"""

from services.notifier.rule.backoff import to_millis
from services.notifier.rule.doubt import (
    BY_OPERATOR,
    horizon_of,
    next_lookup_at,
    second_none_at,
)
from services.notifier.rule.entry import moved, noted, was_called
from services.notifier.rule.notices import notice
from services.notifier.rule.outcomes import come_back, confirmed, set_free, take_back
from services.notifier.rule.parcel import normalise_tracking
from services.notifier.rule.settle import Comeback, reject
from services.notifier.rule.types import (
    NOTHING,
    Contradicts,
    Decision,
    Facts,
    HeldShipment,
    Holds,
    HoldsNone,
    LookedUp,
    LookupFailed,
    StartLookUp,
)
from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import Lookups, Result, ResultVia, State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Action
from waybill.contracts.store import ResendPolicy


def looked_up(entry: LedgerEntry, event: LookedUp, facts: Facts) -> Decision:
    """An answer of Alibaba. Outside of `in_doubt` it comes too late to matter: the doubt is over."""
    if entry.state is not State.IN_DOUBT:
        return NOTHING
    answer = event.answer
    if isinstance(answer, Holds):
        return _holds(entry, answer.shipments, facts)
    if isinstance(answer, HoldsNone):
        return _holds_none(entry, answer, event, facts)
    if isinstance(answer, Contradicts):
        return _contradicts(entry, facts)
    return _failed(entry, answer, facts)


def look_again(entry: LedgerEntry, facts: Facts) -> Decision:
    """The next look-up is due. The one after it is planned at once, so that a lost answer loses no time."""
    lookups = entry.lookups or Lookups()
    asked = entry.model_copy(
        update={"lookups": lookups.model_copy(update={"made": lookups.made + 1})}
    )
    return Decision(noted(asked, facts, due_at=next_lookup_at(asked, facts)), (), (StartLookUp(),))


def look_soon(entry: LedgerEntry, facts: Facts) -> Decision:
    """Bring the next look-up forward to now."""
    if entry.due_at is not None and entry.due_at <= facts.now:
        return NOTHING
    return Decision(noted(entry, facts, due_at=facts.now))


def _holds(entry: LedgerEntry, held: tuple[HeldShipment, ...], facts: Facts) -> Decision:
    """Whatever is found, nothing is sent any more: ours by tracking number, else somebody's."""
    wanted = normalise_tracking(entry.attempt.tracking_number) if entry.attempt else ""
    numbered = {normalise_tracking(number): voucher for number, _carrier, voucher in held}
    if wanted and wanted in numbered:
        known = entry.result.voucher_id if entry.result else None  # it was confirmed once before
        voucher_id = numbered[wanted] or known
        result = Result(voucher_id=voucher_id, via=ResultVia.LOOKUP, at=facts.now)
        return confirmed(entry, result, Reason.FOUND_BY_LOOKUP, facts)
    if not any(numbered):
        return _contradicts(entry, facts)  # a shipment without a number yet: whose, shows later
    return reject(entry, Reason.SHIPPED_ELSEWHERE, facts)


def _holds_none(entry: LedgerEntry, answer: HoldsNone, event: LookedUp, facts: Facts) -> Decision:
    lookups = entry.lookups or Lookups()
    asked_at = min(to_millis(event.asked_at or facts.now), facts.now)
    if answer.order_status is OrderStatus.SHIPPED:
        return _contradicts(entry, facts)
    if answer.order_status not in _CLEAR or asked_at < horizon_of(entry, facts):
        return NOTHING  # an order on hold, say, or too early: the next look-up is planned already
    if lookups.none_at and asked_at < second_none_at(lookups, facts):
        return NOTHING
    counted = lookups.model_copy(update={"none_at": (*lookups.none_at, asked_at)})
    if not lookups.none_at:
        return _noted_lookup(entry, counted, facts)
    known = entry.model_copy(update={"lookups": counted})
    return _surely_none(known, answer.order_status, facts)


_CLEAR = frozenset({OrderStatus.AWAITING_SHIPMENT, OrderStatus.CANCELLED})
"""Statuses under which "no shipment" is an answer; under the others the order may still move."""


def _surely_none(entry: LedgerEntry, status: OrderStatus, facts: Facts) -> Decision:
    """Alibaba has no shipment of this order, and none of ours can turn up any more."""
    if facts.order is not None and facts.order.status is OrderStatus.SHIPPED:
        return _contradicts(entry, facts)  # the imported order says otherwise: one of both is old
    if _is_taken_back(entry, facts):
        return take_back(entry, facts)
    if status is OrderStatus.CANCELLED:
        return reject(entry, Reason.ORDER_CANCELLED, facts)
    if entry.shipment is None:
        return set_free(entry, facts)  # it was finished once: there is nothing left to send
    if _may_resend(entry, facts):
        return come_back(entry, Comeback(), facts)
    return _park(entry, Reason.ASK_OPERATOR, facts)


def _is_taken_back(entry: LedgerEntry, facts: Facts) -> bool:
    """Whether nobody wants it sent any more: the leading shipment, and every part if there are some."""
    is_lead_void = entry.attention is Reason.VOID_TOO_LATE
    return is_lead_void and all(each.action is Action.VOID for each in facts.parts)


def _may_resend(entry: LedgerEntry, facts: Facts) -> bool:
    """A first call needs no policy; a second one needs the store's, or a person's word."""
    if entry.reason in BY_OPERATOR:
        return True
    policy = facts.store.resend_policy if facts.store else ResendPolicy.UNRECOGNISED
    return policy is ResendPolicy.RESEND or not was_called(entry)


def _contradicts(entry: LedgerEntry, facts: Facts) -> Decision:
    """Status and list disagree. Usually one of them is late, so nobody is bothered before the horizon."""
    before = entry.lookups or Lookups()
    count = before.contradictions + 1
    lookups = before.model_copy(update={"contradictions": count, "none_at": ()})
    if count >= facts.limits.contradictions_max and facts.now >= horizon_of(entry, facts):
        parked = entry.model_copy(update={"lookups": lookups})
        return _park(parked, Reason.LOOKUPS_CONTRADICT, facts)
    return _noted_lookup(entry, lookups, facts)


def _noted_lookup(entry: LedgerEntry, lookups: Lookups, facts: Facts) -> Decision:
    noticed = entry.model_copy(update={"lookups": lookups})
    return Decision(noted(noticed, facts, due_at=next_lookup_at(noticed, facts)))


def _park(entry: LedgerEntry, reason: Reason, facts: Facts) -> Decision:
    after = moved(entry, facts, State.PARKED, reason)
    return Decision(after, (notice(after, facts, Outcome.PARKED, reason, needs_operator=True),))


def _failed(entry: LedgerEntry, answer: LookupFailed, facts: Facts) -> Decision:
    """The next look-up is planned already; only a new error is worth a write."""
    if answer.code is None or answer.code == entry.error_code:
        return NOTHING
    return Decision(noted(entry, facts, error_code=answer.code))
