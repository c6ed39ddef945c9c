"""Push messages reach their receiver, signed, and come again until they are taken."""

import hashlib
import hmac
import json
import socket
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


def to(receiver: Receiver, **options: Any) -> Any:
    """Push options; a busy machine may take its time."""
    return {"url": receiver.url, "answer_s": 30, **options}


def test_a_changed_order_is_told_with_a_signature(api: Api, receiver: Receiver) -> None:
    trade_id = api.order()
    api.admin("PUT", "/push", to(receiver))
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
    api.admin("PUT", "/push", to(receiver))
    api.order()
    wait_until(lambda: len(receiver.bodies) == 3)
    assert len(set(receiver.bodies)) == 1
    wait_until(lambda: api.admin("GET", "/totals")["push"]["delivered"] == 1)
    assert api.admin("GET", "/totals")["push"]["failed_attempts"] == 2


def test_nothing_is_sent_without_an_address(api: Api, receiver: Receiver) -> None:
    api.admin("PUT", "/push", to(receiver))
    api.admin("PUT", "/push", {"url": None})
    api.order()
    api.admin("PUT", "/push", to(receiver))
    second = api.order()
    wait_until(lambda: receiver.bodies)
    assert json.loads(receiver.bodies[0])["data"]["trade_id_str"] == second


def send(api: Api, status: int | None = None, **wish: Any) -> Any:
    return api.admin("POST", "/push/send", {"answer_s": 30, **wish}, status=status)


def test_messages_may_come_twice_late_and_out_of_order(api: Api, receiver: Receiver) -> None:
    api.admin("PUT", "/push", to(receiver, duplicates=1, delay_ms_max=300))
    made = [api.order() for _ in range(10)]
    wait_until(lambda: len(receiver.bodies) == 20)
    told = [json.loads(body)["data"]["trade_id_str"] for body in receiver.bodies]
    assert sorted(told) == sorted(made * 2)
    assert told != sorted(told)


def test_messages_may_be_lost(api: Api, receiver: Receiver) -> None:
    api.admin("PUT", "/push", to(receiver, lost=1))
    api.order()
    api.admin("PUT", "/push", to(receiver))
    last = api.order()
    wait_until(lambda: receiver.bodies)
    assert json.loads(receiver.bodies[0])["data"]["trade_id_str"] == last
    assert api.admin("GET", "/push")["totals"]["lost"] == 1


def test_a_receiver_that_mostly_fails_is_given_up_until_push_is_set_again(
    api: Api, receiver: Receiver
) -> None:
    receiver.statuses = [500] * 30
    options = to(receiver, span_s=21_600)
    api.admin("PUT", "/push", options)
    for _ in range(25):
        api.order()
    wait_until(lambda: api.admin("GET", "/push")["stopped"])
    assert len(receiver.bodies) >= 20
    receiver.statuses = []
    untold = api.order()
    api.admin("PUT", "/push", options)
    last = api.order()
    wait_until(lambda: any(last.encode() in body for body in receiver.bodies))
    assert not any(untold.encode() in body for body in receiver.bodies)
    assert not api.admin("GET", "/push")["stopped"]


def test_a_message_is_given_up_after_twelve_retries(api: Api, receiver: Receiver) -> None:
    receiver.statuses = [503] * 100
    api.admin("PUT", "/push", to(receiver, span_s=0.5))
    trade_id = api.order()
    wait_until(lambda: api.admin("GET", "/push")["totals"]["given_up"] == 1)
    assert len(receiver.bodies) == 13
    attempts = api.admin("GET", "/push")["attempts"]
    assert [attempt["attempt"] for attempt in attempts] == list(range(1, 14))
    assert {attempt["trade_id"] for attempt in attempts} == {trade_id}
    assert {attempt["status"] for attempt in attempts} == {503}


def test_a_message_can_be_sent_by_hand_as_often_as_wished(api: Api, receiver: Receiver) -> None:
    trade_id = api.order()
    sent = send(api, trade_id=trade_id, url=receiver.url, times=3, message={"message_type": 99})
    assert [answer["status"] for answer in sent["answers"]] == [200, 200, 200]
    assert sent["status"] == 200
    assert [body.decode() for body in receiver.bodies] == [sent["body"]] * 3
    message = json.loads(sent["body"])
    assert (message["message_type"], message["data"]["trade_id_str"]) == (99, trade_id)


@pytest.mark.parametrize("signature", ["right", "wrong", "missing", "other_app"])
def test_a_message_by_hand_may_be_signed_wrongly(
    api: Api, receiver: Receiver, signature: str
) -> None:
    send(api, url=receiver.url, raw="not json", bytes=1_000, signature=signature)
    body = receiver.bodies[0]
    assert body == b"not json".ljust(1_000)
    right = hmac.new(api.secret.encode(), api.key.encode() + body, hashlib.sha256).hexdigest()
    assert (receiver.signatures[0] == right) is (signature == "right")
    assert (receiver.signatures[0] is None) is (signature == "missing")


def test_a_message_by_hand_says_when_nobody_answers(api: Api) -> None:
    trade_id = api.order()
    assert send(api, trade_id=trade_id, url="http://127.0.0.1:9/")["status"] is None
    assert "url" in send(api, 409, trade_id=trade_id)["error"]
    assert "trade id" in send(api, 404, trade_id="1", url="http://127.0.0.1:9/")["error"]


def test_a_receiver_that_is_too_slow_has_not_answered(api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        sent = send(api, raw="{}", url=url, answer_s=0.1)
    assert sent["status"] is None
    assert sent["ms"] >= 100
