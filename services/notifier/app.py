"""The notifier as the runtime sees it: partitions, tables, results, and who may go next."""

from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import structlog

from services.notifier.caller import Done
from services.notifier.handler import NotifierPartition
from services.notifier.scheduling import StoreQueue
from services.notifier.shared import Shared
from waybill.contracts import Command
from waybill.contracts.codec import DecodeError
from waybill.contracts.command import CommandKind, is_loss_key, loss_key
from waybill.streaming.failures import FailureTally
from waybill.streaming.ports import Handler, Sources
from waybill.streaming.records import Inbound
from waybill.streaming.store import LocalStore, RocksStore

log = structlog.get_logger()

SOURCES = Sources(
    owned="shipments",
    state=("ledger",),
    views=("orders",),
    inputs=("shipments", "proofs", "commands"),
    eager=("shipments", "commands"),
    tables=("stores", "store-tokens", "schemas"),
    witnessed=True,
)
VIEW_FORMAT = "1"
"""Raise it when the view's layout changes: older views are then made anew from the topics."""
OpenStore = Callable[[Path, str], LocalStore]
"""Opens the local view in a folder, emptied if it was made for another identity."""
_GRANTS_MAX = 64
"""Grants at once; a batch of claims stays short."""
_GRANT_EVERY_S = 0.05
"""Gates open by time too; else slots are granted when somebody joins a line or leaves the works."""
_OBSERVE_EVERY_S = 0.1
"""Gauges are read every few seconds."""


class Notifier:
    """See `waybill.streaming.ports.Service`."""

    sources = SOURCES

    def __init__(self, shared: Shared, folder: Path, open_store: OpenStore | None = None) -> None:
        """`open_store`: another kind of local view than the one on disk."""
        self._shared = shared
        self._folder = folder
        self._open_store = open_store or RocksStore
        self._handlers: dict[int, NotifierPartition] = {}
        self._stopping = False
        self._granted_at_s = self._observed_at_s = 0.0
        shared.failures = FailureTally(folder / "failures.json", shared.version)
        shared.on_closed = self._closed
        shared.queues_empty = self._queues_empty

    def open(self, partition: int, identity: str) -> Handler:
        """See `Service.open`."""
        store = self._open_store(self._folder / f"p{partition}", f"{VIEW_FORMAT};{identity}")
        handler = NotifierPartition(partition, store, self._shared)
        self._handlers[partition] = handler
        return handler

    def _closed(self, handler: NotifierPartition) -> None:
        if self._handlers.get(handler.number) is handler:
            del self._handlers[handler.number]

    def accepted_loss(self, record: Inbound) -> Command | None:
        """See `Service.accepted_loss`; one that cannot be read accepts nothing."""
        if record.value is None or not is_loss_key(record.key or b""):
            return None
        try:
            command = self._shared.codecs.command.decode(record.value)
        except DecodeError as error:
            log.error("command_unreadable", offset=record.offset, detail=error.detail)
            return None
        own = command.order_key == loss_key(record.partition)
        return command if own and command.kind is CommandKind.ACCEPT_LOSS else None

    def on_table(self, records: Sequence[Inbound]) -> None:
        """See `Service.on_table`; a row that cannot be read leaves the store as it was, with an alert."""
        for record in records:
            if record.value is None:
                if record.topic == "store-tokens":
                    self._shared.drop_tokens(record.key or b"")
                continue  # stores are disconnected, never deleted
            try:
                self._take(record.topic, record.value)
            except (DecodeError, ValueError) as error:  # ValueError: no JSON, or no Avro schema
                log.error(
                    "table_unreadable", topic=record.topic, offset=record.offset, reason=str(error)
                )

    def _take(self, topic: str, value: bytes) -> None:
        shared = self._shared
        match topic:
            case "schemas":
                shared.codecs.book.learn(orjson.loads(value))
            case "stores":
                store = shared.codecs.store.decode(value)
                if shared.take_store(store):
                    for handler in self._handlers.values():
                        handler.store_changed(store.store_id)
            case _:
                shared.take_tokens(shared.codecs.tokens.decode(value))

    def turn(self) -> bool:
        """See `Service.turn`."""
        self._shared.tick()
        for done in self._shared.background.collect():
            self._done(done)
        now_s = self._shared.now_s
        if not self._stopping:
            self._shared.lookups.start(self._store_of)
            if self._shared.line_moved or now_s - self._granted_at_s >= _GRANT_EVERY_S:
                self._shared.line_moved = False
                self._granted_at_s = now_s
                self._grant()
        if now_s - self._observed_at_s >= _OBSERVE_EVERY_S:
            self._observed_at_s = now_s
            self._shared.observe()
        return len(self._shared.works) > 0 or self._shared.under_way > 0

    def _done(self, done: Done) -> None:
        self._shared.done(done)
        handler = self._handlers.get(done.partition)
        if handler is not None and handler.running:
            handler.result(done.key, done.event)
        else:
            # whoever owns the partition now looks the order up before anything else
            log.info("result_without_owner", order_key=done.key, partition=done.partition)
            self._shared.works.remove(done.key)

    def _store_of(self, partition: int, key: str) -> str | None:
        handler = self._handlers.get(partition)
        return handler.store_of(key) if handler else None

    def _grant(self) -> None:
        queues = {store_id: self._queues(store_id) for store_id in self._shared.stores}
        shared = self._shared
        granted = shared.turns.grants(
            queues, shared.works, shared.may_go, _GRANTS_MAX, shared.claimed_by_ms
        )
        for partition, _, key in granted:
            self._handlers[partition].grant(key)

    def _queues(self, store_id: str) -> list[tuple[int, StoreQueue]]:
        running = [handler for handler in self._handlers.values() if handler.running]
        return [(handler.number, handler.queue(store_id)) for handler in running]

    def _queues_empty(self, store_id: str) -> bool:
        return all(queue.head(self._shared.works) is None for _, queue in self._queues(store_id))

    def stop_intake(self) -> None:
        """See `Service.stop_intake`."""
        self._stopping = True

    def idle(self) -> bool:
        """See `Service.idle`: proofs that were asked for can be asked for again, calls cannot."""
        return self._shared.under_way == 0
