"""Where the documentation contradicts itself, the stand-in takes each side, and the client reads both.

One whole life of an order per reading and gateway: listed, read, paid, declared, found again.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from tests.integration.alibaba.stand_in import (
    PNG,
    Sandbox,
    everything,
    failure,
    request_for,
    run,
)
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.errors import (
    AlibabaError,
    Misconfigured,
    NeedsLookup,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
)
from waybill.alibaba.models import DeclaredShipment, OrderWindow, TokenGrant
from waybill.alibaba.settings import AlibabaSettings

LISTS: list[dict[str, Any]] = [
    {"list_order": "oldest", "list_by": "created"},
    {"page_size_max": 50},
    {"simplified_root": False},
]
ERRORS: list[dict[str, Any]] = [
    {"business_errors": "result"},
    {"business_errors": "result", "business_error_names": "msg"},
    {"business_errors": "result", "business_error_names": "result"},
    {"error_http_status": "4xx"},
    {"error_http_status": "4xx", "business_errors": "result"},
    {"token_error": "InvalidAccessToken", "token_answer_extra": True},
]
SHIPMENTS: list[dict[str, Any]] = [
    {"voucher_in": "result"},
    {"voucher_in": "value"},
    {"unknown_parameters": "ignore"},
]


def _named(reading: dict[str, Any]) -> str:
    return ", ".join(str(value) for value in reading.values()) or "as usual"


def among(readings: list[dict[str, Any]]) -> pytest.MarkDecorator:
    """Run the test under each of them, and as usual."""
    return pytest.mark.parametrize("reading", [{}, *readings], ids=_named, indirect=True)


@pytest.fixture
def reading(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The stand-in reads the documentation this way, and as before afterwards."""
    before = sandbox.get("/settings")
    sandbox.patch("/settings", request.param)
    yield request.param
    sandbox.patch("/settings", {name: before[name] for name in request.param})


@pytest.fixture(params=["gop", "sync", "top"])
def settings(sandbox: Sandbox, request: pytest.FixtureRequest) -> AlibabaSettings:
    """One gateway."""
    return sandbox.settings_of(gateway=request.param)


@among(LISTS[2:] + ERRORS + SHIPMENTS)
@pytest.mark.usefixtures("reading")
def test_an_orders_whole_life(
    sandbox: Sandbox, settings: AlibabaSettings, token: SecretStr
) -> None:
    trade_id = sandbox.new_order()
    modified = sandbox.get(f"/orders/{trade_id}")["modified_ms"] / 1000
    changed = datetime.fromtimestamp(modified, UTC)

    async def life(client: AlibabaClient) -> str:
        window = OrderWindow(changed - timedelta(seconds=1), changed + timedelta(seconds=1))
        listed = await client.list_orders(window, access_token=token)
        assert trade_id in [order.trade_id for order in listed.orders]
        order = await client.get_order(trade_id, access_token=token)
        assert (order.status, order.modified) == ("undeliver", changed)
        paid = await client.get_payments(trade_id, access_token=token)
        assert paid.payments[0].method
        assert (await client.get_logistics(trade_id, access_token=token)).nothing_shipped
        path = await client.upload_attachment("proof.png", PNG, access_token=token)
        voucher = await client.declare_shipment(request_for(trade_id, path), access_token=token)
        held = await client.get_logistics(trade_id, access_token=token)
        assert held.shipments == (DeclaredShipment("776705370628", "FEDEX", "EXPRESS"),)
        with pytest.raises(NeedsLookup):
            await client.declare_shipment(request_for(trade_id, path), access_token=token)
        with pytest.raises(Rejected) as unknown:
            await client.get_order("999999999999999999", access_token=token)
        assert unknown.value.code == "404"
        return voucher

    voucher = run(sandbox, life, settings=settings)

    assert sandbox.get(f"/orders/{trade_id}")["accepted_shipments"] == 1
    entries = sandbox.get("/journal?kind=shipment&limit=10000")["entries"]
    assert voucher in {str(one["voucher_id"]) for one in entries if one["trade_id"] == trade_id}


