"""What may become of a store's tokens, and the record that each step writes. Pure but for sealing."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from services.importer.refresh import End, Refresh
from waybill.alibaba import errors
from waybill.alibaba.models import TokenGrant
from waybill.contracts import StoreTokens
from waybill.contracts.identity import record_key
from waybill.tokens import TokenLife, Tokens, TokenSeal


@dataclass(frozen=True, slots=True)
class Renewed:
    """New tokens, sealed; `before` is what they replace, sealed."""

    before: bytes
    tokens: StoreTokens


@dataclass(frozen=True, slots=True)
class Reseal:
    """The tokens are sealed with a key that is on its way out."""


@dataclass(frozen=True, slots=True)
class Erase:
    """The store was disconnected: nothing of its tokens may stay behind."""


Step: TypeAlias = Refresh | End | Renewed | Reseal | Erase


@dataclass(frozen=True, slots=True)
class Written:
    """Effect: what became of a store's tokens is committed; None: they are erased."""

    step: Step
    store_id: str
    key: bytes
    tokens: StoreTokens | None


@dataclass(frozen=True, slots=True)
class RefreshEnded:
    """A refresh came back: with tokens, or with why not."""

    before: StoreTokens
    clear: Tokens = field(repr=False)
    asked_at: datetime
    grant: TokenGrant | None = field(default=None, repr=False)
    error: errors.AlibabaError | None = None


def written(step: Step, tokens: StoreTokens, seal: TokenSeal | None, now: datetime) -> Written:
    """What the next transaction writes for this step. Readers take the newest, so it is newer than the
    one before, whatever the clocks of two owners say."""
    at = max(now, tokens.written_at + timedelta(milliseconds=1))
    issued = tokens.issued_at or tokens.written_at
    key = record_key(tokens).encode()
    match step:
        case Erase():
            return Written(step, tokens.store_id, key, None)
        case Renewed():
            changed = _with(step.tokens, written_at=at)
        case Reseal():
            assert seal is not None  # noqa: S101 - whoever decided it had one
            changed = _with(seal.resealed(tokens, at), issued_at=issued)
        case Refresh():
            changed = _with(tokens, refresh_sent_at=at, issued_at=issued, written_at=at)
        case End(reason):
            ended = {"ended_at": at, "ended_reason": reason.value}
            changed = _with(tokens, **ended, issued_at=issued, written_at=at)
    return Written(step, tokens.store_id, key, changed)


def renewed(ended: RefreshEnded, grant: TokenGrant, seal: TokenSeal) -> Renewed:
    """The new tokens. What the answer does not tell stays as it was; lives count from the question."""
    before, asked_at = ended.before, ended.asked_at
    refresh_ends = before.refresh_expires_at
    if grant.refresh_token is not None:
        refresh_ends = _after(asked_at, grant.refresh_expires_in_s)
    life = TokenLife(
        _after(asked_at, grant.expires_in_s),
        refresh_ends,
        before.authorised_until,
        before.authorisation,
    )
    clear = Tokens(grant.access_token, grant.refresh_token or ended.clear.refresh)
    sealed = seal.seal(clear, before.store_id, before.generation, life, asked_at)
    return Renewed(before.sealed, _with(sealed, issued_at=asked_at))


def _with(tokens: StoreTokens, **changes: object) -> StoreTokens:
    """A copy with these fields; model_copy checks nothing, so times have to be in UTC milliseconds."""
    return tokens.model_copy(update=changes)


def _after(start: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else start + timedelta(seconds=seconds)
