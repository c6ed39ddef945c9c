"""One owned partition of the importer: its stores, what was seen of their orders, one transaction at a time.

Orders, what was seen of them and the cursor go out together; whoever dies in between has published
nothing, and the next owner reads the same window again.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from services.importer.changes import Keep, Publish, decide, unread
from services.importer.enriching import codes_of, enriched, made_with
from services.importer.enrichments import TOPIC as ENRICHMENTS
from services.importer.enrichments import EnrichmentView
from services.importer.memory import OrderMemory, reread_headers
from services.importer.normalise import Draft
from services.importer.progress import Step
from services.importer.reading import TaskEnded, TaskFailed
from services.importer.schedule import PollStore
from services.importer.shared import Shared
from services.importer.statuses import mapping_version
from services.importer.token_steps import Written
from waybill.contracts import ImportSeen, Order, Store
from waybill.contracts.base import Record
from waybill.contracts.codec import Codec, DecodeError
from waybill.contracts.enrichment import store_of_key
from waybill.contracts.headers import ORDER_STATUS, event_headers
from waybill.contracts.identity import record_key
from waybill.contracts.keys import partition_of
from waybill.streaming.ports import Batch
from waybill.streaming.records import Header, Inbound, Outbound
from waybill.streaming.store import Changes, LocalStore

log = structlog.get_logger()

R = TypeVar("R", bound=Record)

_SOURCE = "waybill/importer"
_GROUP = "waybill-importer"
_KEPT = ("import-cursors", "import-seen", ENRICHMENTS)
"""Topics whose view stays on disk, with its position; the others are few records and read anew."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Effect: a task's outcome is committed."""

    ended: TaskEnded
    step: Step | None
    """Where the window of a poll stands."""


@dataclass(frozen=True, slots=True)
class Enriched:
    """Effect: the facts under these keys are others now."""

    keys: tuple[str, ...]


