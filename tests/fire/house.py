"""The house that burns: a whole installation on a shared broker, with two notifiers and short timings."""

import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import RLock
from time import monotonic, sleep
from typing import Any

import httpx
import psutil

from tests.fire.rewinding import NOT_TAKEN
from tests.fire.script import (
    CALL_HORIZON_S,
    CALL_S,
    CALL_START_S,
    LOOKUP_GAP_S,
    NOTIFIERS,
    SERVICES,
    SESSION_S,
)
from waybill import broker
from waybill.broker.ports import free_port
from waybill.cli.store_book import StoreBook
from waybill.contracts import Store
from waybill.contracts.store import PartialPolicy
from waybill.demo import processes
from waybill.demo.installation import SITE, Installation, Tell, Wish
from waybill.demo.processes import Program, Running
from waybill.demo.sandbox_admin import SandboxAdmin
from waybill.settings import KafkaSettings

PARTITIONS = 6
"""Enough for two owners, and half the work of the default on a machine with two cores."""
ORDERS_PER_STORE = 32
"""Of two stores; seven of ten wait for their shipment."""
_READY_S = 60.0
_REWIND_S = 30.0
_TRY_S = 40.0
"""Of one try: two answers of the broker, and the start of a process on a loaded machine."""

_SETTINGS = {
    "WAYBILL_KAFKA__SESSION_TIMEOUT_MS": str(int(SESSION_S * 1_000)),
    "WAYBILL_CALL_START_S": str(CALL_START_S),
    "WAYBILL_CALL_HORIZON_S": str(CALL_HORIZON_S),
    "WAYBILL_LOOKUP_GAP_S": str(LOOKUP_GAP_S),
    "WAYBILL_LOOKUP_FIRST_S": "1",
    "WAYBILL_RETRY_FIRST_S": "1",
    "WAYBILL_RETRY_MAX_S": "3",
    "WAYBILL_CLAIM_TIMEOUT_S": "5",
    "WAYBILL_HINT_FIRST_S": "2",
    "WAYBILL_IMPORTER__BACKOFF_FIRST_S": "1",
    "WAYBILL_IMPORTER__BACKOFF_MAX_S": "3",
    "WAYBILL_SITES__SANDBOX__API__CALL_S": str(CALL_S),
    "WAYBILL_SITES__SANDBOX__API__CONNECT_S": "1.5",
}


