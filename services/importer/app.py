"""The importer as the runtime sees it: partitions of stores, hints, tasks and their results."""

from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import structlog

from services.importer.handler import ImporterPartition
from services.importer.reading import TaskEnded, TaskFailed
from services.importer.schedule import HintResult
from services.importer.shared import Shared
from services.importer.token_steps import RefreshEnded
from waybill.contracts import Command
from waybill.contracts.codec import DecodeError
from waybill.contracts.imports import HintReason
from waybill.contracts.keys import partition_of
from waybill.streaming.ports import Handler, Sources
from waybill.streaming.records import Inbound
from waybill.streaming.store import LocalStore, RocksStore

log = structlog.get_logger()

SOURCES = Sources(
    owned="stores",
    state=("import-cursors", "import-seen"),
    views=("stores", "store-tokens", "enrichments"),
    tables=("order-hints", "schemas"),
)
VIEW_FORMAT = "2"
"""Raise it when the view's layout changes: older views are then made anew from the topics."""


class Importer:
    """See `waybill.streaming.ports.Service`."""

    sources = SOURCES

    def __init__(
        self,
        shared: Shared,
        folder: Path,
        open_store: Callable[[Path, str], LocalStore] | None = None,
    ) -> None:
        self._shared = shared
        self._folder = folder
        self._open_store = open_store or RocksStore
        self._handlers: dict[int, ImporterPartition] = {}
        self._stopping = False

    def open(self, partition: int, identity: str) -> Handler:
        """See `Service.open`."""
        store = self._open_store(self._folder / f"p{partition}", f"{VIEW_FORMAT};{identity}")
        handler = ImporterPartition(partition, store, self._shared)
        self._handlers[partition] = handler
        return handler

    def accepted_loss(self, record: Inbound) -> Command | None:  # noqa: ARG002 - the port's signature
        """See `Service.accepted_loss`: what it knows can be read from Alibaba again, so it never stops."""
        return None

    def on_table(self, records: Sequence[Inbound]) -> None:
        """See `Service.on_table`."""
        for record in records:
            if record.value is None:
                continue
            try:
                self._take(record.topic, record.value)
            except (DecodeError, ValueError) as error:  # ValueError: no JSON, or no Avro schema
                log.error(
                    "table_unreadable", topic=record.topic, offset=record.offset, reason=str(error)
                )

    def _take(self, topic: str, value: bytes) -> None:
        shared = self._shared
        if topic == "schemas":
            shared.codecs.book.learn(orjson.loads(value))
            return
        hint = shared.codecs.hint.decode(value)
        result = shared.schedule.hint(hint, shared.now)
        if hint.reason is HintReason.OPERATOR and result in (
            HintResult.QUEUED,
            HintResult.DUPLICATE,
        ):
            shared.ask(hint)
        shared.metrics.hints.labels(result.name.lower()).inc()

    def turn(self) -> bool:
        """See `Service.turn`."""
        shared = self._shared
        shared.tick()
        for result in shared.background.collect():
            if isinstance(result, RefreshEnded):
                shared.keeper.ended(result)
            else:
                self._done(result)
        if not self._stopping:
            shared.keeper.turn()
            shared.start_tasks()
        return bool(shared.under_way) or shared.keeper.busy

    def _done(self, result: TaskEnded | TaskFailed) -> None:
        shared, store_id = self._shared, result.task.store_id
        if shared.under_way.get(store_id) is not result.task:
            return  # the store was given away meanwhile; its new owner reads again
        if isinstance(result, TaskFailed):
            shared.task_failed(result)
            return
        handler = self._handlers.get(partition_of(store_id, shared.partitions))
        if handler is not None and handler.running:
            handler.result(result)

    def stop_intake(self) -> None:
        """See `Service.stop_intake`."""
        self._stopping = True
        self._shared.keeper.stop()

    def idle(self) -> bool:
        """See `Service.idle`: reading again is harmless, but new tokens must not be lost."""
        return not self._shared.keeper.busy
