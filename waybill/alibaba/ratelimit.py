"""How fast a store may be called: a rate that finds its own level.

Alibaba's limits per second are not documented and belong to the store's app, not to a process;
several processes share them. So each adapts as TCP does: a little faster while calls succeed
(additive increase), half as fast when one is refused (multiplicative decrease), and silent for as
long as a ban is said to last.

``StoreLimiter`` is pure: it is told the time, in seconds of any clock that does not jump, and never
waits. ``AsyncLimiter`` is the few lines that wait. ``Limiters`` keeps one per store of a process,
whatever becomes of its tokens and settings.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from waybill.alibaba.errors import Throttled
from waybill.alibaba.settings import RateLimitSettings

T = TypeVar("T")
_NEVER_S: Final = float("-inf")


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
        self._decreased_s = _NEVER_S
        self._short_s = _NEVER_S

    def adopt(self, settings: RateLimitSettings) -> None:
        """Go on under changed settings: a changed start value is the new rate, a ban stands."""
        start_changed = settings.start_per_s != self._settings.start_per_s
        rate_per_s = settings.start_per_s if start_changed else self._rate_per_s
        self._rate_per_s = min(max(rate_per_s, settings.min_per_s), settings.max_per_s)
        self._settings = settings

    @property
    def settings(self) -> RateLimitSettings:
        """Those in force."""
        return self._settings

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
        self.banned(now_s + min(max(pause_s, 0.0), settings.pause_max_s))
        if started_s > self._decreased_s:
            self._decreased_s = now_s
            slower = self._rate_per_s * settings.decrease_factor
            self._rate_per_s = max(slower, settings.min_per_s)

    def banned(self, until_s: float) -> None:
        """No call before then; one goes first when it is over. Never shortens a ban."""
        self._banned_until_s = max(self._banned_until_s, until_s)
        self._counted_s, self._permits = max(self._counted_s, self._banned_until_s), 1.0

    def _count(self, now_s: float) -> None:
        """Add the permits that grew since the last look; none grow during a ban."""
        grown = max(0.0, now_s - self._counted_s) * self._rate_per_s
        kept = max(1.0, self._rate_per_s * self._settings.burst_s)
        self._permits = min(self._permits + grown, kept)
        self._counted_s = max(self._counted_s, now_s)


class AsyncLimiter:
    """Waits for permits of a ``StoreLimiter`` within one event loop, first come, first served.

    A waiter that is cancelled leaves its permit to the next. A ban longer than ``wait_max_s`` is
    not waited for: whoever asks is refused as Alibaba would refuse him, without a call, and comes
    back when the error says.
    """

    def __init__(
        self,
        limiter: StoreLimiter,
        *,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_app_ban: Callable[[float], None] = lambda _until_s: None,
    ) -> None:
        self.limiter = limiter
        self._now_s = now_s
        self._sleep = sleep
        self._on_app_ban = on_app_ban
        self._turn = asyncio.Lock()

    async def acquire(self) -> float:
        """Wait for a permit; the time, on the limiter's clock, at which the call may start.

        ``Throttled`` if the store is banned for longer than anybody should wait.
        """
        async with self._turn:
            while not self.limiter.try_acquire(now := self._now_s()):
                self._refuse_a_long_wait(now)
                await self._sleep(max(self.limiter.ready_at(now) - now, 0.001))
            return now

    def _refuse_a_long_wait(self, now: float) -> None:
        banned_s = self.limiter.banned_until_s - now
        if banned_s > self.limiter.settings.wait_max_s:
            raise Throttled(
                "not called: Alibaba's ban still lasts", operation="wait", retry_after_s=banned_s
            )

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Wait for a permit, make the call, learn from its end."""
        return await self.reported(call, await self.acquire())

    async def reported(self, call: Callable[[], Awaitable[T]], started_s: float) -> T:
        """Make a call whose permit was taken at ``started_s``, and learn from its end."""
        try:
            result = await call()
        except Throttled as error:
            self.throttled(error, started_s)
            raise
        self.limiter.succeeded(self._now_s())
        return result

    def throttled(self, error: Throttled, started_s: float) -> None:
        """A call was refused for speed; a limit of the whole app is passed on."""
        self.limiter.throttled(
            self._now_s(), started_s=started_s, retry_after_s=error.retry_after_s
        )
        if error.scope == "app":
            self._on_app_ban(self.limiter.banned_until_s)


@dataclass(frozen=True, slots=True)
class _Held:
    app: str
    limiter: AsyncLimiter


class Limiters:
    """One limiter per store, for as long as the process knows the store.

    A store keeps its limiter over new tokens and new settings: a ban is not forgotten because a
    token was refreshed. A ban of the app (``AppCallLimit``) stops all its stores, also those that
    come later. ``of`` and ``forget`` may be called on another thread than the calls are made on;
    only one thread may call them.
    """

    def __init__(
        self,
        *,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now_s = now_s
        self._sleep = sleep
        self._held: dict[str, _Held] = {}
        self._app_bans: dict[str, float] = {}

    def of(self, store_id: str, settings: RateLimitSettings, *, app: str = "") -> AsyncLimiter:
        """The store's limiter, under these settings from now on. ``app`` names whose limits it shares."""
        held = self._held.get(store_id)
        if held is not None and held.app == app:
            held.limiter.limiter.adopt(settings)
            return held.limiter
        limiter = AsyncLimiter(
            StoreLimiter(settings, self._now_s()),
            now_s=self._now_s,
            sleep=self._sleep,
            on_app_ban=lambda until_s: self._ban(app, until_s),
        )
        self._held[store_id] = _Held(app, limiter)
        limiter.limiter.banned(self._app_bans.get(app, _NEVER_S))
        return limiter

    def forget(self, store_id: str) -> None:
        """The store is not this process's any more."""
        self._held.pop(store_id, None)

    def _ban(self, app: str, until_s: float) -> None:
        self._app_bans[app] = max(until_s, self._app_bans.get(app, _NEVER_S))
        for held in list(self._held.values()):  # another thread may add a store meanwhile
            if held.app == app:
                held.limiter.limiter.banned(until_s)


def for_store(settings: RateLimitSettings, start_per_s: float) -> RateLimitSettings:
    """The site's settings with a store's own start value, which may be above the site's maximum."""
    most = max(settings.max_per_s, start_per_s)
    return settings.model_copy(update={"start_per_s": start_per_s, "max_per_s": most})
