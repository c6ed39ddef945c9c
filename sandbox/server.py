"""The sandbox as a running server: the parts put together, and uvicorn around them."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.admin import Admin
from sandbox.adminjson import bad_body, not_found
from sandbox.auth import AuthorizePages
from sandbox.controls import Controls
from sandbox.dialects import REST, SYNC, TOP
from sandbox.faults import Faults, Latency
from sandbox.gateway import BEGAN, CUT, Gateway
from sandbox.push import Push
from sandbox.settings import Settings
from sandbox.world import World

BACKLOG = 2_048
KEEP_ALIVE_S = 65
"""Idle connections stay open about as long as with common load balancers."""
STOP_S = 2
"""Calls in flight get this long when the sandbox is told to stop."""
START_MAX_S = 60


class CuttableProtocol(HttpToolsProtocol):
    """HTTP with two things more: when a request began, and how to cut its TCP connection."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        extensions = {CUT: self.transport.abort, BEGAN: self.loop.time()}
        self.scope["extensions"] = extensions  # type: ignore[typeddict-item]


class Sandbox:
    """ASGI application: the gateway under its addresses, pages and admin calls beside it."""

    def __init__(self, settings: Settings) -> None:
        self.world = World(settings)
        self.faults = Faults(settings.seed)
        self.gateway = Gateway(self.world, self.faults)
        self.push = Push(self.world)
        if settings.latency_ms or settings.jitter_ms:
            self.faults.add(Latency(ms=settings.latency_ms, jitter_ms=settings.jitter_ms))
        self.routes = self._make_routes()
        """All addresses beside those of the gateway."""
        self._pages = self._build_pages()

    def _make_routes(self) -> list[Route]:
        pages = AuthorizePages(self.world)
        return [
            Route("/oauth/authorize", pages.ask),
            Route("/oauth/authorize/confirm", pages.confirm),
            Route("/ecology/service.htm", pages.service_time),
            *Admin(self.world, self.gateway, self.push).routes(),
            *Controls(self.world, self.faults, self.gateway, self.push).routes(),
        ]

    def _build_pages(self) -> ASGIApp:
        return Starlette(
            routes=self.routes,
            exception_handlers={ValidationError: bad_body, HTTPException: not_found},
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        await self.push.start()
        yield
        await self.push.stop()
        self.gateway.forget_late_acts()
        self.world.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one request."""
        path = scope.get("path", "")
        if scope["type"] == "http" and (path.startswith(f"{REST}/") or path in {SYNC, TOP}):
            await self.gateway(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


class _Server(uvicorn.Server):
    """Tells when it serves."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then call ``ready``."""
        await super().startup(sockets)
        self._ready()


def run(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` gets the address once calls are answered."""
    server, listener = _prepare(settings, ready)
    with listener:
        server.run(sockets=[listener])


@contextlib.contextmanager
def background(settings: Settings) -> Iterator[str]:
    """A sandbox on a thread of this process, for tests and demos; yields its address."""
    started = threading.Event()
    addresses: list[str] = []

    def ready(address: str) -> None:
        addresses.append(address)
        started.set()

    server, listener = _prepare(settings, ready)
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    with listener:
        thread.start()
        try:
            if not started.wait(START_MAX_S):
                raise RuntimeError(f"the sandbox did not start within {START_MAX_S} s")
            yield addresses[0]
        finally:
            server.should_exit = True
            thread.join(START_MAX_S)


def _prepare(settings: Settings, ready: Callable[[str], None]) -> tuple[_Server, socket.socket]:
    sandbox = Sandbox(settings)
    try:
        listener = socket.create_server((settings.host, settings.port), backlog=BACKLOG)
    except OSError:
        sandbox.world.close()
        raise
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(
        sandbox,
        http=CuttableProtocol,
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
    )
    return _Server(config, lambda: ready(f"http://{host}:{port}")), listener
