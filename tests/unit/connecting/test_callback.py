"""The server that the browser comes back to: one reply ends it, and nothing of it is written anywhere."""

import socket
from collections.abc import Callable

import httpx
import pytest

from waybill.connecting.callback import Answer, CallbackServer, Reply

Take = Callable[[Reply], Answer]


@pytest.fixture
def server() -> CallbackServer:
    return CallbackServer("127.0.0.1", 0, "/callback")


def get(server: CallbackServer, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{server.port}{path}", trust_env=False, timeout=10)


def test_the_reply_that_counts_ends_the_waiting_and_is_shown(server: CallbackServer) -> None:
    replies: list[Reply] = []

    def take(reply: Reply) -> Answer:
        replies.append(reply)
        return Answer(200, "<b>done</b> & well")

    with server.serving(take):
        page = get(server, "/callback?code=3_50&state=abc")
        assert server.wait(5)

    assert (page.status_code, replies[0].state) == (200, "abc")
    assert replies[0].code is not None
    assert replies[0].code.get_secret_value() == "3_50"
    assert "3_50" not in repr(replies)
    assert "&lt;b&gt;done&lt;/b&gt; &amp; well" in page.text
    assert "script" not in page.headers["content-security-policy"]


def test_other_replies_and_other_paths_leave_it_waiting(server: CallbackServer) -> None:
    with server.serving(lambda _: Answer(400, "not this one", last=False)):
        assert get(server, "/callback?state=x").status_code == 400
        assert get(server, "/favicon.ico").status_code == 404
        assert not server.wait(0.05)


def test_nobody_who_only_connects_keeps_the_reply_out(server: CallbackServer) -> None:
    with (
        socket.create_connection(("127.0.0.1", server.port)),
        server.serving(lambda _: Answer(200, "done")),
    ):
        assert get(server, "/callback").status_code == 200
        assert server.wait(5)


def test_a_defect_is_raised_where_it_is_waited_for(server: CallbackServer) -> None:
    def broken(_: Reply) -> Answer:
        raise LookupError("a defect")

    with server.serving(broken):
        assert get(server, "/callback?code=secret").status_code == 500
        with pytest.raises(LookupError, match="a defect"):
            server.wait(5)


def test_nothing_is_written_about_requests(
    server: CallbackServer, capfd: pytest.CaptureFixture[str]
) -> None:
    with server.serving(lambda _: Answer(400, "no", last=False)):
        get(server, "/callback?code=secret")
        with socket.create_connection(("127.0.0.1", server.port)) as stranger:
            stranger.sendall(b"\x16\x03\x01 no http\r\n\r\n")
            stranger.recv(1_000)

    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_taken_is_told(server: CallbackServer) -> None:
    with pytest.raises(OSError, match="in use"):
        CallbackServer("127.0.0.1", server.port, "/callback")
    with server.serving(lambda _: Answer(200, "")):
        pass  # closes the port


@pytest.mark.parametrize(
    ("query", "state", "code"),
    [
        ("code=1&state=2", "2", "1"),
        ("state=2", "2", None),
        ("code=1&code=2&state=3", "3", None),
        ("code=1&state=2&state=3", "", "1"),
        ("code=a%2Bb+c&state=%C3%A9", "é", "a+b c"),
        ("", "", None),
        ("&".join(["a=1"] * 100) + "&code=1&state=2", "", None),
    ],
)
def test_what_a_reply_says(query: str, state: str, code: str | None) -> None:
    reply = Reply.of(query)

    assert reply.state == state
    assert (reply.code and reply.code.get_secret_value()) == code
