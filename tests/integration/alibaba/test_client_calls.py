"""Each call over real HTTP: what goes out, signed as documented, and what comes back."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr

from tests.integration.alibaba.loopback import (
    Behaviour,
    Connection,
    Loopback,
    Received,
    always,
    stall,
)
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.errors import (
    AlibabaError,
    InvalidRequest,
    Misconfigured,
    NeedsLookup,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
)
from waybill.alibaba.models import Attachment, Channel, LogisticsType, OrderWindow, ShippingRequest
from waybill.alibaba.settings import AlibabaSettings, AppCredentials

T = TypeVar("T")
TOKEN = SecretStr("50000700c10access")
CREDENTIALS = AppCredentials(app_key="123456", app_secret=SecretStr("helloworld"))
REQUEST = ShippingRequest(
    trade_id="255201166001024316",
    service_provider="FEDEX",
    logistics_type=LogisticsType.EXPRESS,
    tracking_number="776705370628",
    attachments=(Attachment(file_name="p.png", file_path="/icbu/p é.png"),),
)
START = datetime(2025, 8, 1, 4, 9, 36, tzinfo=UTC)


class Seen:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.seconds: list[float] = []

    def called(self, operation: str, outcome: str, seconds: float) -> None:
        self.calls.append((operation, outcome))
        self.seconds.append(seconds)


def talk(
    behaviour: Behaviour,
    call: Callable[[AlibabaClient], Awaitable[T]],
    *,
    observer: Any = None,
    **changes: Any,
) -> tuple[T, Loopback]:
    """The result of ``call`` against a server that behaves so, and the server for inspection."""

    async def main() -> tuple[T, Loopback]:
        async with Loopback(behaviour) as server:
            settings = AlibabaSettings(
                api_url=f"{server.url}/rest",
                token_url=f"{server.url}/rest",
                sync_url=f"{server.url}/sync",
                **{"call_s": 5, **changes},
            )
            async with AlibabaClient(settings, CREDENTIALS, observer=observer) as client:
                return await call(client), server

    return asyncio.run(main())


def assert_signed(parameters: dict[str, str], path: str) -> None:
    """Computed here anew, by the description and not by the client's code."""
    text = path
    for name in sorted(parameters, key=str.encode):
        if name != "sign":
            text += name + parameters[name]
    expected = hmac.new(b"helloworld", text.encode("utf-8"), hashlib.sha256).hexdigest().upper()
    assert parameters["sign"] == expected
    assert parameters["app_key"] == "123456"
    assert parameters["sign_method"] == "sha256"
    assert abs(int(parameters["timestamp"]) - time.time() * 1000) < 60_000


def business(parameters: dict[str, str]) -> dict[str, str]:
    system = {"app_key", "sign", "sign_method", "timestamp", "access_token", "simplify"}
    return {name: value for name, value in parameters.items() if name not in system}


def test_list_orders() -> None:
    entry = {
        "trade_id": "1",
        "trade_status": "undeliver",
        "modify_date": {"timestamp": "1754021376000"},
    }
    body = {"code": "0", "value": {"total_count": "51", "order_list": [entry]}}
    window = OrderWindow(START, START + timedelta(minutes=5), status="undeliver")

    page, server = talk(always(body), lambda c: c.list_orders(window, 1, access_token=TOKEN))

    assert [order.trade_id for order in page.orders] == ["1"]
    assert page.orders[0].modified == START
    assert page.is_last
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/rest/alibaba/order/list")
    assert_signed(request.form, "/alibaba/order/list")
    assert business(request.form) == {
        "role": "seller",
        "start_page": "1",
        "page_size": "50",
        "status": "undeliver",
        "modified_date_start": '{"date_timestamp":1754021376000}',
        "modified_date_end": '{"date_timestamp":1754021676000}',
    }


def test_get_order() -> None:
    value = {"trade_id": "7", "trade_status": "paid", "order_products": []}

    order, server = talk(
        always({"code": "0", "value": value}), lambda c: c.get_order("7", access_token=TOKEN)
    )

    assert (order.trade_id, order.status, order.payload) == ("7", "paid", value)
    form = server.requests[0].form
    assert_signed(form, "/alibaba/order/get")
    assert business(form) == {
        "e_trade_id": "7",
        "data_select": "statusAction,draft_role,snapshot_product",
        "language": "en_US",
    }


