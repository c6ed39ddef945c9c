"""Every way a call can break, on real sockets: was it sent, and is the error's type the truth?

The worst mistake possible here is ``NotSent`` for a declaration that has left.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from tests.integration.alibaba.loopback import (
    Behaviour,
    Connection,
    Loopback,
    Received,
    always,
    close,
    cut,
    stall,
    until,
)
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.errors import AlibabaError, NotSent, OutcomeUnknown, Unavailable
from waybill.alibaba.models import LogisticsType, ShippingRequest
from waybill.alibaba.settings import AlibabaSettings, AppCredentials

TOKEN = SecretStr("50000700c10access")
CREDENTIALS = AppCredentials(app_key="123456", app_secret=SecretStr("top-secret"))
REQUEST = ShippingRequest(
    trade_id="255201166001024316",
    service_provider="FEDEX",
    logistics_type=LogisticsType.EXPRESS,
    tracking_number="776705370628",
)
VOUCHER = {"code": "0", "voucher_id": "3000000001", "request_id": "r"}
SHORT_S = 0.4
GRACE_S = 4.0  # for a busy machine; what a limit guards against would take 5 s or for ever


def settings(url: str, **changes: Any) -> AlibabaSettings:
    given = {"call_s": SHORT_S, **changes}
    return AlibabaSettings(api_url=url, token_url=url, sync_url=url, **given)


async def declare(client: AlibabaClient) -> object:
    return await client.declare_shipment(REQUEST, access_token=TOKEN)


async def read(client: AlibabaClient) -> object:
    return await client.get_logistics("1", access_token=TOKEN)


async def upload(client: AlibabaClient) -> object:
    return await client.upload_attachment("p.png", b"x" * 3_000_000, access_token=TOKEN)


async def refresh(client: AlibabaClient) -> object:
    return await client.refresh_token(SecretStr("50001700c10refresh"))


Call = Callable[[AlibabaClient], Awaitable[object]]
EVERY_CALL: list[tuple[Call, type[AlibabaError]]] = [
    (declare, OutcomeUnknown),
    (refresh, OutcomeUnknown),
    (read, Unavailable),
    (upload, Unavailable),
]


async def failed(call: Call, url: str, **changes: Any) -> tuple[AlibabaError, float]:
    """The error a call ends with, and after how many seconds. No secret may be in it."""
    async with AlibabaClient(settings(url, **changes), CREDENTIALS) as client:
        began = time.monotonic()
        with pytest.raises(AlibabaError) as caught:
            await call(client)
        took_s = time.monotonic() - began
    assert_nothing_secret(caught.value)
    return caught.value, took_s


def assert_nothing_secret(error: BaseException) -> None:
    told = ""
    while True:
        told += f"{error!r} {error} {vars(error)}"
        inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    for secret in ("50000700c10access", "50001700c10refresh", "top-secret", "776705370628"):
        assert secret not in told


def run(behaviour: Behaviour, call: Call, **changes: Any) -> tuple[AlibabaError, float, Loopback]:
    async def main() -> tuple[AlibabaError, float, Loopback]:
        async with Loopback(behaviour) as server:
            error, took_s = await failed(call, server.url, **changes)
            return error, took_s, server

    return asyncio.run(main())


@pytest.mark.parametrize("call", [declare, refresh, read, upload])
def test_a_refused_connection_sent_nothing(call: Call) -> None:
    with socket.socket() as reserved:  # bound and not listening: nobody can take the port
        reserved.bind(("127.0.0.1", 0))
        error, _ = asyncio.run(failed(call, f"http://127.0.0.1:{reserved.getsockname()[1]}"))

    assert type(error) is NotSent


def test_an_unknown_host_sent_nothing() -> None:
    error, _ = asyncio.run(failed(declare, "http://no-such-host.invalid", call_s=5))

    assert type(error) is NotSent


def test_a_server_that_does_not_speak_tls_got_no_request() -> None:
    async def plain_text(connection: Connection) -> None:
        await connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def main() -> tuple[AlibabaError, Loopback]:
        async with Loopback(always(VOUCHER), on_connect=plain_text) as server:
            error, _ = await failed(declare, server.url.replace("http:", "https:"), call_s=5)
            return error, server

    error, server = asyncio.run(main())

    assert type(error) is NotSent
    assert server.requests == []


@pytest.mark.parametrize(
    "limits", [{"connect_s": SHORT_S, "call_s": 5}, {"acquire_s": SHORT_S, "call_s": 5}, {}]
)
def test_a_connection_that_is_never_ready_sent_nothing(limits: dict[str, float]) -> None:
    """Whichever limit ends it: of the socket, of getting a connection, of the whole call."""

    async def silent(connection: Connection) -> None:
        await connection.reader.read()  # takes the TLS greeting and never answers

    async def main() -> tuple[AlibabaError, float]:
        async with Loopback(always(VOUCHER), on_connect=silent) as server:
            return await failed(declare, server.url.replace("http:", "https:"), **limits)

    error, took_s = asyncio.run(main())

    assert type(error) is NotSent
    assert took_s < SHORT_S + GRACE_S


def test_waiting_for_a_free_connection_in_vain_sent_nothing() -> None:
    async def main() -> None:
        async with Loopback(stall) as server:
            limits = settings(server.url, connections_max=1, acquire_s=0.2, call_s=5)
            async with AlibabaClient(limits, CREDENTIALS) as client:
                holding = asyncio.create_task(declare(client))
                await until(lambda: server.requests)
                with pytest.raises(NotSent):
                    await declare(client)
                assert len(server.requests) == 1
                holding.cancel()
                await asyncio.gather(holding, return_exceptions=True)

    asyncio.run(main())


async def half_an_answer(connection: Connection, _request: Received) -> None:
    await connection.send(connection.head(1000) + b'{"code":"0",')
    connection.cut()


async def short_answer(connection: Connection, _request: Received) -> None:
    await connection.send(connection.head(1000) + b'{"code":"0"}')
    connection.writer.close()


async def half_a_head(connection: Connection, _request: Received) -> None:
    await connection.send(b"HTTP/1.1 200 OK\r\ncontent-le")
    connection.writer.close()


async def nonsense(connection: Connection, _request: Received) -> None:
    await connection.send(b"220 smtp.example ESMTP ready\r\n\r\n")
    await connection.reader.read()


async def broken_gzip(connection: Connection, _request: Received) -> None:
    await connection.answer(b"this is not compressed", content_encoding="gzip")


async def endless_answer(connection: Connection, _request: Received) -> None:
    await connection.send(connection.head(10**9))
    while not connection.writer.is_closing():
        await connection.send(b" " * 65536)
        await asyncio.sleep(0)


@pytest.mark.parametrize(("call", "expected"), EVERY_CALL)
@pytest.mark.parametrize(
    "behaviour",
    [cut, close, half_an_answer, short_answer, half_a_head, nonsense, broken_gzip, endless_answer],
)
def test_a_connection_that_breaks_after_the_request_leaves_a_write_in_doubt(
    behaviour: Behaviour, call: Call, expected: type[AlibabaError]
) -> None:
    error, took_s, server = run(behaviour, call, call_s=10, response_bytes_max=1_000_000)

    assert type(error) is expected
    assert took_s < 5
    assert len(server.requests) == 1, "sent once, and not repeated by any layer"


@pytest.mark.parametrize(("call", "expected"), EVERY_CALL)
def test_a_connection_that_breaks_before_the_request_was_read_leaves_a_write_in_doubt(
    call: Call, expected: type[AlibabaError]
) -> None:
    """We cannot know how much the other side has read."""

    async def slam(connection: Connection) -> None:
        await connection.reader.read(1)
        connection.cut()

    async def main() -> tuple[AlibabaError, int]:
        async with Loopback(always(VOUCHER), on_connect=slam) as server:
            error, _ = await failed(call, server.url, call_s=10)
            return error, server.connections

    error, connections = asyncio.run(main())

    assert type(error) is expected
    assert connections == 1


async def drip_head(connection: Connection, _request: Received) -> None:
    for byte in connection.head(10) * 100:
        await connection.send(bytes([byte]))
        await asyncio.sleep(0.02)


async def drip_body(connection: Connection, _request: Received) -> None:
    await connection.send(connection.head(100_000))
    while not connection.writer.is_closing():
        await connection.send(b" ")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(("call", "expected"), EVERY_CALL)
@pytest.mark.parametrize("behaviour", [stall, drip_head, drip_body])
def test_the_total_deadline_ends_every_call(
    behaviour: Behaviour, call: Call, expected: type[AlibabaError]
) -> None:
    """Also one whose next byte always comes in time."""
    error, took_s, server = run(behaviour, call)

    assert type(error) is expected
    assert SHORT_S * 0.9 < took_s < SHORT_S + GRACE_S
    assert len(server.requests) == 1


def test_the_total_deadline_ends_an_upload_that_is_not_read() -> None:
    async def unread(connection: Connection) -> None:
        connection.writer.transport.pause_reading()  # type: ignore[attr-defined] # asyncio's own
        await asyncio.Event().wait()

    async def main() -> tuple[AlibabaError, float]:
        async with Loopback(always(VOUCHER), on_connect=unread) as server:
            return await failed(upload, server.url)

    error, took_s = asyncio.run(main())

    assert type(error) is Unavailable
    assert took_s < SHORT_S + GRACE_S


def test_an_answer_before_the_upload_was_read_still_ends_in_time() -> None:
    async def early(connection: Connection) -> None:
        await connection.reader.read(10)
        connection.writer.transport.pause_reading()  # type: ignore[attr-defined] # asyncio's own
        await connection.send(connection.head(1000) + b"{")
        await asyncio.Event().wait()

    async def main() -> tuple[AlibabaError, float]:
        async with Loopback(always(VOUCHER), on_connect=early) as server:
            return await failed(upload, server.url)

    error, took_s = asyncio.run(main())

    assert type(error) is Unavailable
    assert took_s < SHORT_S + GRACE_S


def test_a_kept_connection_that_dies_under_a_declaration_is_not_tried_again() -> None:
    """A pool that "helpfully" repeats a request on a stale connection would ship twice."""

    async def once_then_cut(connection: Connection, request: Received) -> None:
        if len(seen) == 0:
            seen.append(request)
            await connection.answer(VOUCHER)
        else:
            seen.append(request)
            connection.cut()

    seen: list[Received] = []

    async def main() -> Loopback:
        async with Loopback(once_then_cut) as server:
            async with AlibabaClient(settings(server.url, call_s=5), CREDENTIALS) as client:
                assert await declare(client) == "3000000001"
                with pytest.raises(OutcomeUnknown):
                    await declare(client)
            return server

    server = asyncio.run(main())

    assert (len(server.requests), server.connections) == (2, 1)


def kept_connections(client: Any) -> list[object]:
    """The idle connections that aiohttp's pool believes to be alive."""
    kept = client._transport._inner.client.connector._conns.values()
    return [protocol for pool in kept for protocol, _ in pool if protocol.is_connected()]


