"""Commands: what an operator may decide about an order, when, and what becomes of it.

A command applies to the entry revision that the operator saw, or not at all: read again, by whomever and
whenever, it finds a later revision and does nothing. Where a call could have acted, no command sends
anything: it leads to look-ups, and only "Alibaba holds no shipment of this order" opens the way.

The same table tells the command line what would happen, before anything is written.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from services.notifier.rule.doubt import BY_OPERATOR, look_up_as_asked
from services.notifier.rule.entry import (
    UNSENT,
    finished,
    is_sticky,
    may_have_acted,
    noted,
    recognised,
    was_called,
)
from services.notifier.rule.notices import notice
from services.notifier.rule.outcomes import take_back
from services.notifier.rule.settle import Comeback, settle_held
from services.notifier.rule.types import NOTHING, CommandArrived, Decision, Facts
from waybill.contracts import Command, LedgerEntry
from waybill.contracts.command import CommandKind
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome, Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """The command applies, and this is what it does."""

    words: str
    carry_out: Callable[[LedgerEntry, Facts], Decision]


@dataclass(frozen=True, slots=True)
class Objection:
    """The command does not apply, and this is why and what to do instead."""

    words: str


def command_arrived(entry: LedgerEntry, event: CommandArrived, facts: Facts) -> Decision:
    """Carry the command out, or change nothing at all: no entry, and nobody is told."""
    command = event.command
    plan = judge(entry, command)
    if isinstance(plan, Objection):
        return NOTHING
    taken = entry.model_copy(update={"last_command_id": command.command_id})
    return plan.carry_out(taken, facts)


def judge(entry: LedgerEntry | None, command: Command) -> Plan | Objection:
    """Whether this very command applies to the entry as it is."""
    if entry is None:
        return Objection("the ledger has no entry of this order: nobody published a shipment of it")
    if entry.last_command_id == command.command_id:
        return Objection("it was carried out already")
    if entry.revision != command.entry_revision:
        return Objection(
            f"the operator saw revision {command.entry_revision} of the entry, which is at "
            f"{entry.revision} now: look again, then decide"
        )
    return plan_of(entry, command.kind)


def plan_of(entry: LedgerEntry, kind: CommandKind) -> Plan | Objection:
    """What a command of this kind would do to the entry as it is."""
    if not recognised(entry):
        return Objection("a newer version wrote this entry: upgrade first")
    where = _where(entry)
    if kind is CommandKind.ACKNOWLEDGE:
        return _to_acknowledge(entry, where)
    if kind is CommandKind.CANCEL:
        return _to_cancel(where)
    if kind is CommandKind.RELEASE:
        return _to_release(entry, where)
    if kind is CommandKind.RESEND:
        return _to_resend(entry, where)
    return Objection("no command about an order")


# ----------------------------------------------------------------------------------- where it stands


class _Where(Enum):
    """What matters to an operator about where the shipment stands."""

    GOES_BY_ITSELF = auto()
    PARKED_UNSENT = auto()
    CALLING = auto()
    IN_DOUBT = auto()
    PARKED_SENT = auto()
    CONFIRMED = auto()
    REFUSED_SENT = auto()
    FREE = auto()


_OF_STATE = {
    State.DISPATCHED: _Where.CALLING,
    State.IN_DOUBT: _Where.IN_DOUBT,
    State.PARKED: _Where.PARKED_SENT,
    State.CONFIRMED: _Where.CONFIRMED,
}


def _where(entry: LedgerEntry) -> _Where:
    if entry.state in UNSENT and not may_have_acted(entry):
        return _Where.PARKED_UNSENT if entry.state is State.PARKED else _Where.GOES_BY_ITSELF
    if entry.state is State.REJECTED and (was_called(entry) or is_sticky(entry)):
        return _Where.REFUSED_SENT
    return _OF_STATE.get(entry.state, _Where.FREE)


_BY_ITSELF = "nothing holds it back but the facts: it goes by itself as soon as they allow it"
_CALLING = "a call to Alibaba is under way; its end is known within two minutes, look again then"
_FREE = (
    "the order is free and nothing is left to send: publish the shipment again with a higher "
    "revision, or another one"
)


# --------------------------------------------------------------------------------- release and resend


def _to_release(entry: LedgerEntry, where: _Where) -> Plan | Objection:
    match where:
        case _Where.PARKED_UNSENT:
            return Plan(
                "Nothing was sent. It goes on as order and store allow it now, with a new proof.",
                _go_on,
            )
        case _Where.PARKED_SENT | _Where.REFUSED_SENT:
            return Plan(_look_up_words(entry), _look_up(Reason.RELEASED))
        case _Where.IN_DOUBT:
            return Objection(
                "Alibaba is being looked up already; `resend` says that it may be sent again "
                "should Alibaba hold no shipment"
            )
        case _Where.CONFIRMED:
            return Objection("Alibaba has it; should it be missing there, `resend` looks it up")
    return Objection(_UNFIT[where])


def _to_resend(entry: LedgerEntry, where: _Where) -> Plan | Objection:
    match where:
        case _Where.PARKED_SENT | _Where.CONFIRMED | _Where.REFUSED_SENT:
            return Plan(_look_up_words(entry), _look_up(Reason.RESEND_ASKED))
        case _Where.IN_DOUBT if entry.reason in BY_OPERATOR:
            return Objection("Alibaba is being looked up for it already, as an operator asked")
        case _Where.IN_DOUBT:
            return Plan(_look_up_words(entry), _insist)
        case _Where.PARKED_UNSENT:
            return Objection("nothing was sent yet: `release` lets it go on")
    return Objection(_UNFIT[where])


_UNFIT = {
    _Where.GOES_BY_ITSELF: _BY_ITSELF,
    _Where.CALLING: _CALLING,
    _Where.FREE: _FREE,
}


def _look_up_words(entry: LedgerEntry) -> str:
    return (
        "Nothing is sent now. Alibaba is looked up, and whatever it holds stays. Only if it answers "
        f"twice that it holds no shipment of this order, {_after_none(entry)}."
    )


def _after_none(entry: LedgerEntry) -> str:
    if entry.attention is Reason.VOID_TOO_LATE:
        return (
            "the shipment stays unsent, as the shipping system took it back, and the order is free"
        )
    if entry.shipment is None:
        return (
            "the order is free: its shipment was finished and is not kept, so publish it again with "
            "a higher revision, or another one"
        )
    return "the shipment goes out as order and store allow it then"


def _go_on(entry: LedgerEntry, facts: Facts) -> Decision:
    """Surely not called. A new claim: what refused or lost the old one's proof may be cured."""
    fresh = entry.model_copy(update={"claim": None})
    decision = settle_held(fresh, facts, comeback=Comeback())
    if decision.entry is None or decision.notifications:
        return decision
    told = notice(decision.entry, facts, Outcome.WAITING, Reason.RELEASED)
    return replace(decision, notifications=(told,))


