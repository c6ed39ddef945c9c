"""The calls' event loop without a thread: one callback a step, on the process's own clock."""

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from waybill.streaming.background import Background


class SteppedLoop(asyncio.AbstractEventLoop):
    """As much of an event loop as coroutines, futures, locks and sleeping need."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbered = 0

    def time(self) -> float:
        return self._clock_s()

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Told of tasks that a killed process left behind; what work raises comes with `collect`."""

    def call_soon(  # type: ignore[override]  # the stubs spell the arguments with type variables
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # as above

    def call_later(  # type: ignore[override]  # as above
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]  # as above
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._numbered += 1
        heapq.heappush(self._timers, (when, self._numbered, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # as above
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None
    ) -> "asyncio.Task[Any]":
        return asyncio.Task(coro, loop=self, name=name or "call")

    def wake_s(self) -> float | None:
        """When there is something to run: in the past for now, None for never."""
        if self._ready:
            return float("-inf")
        return self._timers[0][0] if self._timers else None

    def step(self) -> None:
        """Run one callback."""
        while self._timers and self._timers[0][0] <= self.time():
            self._ready.append(heapq.heappop(self._timers)[2])
        if not self._ready:
            return
        handle = self._ready.popleft()
        if handle.cancelled():
            return
        events._set_running_loop(self)
        try:
            handle._run()
        finally:
            events._set_running_loop(None)


class ModelBackground(Background):
    """`Background` whose loop is stepped by the scheduler."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self.loop = SteppedLoop(clock_s)  # type: ignore[abstract]  # what is missing is never asked for
        self._loop = self.loop
        self._results: deque[Any] = deque()
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def has_results(self) -> bool:
        """Whether `collect` would bring something."""
        return bool(self._results) or self._failure is not None
