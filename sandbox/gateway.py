"""The gateway, ``/rest`` and ``/sync``: reads a call, lets faults interfere, checks, acts, answers.

A plain ASGI application, because this is the path a benchmark drives. Endpoints run to their end
without waiting, so two calls never see each other's half-done work.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from starlette.types import Receive, Scope, Send

from sandbox import auth, reading, writing
from sandbox.calls import FIELD_OVERHEAD_BYTES, Call, ClientGoneError, parse, read_body
from sandbox.faults import ActLate, CutAfter, CutBefore, ErrorAnswer, Faults, HttpError, refusal
from sandbox.protocol import BusinessError, GopError, check_signature
from sandbox.world import World

log = logging.getLogger("sandbox")

PREFIX = "/rest"
SYNC = "/sync"
SHIPPING_PATH = "/alibaba/v2/order/shipping"
CHANNELS_METHOD = "alibaba.seller.order.shipping.channels"
"""The one dotted method served under ``/sync``: no path is documented for it."""
HANG_MAX_S = 600.0
"""A call left without an answer is cut off after this long at the latest."""
LATE_ACTS_MAX = 10_000
CUT = "sandbox.cut"
"""Name of the ASGI extension that closes the TCP connection at once."""
BEGAN = "sandbox.began"
"""Name of the ASGI extension with the arrival of the request, on the clock of the event loop."""

_JSON = (b"content-type", b"application/json;charset=UTF-8")
_HTML = (b"content-type", b"text/html")


class Endpoint(NamedTuple):
    """One API path: what answers it, and whether it needs an access token."""

    run: Callable[[World, Call], dict[str, Any]]
    needs_token: bool = True


def endpoints(world: World) -> dict[str, Endpoint]:
    """All API paths of a sandbox."""
    return {
        "/auth/token/create": Endpoint(auth.token_create, needs_token=False),
        "/auth/token/refresh": Endpoint(auth.token_refresh, needs_token=False),
        "/alibaba/order/list": Endpoint(reading.order_list),
        "/alibaba/order/get": Endpoint(reading.order_get),
        "/alibaba/order/fund/query": Endpoint(reading.fund_query),
        "/order/logistics/query": Endpoint(reading.logistics_query),
        world.settings.channels_path: Endpoint(reading.channels),
        CHANNELS_METHOD: Endpoint(reading.channels),
        "/alibaba/order/attachment/upload": Endpoint(writing.attachment_upload),
        SHIPPING_PATH: Endpoint(writing.order_shipping),
    }


class Gateway:
    """ASGI application of the API."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._endpoints = endpoints(world)
        self._body_bytes_max = world.settings.upload_bytes_max + FIELD_OVERHEAD_BYTES
        self._request_id_head = f"0b{world.now_ms():x}"
        self._requests = 0
        self._late: set[asyncio.TimerHandle] = set()
        self.received: Counter[str] = Counter()
        """Requests per path since the start, whatever became of them; unknown paths: ``other``."""
        self.cut = 0
        """Connections closed without an answer since the start."""
        self.late_done = 0

    @property
    def paths(self) -> list[str]:
        """All API paths, and the dotted methods."""
        return list(self._endpoints)

    @property
    def late_pending(self) -> int:
        """Calls that were answered, or cut off, and will act later."""
        return len(self._late)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        began_s = scope["extensions"][BEGAN]
        dotted = scope["path"] == SYNC
        path = SYNC if dotted else scope["path"][len(PREFIX) :]
        self.received[path if dotted or path in self._endpoints else "other"] += 1
        self._requests += 1
        request_id = f"{self._request_id_head}{self._requests:08x}"
        try:
            body = await read_body(receive, self._body_bytes_max)
            params, files = parse(scope, body)
            path = params.get("method", "").lstrip("/") if dotted else path
            call = Call(path, params, files, request_id, began_s)
            await self._interfere(call, scope, receive, send)
        except GopError as error:
            await self._refuse(send, error, request_id, dotted=dotted)
        except ClientGoneError:
            return

    async def _interfere(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        plan = self._faults.plan(call.path, self._world.tokens.caller(call.params))
        call.lag_s = plan.lag_s
        if plan.before_s:
            spent_s = asyncio.get_running_loop().time() - call.began_s
            await asyncio.sleep(max(0, plan.before_s - spent_s))
        match plan.outcome:
            case None:
                try:
                    answer = self._act(call)
                finally:
                    if plan.after_s:
                        await asyncio.sleep(plan.after_s)
                await _send_json(send, answer)
            case ErrorAnswer() as error:
                raise refusal(error)
            case HttpError() as error:
                if error.acted:
                    self._act_unheard(call)
                await _send(send, error.status, _HTML, b"<html>sandbox fault</html>")
            case CutBefore():
                await self._cut(scope, receive)
            case CutAfter():
                self._act_unheard(call)
                await self._cut(scope, receive)
            case ActLate() as fault:
                self._checked(call)
                self._act_later(call, fault.after_s)
                await self._answer_now(fault, scope, receive)

    async def _answer_now(self, fault: ActLate, scope: Scope, receive: Receive) -> None:
        match fault.answer:
            case "error":
                raise GopError("ServiceTimeout", "Service timeout", "ISP")
            case "hang":
                await _until_client_leaves(receive, HANG_MAX_S)
                await self._cut(scope, receive)
            case "cut":
                await self._cut(scope, receive)

    def _act(self, call: Call) -> dict[str, Any]:
        fields = self._checked(call).run(self._world, call)
        answer = {**fields, "code": "0", "request_id": call.request_id}
        return {f"{call.path.replace('.', '_')}_response": answer} if call.dotted else answer

    def _checked(self, call: Call) -> Endpoint:
        """The endpoint of a call that is signed, in time and authorised."""
        world = self._world
        endpoint = self._endpoints.get(call.path)
        if endpoint is None:
            raise GopError("InvalidApiPath", "The specified API path is invalid or not granted")
        now_ms = world.now_ms()
        signed_path = "" if call.dotted else call.path
        check_signature(
            signed_path, call.params, world.app, now_ms, world.settings.timestamp_skew_s
        )
        if endpoint.needs_token:
            seller = world.tokens.authorised(call.access_token, now_ms)
            call.seller = world.sellers[seller]
        return endpoint

    def _act_unheard(self, call: Call) -> None:
        """Act for a caller who will not learn how it went."""
        try:
            self._act(call)
        except GopError as error:
            log.info("unheard call to %s was refused: %s", call.path, error.code)

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

    async def _refuse(self, send: Send, error: GopError, request_id: str, *, dotted: bool) -> None:
        if dotted:
            await _send_json(send, error.older_answer(request_id), error.http_status)
        elif isinstance(error, BusinessError) and self._world.settings.business_errors == "result":
            await _send_json(send, error.nested(request_id))
        else:
            await _send_json(send, error.answer(request_id), error.http_status)


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
