"""In doubt: a call may have acted, so Alibaba is looked up before anything else happens.

Look-ups start at once, because a "yes" counts at once. A "none" counts only when the horizon is past,
so the last look-up of the first phase is put exactly there.
"""

from datetime import datetime, timedelta

from services.notifier.rule.backoff import after_pause
from services.notifier.rule.entry import moved, was_called
from services.notifier.rule.notices import notice
from services.notifier.rule.types import NOTHING, Decision, Facts, Limits, StartLookUp
from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import Lookups, State
from waybill.contracts.notification import Outcome, Reason

BY_OPERATOR = frozenset({Reason.RELEASED, Reason.RESEND_ASKED})
"""Why an entry is in doubt when a person asked for the look-ups, and with that for what a "none" leads to."""


def enter_doubt(entry: LedgerEntry, facts: Facts, **changes: object) -> Decision:
    """Look Alibaba up from now on; by this owner's clock, no call of the attempt is under way any more."""
    return _look_up(entry, facts, _why(entry), changes)


def doubt_another_owner(entry: LedgerEntry, facts: Facts) -> Decision:
    """The same after a change of owner: what was counted on another clock counts no more."""
    return _look_up(entry, facts, _why(entry), {}, quiet_after_fence(facts.now, facts.limits))


def quiet_after_fence(fenced_at: datetime, limits: Limits) -> datetime:
    """When the last call of a shut-out owner is over: one announced before the fence may still start."""
    return fenced_at + timedelta(seconds=limits.call_start_s + limits.call_s)


def look_first(entry: LedgerEntry, facts: Facts, quiet_since: datetime) -> Decision:
    """The same for a call that the ledger may have forgotten, quiet since then by this owner's clock."""
    return _look_up(entry, facts, _why(entry), {}, quiet_since)


def look_up_as_asked(entry: LedgerEntry, facts: Facts, asked: Reason) -> Decision:
    """The same from the beginning because a person wants it, which lasts until the doubt is over."""
    return _look_up(entry, facts, asked, {})


def _look_up(
    entry: LedgerEntry,
    facts: Facts,
    reason: Reason | None,
    changes: dict[str, object],
    quiet_since: datetime | None = None,
) -> Decision:
    if entry.attempt is None:
        return (
            NOTHING  # no path leads here without an attempt; an entry from elsewhere is not touched
        )
    attempt = entry.attempt.model_copy(update={"quiet_since": quiet_since or facts.now})
    asked = Lookups(made=1, contradictions=entry.lookups.contradictions if entry.lookups else 0)
    quiet = entry.model_copy(update={"attempt": attempt, "lookups": asked} | changes)
    after = moved(quiet, facts, State.IN_DOUBT, reason, next_lookup_at(quiet, facts))
    is_news = entry.state is not State.IN_DOUBT and reason is not None
    told = (notice(after, facts, Outcome.IN_DOUBT, reason),) if is_news else ()
    return Decision(after, told, (StartLookUp(),))


def _why(entry: LedgerEntry) -> Reason | None:
    if entry.state is State.IN_DOUBT and entry.reason in BY_OPERATOR:
        return entry.reason
    # without a call of ours there was nothing to confirm and nothing to worry a publisher with
    return Reason.OUTCOME_UNKNOWN if was_called(entry) else None


def horizon_of(entry: LedgerEntry, facts: Facts) -> datetime:
    """From then on no call of the attempt can act any more: the stated assumption."""
    quiet_since = entry.attempt.quiet_since if entry.attempt else None
    return (quiet_since or facts.now) + timedelta(seconds=facts.limits.call_horizon_s)


def next_lookup_at(entry: LedgerEntry, facts: Facts) -> datetime:
    """When to ask again, given the look-ups made; never past the time at which a "none" would count."""
    limits, horizon = facts.limits, horizon_of(entry, facts)
    lookups = entry.lookups or Lookups()
    if facts.now < horizon:
        if not was_called(entry):
            return horizon  # nothing of ours can turn up before
        pause = (lookups.made, limits.lookup_first_s, limits.lookup_max_s)
        return min(after_pause(entry, facts, *pause), horizon)
    if lookups.none_at and (second := second_none_at(lookups, facts)) > facts.now:
        return second
    return after_pause(entry, facts, lookups.made, limits.lookup_first_s, limits.retry_max_s)


def second_none_at(lookups: Lookups, facts: Facts) -> datetime:
    """From then on another "none" confirms the first one that counted."""
    return lookups.none_at[0] + timedelta(seconds=facts.limits.lookup_gap_s)