class House(Installation):
    """One installation of one run; what several threads do to the same service takes turns."""

    def __init__(self, folder: Path, kafka: KafkaSettings, broker_folder: Path, seed: int) -> None:
        options = ("--lenient", "--seed", str(seed % 1_000_000))
        super().__init__(Wish(folder, kafka, ORDERS_PER_STORE, options))
        self.broker_folder = broker_folder
        self.turns = {name: RLock() for name in SERVICES}
        self.fell: list[str] = []
        """Services that ended by themselves, with their last words."""
        self.collecting = ""
        """The store whose parts wait for each other."""
        self._second_port = free_port()
        self._workers = 1 + seed % 2
        """Processes that draw proofs."""
        self._started: dict[str, Running] = {}
        self._admin: SandboxAdmin | None = None

    def start(self, tell: Tell) -> None:
        """See `Installation.start`; the second store collects parts, the first one refuses them."""
        super().start(tell)
        self.collecting = f"{SITE}-{self.admin.sellers()[1].id}"
        StoreBook(self.cluster).change(self.collecting, _collect)

    # ------------------------------------------------------------------------------------- services

    def program(self, name: str) -> Program:
        """A service with the settings of the fire; each keeps its local stores in a folder of its own."""
        kind = name.removesuffix("-2")
        port = self._second_port if name == NOTIFIERS[1] else self.state.http_ports[kind]
        own = {
            "WAYBILL_GROUP": self.group(kind),
            "WAYBILL_DATA_DIR": str(self.data_of(name)),
            "WAYBILL_WORKERS": str(self._workers),
            **_SETTINGS,
        }
        program = processes.service(kind, self.env_file, port, own)
        return Program(name, program.command, program.ready_url, program.env)

    def group(self, service: str) -> str:
        """The consumer group of a service."""
        return f"{self.kafka.topic_prefix}waybill-{service}"

    def data_of(self, name: str) -> Path:
        """Where a process keeps its local stores."""
        return self.folder / "data" / name

    def run(self, name: str) -> None:
        """Start a service, unless it runs; does not wait."""
        with self.turns[name]:
            running = self.processes.find(name)
            self._started[name] = running or self.processes.start(self.program(name))

    @property
    def left_open(self) -> int:
        """How often a notifier found a transaction whose end the broker had lost."""
        logs = [self.folder / f"{name}.log" for name in NOTIFIERS]
        told = "".join(log.read_text("utf-8", errors="replace") for log in logs if log.exists())
        return told.count('"transaction_left_open"')

    def watch_over(self) -> None:
        """Start again what ended by itself, as a supervisor does, and note its last words."""
        for name, turn in self.turns.items():
            if not turn.acquire(blocking=False):
                continue  # somebody is busy with it
            try:
                running = self._started.get(name)
                if running is not None and not running.alive:
                    self.fell.append(f"{name}: {_last_words(running.log)}")
                    self.run(name)
            finally:
                turn.release()

    def all_ready(self) -> None:
        """Everything runs and is at work; raises ProcessError naming what is not."""
        deadline_s = monotonic() + _READY_S
        for name in SERVICES:
            self.run(name)
        # all at one look: a notifier is ready while it owns nothing, and once more when it has taken over
        while waiting := [one for one in self._started.values() if not one.ready]:
            if monotonic() > deadline_s:
                waiting[0].wait_ready(0)
            self.watch_over()
            sleep(0.1)

    def wipe(self, name: str) -> None:
        """Lose the local stores of a service that does not run."""
        shutil.rmtree(self.data_of(name), ignore_errors=True)

    # --------------------------------------------------------------------------------------- broker

    @property
    def broker_process(self) -> psutil.Process | None:
        """The broker's process, frozen or not."""
        handle = broker.status(self.broker_folder)
        return psutil.Process(handle.pid) if handle else None

    # -------------------------------------------------------------------------------------- sandbox

    @property
    def admin(self) -> SandboxAdmin:
        """The stand-in behind the installation. One thread at a time."""
        if self._admin is None:
            self._admin = SandboxAdmin(self.sandbox_url)
        return self._admin

    def ask_sandbox(self, method: str, path: str, body: Any = None) -> Any:
        """From any thread: `POST /faults`, `DELETE /faults/7`, `POST /codes`. Waits out a freeze."""
        url = f"{self.sandbox_url}/admin{path}"
        answer = httpx.request(method, url, json=body, timeout=20, trust_env=False)
        return answer.raise_for_status().json()

    # --------------------------------------------------------------------------------------- rewind

    def rewind(self, *, wipe: bool, keep_note: bool) -> bool:
        """Stop both notifiers and put their group back to the first shipment; False: no broker took it.

        Without the note the positions look as if somebody had set them with Kafka's own tools.
        """
        with ExitStack() as held:
            for name in NOTIFIERS:
                held.enter_context(self.turns[name])
                if running := self.processes.find(name):
                    running.resume()
                    running.stop()
                if wipe:
                    self.wipe(name)
            try:
                return self._put_back(keep_note=keep_note)
            finally:
                for name in NOTIFIERS:
                    self.run(name)

    def _put_back(self, *, keep_note: bool) -> bool:
        topic = self.kafka.physical("waybill.shipments.v1")
        address, group = self.kafka.bootstrap_servers, self.group("notifier")
        order = ("tests.fire.rewinding", address, group, topic, "keep" if keep_note else "drop")
        deadline_s = monotonic() + _REWIND_S
        while monotonic() < deadline_s:
            tried = subprocess.run(  # noqa: S603 - our own module with our own arguments
                [sys.executable, "-m", *order], capture_output=True, timeout=_TRY_S, check=False
            )
            if tried.returncode == 0:
                return True
            if tried.returncode > 0 and tried.returncode != NOT_TAKEN:
                raise RuntimeError(f"the rewind failed: {tried.stderr.decode()[-500:]}")
            sleep(0.3)
        return False

    # ----------------------------------------------------------------------------------------- end

    def calm(self) -> None:
        """Everything back to normal: no faults, nothing frozen, the broker up, all services at work."""
        for running in self.processes:
            running.resume()
        self.ask_sandbox("DELETE", "/faults")
        if process := self.broker_process:
            process.resume()
        broker.start(self.broker_folder)
        self.all_ready()

    def close(self) -> None:
        """Stop everything of this run, whatever state it is in; the broker stays."""
        if process := self.broker_process:
            process.resume()
        for running in self.processes:
            running.resume()
        if self._admin is not None:
            self._admin.close()
        self.processes.stop_all()


def _last_words(log: Path) -> str:
    """The last error in its log, or else the last line."""
    lines = log.read_text("utf-8", errors="replace").splitlines() if log.exists() else []
    errors = [line for line in lines if '"level": "error"' in line or "Error: " in line]
    return (errors or lines or ["(nothing in its log)"])[-1][:400]


def _collect(store: Store | None) -> tuple[Store, None]:
    assert store is not None
    changes = {"partial_policy": PartialPolicy.COLLECT, "revision": store.revision + 1}
    return store.model_copy(update=changes), None
