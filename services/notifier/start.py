"""Settings, clients, runtime: everything that is put together when the notifier starts."""

import sys
from concurrent.futures import ThreadPoolExecutor

import structlog

from services.notifier.app import SOURCES, Notifier
from services.notifier.metrics import NotifierMetrics
from services.notifier.settings import NotifierSettings
from services.notifier.shared import Shared
from waybill import __version__
from waybill.alibaba.client import AlibabaClient
from waybill.clock import Clock, boot_s
from waybill.health import HealthServer
from waybill.instance import InstanceSlot
from waybill.logs import configure_logging
from waybill.metrics import Registry
from waybill.process import run_until_stopped
from waybill.streaming.background import Background
from waybill.streaming.kafka import KafkaMembership, KafkaOpener, KafkaReader
from waybill.streaming.metrics import RuntimeMetrics
from waybill.streaming.runtime import Runtime, Surroundings, commit_pool

log = structlog.get_logger()

_LOOP_STALLED_S = 60.0
"""Longer than any legal blocking call of a loop; then the process is not live."""


def main() -> None:
    """Run until SIGTERM; exit code 0 after a clean stop, 70 after a fatal error."""
    settings = NotifierSettings()
    configure_logging("notifier", settings.log_level, settings.log_format)
    sys.setswitchinterval(0.001)  # the loop and the calls share the interpreter
    registry = Registry()
    background = Background("calls")
    background.start()
    metrics = NotifierMetrics(registry)
    shared = make_shared(settings, metrics, background)
    slot = InstanceSlot(settings.data_dir, "notifier")
    pool = commit_pool()
    runtime = make_runtime(settings, Notifier(shared, slot.folder), pool, registry)
    health = HealthServer(
        settings.http.host,
        settings.http.port,
        registry.collectors,
        live=lambda: boot_s() - min(runtime.turned_at_s, background.beat_at_s) < _LOOP_STALLED_S,
        ready=lambda: runtime.ready,
    )
    log.info("started", http_port=health.port, sites=sorted(settings.sites))
    try:
        run_until_stopped(runtime.turn, runtime.stop, settings.stop_s)
    finally:
        runtime.close()
        background.stop()
        pool.shutdown(wait=False, cancel_futures=True)
        health.stop()
        slot.release()


def make_shared(
    settings: NotifierSettings, metrics: NotifierMetrics, background: Background
) -> Shared:
    """Clients for each site, and what the partitions share."""
    clients = {
        site: AlibabaClient(configured.api, configured.app, observer=metrics)
        for site, configured in settings.sites.items()
    }
    return Shared(settings, Clock(), metrics, background, clients, __version__)


def make_runtime(
    settings: NotifierSettings, service: Notifier, pool: ThreadPoolExecutor, registry: Registry
) -> Runtime:
    """The runtime on Kafka, already part of its group."""
    kafka, group = settings.kafka, settings.group
    reader = KafkaReader(kafka, group)
    opener = KafkaOpener(kafka, group, SOURCES, fence_topic="ledger")
    around = Surroundings(reader, opener, pool, boot_s)
    runtime = Runtime(service, around, RuntimeMetrics(registry))
    membership = KafkaMembership(kafka, group, SOURCES.owned, runtime.gained, runtime.lost)
    runtime.join(membership, kafka.partitions)
    return runtime
