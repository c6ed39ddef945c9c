"""Push messages: Alibaba's hints that an order was created or changed.

At least once, in no order, signed with the application's secret. A receiver has 500 ms to answer
with HTTP 200; otherwise the message comes again, up to twelve times, with growing pauses. Alibaba
stretches these over six hours, the sandbox over two minutes unless told otherwise. A receiver that
fails more often than not is given up until push is set again. Messages live in memory: a hint is
no promise.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field

from sandbox.orders import Order, chaos, merged
from sandbox.protocol import pacific_text, push_signature
from sandbox.world import World

log = logging.getLogger("sandbox")

ANSWER_S = 0.5
ANSWER_MAX_S = 60
RETRIES = 12
WAITING_MAX = 10_000
SENDERS = 8
MESSAGE_TYPE = 3
ATTEMPTS_KEPT = 1_000
FAILING_AMONG = 100
FAILING_MIN = 20
"""Pushing stops when more than half of the last attempts, at least so many, failed."""


class _Wish(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PushOptions(_Wish):
    """Where messages go and how well they travel. Body of ``PUT /admin/push``."""

    url: str | None = Field(default=None, pattern=r"^https?://")
    """None switches push off; what waits is dropped."""
    span_s: float = Field(default=120, gt=0, le=6 * 3600)
    """From the first attempt to the last retry, all attempts failing."""
    duplicates: float = Field(default=0, ge=0, le=1)
    """Share of messages that are sent twice."""
    lost: float = Field(default=0, ge=0, le=1)
    """Share of messages that are never sent."""
    delay_ms_max: float = Field(default=0, ge=0, le=600_000)
    """Each is late by a random time up to this, so that they overtake each other."""
    stop_when_failing: bool = True
    answer_s: float = Field(default=ANSWER_S, gt=0, le=ANSWER_MAX_S)
    """How long a receiver may take; more than Alibaba gives, for a test on a busy machine."""


class SendMessage(_Wish):
    """One message to be sent at once. Body of ``POST /admin/push/send``."""

    trade_id: str | None = None
    url: str | None = Field(default=None, pattern=r"^https?://")
    """None: the address that is set."""
    signature: Literal["right", "wrong", "missing", "other_app"] = "right"
    message: dict[str, Any] | None = None
    """A JSON merge patch over the message."""
    raw: str | None = Field(default=None, max_length=1_000_000)
    """The body itself, signed as it is."""
    bytes: int = Field(default=0, ge=0, le=50_000_000)
    """Padded with spaces to this size."""
    times: int = Field(default=1, ge=1, le=1_000)
    answer_s: float = Field(default=ANSWER_S, gt=0, le=ANSWER_MAX_S)
    """How long the receiver may take."""


@dataclass(slots=True)
class PushTotals:
    """What became of the messages since the start."""

    delivered: int = 0
    failed_attempts: int = 0
    given_up: int = 0
    lost: int = 0
    """On purpose, as the options want it."""
    dropped: int = 0
    """:data:`WAITING_MAX` were waiting, or push was switched off or given up."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message on its way, once."""

    trade_id: str | None
    seller: str | None
    attempt: int
    """1 for the first."""
    status: int | None
    """None: no answer in time, or no connection."""
    ms: float


@dataclass(slots=True)
class _Message:
    body: bytes
    trade_id: str
    seller: str
    attempts: int = 0


