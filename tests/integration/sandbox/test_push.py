"""Push messages reach their receiver, signed, and come again until they are taken."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.integration.sandbox.client import Api
from tests.waiting import wait_until


class Receiver:
    """An HTTP server that keeps what it gets and answers the statuses it is given, then 200."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.signatures: list[str | None] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                receiver.bodies.append(self.rfile.read(length))
                receiver.signatures.append(self.headers["authorization"])
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 - silent
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/push"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


def test_a_changed_order_is_told_with_a_signature(api: Api, receiver: Receiver) -> None:
    trade_id = api.order()
    api.admin("PUT", "/push", {"url": receiver.url})
    api.ship(trade_id)
    wait_until(lambda: receiver.bodies)
    body = receiver.bodies[0]
    message = json.loads(body)
    assert message["data"]["trade_id_str"] == trade_id
    assert message["data"]["status"] == "delivering"
    assert message["seller_id"] == api.stores[0].id
    expected = hmac.new(api.secret.encode(), api.key.encode() + body, hashlib.sha256).hexdigest()
    assert receiver.signatures[0] == expected
    wait_until(lambda: api.admin("GET", "/totals")["push"]["delivered"] == 1)


def test_a_message_comes_again_until_it_is_taken(api: Api, receiver: Receiver) -> None:
    receiver.statuses = [500, 302]
    api.admin("PUT", "/push", {"url": receiver.url})
    api.order()
    wait_until(lambda: len(receiver.bodies) == 3)
    assert len(set(receiver.bodies)) == 1
    wait_until(lambda: api.admin("GET", "/totals")["push"]["delivered"] == 1)
    assert api.admin("GET", "/totals")["push"]["failed_attempts"] == 2


def test_nothing_is_sent_without_an_address(api: Api, receiver: Receiver) -> None:
    api.admin("PUT", "/push", {"url": receiver.url})
    api.admin("PUT", "/push", {"url": None})
    api.order()
    api.admin("PUT", "/push", {"url": receiver.url})
    second = api.order()
    wait_until(lambda: receiver.bodies)
    assert json.loads(receiver.bodies[0])["data"]["trade_id_str"] == second
