"""What the partitions of one notifier share: settings, stores, limits, and the way to Alibaba.

Used on the runtime's thread only; calls are handed to the asyncio thread and come back as results.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any, Protocol

import structlog
from pydantic import SecretStr

from services.notifier import timetable
from services.notifier.caller import Caller, CallSlots, Done, Page, StoreLine
from services.notifier.codecs import Codecs
from services.notifier.lookups import Lookups
from services.notifier.metrics import NotifierMetrics
from services.notifier.rule import CallNeverStarted, Event, Limits, StartCall
from services.notifier.scheduling import (
    Breaker,
    Gates,
    Phase,
    Turns,
    Work,
    Works,
    refusals,
    was_answered,
)
from services.notifier.settings import NotifierSettings
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.ratelimit import AsyncLimiter, Limiters, for_store
from waybill.clock import Clock
from waybill.contracts import Proof, Store, StoreTokens
from waybill.contracts.base import millis
from waybill.contracts.keys import parse_order_key
from waybill.streaming.background import Background
from waybill.streaming.failures import FailureTally
from waybill.tokens import SealError, TokenSeal

log = structlog.get_logger()

_ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}
"""Alibaba takes .jpg and no .jpeg."""
_UNAUTHORISED = "unauthorised"
_SILENT = frozenset({_UNAUTHORISED, "needs_reauth", "disconnected", "no_tokens"})
"""Gates behind which not even a look-up is of use."""


class Owner(Protocol):
    """A partition that may start calls as long as it is running."""

    number: int

    @property
    def running(self) -> bool:
        """False once the partition was given back or shut out."""
        ...

    def result(self, key: str, event: Event) -> None:
        """A call ended."""


class Shared:
    """See the module."""

    def __init__(
        self,
        settings: NotifierSettings,
        clock: Clock,
        metrics: NotifierMetrics,
        background: Background,
        clients: Mapping[str, AlibabaClient],
        version: str,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.metrics = metrics
        self.background = background
        self.clients = clients
        self.version = version
        self.group = settings.group
        self.partitions = settings.kafka.partitions
        self.codecs = Codecs()
        self.works = Works(settings.works_max, settings.works_per_store_max)
        self.gates = Gates()
        self.breaker = Breaker()
        self.refusals = refusals()
        self.failures = FailureTally()
        self.turns = Turns()
        self.line_moved = True
        """Set when somebody joined a line or left the works: slots may be granted."""
        self.stores: dict[str, Store] = {}
        self.sealed: dict[str, StoreTokens] = {}
        self.lines: dict[str, StoreLine] = {}
        self._limiters = Limiters(now_s=clock.boot_s)
        self.caller = Caller(clock)
        self.lookups = Lookups(settings.lookups_max, self._may_ask, self._ask)
        self.limits = _limits(settings, version)
        self.on_closed: Callable[[Any], None] = lambda _: None
        self.queues_empty: Callable[[str], bool] = lambda _: True
        self._seal = TokenSeal(settings.seal_key) if settings.seal_key else None
        self._slots: dict[str, CallSlots] = {}
        """By store: new tokens do not double the calls at once."""
        self._reasons: set[str] = set()
        self.tick()

    def tick(self) -> None:
        """Read the clocks once per turn."""
        self.now: datetime = self.clock.now().astimezone(UTC)
        self.now_ms = millis(self.now)
        self.now_s = self.clock.boot_s()

    # ---------------------------------------------------------------------------------------- stores

    def take_store(self, store: Store) -> bool:
        """Newer settings of a store; True when they are news."""
        known = self.stores.get(store.store_id)
        if known is not None and known.revision >= store.revision:
            return False
        self.stores[store.store_id] = store
        if line := self.lines.get(store.store_id):
            line.status_map = store.status_map
            self._limiter(store)
        self._refresh_gate(store.store_id)
        return True

    def take_tokens(self, tokens: StoreTokens) -> None:
        """Newer tokens of a store open its gate again."""
        known = self.sealed.get(tokens.store_id)
        if known is not None and (known.generation, known.written_at) >= (
            tokens.generation,
            tokens.written_at,
        ):
            return
        self.sealed[tokens.store_id] = tokens
        if known is not None and known.sealed == tokens.sealed:
            if (known.ended_at is None) != (tokens.ended_at is None):
                self._refresh_gate(tokens.store_id)
            return  # the importer has noted something about the same tokens
        self.lines.pop(tokens.store_id, None)
        self.refusals.answered(tokens.store_id)
        self._narrow(tokens.store_id)
        self._refresh_gate(tokens.store_id)

    def drop_tokens(self, key: bytes) -> None:
        """A tombstone: the tokens of this store and generation are gone."""
        store_id, _, generation = key.decode(errors="replace").rpartition(":")
        known = self.sealed.get(store_id)
        if known is not None and str(known.generation) == generation:
            del self.sealed[store_id]
            self.lines.pop(store_id, None)
            self._refresh_gate(store_id)

    def _refresh_gate(self, store_id: str) -> None:
        self.line_moved = True
        store = self.stores.get(store_id)
        self.gates.open(store_id)
        if store is None or store.disconnected:
            self._close_gate(store_id, "disconnected")
        elif store.paused:
            self._close_gate(store_id, "paused")
        elif store.site not in self.clients:
            self._close_gate(store_id, "site_not_configured")
        elif store_id not in self.sealed:
            self._close_gate(store_id, "no_tokens")
        elif self.sealed[store_id].ended_at is not None:
            self._close_gate(store_id, "needs_reauth")
        elif rest_s := self.refusals.rest_s(store_id, self.now_s):
            self._close_gate(store_id, _UNAUTHORISED, rest_s)

    def _close_gate(
        self, store_id: str, reason: str, for_s: float | None = None, detail: str | None = None
    ) -> None:
        until_s = None if for_s is None else self.now_s + for_s
        if self.gates.close(store_id, reason, until_s):
            log.warning("store_gated", store_id=store_id, reason=reason, for_s=for_s, detail=detail)

    def line(self, store_id: str) -> StoreLine | None:
        """What calls for a store need; None closes its gate."""
        line = self.lines.get(store_id)
        return line if line is not None else self._new_line(store_id)

    def _new_line(self, store_id: str) -> StoreLine | None:
        store, sealed = self.stores.get(store_id), self.sealed.get(store_id)
        client = self.clients.get(store.site) if store else None
        if store is None or sealed is None or client is None or self._seal is None:
            self._close_gate(store_id, "no_tokens" if self._seal else "no_seal_key")
            return None
        try:
            token: SecretStr = self._seal.open(sealed).access
        except SealError as error:
            log.error("tokens_unreadable", store_id=store_id, reason=str(error))
            self._close_gate(store_id, "tokens_unreadable")
            return None
        limiter = self._limiter(store)
        slots = self._slots.setdefault(store_id, CallSlots(self.settings.calls_per_store_max))
        line = StoreLine(store_id, client, token, limiter, slots, store.status_map)
        self.lines[store_id] = line
        return line

    def _limiter(self, store: Store) -> AsyncLimiter:
        """The store's limiter, under its present start value."""
        limits = self.settings.sites[store.site].api.rate_limit
        if store.rate_per_s is not None:
            limits = for_store(limits, store.rate_per_s)
        return self._limiters.of(store.store_id, limits, app=store.site)

    def is_open(self, store_id: str) -> bool:
        """Whether orders of the store may go now."""
        return self.gates.is_open(store_id, self.now_s)

    def may_go(self, store_id: str) -> bool:
        """The same, within the store's daily window."""
        store = self.stores.get(store_id)
        in_window = store is None or timetable.closed_because(store, self.now) is None
        return in_window and self.is_open(store_id)

    def claimed_by_ms(self, store_id: str) -> int:
        """What joined the store's line until then has waited as long as the store wants it to."""
        store = self.stores.get(store_id)
        return self.now_ms if store is None else timetable.claimed_by_ms(store, self.now_ms)

    def may_go_at_once(self, store_id: str, claimed_at: datetime | None) -> bool:
        """A slot is free, the gate is open and nobody of the store waits in line."""
        is_ripe = claimed_at is None or millis(claimed_at) <= self.claimed_by_ms(store_id)
        return (
            is_ripe
            and self.works.free(store_id) > 0
            and self.may_go(store_id)
            and self.queues_empty(store_id)
        )

    # ----------------------------------------------------------------------------------------- calls

    def upload(self, work: Work, proof: Proof) -> bool:
        """Start uploading a proof; repeatable, so no commit has to come first. False: not possible now."""
        line = self.line(work.store_id)
        if line is None:
            return False
        work.phase = Phase.UPLOADING
        trade_id = parse_order_key(work.key).trade_id
        pages = [
            Page(
                f"proof_{trade_id}_{page.sha256[:8]}.{_ENDINGS[page.media_type]}",
                page.image,
                page.sha256,
            )
            for page in proof.pages
        ]
        self.background.spawn(
            lambda: self.caller.upload(line, work.partition, work.key, work.claim_id, pages)
        )
        return True

    def declare(self, owner: Owner, key: str, call: StartCall, lease_s: float) -> None:
        """Start the call that its committed entry announced; not a byte of it after the lease."""
        work = self.works.get(key)
        if work is None:
            raise RuntimeError(f"{key}: a call without its place in the works")
        line = self.line(work.store_id)
        if line is None:  # the tokens went away in this very moment
            owner.result(key, CallNeverStarted(call.attempt))
            return
        work.phase, work.call = Phase.CALLING, call
        boot_s = self.clock.boot_s

        def may_start() -> bool:
            return owner.running and boot_s() < lease_s

        self.background.spawn(
            lambda: self.caller.declare(
                line, owner.number, key, call.request, call.attempt, may_start
            )
        )

    def _may_ask(self, store_id: str) -> bool:
        if self.is_open(store_id):
            return True
        return self.gates.closed[store_id].reason not in _SILENT

    def _ask(self, store_id: str, partition: int, key: str) -> bool:
        line = self.line(store_id)
        if line is None:
            return False
        trade_id = parse_order_key(key).trade_id
        self.background.spawn(lambda: self.caller.look_up(line, partition, key, trade_id))
        return True

    def done(self, done: Done) -> None:
        """A call ended: what it says of its store."""
        self.lookups.ended(done.key)
        if done.gate == _UNAUTHORISED:
            self._refused(done)
        elif done.gate is not None:
            self._close_gate(done.store_id, done.gate, done.gate_s, done.detail)
        self._weigh(done)
        self._narrow(done.store_id)

    def _refused(self, done: Done) -> None:
        """Its token was refused: the store pauses until there are others, and one order tries in between."""
        if self._is_outdated(done):
            return
        pause_s = self.refusals.unanswered(done.store_id, self.now_s)
        if pause_s is not None:
            self._close_gate(done.store_id, _UNAUTHORISED, pause_s, done.detail)

    def _weigh(self, done: Done) -> None:
        """Calls without an answer, one after another, are the store's trouble and not the orders'."""
        answered = True if done.gate is not None else was_answered(done.event)
        if answered is None:
            return
        if answered:
            self.breaker.answered(done.store_id)
            if done.gate != _UNAUTHORISED:
                self.refusals.answered(done.store_id)
        elif (pause_s := self.breaker.unanswered(done.store_id, self.now_s)) is not None:
            self._close_gate(done.store_id, "unreachable", pause_s)

    def _narrow(self, store_id: str) -> None:
        """One order of a store in trouble tries; the others wait for how that ends."""
        rooms = (self.breaker.room(store_id), self.refusals.room(store_id))
        self.works.narrow(store_id, min((r for r in rooms if r is not None), default=None))

    def _is_outdated(self, done: Done) -> bool:
        """Refused for tokens that were replaced while the call was under way: nobody would open the gate."""
        line = self.lines.get(done.store_id)
        return done.token is not None and (line is None or line.token is not done.token)

    @property
    def under_way(self) -> int:
        """Calls and look-ups whose end has not come back."""
        calling = sum(work.phase is not Phase.ASKED for work in self.works)
        return calling + len(self.lookups.under_way)

    def observe(self) -> None:
        """Tell the gauges."""
        self.metrics.works.set(len(self.works))
        for reason, count in self._gated().items():
            self.metrics.gates.labels(reason).set(count)
        self.metrics.in_flight.set(sum(line.slots.in_use for line in self.lines.values()))

    def _gated(self) -> Counter[str]:
        """Stores behind each gate; a reason that was seen once stays, at zero."""
        gates = self.gates.closed.items()
        now = Counter(
            gate.reason for store_id, gate in gates if self.gates.is_shut(store_id, self.now_s)
        )
        open_ = (
            store
            for store_id, store in self.stores.items()
            if not self.gates.is_shut(store_id, self.now_s)
        )
        now.update(timetable.closed(open_, self.now))
        self._reasons |= now.keys()
        return Counter({reason: now[reason] for reason in self._reasons})

    def closed(self, handler: Any) -> None:
        """A partition was given back."""
        self.on_closed(handler)


def _limits(settings: NotifierSettings, version: str) -> Limits:
    return Limits(
        partition_count=settings.kafka.partitions,
        writer=version,
        call_start_s=ceil(settings.call_start_s),
        call_s=ceil(max((site.api.call_s for site in settings.sites.values()), default=30)),
        call_horizon_s=settings.call_horizon_s,
        lookup_gap_s=settings.lookup_gap_s,
        lookup_first_s=settings.lookup_first_s,
        proof_asks_max=settings.proof_asks_max,
        claim_timeout_s=int(settings.claim_timeout_s),
        retry_first_s=settings.retry_first_s,
        retry_max_s=settings.retry_max_s,
        hint_first_s=settings.hint_first_s,
    )