@among(LISTS)
@pytest.mark.usefixtures("reading")
def test_all_pages_together_hold_every_order(
    sandbox: Sandbox, settings: AlibabaSettings, token: SecretStr
) -> None:
    async def pages(client: AlibabaClient) -> list[str]:
        found: list[str] = []
        for number in range(100):
            page = await client.list_orders(everything(), number, access_token=token)
            found += [order.trade_id for order in page.orders]
            if page.is_last:
                break
        return found

    found = run(sandbox, pages, settings=settings)

    held = sandbox.get(f"/orders?seller={sandbox.seller['id']}&limit=10000")["orders"]
    assert sorted(found) == sorted(order["trade_id"] for order in held)


@among(ERRORS[:1] + ERRORS[3:])
@pytest.mark.usefixtures("reading")
def test_tokens_and_their_ends(sandbox: Sandbox, settings: AlibabaSettings) -> None:
    first: TokenGrant = run(
        sandbox, lambda c: c.create_token(SecretStr(sandbox.grant()["code"])), settings=settings
    )
    refresh = first.refresh_token
    assert refresh is not None

    second = run(sandbox, lambda c: c.refresh_token(refresh), settings=settings)

    assert (first.seller_id, second.seller_id) == (first.seller_id, first.seller_id)
    assert abs((first.expires_in_s or 0) - 864_000) < 60
    for call in (
        lambda c: c.refresh_token(refresh),
        lambda c: c.get_order("1", access_token=first.access_token),
        lambda c: c.get_order("1", access_token=SecretStr("never issued")),
    ):
        assert type(failure(sandbox, call, settings=settings)) is Unauthorised


MEANINGS: dict[str, type[AlibabaError]] = {
    "api_limit": Throttled,
    "ip": Misconfigured,
    "permission": Misconfigured,
    "service_timeout": OutcomeUnknown,
    "trade_500": OutcomeUnknown,
    "trade_403": Rejected,
}


@among(ERRORS)
@pytest.mark.usefixtures("reading")
def test_an_error_means_the_same_in_every_reading(
    sandbox: Sandbox, settings: AlibabaSettings, token: SecretStr
) -> None:
    trade_id = sandbox.new_order()
    request = request_for(trade_id, "/no/such/file.png")

    async def each(client: AlibabaClient) -> None:
        for name, expected in MEANINGS.items():
            for path in (settings.shipment_declare, settings.order_get):
                fault = {"kind": "api_error", "name": name, "path": path, "times": 1}
                sandbox.post("/faults", fault)
            with pytest.raises(AlibabaError) as declared:
                await client.declare_shipment(request, access_token=token)
            with pytest.raises(AlibabaError) as read:
                await client.get_order(trade_id, access_token=token)
            assert type(declared.value) is expected, name
            assert type(read.value) is (Unavailable if expected is OutcomeUnknown else expected)

    run(sandbox, each, settings=settings)


def test_masked_numbers_are_counted_and_never_asked_for(sandbox: Sandbox, token: SecretStr) -> None:
    sandbox.patch("/settings", {"mask_trade_ids": True})
    try:
        page = run(
            sandbox,
            lambda c: c.list_orders(everything(), access_token=token),
            settings=sandbox.settings_of(gateway="top"),
        )
    finally:
        sandbox.patch("/settings", {"mask_trade_ids": False})

    assert page.orders == ()
    assert page.masked == 50
    assert not page.is_last


@pytest.mark.parametrize("form", ["text_utc", "text_gmt8"])
def test_a_time_stamp_in_words_is_the_older_gateways_alone(
    sandbox: Sandbox, token: SecretStr, form: str
) -> None:
    """The stand-in takes milliseconds on the newer gateway, and says what is wrong."""
    settings = sandbox.settings_of(timestamp_format=form)

    error = failure(sandbox, lambda c: c.get_order("1", access_token=token), settings=settings)

    assert type(error) is Misconfigured
    assert "clock" in str(error)
