"""One owned partition of the importer: its stores, what was seen of their orders, one transaction at a time.

Orders, what was seen of them and the cursor go out together; whoever dies in between has published
nothing, and the next owner reads the same window again.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from services.importer.changes import Publish, Reread, decide, to_reread
from services.importer.normalise import Draft
from services.importer.paging import (
    Progress,
    WindowTooLongError,
    first_page,
    instead,
    received,
)
from services.importer.reading import TaskEnded, TaskFailed
from services.importer.schedule import PollStore
from services.importer.shared import Polling, Shared
from services.importer.windows import moved
from waybill.contracts import ImportCursor, ImportSeen, Order, Store
from waybill.contracts.base import Record
from waybill.contracts.codec import Codec, DecodeError
from waybill.contracts.headers import ORDER_STATUS, SEEN_REREAD, event_headers
from waybill.contracts.identity import record_key
from waybill.contracts.keys import partition_of
from waybill.streaming.ports import Batch
from waybill.streaming.records import Header, Inbound, Outbound
from waybill.streaming.store import Changes, LocalStore

log = structlog.get_logger()

R = TypeVar("R", bound=Record)

_SOURCE = "waybill/importer"
_REREAD_MAX = 100_000
"""Orders of a store that are looked at after a change of its mapping; the rest follows as they change."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Effect: a task's outcome is committed."""

    ended: TaskEnded
    polling: Polling | None
    cursor: ImportCursor | None
    more: bool
    failure: str | None = None
    """Why the window cannot be read at all; the store is tried again later."""


