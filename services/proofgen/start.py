"""Settings, clients, workers: everything that is put together when proofgen starts."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor

import structlog
from pydantic import SecretStr

from services.proofgen.app import Proofgen
from services.proofgen.metrics import ProofgenMetrics
from services.proofgen.proving import begin
from services.proofgen.render import warm_up
from services.proofgen.settings import ProofgenSettings
from waybill.clock import boot_s
from waybill.health import HealthServer
from waybill.logs import configure_logging
from waybill.metrics import Registry
from waybill.process import run_until_stopped
from waybill.streaming.clients import plain_producer, worker_consumer
from waybill.streaming.lifeline import Lifeline

log = structlog.get_logger()

_LOOP_STALLED_S = 60.0
"""Longer than any batch takes; then the process is not live."""


def _start_worker(signing_key: SecretStr | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    begin(signing_key)
    warm_up()


def _end_with_parent() -> None:
    """A killed parent closes nothing by itself, and its workers would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def say_whether_signed(signing_key: SecretStr | None) -> None:
    """Log a warning when proofs will be unsigned: nothing on the page shows it."""
    if signing_key is None:
        log.warning("unsigned", detail="WAYBILL_SIGNING_KEY is not set: proofs carry no signature")


def main() -> None:
    """Run until SIGTERM; exit code 0 after a clean stop, 70 after a fatal error."""
    settings = ProofgenSettings()
    configure_logging("proofgen", settings.log_level, settings.log_format)
    say_whether_signed(settings.signing_key)
    registry = Registry()
    # spawned, not forked: the Kafka clients' threads do not survive a fork
    workers = ProcessPoolExecutor(
        settings.workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(settings.signing_key,),  # through a pipe: no list of processes shows it
    )
    workers.submit(int).result()  # the first claim must not wait for imports
    clients = (
        worker_consumer(settings.kafka, settings.group),
        plain_producer(settings.kafka, f"{settings.group}-producer"),
    )
    metrics = ProofgenMetrics(registry)
    batch_max = 2 * settings.workers
    app = Proofgen(settings.kafka, settings.group, clients, workers, metrics, batch_max)
    health = HealthServer(
        settings.http.host,
        settings.http.port,
        registry.collectors,
        live=lambda: boot_s() - app.turned_at_s < _LOOP_STALLED_S,
        ready=lambda: app.ready,
    )
    log.info("started", http_port=health.port, workers=settings.workers)
    lifeline = Lifeline(settings.kafka, {"consumer": clients[0], "producer": clients[1]})
    try:
        with lifeline:
            run_until_stopped(lifeline.watching(app.turn), app.stop, settings.stop_s)
    finally:
        app.close()
        workers.shutdown(wait=True, cancel_futures=True)
        health.stop()
