"""Start, stop and find the one broker of a data folder.

Everything that must survive a shell, a crash or a reboot stands in that folder; nothing is kept in
memory. Starts and stops of one folder take turns, whichever processes ask for them.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from waybill.broker import process, readiness
from waybill.broker.errors import BrokerError
from waybill.broker.files import BrokerFiles, BrokerState
from waybill.broker.launch import launch
from waybill.broker.ports import HOST, free_port, is_free

READY_S = 90.0
"""How long a start may take: 2.5 s on an idle machine, far more on a loaded one with much data."""

STOP_S = 20.0
"""How long a stop may take before the process is killed: it is done in half a second."""

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class BrokerHandle:
    """A running broker: its address for clients (`host:port`), its process id, its log file."""

    bootstrap: str
    pid: int
    log: Path


def start(data_dir: Path | str, port: int = 0, *, ready_s: float = READY_S) -> BrokerHandle:
    """Start this folder's broker, or find it running; return when a client can produce.

    `port` 0 means the port it had before, or at the first start any free one. The data stays
    between starts, after kill -9 too. An error leaves no process behind that this call started.

    Raises:
        BrokerError: no Java, no jars, the port is taken, or not ready within `ready_s` (the
            message then ends with the last lines of its log).
    """
    files = BrokerFiles(data_dir)
    with files.locked(ready_s):
        state = files.read_state()
        running = _running(files, state)
        if state is not None and running is not None:
            _check_same_port(state, port)
            _wait_ready(files, state, running, ready_s)
        else:
            state = _planned(state, port)
            running = _launch_and_wait(files, state, ready_s)
        return _handle(files, state, running)


def stop(data_dir: Path | str, *, grace_s: float = STOP_S) -> bool:
    """Stop this folder's broker, keeping its data; False when none was running.

    Only a process that proves to be this folder's broker is ended.
    """
    files = BrokerFiles(data_dir)
    if not files.root.is_dir():
        return False
    with files.locked(READY_S + grace_s):
        state = files.read_state()
        running = _running(files, state)
        if state is None or running is None:
            return False
        process.end(running, grace_s=grace_s)
        files.write_state(state.model_copy(update={"pid": None}))
        return True


def status(data_dir: Path | str) -> BrokerHandle | None:
    """Return this folder's running broker, or None; does not ask whether it is ready."""
    files = BrokerFiles(data_dir)
    state = files.read_state()
    running = _running(files, state)
    return None if state is None or running is None else _handle(files, state, running)


def _running(files: BrokerFiles, state: BrokerState | None) -> psutil.Process | None:
    if state is None or state.pid is None:
        return None
    return process.find(state.pid, files.root)


def _handle(files: BrokerFiles, state: BrokerState, running: psutil.Process) -> BrokerHandle:
    return BrokerHandle(bootstrap=f"{HOST}:{state.port}", pid=running.pid, log=files.log)


def _check_same_port(state: BrokerState, port: int) -> None:
    if port not in {0, state.port}:
        raise BrokerError(
            f"This folder's broker is already running, on port {state.port} and not {port}: "
            "stop it first, or ask for no port."
        )


def _planned(former: BrokerState | None, port: int) -> BrokerState:
    """Decide on the ports before anything is started."""
    if former is None:
        chosen = port or free_port()
        planned = BrokerState(port=chosen, controller_port=free_port(but=chosen))
    else:
        planned = former.model_copy(update={"port": port or former.port, "pid": None})
    if not is_free(planned.port):
        raise BrokerError(
            f"Port {planned.port} of {HOST} is taken by another program: "
            "end it, or choose another port."
        )
    if not is_free(planned.controller_port):
        raise BrokerError(
            f"Port {planned.controller_port} of {HOST}, which this data folder's controller has "
            "for good, is taken by another program: end it, or start with another data folder."
        )
    return planned


def _launch_and_wait(files: BrokerFiles, state: BrokerState, ready_s: float) -> psutil.Process:
    launched = launch(files, state)
    try:
        _wait_ready(files, state, launched, ready_s)
    except BaseException:  # Ctrl-C too: nobody would know of a half-started broker
        process.kill(launched)
        raise
    return launched


def _wait_ready(
    files: BrokerFiles, state: BrokerState, running: psutil.Process, ready_s: float
) -> None:
    deadline = time.monotonic() + ready_s
    while missing := readiness.check(HOST, state.port):
        if not process.is_alive(running):
            raise BrokerError(f"Kafka ended while it was starting.\n{files.log_tail()}")
        if time.monotonic() > deadline:
            raise BrokerError(
                f"Kafka was not ready within {ready_s:.0f} s: {missing}.\n{files.log_tail()}"
            )
        time.sleep(_POLL_S)
