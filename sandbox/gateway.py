"""The gateway: reads a call in any of its dialects, lets faults interfere, checks, acts, answers.

A plain ASGI application, because this is the path a benchmark drives. Endpoints run to their end
without waiting, so two calls never see each other's half-done work.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any, NamedTuple

import orjson
from starlette.types import Receive, Scope, Send

from sandbox.calls import FIELD_OVERHEAD_BYTES, Call, ClientGoneError, parse, read_body
from sandbox.dialects import REST, Dialect, dialects
from sandbox.faults import (
    ActLate,
    ApiError,
    CutAfter,
    CutBefore,
    ErrorAnswer,
    Faults,
    HttpError,
    Outcome,
    Plan,
    refusal,
)
from sandbox.methods import SHIPPING_METHOD, SHIPPING_PATH, Endpoint, endpoints
from sandbox.protocol import GopError
from sandbox.shifting import shift
from sandbox.world import World

log = logging.getLogger("sandbox")

HANG_MAX_S = 600.0
"""A call left without an answer is cut off after this long at the latest."""
LATE_ACTS_MAX = 10_000
CUT = "sandbox.cut"
"""Name of the ASGI extension that closes the TCP connection at once."""
BEGAN = "sandbox.began"
"""Name of the ASGI extension with the arrival of the request, on the clock of the event loop."""

_JSON = (b"content-type", b"application/json;charset=UTF-8")
_HTML = (b"content-type", b"text/html")


class _Exchange(NamedTuple):
    """One HTTP request with what it takes to answer it."""

    call: Call
    dialect: Dialect
    scope: Scope
    receive: Receive
    send: Send


class Gateway:
    """ASGI application of the API."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._endpoints = endpoints(world)
        self._dialects = dialects(world)
        self._body_bytes_max = world.settings.upload_bytes_max + FIELD_OVERHEAD_BYTES
        self._request_id_head = f"0b{world.now_ms():x}"
        self._requests = 0
        self._late: set[asyncio.TimerHandle] = set()
        self.received: Counter[str] = Counter()
        """Requests per path since the start, whatever became of them; unknown paths: ``other``."""
        self.received_of: dict[str, Counter[str]] = {}
        """The same by store; calls that name no token of a store: ``unknown``."""
        self.refused_of: dict[str, Counter[str]] = {}
        """Errors since the start by store and code, the sandbox's own mischief included."""
        self.cut = 0
        """Connections closed without an answer since the start."""
        self.late_done = 0

    @property
    def paths(self) -> list[str]:
        """All API paths, and the dotted methods."""
        return list(self._endpoints)

    @property
    def shipping_calls(self) -> int:
        """Calls since the start that wanted to declare a shipment, in any dialect."""
        return self.received[SHIPPING_PATH] + self.received[SHIPPING_METHOD]

    @property
    def late_pending(self) -> int:
        """Calls that were answered, or cut off, and will act later."""
        return len(self._late)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        self._requests += 1
        request_id = f"{self._request_id_head}{self._requests:08x}"
        dialect = self._dialects.get(scope["path"], self._dialects[REST])
        call = Call("", {}, {}, request_id, scope["extensions"][BEGAN])
        exchange = _Exchange(call, dialect, scope, receive, send)
        try:
            await self._read(exchange)
            await self._interfere(exchange)
        except GopError as error:
            await self._refuse(exchange, error)
        except ClientGoneError:
            return

    async def _read(self, exchange: _Exchange) -> None:
        """Fill in the call, and count it whether or not its parameters can be read."""
        call, dialect, scope = exchange.call, exchange.dialect, exchange.scope
        try:
            body = await read_body(exchange.receive, self._body_bytes_max)
            call.params, call.files = parse(scope, body)
        finally:
            call.path = dialect.operation(scope["path"], call.params)
            self.received[self._counted(call.path)] += 1

    def _counted(self, path: str) -> str:
        return path if path in self._endpoints else "other"

    async def _interfere(self, exchange: _Exchange) -> None:
        call = exchange.call
        seller = self._world.tokens.caller(call.params)
        self.received_of.setdefault(seller or "unknown", Counter())[self._counted(call.path)] += 1
        plan = self._faults.plan(call.path, seller)
        call.lag_s = plan.lag_s
        if plan.before_s:
            spent_s = asyncio.get_running_loop().time() - call.began_s
            await asyncio.sleep(max(0, plan.before_s - spent_s))
        self._shift(plan, seller, "before")
        if plan.outcome is not None:
            await self._misbehave(exchange, plan.outcome)
            return
        try:
            answer = self._act(exchange)
            self._shift(plan, seller, "after")
        finally:
            if plan.after_s:
                await asyncio.sleep(plan.after_s)
        await _send_json(exchange.send, answer)

    def _shift(self, plan: Plan, seller: str | None, when: str) -> None:
        for spec in plan.shifts:
            if seller is not None and spec.when == when:
                shift(self._world, seller, spec, self._faults.dice)

    async def _misbehave(self, exchange: _Exchange, outcome: Outcome) -> None:
        match outcome:
            case ErrorAnswer() | ApiError() as error:
                if isinstance(error, ApiError) and error.acted:
                    self._act_unheard(exchange)
                raise refusal(error)
            case HttpError() as error:
                if error.acted:
                    self._act_unheard(exchange)
                await _send(exchange.send, error.status, _HTML, b"<html>sandbox fault</html>")
            case CutBefore():
                await self._cut(exchange.scope, exchange.receive)
            case CutAfter():
                self._act_unheard(exchange)
                await self._cut(exchange.scope, exchange.receive)
            case ActLate() as fault:
                self._checked(exchange)
                self._act_later(exchange.call, fault.after_s)
                await self._answer_now(fault, exchange.scope, exchange.receive)

    async def _answer_now(self, fault: ActLate, scope: Scope, receive: Receive) -> None:
        match fault.answer:
            case "error":
                raise GopError("ServiceTimeout", "Service timeout", "ISP")
            case "hang":
                await _until_client_leaves(receive, HANG_MAX_S)
                await self._cut(scope, receive)
            case "cut":
                await self._cut(scope, receive)

    def _act(self, exchange: _Exchange) -> dict[str, Any]:
        call = exchange.call
        fields = self._checked(exchange).run(self._world, call)
        return exchange.dialect.answer(call.path, call.params, fields, call.request_id)

    def _checked(self, exchange: _Exchange) -> Endpoint:
        """The endpoint of a call that is signed, in time and authorised."""
        world, call = self._world, exchange.call
        endpoint = self._endpoints.get(call.path)
        if endpoint is None:
            raise GopError("InvalidApiPath", "The specified API path is invalid or not granted")
        now_ms = world.now_ms()
        exchange.dialect.check(call.path, call.params, world.app, now_ms)
        if world.settings.unknown_parameters == "refuse":
            endpoint.check(call)
        if endpoint.needs_token:
            seller = world.tokens.authorised(call.access_token, now_ms)
            call.seller = world.sellers[seller]
        return endpoint

    def _act_unheard(self, exchange: _Exchange) -> None:
        """Act for a caller who will not learn how it went."""
        try:
            self._act(exchange)
        except GopError as error:
            log.info("unheard call to %s was refused: %s", exchange.call.path, error.code)

    def _act_later(self, call: Call, after_s: float) -> None:
        if len(self._late) >= LATE_ACTS_MAX:
            raise GopError("500", f"{LATE_ACTS_MAX} late acts are waiting", "SYSTEM")
        call.late = True
        endpoint = self._endpoints[call.path]

        def act() -> None:
            self._late.discard(handle)
            self.late_done += 1
            try:
                endpoint.run(self._world, call)
            except GopError as error:
                log.info("late call to %s was refused: %s", call.path, error.code)

        handle = asyncio.get_running_loop().call_later(after_s, act)
        self._late.add(handle)

    def forget_late_acts(self) -> None:
        """Drop the calls that wait to act: the sandbox stops."""
        for handle in self._late:
            handle.cancel()
        self._late.clear()

    async def _cut(self, scope: Scope, receive: Receive) -> None:
        self.cut += 1
        scope["extensions"][CUT]()
        await _until_client_leaves(receive, HANG_MAX_S)

    async def _refuse(self, exchange: _Exchange, error: GopError) -> None:
        call, dialect = exchange.call, exchange.dialect
        seller = self._world.tokens.caller(call.params) or "unknown"
        self.refused_of.setdefault(seller, Counter())[error.code] += 1
        answer = dialect.refusal(call.path, call.params, error, call.request_id)
        await _send_json(exchange.send, answer, self._http_status(error, answer))

    def _http_status(self, error: GopError, answer: dict[str, Any]) -> int:
        refused = "error_response" in answer or answer.get("code") not in {"0", None}
        if error.http_status != 200 or not refused:
            return error.http_status
        return 200 if self._world.settings.error_http_status == "200" else error.meaning


async def _until_client_leaves(receive: Receive, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


async def _send_json(send: Send, answer: dict[str, Any], status: int = 200) -> None:
    await _send(send, status, _JSON, orjson.dumps(answer))


async def _send(send: Send, status: int, kind: tuple[bytes, bytes], body: bytes) -> None:
    headers = [kind, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