def test_a_kept_connection_the_server_has_closed_meanwhile_is_not_used() -> None:
    async def answer_and_close(connection: Connection, _request: Received) -> None:
        await connection.answer(VOUCHER)
        connection.writer.close()

    async def main() -> int:
        async with Loopback(answer_and_close) as server:
            async with AlibabaClient(settings(server.url, call_s=5), CREDENTIALS) as client:
                await declare(client)
                await until(lambda: not kept_connections(client))
                assert await declare(client) == "3000000001"
            return server.connections

    assert asyncio.run(main()) == 2


def test_after_broken_calls_the_next_ones_work_and_nothing_stays_open() -> None:
    async def moody(connection: Connection, request: Received) -> None:
        count = len(calls)
        calls.append(request)
        await (stall if count % 3 == 0 else cut if count % 3 == 1 else always(VOUCHER))(
            connection, request
        )

    calls: list[Received] = []

    async def main() -> None:
        async with Loopback(moody) as server:
            limits = settings(server.url, call_s=0.1, connections_max=2)
            async with AlibabaClient(limits, CREDENTIALS) as client:
                for _ in range(5):
                    for _ in range(2):
                        with pytest.raises(OutcomeUnknown):
                            await declare(client)
                    assert await declare(client) == "3000000001"
            await until(lambda: not server.open)

    asyncio.run(main())


