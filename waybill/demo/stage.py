"""The folder of a demo: one at a time, empty at its start, and everything stopped at its end."""

import contextlib
import fcntl
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from waybill import broker
from waybill.cli.errors import CommandError, InputError
from waybill.demo.processes import Processes

_OURS = "installation.json"


@contextlib.contextmanager
def sole(folder: Path) -> Iterator[None]:
    """Only one demo uses the folder at a time; a process that dies lets go of it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"another demo runs in {folder}: let it end, or stop it") from None
        yield


def cleared(folder: Path) -> None:
    """Stop what an earlier demo left behind, and empty the folder.

    Raises InputError for a folder that holds something else.
    """
    if not folder.exists():
        return
    if any(folder.iterdir()) and not (folder / _OURS).exists():
        raise InputError(f"{folder} is not empty and was not made by a demo: name another folder")
    Processes(folder).stop_all()
    broker.stop(folder / "kafka")
    shutil.rmtree(folder)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that what was started is stopped."""
    with _handled(signal.default_int_handler):
        yield


@contextlib.contextmanager
def unstoppable() -> Iterator[None]:
    """Another Ctrl-C must not leave half of the processes behind; every stop in here has a limit."""
    with _handled(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handled(handler: Any) -> Iterator[None]:
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, handler) for kind in kinds]
    try:
        yield
    finally:
        for kind, former in zip(kinds, before, strict=True):
            signal.signal(kind, former)
