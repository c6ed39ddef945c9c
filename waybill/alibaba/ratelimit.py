"""How fast a store may be called: a rate that finds its own level.

Alibaba's limits per second are not documented and belong to the store's app, not to a process;
several processes share them. So each adapts as TCP does: a little faster while calls succeed
(additive increase), half as fast when one is refused (multiplicative decrease), and silent for as
long as a ban is said to last.

``StoreLimiter`` is pure: it is told the time, in seconds of any clock that does not jump, and never
waits. ``AsyncLimiter`` is the few lines that wait.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from waybill.alibaba.settings import RateLimitSettings


class StoreLimiter:
    """Permits for one store. Not for use by several threads at once.

    A scheduler asks ``try_acquire`` and, when refused, comes back at ``ready_at``. Every call must
    report how it ended: ``succeeded`` if Alibaba answered at all, ``throttled`` if it refused for
    speed. Losing the limiter loses nothing: a new one starts at ``start_per_s`` and adapts.
    """

    def __init__(self, settings: RateLimitSettings, now_s: float) -> None:
        self._settings = settings
        self._rate_per_s = min(max(settings.start_per_s, settings.min_per_s), settings.max_per_s)
        self._permits = 1.0
        self._counted_s = now_s
        self._banned_until_s = now_s
        self._decreased_s = float("-inf")
        self._short_s = float("-inf")

    @property
    def rate_per_s(self) -> float:
        """The present rate, for a gauge."""
        return self._rate_per_s

    @property
    def banned_until_s(self) -> float:
        """The end of the latest ban; in the past if there is none."""
        return self._banned_until_s

    def try_acquire(self, now_s: float) -> bool:
        """Take a permit for one call that starts now; ``False`` if there is none."""
        self._count(now_s)
        if now_s < self._banned_until_s:
            return False
        granted = self._permits >= 1.0
        if granted:
            self._permits -= 1.0
        if self._permits < 1.0:
            self._short_s = now_s
        return granted

    def ready_at(self, now_s: float) -> float:
        """When the next permit is free if nobody else takes it: ``now_s`` or later."""
        self._count(now_s)
        start_s = max(now_s, self._banned_until_s)
        return start_s + max(0.0, 1.0 - self._permits) / self._rate_per_s

    def succeeded(self, now_s: float) -> None:
        """A call was answered. Faster, if the rate holds calls back; idle time proves nothing."""
        if now_s - self._short_s <= 1.0:
            step = self._settings.increase_per_s / self._rate_per_s
            self._rate_per_s = min(self._rate_per_s + step, self._settings.max_per_s)

    def throttled(self, now_s: float, *, started_s: float, retry_after_s: float | None) -> None:
        """A call that started at ``started_s`` was refused for speed.

        Calls in flight are refused together, so only one that started after the last decrease
        decreases again; each may prolong the ban.
        """
        settings = self._settings
        pause_s = settings.pause_s if retry_after_s is None else retry_after_s
        until_s = now_s + min(max(pause_s, 0.0), settings.pause_max_s)
        self._banned_until_s = max(self._banned_until_s, until_s)
        self._counted_s, self._permits = max(self._counted_s, self._banned_until_s), 1.0
        if started_s > self._decreased_s:
            self._decreased_s = now_s
            slower = self._rate_per_s * settings.decrease_factor
            self._rate_per_s = max(slower, settings.min_per_s)

    def _count(self, now_s: float) -> None:
        """Add the permits that grew since the last look; none grow during a ban."""
        grown = max(0.0, now_s - self._counted_s) * self._rate_per_s
        kept = max(1.0, self._rate_per_s * self._settings.burst_s)
        self._permits = min(self._permits + grown, kept)
        self._counted_s = max(self._counted_s, now_s)


class AsyncLimiter:
    """Waits for permits of a ``StoreLimiter`` within one event loop, first come, first served.

    A waiter that is cancelled leaves its permit to the next.
    """

    def __init__(
        self,
        limiter: StoreLimiter,
        *,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limiter = limiter
        self._now_s = now_s
        self._sleep = sleep
        self._turn = asyncio.Lock()

    async def acquire(self) -> float:
        """Wait for a permit; the time, on the limiter's clock, at which the call may start."""
        async with self._turn:
            while not self.limiter.try_acquire(now := self._now_s()):
                await self._sleep(max(self.limiter.ready_at(now) - now, 0.001))
            return now