def test_a_cancelled_call_breaks_its_connection() -> None:
    async def main() -> None:
        async with (
            Loopback(stall) as server,
            AlibabaClient(settings(server.url, call_s=30), CREDENTIALS) as client,
        ):
            call = asyncio.create_task(declare(client))
            await until(lambda: server.requests)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await until(lambda: not server.open)

    asyncio.run(main())


def test_a_call_may_be_stopped_until_its_first_byte() -> None:
    """The lease of a call is asked when the connection stands, not when the wish arose."""
    asked: list[int] = []

    async def main() -> None:
        async with Loopback(always(VOUCHER)) as server:

            def may_start() -> bool:
                asked.append(server.connections)
                return len(asked) < 2

            async with AlibabaClient(settings(server.url, call_s=5), CREDENTIALS) as client:
                with pytest.raises(NotSent, match="not allowed"):
                    await client.declare_shipment(REQUEST, access_token=TOKEN, may_start=may_start)
                assert server.requests == []
                assert await declare(client) == "3000000001"
            assert server.connections == 1, "the connection it had got serves the next call"

    asyncio.run(main())

    assert len(asked) == 2


def test_a_call_that_may_not_start_does_not_even_connect() -> None:
    async def main() -> None:
        async with (
            Loopback(always(VOUCHER)) as server,
            AlibabaClient(settings(server.url), CREDENTIALS) as client,
        ):
            with pytest.raises(NotSent):
                await client.declare_shipment(REQUEST, access_token=TOKEN, may_start=lambda: False)
            assert server.connections == 0

    asyncio.run(main())