def test_get_payments() -> None:
    body = {"code": "0", "value": {"fund_pay_list": [{"pay_method": "TT"}]}}

    payments, server = talk(always(body), lambda c: c.get_payments("7", access_token=TOKEN))

    assert [payment.method for payment in payments.payments] == ["TT"]
    assert_signed(server.requests[0].form, "/alibaba/order/fund/query")
    assert business(server.requests[0].form) == {
        "e_trade_id": "7",
        "data_select": "fund_transaction_fee",
    }


def test_get_logistics() -> None:
    body = {"code": "0", "value": {"logistic_status": "UNDELIVERED", "shipping_order_list": []}}

    logistics, server = talk(always(body), lambda c: c.get_logistics("7", access_token=TOKEN))

    assert logistics.nothing_shipped
    assert_signed(server.requests[0].form, "/order/logistics/query")
    assert business(server.requests[0].form) == {"trade_id": "7", "data_select": "logistic_order"}


def test_list_channels_as_a_dotted_method() -> None:
    body = {"x_response": {"list": {"channel": [{"code": "FEDEX", "name": "FedEx"}]}}}

    channels, server = talk(always(body), lambda c: c.list_channels(access_token=TOKEN))

    assert channels == (Channel("FEDEX", "FedEx"),)
    (request,) = server.requests
    assert request.target == "/sync"
    assert_signed(request.form, "")
    assert business(request.form) == {
        "method": "alibaba.seller.order.shipping.channels",
        "param_channel_request": "{}",
    }


def test_upload_attachment() -> None:
    content = bytes(range(256)) * 300

    path, server = talk(
        always({"code": "0", "value": "/icbu/p.png"}),
        lambda c: c.upload_attachment("p.png", content, access_token=TOKEN),
    )

    assert path == "/icbu/p.png"
    (request,) = server.requests
    assert request.target == "/rest/alibaba/order/attachment/upload"
    parts = request.parts
    assert parts.pop("data") == content
    parameters = {name: value.decode() for name, value in parts.items()}
    assert_signed(parameters, "/alibaba/order/attachment/upload")
    assert business(parameters) == {"file_name": "p.png"}


def test_the_largest_upload_arrives_whole() -> None:
    content = bytes(range(250)) * 20_000

    path, server = talk(
        always({"code": "0", "value": "/icbu/p.png"}),
        lambda c: c.upload_attachment("p.png", content, access_token=TOKEN),
    )

    assert path == "/icbu/p.png"
    assert len(content) == AlibabaSettings().upload_bytes_max
    assert server.requests[0].parts["data"] == content


def test_declare_shipment_sends_exactly_what_was_hashed() -> None:
    body = {"code": "0", "result": {"success": "true", "voucher_id": 3000000001}}

    voucher, server = talk(always(body), lambda c: c.declare_shipment(REQUEST, access_token=TOKEN))

    assert voucher == "3000000001"
    (request,) = server.requests
    assert request.target == "/rest/alibaba/v2/order/shipping"
    form = request.form
    assert_signed(form, "/alibaba/v2/order/shipping")
    assert business(form) == {"shipping_request": REQUEST.canonical_json()}
    sent = form["shipping_request"]
    assert hashlib.sha256(sent.encode()).hexdigest() == REQUEST.sha256()
    assert json.loads(sent)["attachments"] == [{"file_name": "p.png", "file_path": "/icbu/p é.png"}]


@pytest.mark.parametrize(
    ("call", "path", "parameters"),
    [
        (lambda c: c.create_token(SecretStr("3_x")), "/auth/token/create", {"code": "3_x"}),
        (
            lambda c: c.refresh_token(SecretStr("50003")),
            "/auth/token/refresh",
            {"refresh_token": "50003"},
        ),
    ],
)
def test_token_calls(
    call: Callable[[AlibabaClient], Awaitable[Any]], path: str, parameters: dict[str, str]
) -> None:
    body = {"code": "0", "access_token": "50002", "expires_in": "60", "refresh_token": "50004"}

    grant, server = talk(always(body), call)

    assert grant.access_token.get_secret_value() == "50002"
    form = server.requests[0].form
    assert server.requests[0].target == f"/rest{path}"
    assert_signed(form, path)
    assert business(form) == parameters
    assert "access_token" not in form