class ImporterPartition:
    """See `waybill.streaming.ports.Handler`.

    The view: orders (see `OrderMemory`), enrichments (see `EnrichmentView`), `c/<store>` the cursor. Stores
    and tokens are few and are read anew each time.
    """

    def __init__(self, number: int, store: LocalStore, shared: Shared) -> None:
        self.number = number
        self._store = store
        self._shared = shared
        codecs = shared.codecs
        self._enrichments = EnrichmentView(
            number, shared.partitions, store, codecs.enrichment, shared.metrics
        )
        self._memory = OrderMemory(store, codecs.seen, self._enrichments)
        self._results: deque[TaskEnded] = deque()
        self._stores: dict[str, Store] = {}
        self._running = False

    def position(self, topic: str) -> int | None:
        """See `Handler.position`."""
        return self._store.position(topic) if topic in _KEPT else None

    def absorb(self, records: Sequence[Inbound]) -> None:
        """See `Handler.absorb`."""
        changes = Changes()
        for record in records:
            if record.topic == "import-seen":
                self._memory.absorb(changes, record)
            elif record.topic == "import-cursors" and record.value is not None:
                changes.put(b"c/" + (record.key or b""), record.value)
            elif record.topic == ENRICHMENTS:
                self._enrichments.take(changes, record)
            else:
                self._take_settings(record)
        kept = {r.topic: r.offset + 1 for r in records if r.topic in _KEPT}
        self._store.apply(changes, kept)

    def _take_settings(self, record: Inbound) -> None:
        """A store or its tokens; a row that cannot be read leaves the store as it was, with an alert."""
        if record.value is None:
            if record.topic == "store-tokens":
                self._shared.keeper.erased(record.key or b"")
            return
        codecs = self._shared.codecs
        try:
            if record.topic == "stores":
                self._take_store(codecs.store.decode(record.value))
            else:
                self._shared.keeper.take(codecs.tokens.decode(record.value), self.number)
        except DecodeError as error:
            log.error(
                "settings_unreadable", topic=record.topic, offset=record.offset, reason=str(error)
            )

    def _take_store(self, store: Store) -> None:
        self._stores[store.store_id] = store
        if self._running:
            self._schedule(store)

    def _schedule(self, store: Store) -> None:
        shared = self._shared
        shared.store_changed(store)
        outdated = shared.schedule.put(store, shared.now)
        shared.check_backfill(store.store_id)
        if outdated:
            shared.schedule.reread(store.store_id, self._memory.outdated(store))

    def opened(self, accepted_at: datetime | None = None) -> None:  # noqa: ARG002 - it forgets nothing
        """See `Handler.opened`."""
        self._running = True
        for key, value in self._store.scan(b"c/", 1_000_000):
            progress = self._shared.progress_of(key[2:].decode())
            progress.cursor = self._shared.codecs.cursor.decode(value)
        for store in self._stores.values():
            self._schedule(store)
        self._shared.keeper.opened(self.number, self)

    def result(self, ended: TaskEnded) -> None:
        """A task of one of this partition's stores came back."""
        self._results.append(ended)

    def wants_turn(self) -> bool:
        """See `Handler.wants_turn`."""
        tokens = self._shared.keeper.wants_turn(self.number)
        return bool(self._results) or tokens or self._enrichments.waiting

    def process(self, records: Sequence[Inbound]) -> Batch:
        """See `Handler.process`."""
        batch = Batch()
        self._take_views(batch, records)
        seen: dict[str, ImportSeen | None] = {}
        while self._results:
            self._ended(batch, seen, self._results.popleft())
        for written in self._shared.keeper.process(self.number):
            self._write_tokens(batch, written)
        return batch

    def _take_views(self, batch: Batch, records: Sequence[Inbound]) -> None:
        keys = []
        for record in records:
            if record.topic == ENRICHMENTS:
                keys.append(self._enrichments.take(batch.changes, record))
            else:
                self._take_settings(record)
        if self._enrichments.waiting:
            self._enrichments.flush(batch, _GROUP, self._shared.now_ms)
        if changed := tuple(dict.fromkeys(key for key in keys if key)):
            batch.effects.append(Enriched(changed))

    def _write_tokens(self, batch: Batch, written: Written) -> None:
        if written.tokens is not None:
            self._put(batch, "store-tokens", self._shared.codecs.tokens, written.tokens, [])
        else:
            batch.outputs.append(Outbound("store-tokens", self.number, written.key, None))
        batch.effects.append(written)

    def _ended(self, batch: Batch, seen: dict[str, ImportSeen | None], ended: TaskEnded) -> None:
        store = self._stores.get(ended.task.store_id)
        if store is None:
            return
        for error in ended.unreadable:
            self._shared.metrics.unreadable.inc()
            log.error("order_unreadable", store_id=store.store_id, reason=str(error))
        published = sum(self._reading(batch, seen, store, reading) for reading in ended.readings)
        if isinstance(ended.task, PollStore):
            self._owe(batch, seen, store, ended.unread)
        batch.effects.append(Finished(ended, self._step(batch, store, ended, published)))

    def _owe(
        self,
        batch: Batch,
        seen: dict[str, ImportSeen | None],
        store: Store,
        keys: Sequence[str],
    ) -> None:
        """Listed orders that the site did not give: the window goes on without them, they are owed."""
        for key in keys:
            before = seen[key] if key in seen else self._memory.seen(key)
            if before is None or (before.store_id == store.store_id and not before.erased):
                self._shared.metrics.owed.inc()
                owing = seen[key] = unread(before, key, store.store_id)
                self._keep_seen(batch, owing)

    def _reading(
        self,
        batch: Batch,
        seen: dict[str, ImportSeen | None],
        store: Store,
        reading: Order | Draft,
    ) -> bool:
        key = reading.order_key if isinstance(reading, Draft) else reading.key
        if key not in seen:
            seen[key] = self._memory.seen(key)
        gone = {store_id for store_id, one in self._stores.items() if one.disconnected}
        made = None
        if isinstance(reading, Order):
            reading, made = self._enriched(store, reading)
        decision = decide(seen[key], reading, made_with=made, disconnected=gone)
        if isinstance(decision, Publish | Keep):
            after: ImportSeen | None = self._told(decision.seen)
        else:
            self._shared.metrics.skipped.labels(decision.name.lower()).inc()
            after = seen[key]
            after = self._told(after) if after else None
        if after is not None and after != seen[key]:
            seen[key] = after
            self._keep_seen(batch, after)
        if isinstance(decision, Publish):
            self._publish(batch, decision.order)
            return True
        return False

    def _enriched(self, store: Store, order: Order) -> tuple[Order, str]:
        facts = self._enrichments.facts(store.store_id, order.trade_id, codes_of(order))
        return enriched(order, facts), made_with(order.mapping_version, facts)

    def _told(self, seen: ImportSeen) -> ImportSeen:
        """For an operator who waits for the order: that it was read, even if nothing changed."""
        asked = self._shared.asked.pop(seen.order_key, None)
        return seen.model_copy(update={"asked_at": self._shared.now}) if asked else seen

    def _publish(self, batch: Batch, order: Order) -> None:
        shared, key = self._shared, order.key.encode()
        shared.metrics.published.labels(order.status.value).inc()
        for reason in order.not_importable:
            shared.metrics.held.labels(reason.value).inc()
        headers = self._headers("order", f"{order.key}@{order.content_sha256[:16]}")
        batch.outputs.append(
            Outbound(
                "orders",
                partition_of(key, shared.partitions),
                key,
                shared.codecs.order.encode(order),
                [*headers, (ORDER_STATUS, order.status.value.encode())],
            )
        )

    def _keep_seen(self, batch: Batch, seen: ImportSeen) -> None:
        codec = self._shared.codecs.seen
        value = self._put(batch, "import-seen", codec, seen, reread_headers(seen))
        self._memory.keep(batch.changes, seen, value)

    def _step(self, batch: Batch, store: Store, ended: TaskEnded, published: int) -> Step | None:
        """Where the window of a poll stands after this page; the cursor moves when it was read whole."""
        task, shared = ended.task, self._shared
        if not isinstance(task, PollStore) or ended.page is None:
            return None
        progress = shared.progress_of(store.store_id)
        polling = progress.open.get(task.backfill)
        if polling is None:
            return None
        shared.metrics.masked.inc(ended.page.masked)
        rules = shared.settings.importer
        step = progress.after_page(
            polling, ended.page, published, store.store_id, shared.now, rules
        )
        if step.cursor is not None:
            value = self._put(batch, "import-cursors", shared.codecs.cursor, step.cursor, [])
            batch.changes.put(b"c/" + store.store_id.encode(), value)
            shared.metrics.windows.inc()
        return step

    def _put(
        self, batch: Batch, topic: str, codec: Codec[R], record: R, more: list[Header]
    ) -> bytes:
        key, value = record_key(record), codec.encode(record)
        headers = [*self._headers(codec.name, f"{key}@{self._shared.now_ms}"), *more]
        batch.outputs.append(Outbound(topic, self.number, key.encode(), value, headers))
        return value

    def _headers(self, record_name: str, event_id: str) -> list[Header]:
        return list(event_headers(record_name, event_id, _SOURCE, self._shared.now_ms))

    def committed(self, batch: Batch, positions: Mapping[str, int], sent_at_s: float) -> None:
        """See `Handler.committed`."""
        kept = {topic: at for topic, at in positions.items() if topic in _KEPT}
        self._store.apply(batch.changes, kept)
        lease_s = sent_at_s + self._shared.settings.refresh.call_start_s
        for effect in batch.effects:
            if isinstance(effect, Written):
                self._shared.keeper.committed(effect, self, lease_s)
            elif isinstance(effect, Enriched):
                self._reread_enriched(effect.keys)
            else:
                self._finished(effect)

    def _reread_enriched(self, keys: Sequence[str]) -> None:
        for key in keys:
            store = self._stores.get(store_of_key(key.encode()) or "")
            if store is not None:
                touched = self._memory.touched(store, key)
                self._shared.schedule.reread(store.store_id, touched)

    def _finished(self, finished: Finished) -> None:
        ended, step, shared = finished.ended, finished.step, self._shared
        task, store_id = ended.task, ended.task.store_id
        shared.under_way.pop(store_id, None)
        shared.read_ended(store_id)
        if step is not None:
            self._moved(store_id, step)
        self._remember(ended, step)
        if step is not None and step.failure is not None:
            shared.task_failed(TaskFailed(task, "window_too_long", step.failure))
            return
        more = step is not None and step.more
        dropped = shared.schedule.finished(task, shared.now, more=more, unread=ended.unread)
        shared.check_backfill(store_id)
        shared.report_dropped(store_id, dropped)
        self._reread_overtaken(ended)

    def _reread_overtaken(self, ended: TaskEnded) -> None:
        """Orders that were read before the store's table changed, and came back after it."""
        store = self._stores.get(ended.task.store_id)
        if store is None:
            return
        table = mapping_version(store)
        orders = (one for one in ended.readings if isinstance(one, Order))
        overtaken = [order.key for order in orders if order.mapping_version != table]
        self._shared.schedule.reread(store.store_id, overtaken)

    def _moved(self, store_id: str, step: Step) -> None:
        shared, progress = self._shared, self._shared.progress_of(store_id)
        progress.committed(step)
        if step.cursor is None:
            return
        known = [one.cursor.modified_until for one in shared.progress.values() if one.cursor]
        shared.metrics.cursor.set(min(known).timestamp())
        retry = timedelta(seconds=shared.settings.importer.owed_retry_s)
        if progress.owed_at is None or shared.now - progress.owed_at >= retry:
            progress.owed_at = shared.now
            shared.schedule.reread(store_id, self._memory.owed(store_id))

    def _remember(self, ended: TaskEnded, step: Step | None) -> None:
        for reading in ended.readings:
            key = reading.order_key if isinstance(reading, Draft) else reading.key
            if ended.read_at is not None:
                self._shared.readings.remember(key, reading.modified_at, ended.read_at)
            if step is not None and step.polling.backfill and not step.ended:
                step.polling.read[key] = reading.modified_at

    @property
    def running(self) -> bool:
        """Whether this handler still owns its stores."""
        return self._running

    def close(self) -> None:
        """See `Handler.close`."""
        self._running = False
        self._shared.keeper.closed(self.number)
        for store_id in self._stores:
            self._shared.forget(store_id)
        self._store.close()
