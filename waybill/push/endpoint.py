"""`POST /push/<site>`: checks the signature on the raw bytes, leaves a hint, answers within Alibaba's 500 ms.

200 means done with, also for messages that ask nothing of us: repeating them would change nothing. 503 asks
Alibaba to repeat. A message is only ever a hint: who forged one, or sent an old one again, would have an
order read once more.
"""

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from waybill.alibaba.signing import push_is_authentic
from waybill.contracts import OrderHint
from waybill.contracts.imports import HintReason
from waybill.contracts.keys import order_key
from waybill.metrics import Registry
from waybill.push.hints import Hints
from waybill.push.message import OrderPush, UnreadablePushError, read
from waybill.push.metrics import PushMetrics, Result
from waybill.push.sellers import Sellers
from waybill.push.settings import PushSettings
from waybill.settings import KafkaSettings, SiteSettings
from waybill.streaming.lifeline import Client

log = structlog.get_logger()

_BODY_S = 5.0
"""A body that drips holds a place no longer than this."""
_BACKLOG = 1_024
_KEEP_ALIVE_S = 65
"""Longer than usual proxies keep a connection, so that it is they who close it."""
_START_S = 10.0
_STOP_S = 2
_STATUS = {
    Result.UNAUTHORISED: 401,
    Result.TOO_SLOW: 408,
    Result.TOO_LONG: 413,
    Result.UNAVAILABLE: 503,
}
"""Everything else is 200."""
_UNREAD = {Result.TOO_SLOW, Result.TOO_LONG}
"""The rest of the body may still come: nothing else can come on that connection."""

for _name in ("uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
    _silent = logging.getLogger(
        _name
    )  # strangers' broken requests are no news, and may hold anything
    _silent.addHandler(logging.NullHandler())
    _silent.propagate = False


class PushEndpoint:
    """The endpoint as an application, and as a server on a thread of its own."""

    def __init__(
        self,
        settings: PushSettings,
        kafka: KafkaSettings,
        sites: Mapping[str, SiteSettings],
        metrics: PushMetrics,
    ) -> None:
        self._settings = settings
        self._sites = sites
        self._metrics = metrics
        self._hints = Hints(kafka, settings.waiting_max, settings.ack_s)
        self._sellers = Sellers(kafka, "waybill-push")
        self.clients: Mapping[str, Client] = {
            "push endpoint's producer": self._hints,
            "push endpoint's reader": self._sellers.client,
        }
        """What a `Lifeline` has to watch while it serves."""
        self.app = Starlette(routes=[Route("/push/{site}", self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> Response:
        began_s = time.perf_counter()
        site = self._sites.get(request.path_params["site"])
        if site is None:
            return Response(status_code=404)
        try:
            result = await self._dealt_with(request, request.path_params["site"], site)
        except ClientDisconnect:
            result = Result.TOO_SLOW
        self._metrics.messages.labels(result.value).inc()
        self._metrics.seconds.observe(time.perf_counter() - began_s)
        unread = {"connection": "close"} if result in _UNREAD else None
        return Response(status_code=_STATUS.get(result, 200), headers=unread)

    async def _dealt_with(self, request: Request, name: str, site: SiteSettings) -> Result:
        try:
            async with asyncio.timeout(_BODY_S):
                body = await self._body(request)
        except TimeoutError:
            return Result.TOO_SLOW
        if body is None:
            return Result.TOO_LONG
        signature = request.headers.get("authorization", "")
        secret = site.app.app_secret.get_secret_value().encode()
        if not push_is_authentic(signature, site.app.app_key, body, secret):
            return Result.UNAUTHORISED
        try:
            push = read(body)
        except UnreadablePushError:
            return Result.UNREADABLE
        return Result.UNKNOWN_TYPE if push is None else await self._hint(name, push)

    async def _body(self, request: Request) -> bytes | None:
        """The raw bytes; None when there are too many, which are then not read."""
        most = self._settings.body_bytes_max
        announced = request.headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > most:
            return None
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                return None
        return bytes(body)

    async def _hint(self, site: str, push: OrderPush) -> Result:
        store_id = self._sellers.store_id(site, push.sellers)
        if store_id is None:
            return Result.UNKNOWN_SELLER if self._sellers.known else Result.UNAVAILABLE
        hint = OrderHint(
            order_key=order_key(site, push.trade_id),
            store_id=store_id,
            reason=HintReason.PUSHED,
            hinted_at=datetime.now(UTC),
        )
        return Result.HINTED if await self._hints.publish(hint) else Result.UNAVAILABLE

    @contextlib.contextmanager
    def serving(self) -> Iterator[int]:
        """Serve as long as this lasts; yields the port. Raises OSError when it is taken."""
        listener = socket.create_server(
            (self._settings.host, self._settings.port or 0), backlog=_BACKLOG
        )
        with listener:
            port: int = listener.getsockname()[1]
            self._hints.start()
            self._sellers.start()
            server = _Server(self.app, self._settings.requests_max)
            thread = threading.Thread(
                target=server.serve_on, args=(listener,), name="push", daemon=True
            )
            thread.start()
            try:
                if not server.serves.wait(_START_S):
                    raise RuntimeError(f"the push endpoint did not start within {_START_S:.0f} s")
                yield port
            finally:
                server.should_exit = True
                thread.join(_STOP_S + 3)
                self._sellers.stop()
                self._hints.stop()


class _Server(uvicorn.Server):
    """Tells when it serves."""

    def __init__(self, app: Starlette, requests_max: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=requests_max,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_STOP_S,
            )
        )
        self.serves = threading.Event()

    def serve_on(self, listener: socket.socket) -> None:
        """Serve until told to stop; an end that nobody asked for is told, and polling goes on."""
        try:
            self.run([listener])
        finally:
            if not self.should_exit:
                log.error("push_ended")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.serves.set()


@contextlib.contextmanager
def push_endpoint(
    settings: PushSettings,
    kafka: KafkaSettings,
    sites: Mapping[str, SiteSettings],
    registry: Registry,
) -> Iterator[Mapping[str, Client]]:
    """The endpoint beside a service, if a port is set; yields its Kafka clients."""
    if settings.port is None:
        yield {}
        return
    endpoint = PushEndpoint(settings, kafka, sites, PushMetrics(registry))
    with endpoint.serving() as port:
        log.info("push_listening", port=port, sites=sorted(sites))
        yield endpoint.clients
