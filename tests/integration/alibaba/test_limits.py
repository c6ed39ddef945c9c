"""Limiters against a quota that is counted elsewhere, over real HTTP and on the real clock."""

import asyncio

import pytest
from pydantic import SecretStr

from tests.integration.alibaba.stand_in import Sandbox, run
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.errors import Throttled
from waybill.alibaba.ratelimit import Limiters
from waybill.alibaba.settings import RateLimitSettings

CALLS = 120
LIMITS = RateLimitSettings(start_per_s=60, increase_per_s=5, max_per_s=200)


def test_two_processes_that_share_a_quota_finish_and_are_seldom_refused(
    sandbox: Sandbox, token: SecretStr
) -> None:
    """Importer and notifier know nothing of each other; each has its own limiters."""
    trade_id = sandbox.new_order()
    sandbox.post("/faults", {"kind": "quota", "per_second": 40, "ban_s": 1})
    refused = 0

    async def process(client: AlibabaClient) -> None:
        nonlocal refused
        limiter = Limiters().of("store", LIMITS, app="site")
        left = CALLS
        while left:
            try:
                await limiter.run(lambda: client.get_order(trade_id, access_token=token))
                left -= 1
            except Throttled:
                refused += 1

    async def both(client: AlibabaClient) -> None:
        async with asyncio.timeout(60):
            await asyncio.gather(process(client), process(client))

    run(sandbox, both)

    assert refused <= CALLS // 4


def test_a_ban_of_the_app_is_felt_by_its_other_stores_without_a_call_of_theirs(
    sandbox: Sandbox, token: SecretStr
) -> None:
    limiters = Limiters()
    path = sandbox.settings.order_get
    sandbox.post("/faults", {"kind": "api_error", "name": "app_limit", "path": path, "times": 1})
    made = sandbox.get("/totals")["requests"][path]

    async def call(client: AlibabaClient) -> None:
        first, second = (limiters.of(name, LIMITS, app="site") for name in ("one", "two"))
        with pytest.raises(Throttled) as caught:
            await first.run(lambda: client.get_order("1", access_token=token))
        assert caught.value.scope == "app"
        assert not second.limiter.try_acquire(first.limiter.banned_until_s - 0.1)
        assert second.limiter.try_acquire(first.limiter.banned_until_s)

    run(sandbox, call)

    assert sandbox.get("/totals")["requests"][path] == made + 1