def test_no_secret_is_ever_in_the_url_or_the_headers() -> None:
    _, server = talk(
        always({"code": "0", "voucher_id": 1}),
        lambda c: c.declare_shipment(REQUEST, access_token=TOKEN),
    )

    (request,) = server.requests
    outside = f"{request.target} {request.headers}"
    assert "50000700c10access" not in outside
    assert "helloworld" not in outside + request.body.decode()


def test_a_compressed_answer_is_read() -> None:
    async def zipped(connection: Connection, _request: Received) -> None:
        await connection.answer_gzipped({"code": "0", "voucher_id": "3000000001"})

    voucher, server = talk(zipped, lambda c: c.declare_shipment(REQUEST, access_token=TOKEN))

    assert voucher == "3000000001"
    assert server.requests[0].headers["accept-encoding"] == "gzip"


def test_cookies_of_one_store_do_not_reach_the_next() -> None:
    async def twice(client: AlibabaClient) -> None:
        for _ in range(2):
            await client.declare_shipment(REQUEST, access_token=TOKEN)

    _, server = talk(always({"code": "0", "voucher_id": 1}, set_cookie="store=1; Path=/"), twice)

    assert all("cookie" not in request.headers for request in server.requests)
    assert server.connections == 1


async def declare(client: AlibabaClient) -> object:
    return await client.declare_shipment(REQUEST, access_token=TOKEN)


async def get(client: AlibabaClient) -> object:
    return await client.get_order("7", access_token=TOKEN)


async def refresh(client: AlibabaClient) -> object:
    return await client.refresh_token(SecretStr("50003"))


def gop(code: str, kind: str = "ISV", message: str = "") -> dict[str, Any]:
    return {"code": code, "type": kind, "message": message, "request_id": "r1"}


@pytest.mark.parametrize(
    ("call", "behaviour", "expected"),
    [
        (declare, always(gop("402", message="trackingNumber must not be null")), Rejected),
        (declare, always(gop("404"), 404), Rejected),
        (declare, always(gop("402", message="order is already shipped")), NeedsLookup),
        (declare, always(gop("SomethingNew")), OutcomeUnknown),
        (declare, always(gop("ServiceTimeout", "ISP")), OutcomeUnknown),
        (declare, always(b"<html>504</html>", 504), OutcomeUnknown),
        (declare, always({"code": "0", "voucher_id": 1}, 502), OutcomeUnknown),
        (declare, always(b"<html>welcome</html>"), OutcomeUnknown),
        (declare, always({"code": "0", "request_id": "r1"}), OutcomeUnknown),
        (declare, always(b""), OutcomeUnknown),
        (declare, always(b"{}", 307, location="/rest/elsewhere"), OutcomeUnknown),
        (declare, always(gop("ApiCallLimit")), Throttled),
        (declare, always(b"slow down", 429), Throttled),
        (declare, always(gop("IllegalAccessToken")), Unauthorised),
        (declare, always(gop("AppWhiteIpLimit")), Misconfigured),
        (get, always(gop("404")), Rejected),
        (get, always(gop("500", "SYSTEM")), Unavailable),
        (get, always(b"<html>504</html>", 504), Unavailable),
        (get, always({"code": "0", "value": {}}), Unavailable),
        (get, always({"code": "0", "value": {"trade_id": "8", "trade_status": "x"}}), Unavailable),
        (get, always(b"{}", 302, location="/login"), Misconfigured),
        (get, always(b"<html>", 404), Misconfigured),
        (refresh, always(gop("IllegalRefreshToken")), Unauthorised),
        (refresh, always({"code": "0"}), OutcomeUnknown),
        (refresh, always(b"<html>", 503), OutcomeUnknown),
    ],
)
def test_an_answer_that_is_no_success_is_the_right_error(
    call: Callable[[AlibabaClient], Awaitable[object]],
    behaviour: Behaviour,
    expected: type[AlibabaError],
) -> None:
    async def fails(client: AlibabaClient) -> AlibabaError:
        with pytest.raises(AlibabaError) as caught:
            await call(client)
        return caught.value

    error, server = talk(behaviour, fails)

    assert type(error) is expected
    assert len(server.requests) == 1, "no repeat, no redirect"


