"""A process from start to end: signals, the exit code of a fatal error, the order of giving back."""

import os
import signal
from collections.abc import Iterator

import pytest

from waybill.clock import boot_s
from waybill.process import EXIT_FATAL, run_until_stopped
from waybill.streaming.errors import FatalError


@pytest.fixture(autouse=True)
def watchdogs(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the process would be ended in any case; a real watchdog would end the test run."""
    started: list[float] = []
    monkeypatch.setattr("waybill.process._end_in_any_case", started.append)
    return started


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_turns_and_starts_the_stop(number: int, watchdogs: list[float]) -> None:
    turns = 0
    deadlines: list[float] = []

    def turn() -> None:
        nonlocal turns
        turns += 1
        if turns == 3:
            os.kill(os.getpid(), number)

    def stop(deadline_s: float) -> bool:
        deadlines.append(deadline_s - boot_s())
        return True

    run_until_stopped(turn, stop, 8.0)

    assert turns == 3
    assert len(deadlines) == 1
    assert 7 < deadlines[0] <= 8
    assert watchdogs == [9.5], "below the 10 s of supervisors"


@pytest.mark.parametrize("where", ["turn", "stop"])
def test_a_fatal_error_has_its_own_exit_code(where: str) -> None:
    def turn() -> None:
        if where == "turn":
            raise FatalError("another group writes")
        os.kill(os.getpid(), signal.SIGTERM)

    def stop(_: float) -> bool:
        raise FatalError("another group writes")

    with pytest.raises(SystemExit) as ended:
        run_until_stopped(turn, stop, 8.0)

    assert ended.value.code == EXIT_FATAL


def test_any_other_error_is_not_hidden() -> None:
    def turn() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_until_stopped(turn, lambda _: True, 8.0)
