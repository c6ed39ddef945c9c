"""The process of a service that owns partitions: what the importer and the notifier have in common."""

import gc
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from waybill.clock import boot_s
from waybill.health import HealthServer
from waybill.instance import InstanceSlot
from waybill.logs import configure_logging
from waybill.metrics import Registry
from waybill.process import run_until_stopped
from waybill.settings import Settings
from waybill.streaming.background import Background
from waybill.streaming.kafka import KafkaMembership, KafkaOpener, KafkaReader
from waybill.streaming.lifeline import Client, Lifeline
from waybill.streaming.metrics import RuntimeMetrics
from waybill.streaming.ports import Service, Sources
from waybill.streaming.runtime import Runtime, Surroundings, commit_pool

log = structlog.get_logger()

_CLOSE_S = 2.0
"""Closing connections is a courtesy; the process ends either way."""
_GC_OBJECTS = 20_000
"""New objects between two collections: at Python's 700 an eighth of the time goes into them."""
_LOOP_STALLED_S = 60.0
"""Longer than any legal blocking call of a loop; then the process is not live."""


class OwnerProcess:
    """Makes the parts that a service stands on, runs it, and gives everything back in order."""

    def __init__(
        self, name: str, settings: Settings, group: str, sources: Sources, fence_topic: str
    ) -> None:
        configure_logging(name, settings.log_level, settings.log_format)
        sys.setswitchinterval(0.0002)  # the loop and the calls share the interpreter
        self.registry = Registry()
        self.background = Background("calls")
        self._settings = settings
        self._group = group
        self._sources = sources
        self._fence_topic = fence_topic
        self._slot = InstanceSlot(settings.data_dir, name)
        self._pool = commit_pool()
        self._closing: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def on_close(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run this on the asyncio thread when the process ends."""
        self._closing.append(close)

    @property
    def folder(self) -> Path:
        """Where the local views lie."""
        return self._slot.folder

    def __enter__(self) -> Self:
        """Start the asyncio thread."""
        self.background.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the clients, end the threads and free the folder."""
        for close in self._closing:
            self.background.call(close, timeout_s=_CLOSE_S)
        self.background.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._slot.release()

    def run(self, service: Service, clients_beside: Mapping[str, Client] | None = None) -> None:
        """Join the group and turn until SIGTERM or a fatal error.

        `clients_beside`: further Kafka clients of the process, without which it is no use either.
        """
        kafka, http = self._settings.kafka, self._settings.http
        runtime, lifeline = self._runtime(service, clients_beside or {})
        health = HealthServer(
            http.host,
            http.port,
            self.registry.collectors,
            live=lambda: boot_s() - self._beat_at_s(runtime) < _LOOP_STALLED_S,
            ready=lambda: runtime.ready,
        )
        # millions of small objects live briefly, and none of what start-up made is ever garbage
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GC_OBJECTS)
        log.info("started", http_port=health.port, bootstrap_servers=kafka.bootstrap_servers)
        try:
            with lifeline:
                turn = lifeline.watching(runtime.turn)
                run_until_stopped(turn, runtime.stop, self._settings.stop_s)
        finally:
            runtime.close()
            health.stop()

    def _beat_at_s(self, runtime: Runtime) -> float:
        return min(runtime.turned_at_s, self.background.beat_at_s)

    def _runtime(
        self, service: Service, clients_beside: Mapping[str, Client]
    ) -> tuple[Runtime, Lifeline]:
        kafka, group = self._settings.kafka, self._group
        reader = KafkaReader(kafka, group)
        opener = KafkaOpener(kafka, group, self._sources, self._fence_topic)
        around = Surroundings(reader, opener, self._pool, boot_s)
        runtime = Runtime(service, around, RuntimeMetrics(self.registry))
        membership = KafkaMembership(
            kafka, group, self._sources.owned, runtime.gained, runtime.lost
        )
        runtime.join(membership, kafka.partitions)
        clients = {"group": membership.client, "reader": reader.client, **clients_beside}
        return runtime, Lifeline(kafka, clients)
