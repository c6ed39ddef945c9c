"""The rate finds its level; time is a number that the tests set."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.alibaba.errors import Rejected, Scope, Throttled
from waybill.alibaba.ratelimit import AsyncLimiter, Limiters, StoreLimiter, for_store
from waybill.alibaba.settings import RateLimitSettings

SETTINGS = RateLimitSettings(
    start_per_s=10, min_per_s=1, max_per_s=40, increase_per_s=2, burst_s=0.5, pause_s=1
)


def full_speed(limiter: StoreLimiter, start_s: float, seconds: float) -> int:
    """Calls made, each answered at once, by a caller that always has more to do."""
    now_s, calls = start_s, 0
    while now_s < start_s + seconds:
        if limiter.try_acquire(now_s):
            calls += 1
            limiter.succeeded(now_s)
        else:
            now_s = limiter.ready_at(now_s) + 1e-9
    return calls


def test_the_first_call_may_start_at_once() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=100.0)

    assert limiter.ready_at(100.0) == 100.0
    assert limiter.try_acquire(100.0)


def test_a_refused_caller_is_told_when_to_come_back_and_is_then_served() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)
    assert limiter.try_acquire(0.0)
    assert not limiter.try_acquire(0.0)

    ready_s = limiter.ready_at(0.0)

    assert ready_s == pytest.approx(0.1)
    assert not limiter.try_acquire(ready_s - 0.01)
    assert limiter.try_acquire(ready_s + 1e-9)


def test_asking_takes_nothing() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)

    for _ in range(100):
        limiter.ready_at(0.0)

    assert limiter.try_acquire(0.0)


def test_unused_permits_are_kept_only_for_a_short_burst() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)

    granted = sum(limiter.try_acquire(3600.0) for _ in range(100))

    assert granted == 5  # 10/s for half a second


def test_used_to_the_full_it_grows_by_the_same_amount_each_second() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)

    full_speed(limiter, 0.0, 5.0)

    assert limiter.rate_per_s == pytest.approx(20.0, rel=0.1)


def test_it_never_grows_beyond_the_maximum() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)

    full_speed(limiter, 0.0, 60.0)

    assert limiter.rate_per_s == 40.0


def test_successes_at_leisure_prove_nothing_and_change_nothing() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)
    now_s = 10.0

    for _ in range(100):
        assert limiter.try_acquire(now_s)
        limiter.succeeded(now_s + 0.2)
        now_s += 5.0

    assert limiter.rate_per_s == 10.0


def test_a_refusal_halves_the_rate_and_pauses() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)
    assert limiter.try_acquire(0.0)

    limiter.throttled(0.5, started_s=0.0, retry_after_s=None)

    assert limiter.rate_per_s == 5.0
    assert limiter.ready_at(0.5) == pytest.approx(1.5)
    assert not limiter.try_acquire(1.4)
    assert limiter.try_acquire(1.5)
    assert not limiter.try_acquire(1.5)


def test_a_ban_lasts_as_long_as_alibaba_says() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)

    limiter.throttled(10.0, started_s=9.0, retry_after_s=60.0)

    assert limiter.banned_until_s == 70.0
    assert limiter.ready_at(10.0) == 70.0
    assert not limiter.try_acquire(69.9)


def test_after_a_ban_one_call_goes_first() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)

    limiter.throttled(10.0, started_s=9.0, retry_after_s=60.0)

    assert sum(limiter.try_acquire(70.0) for _ in range(10)) == 1


def test_calls_refused_together_halve_the_rate_once_and_the_longest_ban_holds() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)

    for retry_after_s in (5.0, 30.0, 1.0):
        limiter.throttled(10.0, started_s=9.5, retry_after_s=retry_after_s)

    assert limiter.rate_per_s == 5.0
    assert limiter.banned_until_s == 40.0


def test_a_call_that_started_after_the_decrease_decreases_again() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)

    limiter.throttled(10.0, started_s=9.5, retry_after_s=1.0)
    limiter.throttled(11.5, started_s=11.0, retry_after_s=1.0)

    assert limiter.rate_per_s == 2.5


def test_it_never_falls_below_the_minimum() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)

    for second in range(20):
        limiter.throttled(second + 0.5, started_s=float(second), retry_after_s=0.0)

    assert limiter.rate_per_s == 1.0


def test_an_endless_ban_is_tried_again_after_the_longest_pause() -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)

    limiter.throttled(0.0, started_s=0.0, retry_after_s=1e12)

    assert limiter.ready_at(0.0) == SETTINGS.pause_max_s


def test_two_callers_settle_below_a_shared_limit() -> None:
    """They know nothing of each other; a server that serves 20 calls a second refuses the rest."""
    limiters = [StoreLimiter(SETTINGS, now_s=0.0) for _ in range(2)]
    served: list[float] = []
    refused = 0
    for step in range(60_000):  # ten minutes in steps of 10 ms
        now_s = step / 100
        for limiter in limiters:
            if not limiter.try_acquire(now_s):
                continue
            if sum(at > now_s - 1.0 for at in served[-40:]) < 20:
                served.append(now_s)
                limiter.succeeded(now_s)
            else:
                refused += 1
                limiter.throttled(now_s, started_s=now_s, retry_after_s=None)

    assert len(served) / 600 > 10
    assert refused / len(served) < 0.05


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["acquire", "ok", "throttled", "ready"]),
            st.floats(0, 10),
            st.none() | st.floats(-5, 1e9),
        ),
        max_size=60,
    )
)
def test_whatever_happens_the_rate_stays_in_its_limits_and_a_promise_is_kept(
    events: list[tuple[str, float, float | None]],
) -> None:
    limiter = StoreLimiter(SETTINGS, now_s=0.0)
    now_s = 0.0
    for event, later_s, retry_after_s in events:
        now_s += later_s
        if event == "acquire":
            limiter.try_acquire(now_s)
        elif event == "ok":
            limiter.succeeded(now_s)
        elif event == "throttled":
            limiter.throttled(now_s, started_s=now_s - 0.1, retry_after_s=retry_after_s)
        assert SETTINGS.min_per_s <= limiter.rate_per_s <= SETTINGS.max_per_s
        ready_s = limiter.ready_at(now_s)
        assert now_s <= ready_s <= now_s + SETTINGS.pause_max_s + 1 / SETTINGS.min_per_s + 1e-6

    ready_s = limiter.ready_at(now_s)
    assert limiter.try_acquire(ready_s + 1e-6)


class Clock:
    """A clock whose sleep moves it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


