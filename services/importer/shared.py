"""What the partitions of one importer share: the schedule, the stores' lines, the windows being read."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from pydantic import Field

from services.importer.metrics import ImporterMetrics
from services.importer.paging import Paging, first_page
from services.importer.reading import OrderReader, StoreLine, TaskFailed
from services.importer.readings import Readings
from services.importer.schedule import PollStore, ReadOrders, Schedule, Task
from services.importer.settings import ImporterSettings
from services.importer.windows import Window, next_window
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.ratelimit import AsyncLimiter, StoreLimiter
from waybill.clock import Clock
from waybill.contracts import ImportCursor, ImportSeen, Order, OrderHint, Store, StoreTokens
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.settings import Settings, SiteSettings
from waybill.streaming.background import Background
from waybill.tokens import SealError, TokenSeal

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
    hint: Codec[OrderHint] = field(init=False)

    def __post_init__(self) -> None:
        """Make them once; a codec parses its schema when it is made."""
        self.order = Codec(Order, "order", self.book)
        self.store = Codec(Store, "store", self.book)
        self.tokens = Codec(StoreTokens, "store_tokens", self.book)
        self.cursor = Codec(ImportCursor, "import_cursor", self.book)
        self.seen = Codec(ImportSeen, "import_seen", self.book)
        self.hint = Codec(OrderHint, "order_hint", self.book)


@dataclass(slots=True)
class Polling:
    """The window of a store that is being read."""

    window: Window
    paging: Paging
    published: int = 0


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
        self.cursors: dict[str, ImportCursor] = {}
        self.polls: dict[str, Polling] = {}
        self.last_windows: dict[str, Window] = {}
        self.under_way: dict[str, Task] = {}
        self._sealed: dict[str, StoreTokens] = {}
        self._lines: dict[str, StoreLine] = {}
        self._clients = clients
        self._reader = OrderReader(clock)
        self._seal = TokenSeal(settings.seal_key) if settings.seal_key else None
        self.tick()

    def tick(self) -> None:
        """Read the clock once per turn."""
        self.now: datetime = self.clock.now().astimezone(UTC)
        self.now_ms = millis(self.now)

    def take_tokens(self, tokens: StoreTokens) -> None:
        """Newer tokens of a store."""
        known = self._sealed.get(tokens.store_id)
        newest = (tokens.generation, tokens.written_at)
        if known is None or (known.generation, known.written_at) < newest:
            self._sealed[tokens.store_id] = tokens
            self._lines.pop(tokens.store_id, None)

    def forget(self, store_id: str) -> None:
        """The store is not this process's any more."""
        self.schedule.remove(store_id)
        for known in (self.stores, self.cursors, self.polls, self.last_windows, self.under_way):
            known.pop(store_id, None)
        self._sealed.pop(store_id, None)
        self._lines.pop(store_id, None)

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
        if isinstance(task, ReadOrders):
            self.background.spawn(lambda: self._reader.read_orders(line, task))
        else:
            self._poll(line, task)

    def _poll(self, line: StoreLine, task: PollStore) -> None:
        polling = self.polls.get(task.store_id)
        if polling is None:
            cursor = self.cursors.get(task.store_id)
            rules, last = self.settings.importer, self.last_windows.get(task.store_id)
            window = next_window(line.store, cursor, self.now, rules, last=last)
            polling = Polling(window, first_page(window, rules))
            self.polls[task.store_id] = polling
        window, page = polling.window, polling.paging.page
        needed = self.readings.needed
        self.background.spawn(lambda: self._reader.read_page(line, task, window, page, needed))

    def _line(self, store_id: str) -> StoreLine | str:
        """What calls for the store need, or in a word why there can be none."""
        line = self._lines.get(store_id)
        return line if line is not None else self._new_line(store_id)

    def _new_line(self, store_id: str) -> StoreLine | str:
        store, sealed = self.stores.get(store_id), self._sealed.get(store_id)
        if store is None or sealed is None:
            return "no_tokens"
        client = self._clients.get(store.site)
        if client is None:
            return "site_not_configured"
        if self._seal is None:
            return "no_seal_key"
        try:
            token = self._seal.open(sealed).access
        except SealError as error:
            log.error("tokens_unreadable", store_id=store_id, reason=str(error))
            return "tokens_unreadable"
        limits = self.settings.sites[store.site].api.rate_limit
        limiter = AsyncLimiter(StoreLimiter(limits, self.clock.boot_s()), now_s=self.clock.boot_s)
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
        dropped = self.schedule.failed(failed.task, self.now, retry_at=failed.retry_at)
        self.metrics.failed.labels(failed.outcome).inc()
        log.warning(
            "import_failed", store_id=store_id, outcome=failed.outcome, detail=failed.detail
        )
        self.report_dropped(store_id, dropped)

    def report_dropped(self, store_id: str, keys: tuple[str, ...]) -> None:
        """Hinted orders that were tried too often; polling goes on finding them."""
        for key in keys:
            log.warning("hint_dropped", store_id=store_id, order_key=key)
