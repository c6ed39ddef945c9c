"""Wall time that is read once and then goes on with the time since boot."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from waybill import clock
from waybill.clock import Clock, boot_s


def test_it_starts_at_the_wall_time() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    now = Clock().now()

    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_it_is_exact_to_the_millisecond_as_the_contracts_are() -> None:
    assert Clock().now().microsecond % 1_000 == 0


def test_it_goes_on_with_the_time_since_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    since_boot_s = 1_000.0
    monkeypatch.setattr(clock, "boot_s", lambda: since_boot_s)
    running = Clock()
    started = running.now()

    since_boot_s += 3_600.25  # a suspended machine: no process ran for an hour

    assert running.now() - started == timedelta(hours=1, milliseconds=250)
    assert running.boot_s() == since_boot_s


def test_a_wall_clock_that_is_set_moves_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Clock()
    before = running.now()

    class Set(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Set":  # noqa: ARG003 - as the base class has it
            return cls(2031, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(clock, "datetime", Set)

    assert running.now() - before < timedelta(minutes=1)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no such clock")
def test_the_time_since_boot_counts_sleep() -> None:
    before_s = time.clock_gettime(time.CLOCK_BOOTTIME)

    assert before_s <= boot_s() <= time.clock_gettime(time.CLOCK_BOOTTIME)