class Push:
    """Sends a message for every order event while an address is set."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._dice = chaos(world.settings.seed, "push")
        self.options = PushOptions(url=world.settings.push_url)
        self.stopped = False
        """The receiver failed too often."""
        self.totals = PushTotals()
        self.attempts: deque[Attempt] = deque(maxlen=ATTEMPTS_KEPT)
        """The last ones, oldest first."""
        self._recent: deque[bool] = deque(maxlen=FAILING_AMONG)
        self._ready: asyncio.Queue[_Message] = asyncio.Queue()
        self._late: set[asyncio.TimerHandle] = set()
        self._tasks: list[asyncio.Task[None]] = []
        world.order_listeners.append(self.order_changed)

    @property
    def waiting(self) -> int:
        """Messages to be sent, now or later."""
        return self._ready.qsize() + len(self._late)

    def set(self, options: PushOptions) -> None:
        """Go on with other options; a receiver that was given up gets another chance."""
        self.options = options
        self.stopped = False
        self._recent.clear()

    def order_changed(self, order: Order) -> None:
        """Queue a message; never waits."""
        options = self.options
        if options.url is None or self.stopped:
            return
        if self._dice.random() < options.lost:
            self.totals.lost += 1
            return
        body = message(order, self._world.now_ms())
        for _ in range(2 if self._dice.random() < options.duplicates else 1):
            late_s = self._dice.uniform(0, options.delay_ms_max) / 1000
            self._queue(_Message(body, order.trade_id, order.seller.id), late_s)

    def _queue(self, waiting: _Message, late_s: float) -> None:
        if self.waiting >= WAITING_MAX:
            self.totals.dropped += 1
        elif late_s <= 0:
            self._ready.put_nowait(waiting)
        else:

            def due() -> None:
                self._late.discard(handle)
                self._ready.put_nowait(waiting)

            handle = asyncio.get_running_loop().call_later(late_s, due)
            self._late.add(handle)

    async def start(self) -> None:
        """Begin to send."""
        self._client = httpx.AsyncClient(timeout=ANSWER_MAX_S, trust_env=False)
        self._tasks = [asyncio.create_task(self._work()) for _ in range(SENDERS)]

    async def stop(self) -> None:
        """Stop sending; what waits is dropped."""
        for handle in self._late:
            handle.cancel()
        self._late.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def _work(self) -> None:
        while True:
            await self._deliver(await self._ready.get())

    async def _deliver(self, waiting: _Message) -> None:
        url = self.options.url
        if url is None or self.stopped:
            self.totals.dropped += 1
            return
        waiting.attempts += 1
        app = self._world.app
        signature = push_signature(app.key, waiting.body, app.secret)
        status, ms = await self._post(url, waiting.body, signature, self.options.answer_s)
        self.attempts.append(
            Attempt(waiting.trade_id, waiting.seller, waiting.attempts, status, ms)
        )
        self._note(taken=status == 200)
        if status == 200:
            self.totals.delivered += 1
            return
        self.totals.failed_attempts += 1
        if waiting.attempts > RETRIES:
            self.totals.given_up += 1
        else:
            self._queue(waiting, retry_pause_s(waiting.attempts, self.options.span_s))

    def _note(self, *, taken: bool) -> None:
        self._recent.append(taken)
        seen, failed = len(self._recent), self._recent.count(False)
        if self.options.stop_when_failing and seen >= FAILING_MIN and failed * 2 > seen:
            self.stopped = True

    async def _post(
        self, url: str, body: bytes, signature: str | None, answer_s: float
    ) -> tuple[int | None, float]:
        """Status and milliseconds of one attempt."""
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["Authorization"] = signature
        clock = asyncio.get_running_loop().time
        began_s = clock()
        status = None
        try:
            async with asyncio.timeout(answer_s):
                status = (await self._client.post(url, content=body, headers=headers)).status_code
        except (httpx.HTTPError, TimeoutError) as error:
            log.debug("push failed: %s", type(error).__name__)
        return status, round((clock() - began_s) * 1000, 1)

    async def send(self, wish: SendMessage, order: Order | None) -> tuple[bytes, list[Attempt]]:
        """Send what is wished for, one after the other and never again; its body and the answers.

        Without ``raw`` an order is needed. Not part of the totals.
        """
        url = wish.url or self.options.url
        if url is None:
            raise ValueError("no url is given, and none is set")
        body = _body(wish, order, self._world.now_ms())
        signature = self._signature(wish, body)
        seller = order.seller.id if order is not None else None
        sent = []
        for number in range(1, wish.times + 1):
            status, ms = await self._post(url, body, signature, wish.answer_s)
            sent.append(Attempt(wish.trade_id, seller, number, status, ms))
        self.attempts.extend(sent)
        return body, sent

    def _signature(self, wish: SendMessage, body: bytes) -> str | None:
        app = self._world.app
        match wish.signature:
            case "missing":
                return None
            case "other_app":
                return push_signature("999999", body, "secret-of-another-application")
            case "wrong":
                right = push_signature(app.key, body, app.secret)
                return right[:-1] + ("0" if right[-1] != "0" else "1")
            case "right":
                return push_signature(app.key, body, app.secret)


def _body(wish: SendMessage, order: Order | None, now_ms: int) -> bytes:
    if wish.raw is not None:
        body = wish.raw.encode()
    elif order is None:
        raise ValueError("a message needs an order or a raw body")
    else:
        body = orjson.dumps(merged(orjson.loads(message(order, now_ms)), wish.message or {}))
    return body.ljust(wish.bytes)


def retry_pause_s(attempts: int, span_s: float) -> float:
    """How long to wait after so many failed attempts: doubling, ``span_s`` for all of them.

    >>> round(sum(retry_pause_s(done, 120) for done in range(1, RETRIES + 1)))
    120
    """
    return float(span_s * 2 ** (attempts - 1) / (2**RETRIES - 1))


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