def test_waiting_callers_are_served_in_order_at_the_rate() -> None:
    clock = Clock()
    limiter = AsyncLimiter(StoreLimiter(SETTINGS, 0.0), now_s=clock.now, sleep=clock.sleep)
    served: list[tuple[int, float]] = []

    async def one(number: int) -> None:
        served.append((number, await limiter.acquire()))

    async def main() -> None:
        await asyncio.gather(*(one(number) for number in range(11)))

    asyncio.run(main())

    assert [number for number, _ in served] == list(range(11))
    assert served[-1][1] == pytest.approx(1.0, abs=0.05)


def test_a_cancelled_waiter_takes_no_permit() -> None:
    clock = Clock()
    limiter = AsyncLimiter(StoreLimiter(SETTINGS, 0.0), now_s=clock.now, sleep=clock.sleep)

    async def main() -> float:
        await limiter.acquire()
        waiting = asyncio.create_task(limiter.acquire())
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return await limiter.acquire()

    assert asyncio.run(main()) == pytest.approx(0.1, abs=0.01)


def refused(retry_after_s: float | None = None, *, scope: Scope = "store") -> Throttled:
    return Throttled("x", operation="get_order", retry_after_s=retry_after_s, scope=scope)


async def fails(error: Exception) -> None:
    raise error


async def answers() -> str:
    return "answer"


