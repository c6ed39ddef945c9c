"""The tokens of this importer's stores: kept, refreshed before they end, written down when they have ended.

The rule is in `refresh`. After connecting, the owner of a store's partition alone writes its tokens, and
one refresh goes on at a time over all processes: it is announced in a transaction of the owner, which a
process that was shut out cannot commit; its call starts within a few seconds of that or not at all; and a
new owner that finds an announcement lets so much time pass that this call has ended.

A crash between Alibaba's answer and the next commit loses the new tokens. The refresh is then tried with
the old token: where Alibaba refuses it, the store needs its seller. An unclear commit loses nothing: the
new tokens stay in memory until they stand on the topic.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from pydantic import SecretStr

from services.importer import refresh, token_steps
from services.importer.forewarning import Forewarning, todo
from services.importer.metrics import ImporterMetrics
from services.importer.refresh import Refresh, RefreshRules, Tries, Wait
from services.importer.token_steps import Erase, RefreshEnded, Renewed, Reseal, Step, Written
from waybill.alibaba import errors
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.models import TokenGrant
from waybill.clock import Clock
from waybill.contracts import Store, StoreTokens
from waybill.streaming.background import Background
from waybill.tokens import SealError, Tokens, TokenSeal

log = structlog.get_logger()

_LOOK_EVERY_S = 0.25
"""How exactly times are kept: stores are looked through so often."""
_TELL_EVERY_S = 30.0
"""Gauges are read every few seconds, and warnings speak of days."""


class Owner(Protocol):
    """The owned partition of a store."""

    @property
    def running(self) -> bool:
        """False once it was given back or shut out."""
        ...


@dataclass(slots=True)
class _Kept:
    """A store's newest tokens, and what is known of them."""

    tokens: StoreTokens
    partition: int
    tries: Tries = field(default_factory=Tries)
    step: Step | None = None
    """Decided, and not committed yet."""
    clear: Tokens | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Means:
    """What refreshing needs of its process."""

    clock: Clock
    metrics: ImporterMetrics
    background: Background
    clients: Mapping[str, AlibabaClient]
    """By site."""
    call_s_max: float
    """How long a call may take."""


