"""Push messages: Alibaba's hints that an order was created or changed.

At least once, in no order, signed with the application's secret. A receiver has 500 ms to answer
with HTTP 200; otherwise the message comes again, up to twelve times. Alibaba stretches these over
six hours, the sandbox over about two minutes. Messages live in memory: a hint is no promise.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import httpx
import orjson

from sandbox.orders import Order
from sandbox.protocol import pacific_text, push_signature
from sandbox.world import World

log = logging.getLogger("sandbox")

ANSWER_S = 0.5
RETRIES = 12
RETRY_FIRST_S = 0.1
RETRY_MAX_S = 30.0
WAITING_MAX = 10_000
SENDERS = 8
MESSAGE_TYPE = 3


@dataclass(slots=True)
class PushTotals:
    """What became of the messages since the start."""

    delivered: int = 0
    failed_attempts: int = 0
    given_up: int = 0
    dropped: int = 0
    """Not sent because :data:`WAITING_MAX` were waiting."""


class Push:
    """Sends a message for every order event while an address is set."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.url = world.settings.push_url
        self.totals = PushTotals()
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(WAITING_MAX)
        self._tasks: list[asyncio.Task[None]] = []
        world.order_listeners.append(self.order_changed)

    def order_changed(self, order: Order) -> None:
        """Queue a message; never waits."""
        if self.url is None:
            return
        try:
            self._waiting.put_nowait(message(order, self._world.now_ms()))
        except asyncio.QueueFull:
            self.totals.dropped += 1

    async def start(self) -> None:
        """Begin to send."""
        self._client = httpx.AsyncClient(timeout=ANSWER_S, trust_env=False)
        self._tasks = [asyncio.create_task(self._work()) for _ in range(SENDERS)]

    async def stop(self) -> None:
        """Stop sending; what waits is dropped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def _work(self) -> None:
        while True:
            await self._deliver(await self._waiting.get())

    async def _deliver(self, body: bytes) -> None:
        for attempt in range(RETRIES + 1):
            if await self._accepted(body):
                self.totals.delivered += 1
                return
            self.totals.failed_attempts += 1
            await asyncio.sleep(min(RETRY_FIRST_S * 2**attempt, RETRY_MAX_S))
        self.totals.given_up += 1

    async def _accepted(self, body: bytes) -> bool:
        app = self._world.app
        headers = {
            "Authorization": push_signature(app.key, body, app.secret),
            "Content-Type": "application/json",
        }
        if self.url is None:
            return True
        try:
            answer = await self._client.post(self.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            log.debug("push failed: %s", type(error).__name__)
            return False
        return answer.status_code == 200


def message(order: Order, now_ms: int) -> bytes:
    """One message, as Alibaba's ``ICBU_TRADE_SYNC_MSG``."""
    return orjson.dumps(
        {
            "havana_id": order.seller.user_id,
            "seller_id": order.seller.id,
            "message_type": MESSAGE_TYPE,
            "data": {
                "status": order.status,
                "order_status": order.status,
                "trade_id_str": order.trade_id,
                "trade_order_id": order.trade_id,
                "status_update_time": pacific_text(order.modified_ms),
            },
            "timestamp": now_ms // 1000,
            "site": "icbu_global",
        }
    )
