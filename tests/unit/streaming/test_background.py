"""Work on the asyncio thread: results come back, failures end the process, stopping leaves nothing behind."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.waiting import wait_until
from waybill.streaming.background import Background


@pytest.fixture
def background() -> Iterator[Background]:
    background = Background("test-calls")
    background.start()
    yield background
    background.stop()


def _collected(background: Background, count: int) -> list[object]:
    found: list[object] = []

    def enough() -> bool:
        found.extend(background.collect())
        return len(found) >= count

    wait_until(enough)
    return found


async def _double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


def test_results_come_back_once(background: Background) -> None:
    for number in range(100):
        background.spawn(lambda number=number: _double(number))  # type: ignore[misc]

    assert sorted(_collected(background, 100), key=repr) == sorted(range(0, 200, 2), key=repr)
    assert background.collect() == []


def test_work_runs_side_by_side_and_results_come_in_the_order_of_their_ends(
    background: Background,
) -> None:
    gate = background.call(_new_event, 10)

    async def waits() -> str:
        await gate.wait()
        return "first spawned"

    async def opens() -> str:
        gate.set()
        return "second spawned"

    background.spawn(waits)
    background.spawn(opens)

    assert _collected(background, 2) == ["second spawned", "first spawned"]


async def _new_event() -> asyncio.Event:
    return asyncio.Event()


def test_work_without_a_result_adds_none(background: Background) -> None:
    async def nothing() -> None:
        return None

    background.spawn(nothing)
    background.spawn(lambda: _double(1))

    assert _collected(background, 1) == [2]


def test_what_work_raises_is_raised_to_whoever_collects(background: Background) -> None:
    async def fails() -> int:
        raise ZeroDivisionError("a defect")

    background.spawn(fails)

    def is_raised() -> bool:
        try:
            background.collect()
        except ZeroDivisionError:
            return True
        return False

    wait_until(is_raised)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        background.collect()


def test_it_runs_on_one_thread_of_its_own(background: Background) -> None:
    async def where() -> str:
        return threading.current_thread().name

    background.spawn(where)
    background.spawn(where)

    assert _collected(background, 2) == ["test-calls"] * 2


def test_call_waits_for_its_answer_and_passes_errors_on(background: Background) -> None:
    async def fails() -> None:
        raise ValueError("no")

    assert background.call(lambda: _double(21), 10) == 42
    with pytest.raises(ValueError, match="no"):
        background.call(fails, 10)


def test_call_gives_up_after_its_time(background: Background) -> None:
    with pytest.raises(TimeoutError):
        background.call(lambda: asyncio.sleep(600), 0.05)


def test_stop_cancels_what_is_under_way_and_lets_it_clean_up() -> None:
    background = Background("test-calls")
    background.start()
    cleaned = threading.Event()
    started = threading.Event()

    async def long() -> None:
        try:
            started.set()
            await asyncio.sleep(600)
        finally:
            cleaned.set()

    background.spawn(long)
    assert started.wait(10)

    background.stop()

    assert cleaned.is_set()
    assert not [t for t in threading.enumerate() if t.name == "test-calls"]


def test_stopping_twice_or_before_the_start_is_harmless() -> None:
    background = Background("test-calls")
    background.stop()
    background.start()
    background.stop()
    background.stop()


def test_the_beat_tells_that_the_thread_turns(background: Background) -> None:
    before_s = background.beat_at_s

    wait_until(lambda: background.beat_at_s > before_s)
