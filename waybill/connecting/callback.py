"""The address to which Alibaba sends the seller's browser back: a server for one authorisation.

It listens on this machine alone unless told otherwise, writes no line about what it is asked (a code stands
in it), and shows the seller what became of it.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

_REQUEST_S = 10.0
"""A browser sends its request at once; one that only connects must not hold a thread for ever."""
_FIELDS_MAX = 20
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the callback was called with."""

    state: str
    code: SecretStr | None

    @classmethod
    def of(cls, query: str) -> "Reply":
        """From the part of the address behind `?`; a name given twice tells nothing."""
        try:
            found = parse_qs(query, max_num_fields=_FIELDS_MAX)
        except ValueError:
            found = {}
        state, code = (found.get(name, []) for name in ("state", "code"))
        return cls(
            state[0] if len(state) == 1 else "", SecretStr(code[0]) if len(code) == 1 else None
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser shows."""

    status: int
    text: str
    last: bool = True
    """False: this reply was not the one that is waited for."""


class CallbackServer:
    """Hands each reply on, one at a time, until one is the last."""

    def __init__(self, host: str, port: int, path: str) -> None:
        """Raises OSError when the port is taken; port 0 takes a free one."""
        self._path = path
        self._take: Callable[[Reply], Answer] | None = None
        self._one_at_a_time = threading.Lock()
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._server = _Server((host, port), _handler(self._answer, self._ended))
        self.port: int = self._server.server_port

    @contextmanager
    def serving(self, take: Callable[[Reply], Answer]) -> Iterator[None]:
        """Serve as long as this lasts; `take` deals with a reply, on a thread of the server."""
        self._take = take
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="callback"
        )
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(timeout=5)

    def wait(self, timeout_s: float) -> bool:
        """Until the last reply was answered; False when none came in time. Raises what `take` raised."""
        came = self._ended.wait(timeout_s)
        if self._failure is not None:
            raise self._failure
        return came

    def _answer(self, address: str) -> Answer:
        parts = urlsplit(address)
        if parts.path != self._path or self._take is None:
            return Answer(404, "There is nothing here.", last=False)
        with self._one_at_a_time:
            try:
                return self._take(Reply.of(parts.query))
            except Exception as error:  # noqa: BLE001 - raised by `wait`, on the thread that can deal with it
                self._failure = error
                return Answer(500, "Something went wrong: see where the connection was begun.")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    """Browsers connect in advance and say nothing: no end waits for that."""

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's signature
        """A browser that hangs up is no news; anything else is a defect, and told without its values."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            sys.stderr.write(f"callback: {type(error).__name__}\n")


def _handler(
    answer: Callable[[str], Answer], ended: threading.Event
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_S

        def version_string(self) -> str:
            return "waybill"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Silent: the address holds the code."""

        def do_GET(self) -> None:
            found = answer(self.path)
            try:
                self._send(found)
            finally:
                if found.last:
                    ended.set()

        def _send(self, found: Answer) -> None:
            body = _PAGE.format(escape(found.text)).encode()
            self.send_response(found.status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Waybill</title>'
    "<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}"
    "</style></head><body><h1>Waybill</h1><p>{}</p></body></html>"
)