class ImporterPartition:
    """See `waybill.streaming.ports.Handler`.

    The view: `s/<order key>` what was seen, `r/<store> 0 <order key>` which orders may have to be read
    again, `c/<store>` the cursor. Stores and tokens are few and are read anew each time.
    """

    def __init__(self, number: int, store: LocalStore, shared: Shared) -> None:
        self.number = number
        self._store = store
        self._shared = shared
        self._results: deque[TaskEnded] = deque()
        self._stores: dict[str, Store] = {}
        self._running = False

    def position(self, topic: str) -> int | None:
        """See `Handler.position`."""
        return self._store.position(topic) if topic.startswith("import-") else None

    def absorb(self, records: Sequence[Inbound]) -> None:
        """See `Handler.absorb`."""
        changes = Changes()
        for record in records:
            if record.topic == "import-seen":
                self._absorb_seen(changes, record)
            elif record.topic == "import-cursors" and record.value is not None:
                changes.put(b"c/" + (record.key or b""), record.value)
            else:
                self._take_settings(record)
        kept = {r.topic: r.offset + 1 for r in records if r.topic.startswith("import-")}
        self._store.apply(changes, kept)

    def _absorb_seen(self, changes: Changes, record: Inbound) -> None:
        key = record.key or b""
        if record.value is None:
            changes.delete(b"s/" + key)
            return
        changes.put(b"s/" + key, record.value)
        store_id = record.header(SEEN_REREAD)
        if store_id:
            changes.put(b"r/" + store_id + b"\0" + key, b"")

    def _take_settings(self, record: Inbound) -> None:
        """A store or its tokens; a row that cannot be read leaves the store as it was, with an alert."""
        if record.value is None:
            return
        codecs = self._shared.codecs
        try:
            if record.topic == "stores":
                self._take_store(codecs.store.decode(record.value))
            else:
                self._shared.take_tokens(codecs.tokens.decode(record.value))
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
        need = shared.schedule.put(store, shared.now)
        if need is not Reread.NONE:
            shared.schedule.reread(
                store.store_id, to_reread(self._seen_of(store), store.store_id, need)
            )

    def _seen_of(self, store: Store) -> list[ImportSeen]:
        prefix = b"r/" + store.store_id.encode() + b"\0"
        keys = [b"s/" + index[len(prefix) :] for index, _ in self._store.scan(prefix, _REREAD_MAX)]
        values = self._store.get_many(keys) if keys else []
        return [self._shared.codecs.seen.decode(value) for value in values if value is not None]

    def opened(self, accepted_at: datetime | None = None) -> None:  # noqa: ARG002 - it forgets nothing
        """See `Handler.opened`."""
        self._running = True
        for key, value in self._store.scan(b"c/", 1_000_000):
            self._shared.cursors[key[2:].decode()] = self._shared.codecs.cursor.decode(value)
        for store in self._stores.values():
            self._schedule(store)

    def result(self, ended: TaskEnded) -> None:
        """A task of one of this partition's stores came back."""
        self._results.append(ended)

    def wants_turn(self) -> bool:
        """See `Handler.wants_turn`."""
        return bool(self._results)

    def process(self, records: Sequence[Inbound]) -> Batch:
        """See `Handler.process`."""
        for record in records:
            self._take_settings(record)
        batch = Batch()
        seen: dict[str, ImportSeen | None] = {}
        while self._results:
            self._ended(batch, seen, self._results.popleft())
        return batch

    def _ended(self, batch: Batch, seen: dict[str, ImportSeen | None], ended: TaskEnded) -> None:
        store = self._stores.get(ended.task.store_id)
        if store is None:
            return
        for error in ended.unreadable:
            self._shared.metrics.unreadable.inc()
            log.error("order_unreadable", store_id=store.store_id, reason=str(error))
        published = sum(self._reading(batch, seen, reading) for reading in ended.readings)
        batch.effects.append(self._progress(batch, store, ended, published))

    def _reading(
        self, batch: Batch, seen: dict[str, ImportSeen | None], reading: Order | Draft
    ) -> bool:
        key = reading.order_key if isinstance(reading, Draft) else reading.key
        if key not in seen:
            seen[key] = self._seen(key)
        gone = {store_id for store_id, store in self._stores.items() if store.disconnected}
        decision = decide(seen[key], reading, disconnected=gone)
        if not isinstance(decision, Publish):
            self._shared.metrics.skipped.labels(decision.name.lower()).inc()
            return False
        seen[key] = decision.seen
        self._publish(batch, decision)
        return True

    def _seen(self, key: str) -> ImportSeen | None:
        (value,) = self._store.get_many([b"s/" + key.encode()])
        return self._shared.codecs.seen.decode(value) if value is not None else None

    def _publish(self, batch: Batch, decision: Publish) -> None:
        order, seen = decision.order, decision.seen
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
        self._keep_seen(batch, seen)

    def _keep_seen(self, batch: Batch, seen: ImportSeen) -> None:
        key, store_id = seen.order_key.encode(), seen.store_id.encode()
        index = b"r/" + store_id + b"\0" + key
        headers: list[Header] = []
        if seen.open or seen.held:
            headers.append((SEEN_REREAD, store_id))
            batch.changes.put(index, b"")
        else:
            batch.changes.delete(index)
        value = self._put(batch, "import-seen", self._shared.codecs.seen, seen, headers)
        batch.changes.put(b"s/" + key, value)

    def _progress(self, batch: Batch, store: Store, ended: TaskEnded, published: int) -> Finished:
        """Where the window of a poll stands after this page; the cursor moves when it was read whole."""
        task, shared = ended.task, self._shared
        polling = shared.polls.get(store.store_id)
        if not isinstance(task, PollStore) or ended.page is None or polling is None:
            return Finished(ended, polling, None, more=False)
        shared.metrics.masked.inc(ended.page.masked)
        paging = received(polling.paging, ended.page, shared.settings.importer)
        now = Polling(polling.window, paging, polling.published + published)
        if paging.progress is Progress.READING:
            return Finished(ended, now, None, more=True)
        rules = shared.settings.importer
        try:
            shorter = instead(now.window, paging, rules)
        except WindowTooLongError as error:
            return Finished(ended, None, None, more=False, failure=str(error))
        if shorter is not None:
            fresh = Polling(shorter, first_page(shorter, rules), now.published)
            return Finished(ended, fresh, None, more=True)
        return self._window_read(batch, store, ended, now)

    def _window_read(
        self, batch: Batch, store: Store, ended: TaskEnded, polling: Polling
    ) -> Finished:
        shared = self._shared
        cursor = moved(
            shared.cursors.get(store.store_id),
            polling.window,
            store_id=store.store_id,
            now=shared.now,
            published=polling.published,
        )
        value = self._put(batch, "import-cursors", shared.codecs.cursor, cursor, [])
        batch.changes.put(b"c/" + store.store_id.encode(), value)
        shared.metrics.windows.inc()
        return Finished(ended, None, cursor, more=polling.window.more)

    def _put(
        self, batch: Batch, topic: str, codec: Codec[R], record: R, more: list[Header]
    ) -> bytes:
        key, value = record_key(record), codec.encode(record)
        headers = [*self._headers(codec.name, f"{key}@{self._shared.now_ms}"), *more]
        batch.outputs.append(Outbound(topic, self.number, key.encode(), value, headers))
        return value

    def _headers(self, record_name: str, event_id: str) -> list[Header]:
        return list(event_headers(record_name, event_id, _SOURCE, self._shared.now_ms))

    def committed(self, batch: Batch, positions: Mapping[str, int], sent_at_s: float) -> None:  # noqa: ARG002 - see Handler
        """See `Handler.committed`."""
        kept = {topic: at for topic, at in positions.items() if topic.startswith("import-")}
        self._store.apply(batch.changes, kept)
        for effect in batch.effects:
            self._finished(effect)

    def _finished(self, finished: Finished) -> None:
        ended, shared = finished.ended, self._shared
        task, store_id = ended.task, ended.task.store_id
        shared.under_way.pop(store_id, None)
        if isinstance(task, PollStore):
            if finished.polling is None:
                read = shared.polls.pop(store_id, None)
                if read is not None:
                    shared.last_windows[store_id] = read.window
            else:
                shared.polls[store_id] = finished.polling
        if finished.cursor is not None:
            shared.cursors[store_id] = finished.cursor
            oldest = min(cursor.modified_until for cursor in shared.cursors.values())
            shared.metrics.cursor.set(oldest.timestamp())
        self._remember(ended)
        if finished.failure is not None:
            shared.task_failed(TaskFailed(task, "window_too_long", finished.failure))
            return
        dropped = shared.schedule.finished(
            task, shared.now, more=finished.more, unread=ended.unread
        )
        shared.report_dropped(store_id, dropped)

    def _remember(self, ended: TaskEnded) -> None:
        for reading in ended.readings:
            key = reading.order_key if isinstance(reading, Draft) else reading.key
            if ended.read_at is not None:
                self._shared.readings.remember(key, reading.modified_at, ended.read_at)

    @property
    def running(self) -> bool:
        """Whether this handler still owns its stores."""
        return self._running

    def close(self) -> None:
        """See `Handler.close`."""
        self._running = False
        for store_id in self._stores:
            self._shared.forget(store_id)
        self._store.close()
