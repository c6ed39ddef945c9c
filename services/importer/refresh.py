"""When a store's tokens are refreshed, when they have ended, and what to warn of. Pure.

A refresh is due some time before the access token ends, and never past the end of the authorisation that
the seller chose. A refused refresh is no end while the access token still opens something; an unclear
answer is tried again with the same refresh token. Tokens have ended when nothing can be hoped of them any
more: then the store needs its seller, and all goes on with the tokens of the next connection.

Whether a refresh prolongs the authorisation, and whether the old access token works after it, is not
documented: nothing here depends on either.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from waybill.contracts import StoreTokens

WARN_DAYS: Final = (1, 7, 14, 30)
"""Days before the end at which somebody is told, the most urgent first."""
_MONTH_DAYS: Final = 28
"""The shortest month."""
_DOUBLINGS_MAX: Final = 30
"""Exponents stay small, however long an outage lasts."""


class RefreshRules(BaseModel):
    """How early tokens are refreshed, and how failures are waited out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ahead_s: float = Field(
        1_800,
        gt=0,
        le=86_400,
        description="How long before the access token's end it is refreshed, as Alibaba's guide advises.",
    )
    ahead_share: float = Field(
        0.1,
        gt=0,
        le=0.5,
        description="The same as a share of its life, for tokens that live shorter than ten times ahead_s.",
    )
    pause_first_s: float = Field(
        5, gt=0, le=3_600, description="Wait after a refresh without a clear answer; doubles."
    )
    pause_max_s: float = Field(
        900, gt=0, le=86_400, description="Longest wait between two tries of a refresh."
    )
    refusals_max: int = Field(
        3,
        ge=1,
        le=100,
        description="Reads refused in a row after which tokens that cannot be refreshed have ended: "
        "a single odd answer makes nobody connect again.",
    )
    call_start_s: float = Field(
        5,
        gt=0,
        le=60,
        description="A refresh starts within this time of its announcement, or not at all.",
    )


class EndedReason(StrEnum):
    """Why tokens open nothing any more; `StoreTokens.ended_reason`."""

    AUTHORISATION_OVER = "authorisation_over"
    """The chosen length is over."""
    REFRESH_REFUSED = "refresh_refused"
    """Alibaba refused the refresh token, and the access token is over or refused too."""
    ACCESS_EXPIRED = "access_expired"
    """The access token is over, and it came without a way to refresh it."""
    ACCESS_REFUSED = "access_refused"
    """Alibaba refuses the access token, and it came without a way to refresh it."""


@dataclass(frozen=True, slots=True)
class Tries:
    """What this process knows of a store's tokens beside their record.

    It is lost with the process, which costs a try: whatever was refused is refused again.
    """

    failures: int = 0
    """Refreshes in a row that brought nothing, or nothing that works."""
    not_before: datetime | None = None
    """The pause after them."""
    under_way: bool = False
    refresh_refused: bool = False
    refusals: int = 0
    """Reads in a row that were refused with this access token."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`; None: before something happens."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refresh:
    """Announce a refresh, then call."""


@dataclass(frozen=True, slots=True)
class End:
    """Write down that these tokens have ended."""

    reason: EndedReason


Step: TypeAlias = Wait | Refresh | End


def next_step(
    tokens: StoreTokens,
    tries: Tries,
    now: datetime,
    rules: RefreshRules,
    *,
    refreshable: bool | None,
) -> Step:
    """What is to be done about a store's tokens now.

    `refreshable`: whether there is a refresh token; None: nobody can tell, for want of the key that
    sealed them or of the site's settings, and then only the end of the authorisation counts.
    """
    if tokens.ended_at is not None or tries.under_way:
        return Wait()
    if tokens.authorised_until is not None and now >= tokens.authorised_until:
        return End(EndedReason.AUTHORISATION_OVER)
    if refreshable is None:
        return Wait(tokens.authorised_until)
    if refreshable and not tries.refresh_refused and _refresh_lives(tokens, now):
        return _when_due(tokens, tries, now, rules)
    return _without_refresh(tokens, tries, now, rules)


def _refresh_lives(tokens: StoreTokens, now: datetime) -> bool:
    """Alibaba's lifetime of 0 says that a refresh token is of no use."""
    return tokens.refresh_expires_at is None or now < tokens.refresh_expires_at


