"""The HTTP transport: aiohttp behind httpx's interface, telling the truth about "was it sent?".

httpx's own connection pool does work that grows with the square of its idle connections, which at
64 calls in flight costs more than everything else together; ``httpx-aiohttp`` has none of that. But
it reports *every* broken connection as a connect time-out, also one that broke after the request
had left, and so would have a shipment declared twice. Therefore the connector below notes the
moment at which a request is handed to a connection, and ``SentAwareTransport`` gives errors their
type by that note alone: before it ``httpx.ConnectError`` or ``ConnectTimeout``, after it
``ReadError`` or ``ReadTimeout``.

Nothing here repeats a request: aiohttp repeats only idempotent methods, and all our calls are POST.
"""

import ssl
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from waybill.alibaba.settings import AlibabaSettings

if TYPE_CHECKING:
    from aiohttp.client import ClientTimeout
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

SENDING: Final = "waybill.sending"
"""Name of the request extension that carries a ``Sending``."""


_WHOLE_BYTES_MAX: Final = 1024 * 1024
"""Longer bodies are given to aiohttp in pieces, as it asks for: writing one takes the event loop."""
_PIECE_BYTES: Final = 256 * 1024


class StartRefusedError(Exception):
    """``Sending.may_start`` said no when a connection was ready. Nothing was sent."""


@dataclass(slots=True)
class Sending:
    """How far a request has come; one per request."""

    may_start: Callable[[], bool] | None = None
    """Asked when the connection is ready, right before the first byte."""
    tracked: bool = False
    """Whether the transport keeps ``started`` up to date; a foreign one may not."""
    started: bool = False
    """Whether the request was handed to a connection, so that bytes may have left."""


_sending: ContextVar[Sending | None] = ContextVar("waybill_alibaba_sending", default=None)


class _NotingConnector(aiohttp.TCPConnector):
    """Notes that a request gets its connection; aiohttp writes the first byte right after."""

    async def connect(
        self,
        req: "ClientRequest",
        traces: "list[Trace]",
        timeout: "ClientTimeout",  # noqa: ASYNC109 - overridden
    ) -> "Connection":
        connection = await super().connect(req, traces, timeout)
        sending = _sending.get()
        if sending is not None:
            if sending.may_start is not None and not sending.may_start():
                connection.release()
                raise StartRefusedError
            sending.started = True
        return connection


class SentAwareTransport(httpx.AsyncBaseTransport):
    """One aiohttp session of ``connections_max`` connections, made at the first call."""

    def __init__(self, settings: AlibabaSettings) -> None:
        self._settings = settings
        self._tls = _tls(settings)
        self._inner = AiohttpTransport(verify=self._tls, client=self._session)

    def _session(self) -> aiohttp.ClientSession:
        settings = self._settings
        connector = _NotingConnector(
            limit=settings.connections_max, keepalive_timeout=settings.keepalive_s, ssl=self._tls
        )
        return aiohttp.ClientSession(
            connector=connector,
            # Calls of different stores share the session: no cookie may pass from one to another.
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=settings.proxy_url.get_secret_value() if settings.proxy_url else None,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` once. Errors: see the module; the answer's body is still to be read."""
        sending: Sending = request.extensions.get(SENDING) or Sending()
        sending.tracked = True
        if len(request.content) > _WHOLE_BYTES_MAX:
            request = _in_pieces(request)
        token = _sending.set(sending)
        try:
            response = await self._inner.handle_async_request(request)
        except (httpx.TransportError, aiohttp.ClientError, OSError) as failure:
            raise _truthful(failure, started=sending.started) from failure
        finally:
            _sending.reset(token)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _SentAwareStream(response.stream)
        return response

    async def aclose(self) -> None:
        """Close the session; calls in flight break."""
        await self._inner.aclose()


class _Pieces(httpx.AsyncByteStream):
    """A body in hand, given piece by piece."""

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), _PIECE_BYTES):
            yield bytes(self._content[start : start + _PIECE_BYTES])


def _in_pieces(request: httpx.Request) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        stream=_Pieces(request.content),
        extensions=request.extensions,
    )


class _SentAwareStream(httpx.AsyncByteStream):
    """An answer's body, whose errors all come after sending."""

    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner:
                yield chunk
        except (httpx.TransportError, aiohttp.ClientError, OSError) as failure:
            raise _truthful(failure, started=True) from failure

    async def aclose(self) -> None:
        await self._inner.aclose()


def _truthful(failure: Exception, *, started: bool) -> httpx.TransportError:
    late = isinstance(failure, (httpx.TimeoutException, TimeoutError))
    # httpx-aiohttp calls every broken connection a connect time-out: only its cause tells them
    # apart.
    if isinstance(failure, httpx.ConnectTimeout):
        late = isinstance(failure.__cause__, TimeoutError)
    what = f"{type(failure.__cause__ or failure).__name__}"
    if started:
        return httpx.ReadTimeout(what) if late else httpx.ReadError(what)
    return httpx.ConnectTimeout(what) if late else httpx.ConnectError(what)


def _tls(settings: AlibabaSettings) -> ssl.SSLContext:
    if settings.ca_file is not None:
        return ssl.create_default_context(cafile=settings.ca_file)
    return httpx.create_ssl_context()
