"""The asyncio thread: calls to the outside run here, their results go back to the loop's thread.

Hand-over is bounded by its users: whoever starts work holds a slot until its result was collected.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from waybill.clock import boot_s

T = TypeVar("T")
_BEAT_S = 0.5


class Background:
    """Owns one event loop on one thread. Work that raises is a defect: it ends the process."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._results: deque[Any] = deque()
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.beat_at_s = boot_s()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.create_task(self._beat())
        self._loop.run_forever()

    async def _beat(self) -> None:
        while True:
            self.beat_at_s = boot_s()
            await asyncio.sleep(_BEAT_S)

    def spawn(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Run a coroutine; what it returns is among the next `collect`'s results, unless None."""
        self._loop.call_soon_threadsafe(self._start, make)

    def _start(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        task = self._loop.create_task(self._watched(make()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watched(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            result = await work
        except Exception as error:  # noqa: BLE001 - handed to the loop's thread, which raises it
            self._failure = error
        else:
            if result is not None:
                self._results.append(result)

    def collect(self) -> list[Any]:
        """The results since the last time, in the order they came; raises what work raised."""
        if self._failure is not None:
            raise self._failure
        results = []
        while self._results:
            results.append(self._results.popleft())
        return results

    def call(self, make: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        """Run a coroutine and wait for it: for starting and closing clients."""
        return asyncio.run_coroutine_threadsafe(make(), self._loop).result(timeout_s)

    def stop(self) -> None:
        """Cancel what is under way and end the thread."""
        if not self._thread.is_alive():
            return
        self.call(self._cancel_all, timeout_s=5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self._loop.close()

    async def _cancel_all(self) -> None:
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