def _when_due(tokens: StoreTokens, tries: Tries, now: datetime, rules: RefreshRules) -> Step:
    due = now if tries.refusals else due_at(tokens, rules)
    if due is None:
        return Wait(tokens.authorised_until)
    start = max(due, tries.not_before) if tries.not_before else due
    return Refresh() if now >= start else Wait(_earlier(start, tokens.authorised_until))


def _without_refresh(tokens: StoreTokens, tries: Tries, now: datetime, rules: RefreshRules) -> Step:
    refused = tries.refresh_refused
    if tokens.expires_at is not None and now >= tokens.expires_at:
        return End(EndedReason.REFRESH_REFUSED if refused else EndedReason.ACCESS_EXPIRED)
    if refused and tries.refusals:
        return End(EndedReason.REFRESH_REFUSED)
    if tries.refusals >= rules.refusals_max:
        return End(EndedReason.ACCESS_REFUSED)
    return Wait(_earlier(tokens.expires_at, tokens.authorised_until))


def due_at(tokens: StoreTokens, rules: RefreshRules) -> datetime | None:
    """When a refresh is due by the clock; None: never, since nothing is known or nothing to be gained.

    An access token that lasts to the end of the authorisation needs no other.
    """
    ends = _earlier(tokens.expires_at, tokens.refresh_expires_at)
    until = tokens.authorised_until
    if ends is None or (until and tokens.expires_at and tokens.expires_at >= until):
        return None
    life = ends - (tokens.issued_at or tokens.written_at)
    return ends - min(timedelta(seconds=rules.ahead_s), life * rules.ahead_share)


def _earlier(*times: datetime | None) -> datetime | None:
    return min((time for time in times if time is not None), default=None)


# ------------------------------------------------------------------------------------------ what happened


def started(tries: Tries) -> Tries:
    """A refresh is under way."""
    return replace(tries, under_way=True)


def refused(tries: Tries) -> Tries:
    """Alibaba refused the refresh token."""
    return replace(tries, refresh_refused=True, under_way=False)


def after_failure(
    tries: Tries, now: datetime, rules: RefreshRules, *, retry_after_s: float | None = None
) -> Tries:
    """A refresh brought no tokens and no clear no: again with the same token, after a growing pause."""
    wait_s = max(pause_s(tries.failures, rules), retry_after_s or 0.0)
    not_before = now + timedelta(seconds=wait_s)
    return replace(tries, failures=tries.failures + 1, not_before=not_before, under_way=False)


def after_renewal(tries: Tries, now: datetime, rules: RefreshRules) -> Tries:
    """There are new tokens, and the next ones wait at least the shortest pause. When reads were refused
    it grows: a site that refuses every token is not asked for new ones without end."""
    failures = tries.failures if tries.refusals else 0
    not_before = now + timedelta(seconds=pause_s(failures, rules))
    return Tries(failures=failures + 1 if tries.refusals else 0, not_before=not_before)


def after_read(tries: Tries) -> Tries:
    """A read was answered: the access token works. The pause stays: a site may take a token for one of its
    calls and refuse it for another."""
    return replace(tries, refusals=0) if tries.refusals else tries


def after_refusal(tries: Tries) -> Tries:
    """A read was refused with this access token."""
    return replace(tries, refusals=tries.refusals + 1)


def pause_s(failures: int, rules: RefreshRules) -> float:
    """Seconds to wait after so many failures before; doubles up to its limit."""
    return min(rules.pause_first_s * 2.0 ** min(failures, _DOUBLINGS_MAX), rules.pause_max_s)


# ------------------------------------------------------------------------------------------------ warnings


def ends_at(tokens: StoreTokens, *, refreshable: bool | None) -> datetime | None:
    """When the store needs its seller, as far as it is known; None: not known."""
    if tokens.ended_at is not None:
        return tokens.ended_at
    issued = tokens.issued_at or tokens.written_at
    useless = tokens.refresh_expires_at is not None and tokens.refresh_expires_at <= issued
    if refreshable is False or useless:
        return _earlier(tokens.expires_at, tokens.authorised_until)
    return tokens.authorised_until


def warning_days(
    tokens: StoreTokens, end: datetime | None, now: datetime, warned: int | None
) -> int | None:
    """Which of `WARN_DAYS` is to be told now; None: nothing new. `warned`: the one that was told last.

    Who chose one month is not warned of thirty days on the first of them.
    """
    if end is None or tokens.ended_at is not None:
        return None
    for days in WARN_DAYS:
        if end - now <= timedelta(days=days):
            too_soon = days > _MONTH_DAYS and tokens.authorisation == "1m"
            return None if too_soon or (warned is not None and warned <= days) else days
    return None