class TokenKeeper:
    """See the module. Used on the runtime's thread only; refreshes run on the asyncio thread."""

    def __init__(
        self,
        rules: RefreshRules,
        means: Means,
        seal: TokenSeal | None,
        stores: Mapping[str, Store],
    ) -> None:
        """`stores`: their settings, as they stand from moment to moment."""
        self._rules = rules
        self._means = means
        self._clock, self._metrics = means.clock, means.metrics
        self._seal = seal
        self._stores = stores
        self._kept: dict[str, _Kept] = {}
        self._owners: dict[int, Owner] = {}
        self._unwritten: dict[str, Renewed] = {}
        """New tokens that do not stand on the topic for sure; they outlive a partition opened anew."""
        self._waiting: set[int] = set()
        """Partitions with a step to write."""
        self._calls = 0
        self._stopping = False
        self._looked_at_s = self._told_at_s = 0.0
        self._forewarning = Forewarning(means.metrics)
        self.on_news: Callable[[str], None] = lambda _: None
        """Called with the store whose tokens are others now, or have ended."""

    # --------------------------------------------------------------------------------------- what is known

    def get(self, store_id: str) -> StoreTokens | None:
        """The store's newest tokens."""
        kept = self._kept.get(store_id)
        return kept.tokens if kept else None

    def take(self, tokens: StoreTokens, partition: int) -> None:
        """A record of the topic; one that is not newer changes nothing."""
        kept = self._kept.get(tokens.store_id)
        if kept is not None and _age(kept.tokens) >= _age(tokens):
            return
        if kept is not None and kept.tokens.sealed == tokens.sealed:
            self._replace(kept, tokens)
            return
        fresh = _Kept(tokens, partition)
        fresh.clear = self._opened(tokens)
        self._kept[tokens.store_id] = fresh
        self._looked_at_s = 0.0
        self.on_news(tokens.store_id)

    def erased(self, key: bytes) -> None:
        """A tombstone: the tokens of this generation are gone."""
        store_id, _, generation = key.decode(errors="replace").rpartition(":")
        kept = self._kept.get(store_id)
        if kept is not None and str(kept.tokens.generation) == generation:
            self._drop(store_id)
            self.on_news(store_id)

    def clear(self, store_id: str) -> Tokens | None:
        """The clear tokens; None when there are none or they do not open."""
        kept = self._kept.get(store_id)
        return kept.clear if kept else None

    def _opened(self, tokens: StoreTokens) -> Tokens | None:
        if self._seal is None:
            return None
        try:
            return self._seal.open(tokens)
        except SealError as error:
            log.error("tokens_unreadable", store_id=tokens.store_id, reason=str(error))
            return None

    def opened(self, number: int, owner: Owner) -> None:
        """The predecessor of this partition is shut out, and its records are taken in."""
        now = self._clock.now()
        self._owners[number] = owner
        for store_id, kept in self._of(number).items():
            unwritten = self._unwritten.get(store_id)
            if unwritten is not None and kept.tokens.sealed == unwritten.before:
                self._decide(kept, unwritten)
            else:
                self._unwritten.pop(store_id, None)
            if kept.tokens.refresh_sent_at is not None:
                kept.tries = Tries(failures=1, not_before=now + self._quiet)
        self._looked_at_s = 0.0

    @property
    def _quiet(self) -> timedelta:
        """After so long a refresh that a predecessor had announced is over."""
        return timedelta(seconds=self._rules.call_start_s + self._means.call_s_max)

    def closed(self, number: int) -> None:
        """The partition is not ours any more. New tokens that were not written are kept for its return."""
        self._owners.pop(number, None)
        self._waiting.discard(number)
        for store_id in list(self._of(number)):
            self._drop(store_id)

    def _of(self, number: int) -> dict[str, _Kept]:
        return {store_id: kept for store_id, kept in self._kept.items() if kept.partition == number}

    def _drop(self, store_id: str) -> None:
        self._kept.pop(store_id, None)
        self._forewarning.forget(store_id)

    # ------------------------------------------------------------------------------------- what reads tell

    def read_ended(self, store_id: str, sealed: bytes | None, outcome: str | None) -> None:
        """A read with the tokens sealed so has ended; None: it was answered."""
        kept = self._kept.get(store_id)
        if kept is None or kept.tokens.sealed != sealed:
            return  # they were replaced meanwhile: it says nothing of the new ones
        if outcome is None:
            kept.tries = refresh.after_read(kept.tries)
        elif outcome == errors.Unauthorised.outcome:
            kept.tries = refresh.after_refusal(kept.tries)
            self._looked_at_s = 0.0

    # -------------------------------------------------------------------------------------------- deciding

    def turn(self) -> None:
        """Decide what is due; the partition's next transaction writes it."""
        now_s = self._clock.boot_s()
        if self._stopping or now_s - self._looked_at_s < _LOOK_EVERY_S:
            return
        self._looked_at_s, now = now_s, self._clock.now()
        tell = now_s - self._told_at_s >= _TELL_EVERY_S
        if tell:
            self._told_at_s = now_s
        for store_id, kept in list(self._kept.items()):
            if kept.partition not in self._owners:
                continue
            if kept.step is None and (step := self._step(store_id, kept, now)) is not None:
                self._decide(kept, step)
            if tell:
                store = self._stores.get(store_id)
                refreshable = self._refreshable(store, kept) if store else None
                self._forewarning.tell(kept.tokens, now, refreshable=refreshable)
        self._metrics.needing_reauth.set(self._count_ended())

    def _count_ended(self) -> int:
        return sum(kept.tokens.ended_at is not None for kept in self._kept.values())

    def _step(self, store_id: str, kept: _Kept, now: datetime) -> Step | None:
        store = self._stores.get(store_id)
        if store is None:
            return None
        if store.disconnected:
            return Erase() if kept.tokens.generation <= store.token_generation else None
        if (
            kept.clear is not None
            and not kept.tries.under_way
            and not self._is_current(kept.tokens)
        ):
            return Reseal()
        refreshable = self._refreshable(store, kept)
        step = refresh.next_step(kept.tokens, kept.tries, now, self._rules, refreshable=refreshable)
        return None if isinstance(step, Wait) else step

    def _is_current(self, tokens: StoreTokens) -> bool:
        return self._seal is not None and self._seal.is_current(tokens)

    def _refreshable(self, store: Store, kept: _Kept) -> bool | None:
        if kept.clear is None or store.site not in self._means.clients:
            return None
        return kept.clear.refresh is not None

    def _decide(self, kept: _Kept, step: Step) -> None:
        kept.step = step
        self._waiting.add(kept.partition)

    # --------------------------------------------------------------------------------------------- writing

    def wants_turn(self, number: int) -> bool:
        """Whether something is to be written for this partition."""
        return number in self._waiting

    def process(self, number: int) -> list[Written]:
        """What this partition's next transaction is to write."""
        if number not in self._waiting:
            return []
        self._waiting.discard(number)
        return [
            token_steps.written(kept.step, kept.tokens, self._seal, self._clock.now())
            for kept in self._of(number).values()
            if kept.step is not None
        ]

    def committed(self, written: Written, owner: Owner, lease_s: float) -> None:
        """It counts now; a refresh that was announced starts before `lease_s` (since boot) or not at all."""
        kept = self._kept.get(written.store_id)
        if written.tokens is None:
            self._drop(written.store_id)
            return
        if kept is None or kept.tokens.generation != written.tokens.generation:
            return  # connected again in this very moment
        kept.step = None
        match written.step:
            case Refresh():
                kept.tokens = written.tokens
                self._call(written.store_id, kept, owner, lease_s)
            case Renewed():
                self._renewed(written.store_id, kept, written.tokens)
            case _:
                self._replace(kept, written.tokens)

    def _replace(self, kept: _Kept, tokens: StoreTokens) -> None:
        """Another record of the same tokens."""
        news = kept.tokens.ended_at is None and tokens.ended_at is not None
        kept.tokens = tokens
        if news:
            log.error(
                "needs_reauth",
                store_id=tokens.store_id,
                reason=tokens.ended_reason,
                todo=todo(tokens.store_id),
            )
            self.on_news(tokens.store_id)

    def _renewed(self, store_id: str, kept: _Kept, tokens: StoreTokens) -> None:
        self._unwritten.pop(store_id, None)
        kept.tries = refresh.after_renewal(kept.tries, self._clock.now(), self._rules)
        kept.tokens, kept.clear = tokens, self._opened(tokens)
        ends = tokens.expires_at.isoformat() if tokens.expires_at else None
        log.info("tokens_refreshed", store_id=store_id, access_ends_at=ends)
        self.on_news(store_id)

    # --------------------------------------------------------------------------------------------- calling

    def _call(self, store_id: str, kept: _Kept, owner: Owner, lease_s: float) -> None:
        client = self._means.clients[self._stores[store_id].site]
        if kept.clear is None or kept.clear.refresh is None or self._stopping:
            return
        kept.tries = refresh.started(kept.tries)
        self._calls += 1
        token, boot_s = kept.clear.refresh, self._clock.boot_s
        asked = RefreshEnded(kept.tokens, kept.clear, self._clock.now())

        def may_start() -> bool:
            return owner.running and boot_s() < lease_s

        self._means.background.spawn(lambda: _refreshed(client, token, asked, may_start))

    def ended(self, ended: RefreshEnded) -> None:
        """A refresh came back."""
        self._calls -= 1
        kept = self._kept.get(ended.before.store_id)
        current = kept is not None and kept.tokens.sealed == ended.before.sealed
        if ended.grant is not None:
            self._metrics.refreshes.labels("ok").inc()
            self._granted(kept, ended, ended.grant)
        elif ended.error is not None:
            self._metrics.refreshes.labels(ended.error.outcome).inc()
            if kept is not None and current:
                self._failed(kept, ended.error)

    def _granted(self, kept: _Kept | None, ended: RefreshEnded, grant: TokenGrant) -> None:
        """Seal the new tokens for the next transaction, or for the return of the partition."""
        before, store_id = ended.before, ended.before.store_id
        if kept is not None and kept.tokens.sealed != before.sealed:
            log.info("refreshed_too_late", store_id=store_id)  # connected again meanwhile
            return
        assert self._seal is not None  # noqa: S101 - without it there was nothing to ask with
        renewed = token_steps.renewed(ended, grant, self._seal)
        self._unwritten[store_id] = renewed
        if kept is not None:
            self._decide(kept, renewed)
        else:
            log.warning("refreshed_without_owner", store_id=store_id)

    def _failed(self, kept: _Kept, error: errors.AlibabaError) -> None:
        store_id = kept.tokens.store_id
        retry_s = error.retry_after_s if isinstance(error, errors.Throttled) else None
        now = self._clock.now()
        kept.tries = refresh.after_failure(kept.tries, now, self._rules, retry_after_s=retry_s)
        self._looked_at_s = 0.0
        if not isinstance(error, errors.Unauthorised):
            log.warning(
                "refresh_failed", store_id=store_id, outcome=error.outcome, detail=str(error)
            )
            return
        kept.tries = refresh.refused(kept.tries)
        ends = kept.tokens.expires_at.isoformat() if kept.tokens.expires_at else None
        log.error(
            "refresh_refused",
            store_id=store_id,
            detail=str(error),
            access_ends_at=ends,
            todo=todo(store_id),
        )

    # -------------------------------------------------------------------------------------------- stopping

    def stop(self) -> None:
        """Start nothing new; tokens that came are still written."""
        self._stopping = True
        for kept in self._kept.values():
            if isinstance(kept.step, Refresh):
                kept.step = None

    @property
    def busy(self) -> bool:
        """Whether a refresh is under way, or its tokens wait to be written by a partition of ours."""
        return self._calls > 0 or bool(self._waiting)


async def _refreshed(
    client: AlibabaClient,
    token: SecretStr,
    asked: RefreshEnded,
    may_start: Callable[[], bool],
) -> RefreshEnded:
    try:
        return replace(asked, grant=await client.refresh_token(token, may_start=may_start))
    except errors.AlibabaError as error:
        return replace(asked, error=error)


def _age(tokens: StoreTokens) -> tuple[int, datetime]:
    return tokens.generation, tokens.written_at
