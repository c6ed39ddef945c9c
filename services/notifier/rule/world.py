"""What the world around an entry does to it: orders and stores change, time passes, owners change."""

from services.notifier.rule.doubt import doubt_another_owner, enter_doubt
from services.notifier.rule.entry import UNSENT, may_have_acted, noted
from services.notifier.rule.lookups import look_again, look_soon
from services.notifier.rule.settle import settle_held
from services.notifier.rule.types import NOTHING, Decision, Facts
from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import State
from waybill.contracts.order import OrderStatus


def order_changed(entry: LedgerEntry, facts: Facts) -> Decision:
    """A new order is judged at once while nothing can have been sent; after that only look-ups decide.

    In doubt, "shipped" may be our own shipment: worth asking now.
    """
    is_shipped = facts.order is not None and facts.order.status is OrderStatus.SHIPPED
    if entry.state is State.IN_DOUBT and is_shipped:
        return look_soon(entry, facts)
    return store_changed(entry, facts)


def store_changed(entry: LedgerEntry, facts: Facts) -> Decision:
    """New settings are judged like a new order."""
    if entry.state in UNSENT and not may_have_acted(entry):
        return settle_held(entry, facts)
    return NOTHING  # finished, under way, or for a person to decide


def due_reached(entry: LedgerEntry, facts: Facts) -> Decision:
    """The entry's time has come; too early, or in a state that has none, nothing happens."""
    if entry.due_at is None or facts.now < entry.due_at:
        return NOTHING
    if entry.state is State.WAITING:
        return settle_held(entry, facts)
    if entry.state is State.IN_DOUBT:
        return look_again(entry, facts)
    if entry.state is State.DISPATCHED:
        return enter_doubt(entry, facts)  # the end of the call was never reported: a safety net
    # claimed: the pause is over, and the scheduler may take it; parked and finished ones have no due time
    return Decision(noted(entry, facts, due_at=None))


def taken_over(entry: LedgerEntry, facts: Facts) -> Decision:
    """A new owner: the old one is shut out, and its last call is over a call's time later."""
    if entry.state in (State.DISPATCHED, State.IN_DOUBT):
        return doubt_another_owner(entry, facts)
    return due_reached(entry, facts)