def test_closing_the_client_breaks_what_runs_and_sends_nothing_more() -> None:
    async def main() -> None:
        async with Loopback(stall) as server:
            client = AlibabaClient(settings(server.url, call_s=30), CREDENTIALS)
            running = asyncio.create_task(declare(client))
            await until(lambda: server.requests)
            await client.aclose()
            with pytest.raises(OutcomeUnknown):
                await running
            with pytest.raises(NotSent, match="closed"):
                await declare(client)
            assert len(server.requests) == 1

    asyncio.run(main())


def test_through_a_proxy_a_refused_connection_sent_nothing_and_a_cut_one_may_have() -> None:
    async def main() -> None:
        async with Loopback(cut) as proxy:
            through = SecretStr(proxy.url.replace("//", "//user:geheim@"))
            error, _ = await failed(declare, "http://alibaba.invalid", proxy_url=through)
            assert type(error) is OutcomeUnknown
            assert "geheim" not in repr(error.__cause__)
            seen = proxy.requests[0]
            assert seen.target.startswith("http://alibaba.invalid/")
            assert seen.headers["proxy-authorization"] == "Basic dXNlcjpnZWhlaW0="
        error, _ = await failed(declare, "http://alibaba.invalid", proxy_url=through)
        assert type(error) is NotSent
        assert "geheim" not in repr(error.__cause__)

    asyncio.run(main())
