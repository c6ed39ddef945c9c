"""A service process from start to end: settings, logging, health, signals, exit code.

SIGTERM and SIGINT stop it cleanly within the supervisor's 10 s; a fatal error ends it with a message
and its own exit code, so that a restart policy can tell the two apart.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

import structlog

from waybill.clock import boot_s
from waybill.streaming.errors import FatalError

log = structlog.get_logger()

EXIT_FATAL = 70
"""The process cannot go on until somebody changes something (sysexits: internal software error)."""


EXIT_UNFINISHED = 75
"""A stop took too long, e.g. since the broker is away: ended all the same (sysexits: try again)."""
_AFTER_STOP_S = 1.5
"""For giving partitions back and closing connections; with `stop_s` below the 10 s of supervisors."""


class StopSignal:
    """Set by SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self.asked = True
        log.info("stop_asked", signal=signal.Signals(number).name)


def _end_in_any_case(after_s: float) -> None:
    """Commits wait for the broker in the client library, where nothing can interrupt them."""
    watchdog = threading.Timer(after_s, os._exit, (EXIT_UNFINISHED,))
    watchdog.daemon = True
    watchdog.start()


def run_until_stopped(
    turn: Callable[[], None], stop: Callable[[float], bool], stop_s: float
) -> None:
    """Turn until a signal, then stop within `stop_s`; a FatalError ends the process with EXIT_FATAL."""
    asked = StopSignal()
    try:
        while not asked.asked:
            turn()
        _end_in_any_case(stop_s + _AFTER_STOP_S)
        finished = stop(boot_s() + stop_s)
        log.info("stopped", finished=finished)
    except FatalError as error:
        log.error("fatal", reason=str(error))
        sys.exit(EXIT_FATAL)