@pytest.mark.parametrize(
    ("behaviour", "retry_after_s"),
    [
        (always(gop("ApiCallLimit", message="this ban will last 12 seconds")), 12.0),
        (always(b"", 429, retry_after="90"), 90.0),
        (always(b"", 429), None),
    ],
)
def test_a_throttled_call_tells_how_long(behaviour: Behaviour, retry_after_s: float | None) -> None:
    async def throttled(client: AlibabaClient) -> Throttled:
        with pytest.raises(Throttled) as caught:
            await get(client)
        return caught.value

    error, _ = talk(behaviour, throttled)

    assert error.retry_after_s == retry_after_s


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.get_order("21***54", access_token=TOKEN),
        lambda c: c.get_payments("", access_token=TOKEN),
        lambda c: c.get_logistics("1 OR 1", access_token=TOKEN),
        lambda c: c.list_orders(OrderWindow(START, START), -1, access_token=TOKEN),
        lambda c: c.upload_attachment("p.jpeg", b"x", access_token=TOKEN),
        lambda c: c.upload_attachment("p", b"x", access_token=TOKEN),
        lambda c: c.upload_attachment('p"\r\nX: y.png', b"x", access_token=TOKEN),
        lambda c: c.upload_attachment("../p.png", b"x", access_token=TOKEN),
        lambda c: c.upload_attachment("ü.png", b"x", access_token=TOKEN),
        lambda c: c.upload_attachment("p.png", b"", access_token=TOKEN),
        lambda c: c.upload_attachment("p.png", b"x" * 5_000_001, access_token=TOKEN),
    ],
)
def test_what_breaks_a_documented_limit_is_refused_before_anything_is_sent(
    call: Callable[[AlibabaClient], Awaitable[object]],
) -> None:
    async def fails(client: AlibabaClient) -> None:
        with pytest.raises(InvalidRequest):
            await call(client)

    _, server = talk(always({}), fails)

    assert server.connections == 0


def test_the_observer_hears_of_every_call_how_it_ended_and_how_long_it_took() -> None:
    seen = Seen()
    stalled = asyncio.Event()

    async def noted_stall(connection: Connection, request: Received) -> None:
        stalled.set()
        await stall(connection, request)

    ok, limit, empty = (
        always({"code": "0", "voucher_id": 1}),
        always(gop("ApiCallLimit")),
        always(b""),
    )
    answers = iter([ok, limit, empty, noted_stall])

    async def in_turn(connection: Connection, request: Received) -> None:
        await next(answers)(connection, request)

    async def four(client: AlibabaClient) -> None:
        await declare(client)
        for _ in range(2):
            with pytest.raises(AlibabaError):
                await declare(client)
        cancelled = asyncio.create_task(get(client))
        await stalled.wait()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled

    talk(in_turn, four, observer=seen)

    assert seen.calls == [
        ("declare_shipment", "ok"),
        ("declare_shipment", "throttled"),
        ("declare_shipment", "outcome_unknown"),
        ("get_order", "cancelled"),
    ]
    assert all(0 < seconds < 5 for seconds in seen.seconds)


def test_a_broken_observer_changes_no_outcome_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        def called(self, *_call: object) -> None:
            raise RuntimeError("no metrics today")

    with caplog.at_level(logging.ERROR):
        voucher, _ = talk(always({"code": "0", "voucher_id": 1}), declare, observer=Broken())

    assert voucher == "1"
    assert "call_observer_failed" in caplog.text


def test_64_calls_in_flight_use_64_connections_and_all_arrive() -> None:
    waiting: list[Connection] = []

    async def together(connection: Connection, _request: Received) -> None:
        waiting.append(connection)
        if len(waiting) == 64:
            for ready in waiting:
                await ready.answer({"code": "0", "voucher_id": 1})
            waiting.clear()

    async def burst(client: AlibabaClient) -> list[object]:
        for _ in range(3):
            vouchers = await asyncio.gather(*(declare(client) for _ in range(64)))
        return vouchers

    vouchers, server = talk(together, burst)

    assert vouchers == ["1"] * 64
    assert (len(server.requests), server.connections) == (192, 64)
