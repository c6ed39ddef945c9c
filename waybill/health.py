"""/metrics, /livez and /readyz on a small server of its own thread.

Live means that the loops turn, whatever Kafka or the marketplace do: a restart would cause a rebalance
and make it worse. Ready means that every owned partition is at work.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import ThreadingWSGIServer, make_wsgi_app

Check = Callable[[], bool]


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Probes come every few seconds; they are not worth a line."""


class HealthServer:
    """Serves until `stop`; `port` is the real one, also when 0 was asked for."""

    def __init__(
        self, host: str, port: int, collectors: CollectorRegistry, live: Check, ready: Check
    ) -> None:
        self._metrics = make_wsgi_app(collectors)
        self._checks = {"/livez": live, "/readyz": ready}
        self._server = make_server(host, port, self._answer, ThreadingWSGIServer, _Silent)
        self.port: int = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="health", daemon=True
        )
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            answer: Iterable[bytes] = self._metrics(environ, start_response)
            return answer
        check = self._checks.get(path)
        if check is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/metrics, /livez, /readyz\n"]
        good = check()
        start_response(
            "200 OK" if good else "503 Service Unavailable", [("Content-Type", "text/plain")]
        )
        return [b"ok\n" if good else b"not now\n"]

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