class Stores:
    """Limiters on a clock of their own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.limiters = Limiters(now_s=self.clock.now, sleep=self.clock.sleep)

    def of(
        self, store_id: str, settings: RateLimitSettings = SETTINGS, *, app: str = "one"
    ) -> AsyncLimiter:
        return self.limiters.of(store_id, settings, app=app)

    def throttled(self, store_id: str, error: Throttled, *, app: str = "one") -> None:
        with pytest.raises(Throttled):
            asyncio.run(self.of(store_id, app=app).run(lambda: fails(error)))


def test_a_call_that_is_run_waits_its_turn_and_its_end_is_learnt_from() -> None:
    stores = Stores()
    line = stores.of("a")

    assert [asyncio.run(line.run(answers)) for _ in range(3)] == ["answer"] * 3
    assert stores.clock.now_s == pytest.approx(0.2, abs=0.02)
    assert line.limiter.rate_per_s > SETTINGS.start_per_s

    stores.throttled("a", refused(5))

    assert line.limiter.banned_until_s == pytest.approx(stores.clock.now_s + 5)
    assert line.limiter.rate_per_s < SETTINGS.start_per_s


def test_an_error_that_is_no_refusal_for_speed_changes_no_rate() -> None:
    line = Stores().of("a")

    with pytest.raises(Rejected):
        asyncio.run(line.run(lambda: fails(Rejected("no", operation="get_order"))))

    assert line.limiter.rate_per_s == SETTINGS.start_per_s
    assert line.limiter.ready_at(10.0) == 10.0


def test_a_store_keeps_its_ban_and_its_rate_over_new_tokens_and_settings() -> None:
    stores = Stores()
    stores.throttled("a", refused(30))

    again = stores.of("a", SETTINGS.model_copy(update={"increase_per_s": 1.0}))

    assert again.limiter.banned_until_s == 30.0
    assert again.limiter.rate_per_s == 5.0


def test_a_changed_start_value_is_the_rate_at_once() -> None:
    stores = Stores()
    line = stores.of("a")

    stores.of("a", for_store(SETTINGS, 25))
    assert line.limiter.rate_per_s == 25.0

    stores.of("a", for_store(SETTINGS, 200))
    assert line.limiter.rate_per_s == 200.0

    stores.of("a", SETTINGS.model_copy(update={"max_per_s": 4.0}))
    assert line.limiter.rate_per_s == 4.0


def test_a_ban_of_the_app_stops_all_its_stores_and_those_that_come_later_but_no_other_app() -> None:
    stores = Stores()
    before, other = stores.of("b"), stores.of("x", app="two")

    stores.throttled("a", refused(20, scope="app"))

    assert before.limiter.banned_until_s == 20.0
    assert stores.of("c").limiter.banned_until_s == 20.0
    assert other.limiter.ready_at(0.0) == 0.0
    assert before.limiter.rate_per_s == SETTINGS.start_per_s  # it was not the one that was too fast
    before.limiter.succeeded(20.0)
    assert sum(before.limiter.try_acquire(20.0) for _ in range(5)) == 1


def test_a_ban_of_one_store_leaves_the_others_alone() -> None:
    stores = Stores()

    stores.throttled("a", refused(20))

    assert stores.of("b").limiter.ready_at(0.0) == 0.0


def test_a_store_that_is_forgotten_begins_anew() -> None:
    stores = Stores()
    stores.throttled("a", refused(20))

    stores.limiters.forget("a")
    stores.limiters.forget("nobody")

    assert stores.of("a").limiter.ready_at(0.0) == 0.0


def test_a_ban_that_is_too_long_to_wait_for_is_refused_at_once_and_costs_no_call() -> None:
    """Who waits holds a slot; whoever is refused comes back."""
    stores = Stores()
    calls: list[str] = []

    async def call() -> None:
        calls.append("made")

    stores.throttled("a", refused(SETTINGS.wait_max_s + 10))
    with pytest.raises(Throttled) as caught:
        asyncio.run(stores.of("a").run(call))
    assert caught.value.retry_after_s == SETTINGS.wait_max_s + 10
    assert calls == []

    stores.clock.now_s = 15.0
    asyncio.run(stores.of("a").run(call))
    assert calls == ["made"]
    assert stores.clock.now_s == pytest.approx(SETTINGS.wait_max_s + 10)


def test_whoever_waits_already_is_refused_when_a_long_ban_comes() -> None:
    clock = Clock()
    limiter = StoreLimiter(SETTINGS, 0.0)

    async def banned_meanwhile(seconds: float) -> None:
        limiter.throttled(clock.now_s, started_s=0.0, retry_after_s=3600)
        await clock.sleep(seconds)

    waiting = AsyncLimiter(limiter, now_s=clock.now, sleep=banned_meanwhile)
    assert limiter.try_acquire(0.0)

    with pytest.raises(Throttled):
        asyncio.run(waiting.acquire())
