"""What the partitions of one importer share: the schedule, the stores' lines, the windows being read."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from pydantic import Field

from services.importer.metrics import ImporterMetrics
from services.importer.progress import StoreProgress
from services.importer.reading import OrderReader, StoreLine, TaskFailed
from services.importer.readings import Readings
from services.importer.refresh import RefreshRules
from services.importer.renewal import Means, TokenKeeper
from services.importer.schedule import PollStore, ReadOrders, Schedule, Task
from services.importer.settings import ImporterSettings
from services.importer.windows import backfill_due
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.ratelimit import Limiters, for_store
from waybill.clock import Clock
from waybill.contracts import (
    Enrichment,
    ImportCursor,
    ImportSeen,
    Order,
    OrderHint,
    Store,
    StoreTokens,
)
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.push.settings import PushSettings
from waybill.settings import Settings, SiteSettings
from waybill.streaming.background import Background
from waybill.tokens import TokenSeal

log = structlog.get_logger()


class ImporterServiceSettings(Settings):
    """What the importer needs beside the common settings."""

    group: str = Field("waybill-importer", description="Consumer group; one per installation.")
    sites: dict[str, SiteSettings] = Field(
        default_factory=dict, description="Site name to its application and API settings, as JSON."
    )
    importer: ImporterSettings = Field(
        default_factory=ImporterSettings, description="When and how much is read."
    )
    refresh: RefreshRules = Field(
        default_factory=RefreshRules, description="When tokens are refreshed."
    )
    push: PushSettings = Field(
        default_factory=PushSettings, description="Where Alibaba's push messages arrive."
    )
    reads_at_once: int = Field(8, ge=1, description="Calls at once for one store.")
    tasks_max: int = Field(16, ge=1, description="Stores that are read at the same time.")


@dataclass(slots=True)
class Codecs:
    """The codecs that the importer needs, over one book of schemas."""

    book: SchemaBook = field(default_factory=SchemaBook)
    order: Codec[Order] = field(init=False)
    store: Codec[Store] = field(init=False)
    tokens: Codec[StoreTokens] = field(init=False)
    cursor: Codec[ImportCursor] = field(init=False)
    seen: Codec[ImportSeen] = field(init=False)
    enrichment: Codec[Enrichment] = field(init=False)
    hint: Codec[OrderHint] = field(init=False)

    def __post_init__(self) -> None:
        """Make them once; a codec parses its schema when it is made."""
        self.order = Codec(Order, "order", self.book)
        self.store = Codec(Store, "store", self.book)
        self.tokens = Codec(StoreTokens, "store_tokens", self.book)
        self.cursor = Codec(ImportCursor, "import_cursor", self.book)
        self.seen = Codec(ImportSeen, "import_seen", self.book)
        self.enrichment = Codec(Enrichment, "enrichment", self.book)
        self.hint = Codec(OrderHint, "order_hint", self.book)


class Shared:
    """Used on the runtime's thread only; calls run on the asyncio thread."""

    def __init__(
        self,
        settings: ImporterServiceSettings,
        clock: Clock,
        metrics: ImporterMetrics,
        background: Background,
        clients: Mapping[str, AlibabaClient],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.metrics = metrics
        self.background = background
        self.partitions = settings.kafka.partitions
        self.codecs = Codecs()
        self.schedule = Schedule(settings.importer, random.Random())  # noqa: S311 - jitter, not secrets
        self.readings = Readings(settings.importer)
        self.stores: dict[str, Store] = {}
        self.progress: dict[str, StoreProgress] = {}
        self.asked: dict[str, datetime] = {}
        """Orders that an operator wants to have read, with when that was asked for."""
        self.under_way: dict[str, Task] = {}
        self._read_with: dict[str, bytes] = {}
        """Sealed tokens of the task under way."""
        self._lines: dict[str, StoreLine] = {}
        self._limiters = Limiters(now_s=clock.boot_s)
        self._clients = clients
        self._reader = OrderReader(clock)
        self.keeper = TokenKeeper(
            settings.refresh,
            Means(clock, metrics, background, clients, _call_s_max(settings)),
            TokenSeal(settings.seal_key) if settings.seal_key else None,
            self.stores,
        )
        self.keeper.on_news = self._tokens_changed
        self.tick()

    def tick(self) -> None:
        """Read the clock once per turn."""
        self.now: datetime = self.clock.now().astimezone(UTC)
        self.now_ms = millis(self.now)

    def _tokens_changed(self, store_id: str) -> None:
        """The next call uses the tokens that the store has now; a store that rested for them is due."""
        self._lines.pop(store_id, None)
        self.schedule.wake(store_id)

    def forget(self, store_id: str) -> None:
        """The store is not this process's any more."""
        self.schedule.remove(store_id)
        for known in (self.stores, self.progress, self.under_way):
            known.pop(store_id, None)
        self._read_with.pop(store_id, None)
        self._lines.pop(store_id, None)
        self._limiters.forget(store_id)

    def start_tasks(self) -> None:
        """Start what is due, a bounded number at once; one task per store."""
        while len(self.under_way) < self.settings.tasks_max:
            task = self.schedule.take(self.now)
            if task is None:
                return
            self._start(task)

    def _start(self, task: Task) -> None:
        line = self._line(task.store_id)
        if isinstance(line, str):
            self.task_failed(TaskFailed(task, line, f"store {task.store_id}: {line}"))
            return
        self.under_way[task.store_id] = task
        if sealed := self.keeper.get(task.store_id):
            self._read_with[task.store_id] = sealed.sealed
        if isinstance(task, ReadOrders):
            self.background.spawn(lambda: self._reader.read_orders(line, task))
        else:
            self._poll(line, task)

    def _poll(self, line: StoreLine, task: PollStore) -> None:
        progress, rules = self.progress_of(task.store_id), self.settings.importer
        polling = progress.polling(line.store, self.now, rules, backfill=task.backfill)
        window, page = polling.window, polling.paging.page
        needed = polling.unread if task.backfill else self.readings.needed
        self.background.spawn(lambda: self._reader.read_page(line, task, window, page, needed))

    def progress_of(self, store_id: str) -> StoreProgress:
        """How far the import of a store is."""
        return self.progress.setdefault(store_id, StoreProgress())

    def check_backfill(self, store_id: str) -> None:
        """After a change of the store or its cursor: whether history is to be read."""
        store = self.stores.get(store_id)
        if store is not None:
            due = backfill_due(store, self.progress_of(store_id).cursor)
            self.schedule.backfill(store_id, due=due)

    def ask(self, hint: OrderHint) -> None:
        """An operator waits for this order: its next reading is told even if nothing changed."""
        if len(self.asked) < self.settings.importer.hints_max:
            self.asked[hint.order_key] = hint.hinted_at

    def _line(self, store_id: str) -> StoreLine | str:
        """What calls for the store need, or in a word why there can be none."""
        line = self._lines.get(store_id)
        return line if line is not None else self._new_line(store_id)

    def _new_line(self, store_id: str) -> StoreLine | str:
        store, sealed = self.stores.get(store_id), self.keeper.get(store_id)
        if store is None or sealed is None:
            return "no_tokens"
        if sealed.ended_at is not None:
            return "needs_reauth"
        client = self._clients.get(store.site)
        if client is None:
            return "site_not_configured"
        if self.settings.seal_key is None:
            return "no_seal_key"
        clear = self.keeper.clear(store_id)
        if clear is None:
            return "tokens_unreadable"
        token = clear.access
        limits = self.settings.sites[store.site].api.rate_limit
        if store.rate_per_s is not None:
            limits = for_store(limits, store.rate_per_s)
        limiter = self._limiters.of(store_id, limits, app=store.site)
        line = StoreLine(
            store, client, token, limiter, asyncio.Semaphore(self.settings.reads_at_once)
        )
        self._lines[store_id] = line
        return line

    def store_changed(self, store: Store) -> None:
        """The next call sees the store's new settings."""
        self.stores[store.store_id] = store
        self._lines.pop(store.store_id, None)

    def task_failed(self, failed: TaskFailed) -> None:
        """A task failed: the store rests and is tried again, for as long as it is connected."""
        store_id = failed.task.store_id
        self.under_way.pop(store_id, None)
        self.read_ended(store_id, failed.outcome)
        dropped = self.schedule.failed(failed.task, self.now, retry_at=failed.retry_at)
        self.metrics.failed.labels(failed.outcome).inc()
        log.warning(
            "import_failed", store_id=store_id, outcome=failed.outcome, detail=failed.detail
        )
        self.report_dropped(store_id, dropped)

    def read_ended(self, store_id: str, outcome: str | None = None) -> None:
        """What the end of a task says of the tokens it was done with; None: the site answered."""
        self.keeper.read_ended(store_id, self._read_with.pop(store_id, None), outcome)

    def report_dropped(self, store_id: str, keys: tuple[str, ...]) -> None:
        """Hinted orders that were tried too often; polling finds them, and those that it listed are owed."""
        for key in keys:
            self.asked.pop(key, None)
            log.warning("hint_dropped", store_id=store_id, order_key=key)


def _call_s_max(settings: ImporterServiceSettings) -> float:
    return max((site.api.call_s for site in settings.sites.values()), default=0.0)