def _look_up(asked: Reason) -> Callable[[LedgerEntry, Facts], Decision]:
    """Look-ups from the beginning: what was counted before the operator's word counts no more."""

    def carry_out(entry: LedgerEntry, facts: Facts) -> Decision:
        return look_up_as_asked(entry.model_copy(update={"lookups": None}), facts, asked)

    return carry_out


def _insist(entry: LedgerEntry, facts: Facts) -> Decision:
    """The look-ups under way go on; their "none" is now an answer to the operator."""
    reason = Reason.RESEND_ASKED
    after = noted(entry, facts, reason=reason)
    return Decision(after, (notice(after, facts, Outcome.IN_DOUBT, reason),))


# --------------------------------------------------------------------------------------------- cancel


def _to_cancel(where: _Where) -> Plan | Objection:
    match where:
        case _Where.GOES_BY_ITSELF | _Where.PARKED_UNSENT:
            return Plan(
                "Nothing was sent. The shipment is taken back, and the order is free for another "
                "one, or for the same one with a higher revision.",
                _cancel,
            )
        case _Where.REFUSED_SENT | _Where.FREE:
            return Objection("there is nothing to take back: no shipment waits to be sent")
        case _Where.CONFIRMED:
            return Objection("too late: Alibaba has it; settle it in Alibaba and with the buyer")
        case _Where.PARKED_SENT:
            return Objection(
                "too late: it was sent, and may be at Alibaba. Have the shipping system publish its "
                "void, then `release` it: should Alibaba hold none, it stays unsent"
            )
    return Objection(
        "too late: it was sent, and may be at Alibaba. Should Alibaba turn out not to have it, a "
        "void published by the shipping system keeps it unsent"
    )


def _cancel(entry: LedgerEntry, facts: Facts) -> Decision:
    return take_back(entry, facts, Reason.CANCELLED_BY_OPERATOR)


# ---------------------------------------------------------------------------------------- acknowledge


def _to_acknowledge(entry: LedgerEntry, where: _Where) -> Plan | Objection:
    if entry.attention is None:
        return Objection("nothing asks for a person: no correction and no void came too late")
    if where is not _Where.CONFIRMED:
        return Objection(
            "it is not known yet whether Alibaba has the shipment, and what came too late decides "
            "what becomes of it: wait for the look-ups, or `release` it if it is parked"
        )
    return Plan(
        "What came too late counts as dealt with. Nothing is sent, and nothing else changes.",
        _acknowledge,
    )


def _acknowledge(entry: LedgerEntry, facts: Facts) -> Decision:
    after = finished(noted(entry, facts, attention=None), facts.limits)
    return Decision(after, (notice(after, facts, Outcome.CONFIRMED, Reason.ACKNOWLEDGED),))
