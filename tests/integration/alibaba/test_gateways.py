"""One client, three doors: paths, dotted methods on the newer host, and the older gateway.

The stand-in checks every signature with code of its own, and refuses a parameter it does not know.
"""

import asyncio
from collections.abc import Iterator
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
    ship,
)
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.errors import (
    AlibabaError,
    InvalidRequest,
    Misconfigured,
    NeedsLookup,
    NotDone,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
)
from waybill.alibaba.models import DeclaredShipment, RawOrder
from waybill.alibaba.settings import AlibabaSettings, AppCredentials

DOORS: dict[str, dict[str, Any]] = {
    "gop": {"gateway": "gop"},
    "gop, partner id and header": {
        "gateway": "gop",
        "extra_parameters": {"partner_id": "waybill-1", "format": "json"},
        "extra_headers": {"X-Protocol": "GOP"},
    },
    "sync": {"gateway": "sync"},
    "sync, session, nested arrays": {
        "gateway": "sync",
        "sync_token_parameter": "session",
        "simplify": False,
    },
    "top": {"gateway": "top"},
    "top, hmac, window in milliseconds": {
        "gateway": "top",
        "top_sign_method": "hmac",
        "window_format": "date_timestamp",
    },
    "top, hmac-sha256, nested arrays": {
        "gateway": "top",
        "top_sign_method": "hmac-sha256",
        "simplify": False,
    },
}


@pytest.fixture(params=list(DOORS.values()), ids=list(DOORS))
def door(sandbox: Sandbox, request: pytest.FixtureRequest) -> AlibabaSettings:
    """The settings of one door."""
    return sandbox.settings_of(**request.param)


def settings_for(sandbox: Sandbox, door: str) -> AlibabaSettings:
    return sandbox.settings_of(**DOORS[door])


def through(sandbox: Sandbox, settings: AlibabaSettings) -> "Through":
    return Through(sandbox, settings)


class Through:
    """Calls through one door."""

    def __init__(self, sandbox: Sandbox, settings: AlibabaSettings) -> None:
        self.sandbox = sandbox
        self.settings = settings

    def run(self, call: Any) -> Any:
        return run(self.sandbox, call, settings=self.settings)

    def failure(self, call: Any, **changes: Any) -> AlibabaError:
        settings = self.settings.model_copy(update=changes)
        return failure(self.sandbox, call, settings=settings)


def test_tokens_are_made_and_refreshed(sandbox: Sandbox, door: AlibabaSettings) -> None:
    calls = through(sandbox, door)
    code = SecretStr(sandbox.grant()["code"])

    first = calls.run(lambda c: c.create_token(code))
    second = calls.run(lambda c: c.refresh_token(first.refresh_token))

    assert first.seller_id is not None
    assert first.seller_id == second.seller_id
    assert first.expires_in_s > 0
    assert second.access_token != first.access_token
    assert type(calls.failure(lambda c: c.create_token(code))) is Unauthorised
    again = calls.failure(lambda c: c.refresh_token(first.refresh_token))
    assert type(again) is Unauthorised


def test_every_order_is_listed_once(
    sandbox: Sandbox, door: AlibabaSettings, token: SecretStr
) -> None:
    async def pages(client: AlibabaClient) -> list[str]:
        found: list[str] = []
        for number in range(100):
            page = await client.list_orders(everything(), number, access_token=token)
            found += [order.trade_id for order in page.orders]
            assert all(order.modified for order in page.orders)
            if page.is_last:
                break
        return found

    found = through(sandbox, door).run(pages)

    held = sandbox.get(f"/orders?seller={sandbox.seller['id']}&limit=10000")
    assert sorted(found) == sorted(order["trade_id"] for order in held["orders"])


def test_an_order_reads_the_same_through_every_door(sandbox: Sandbox, token: SecretStr) -> None:
    rows = sandbox.get(f"/orders?seller={sandbox.seller['id']}&limit=20")["orders"]
    ids = [row["trade_id"] for row in rows]

    async def read_all(client: AlibabaClient) -> list[RawOrder]:
        return [await client.get_order(trade_id, access_token=token) for trade_id in ids]

    by_paths = run(sandbox, read_all)
    for name in ("sync", "top"):
        assert run(sandbox, read_all, settings=settings_for(sandbox, name)) == by_paths
    for name in ("sync, session, nested arrays", "top, hmac-sha256, nested arrays"):
        nested = run(sandbox, read_all, settings=settings_for(sandbox, name))
        assert [(one.trade_id, one.status, one.modified) for one in nested] == [
            (one.trade_id, one.status, one.modified) for one in by_paths
        ]


def test_payments_tell_the_method(
    sandbox: Sandbox, door: AlibabaSettings, token: SecretStr
) -> None:
    trade_id = sandbox.new_order()

    found = through(sandbox, door).run(lambda c: c.get_payments(trade_id, access_token=token))

    assert found.payments
    assert all(payment.method and payment.amount for payment in found.payments)


def test_channels_name_their_codes(
    sandbox: Sandbox, door: AlibabaSettings, token: SecretStr
) -> None:
    found = through(sandbox, door).run(lambda c: c.list_channels(access_token=token))

    assert ("FEDEX", "FedEx") in {(channel.code, channel.name) for channel in found}


def test_a_shipment_is_declared_once_and_found_again(
    sandbox: Sandbox, door: AlibabaSettings, token: SecretStr
) -> None:
    calls = through(sandbox, door)
    trade_id = sandbox.new_order()

    before = calls.run(lambda c: c.get_logistics(trade_id, access_token=token))
    voucher = calls.run(lambda c: ship(c, trade_id, token))
    after = calls.run(lambda c: c.get_logistics(trade_id, access_token=token))
    second = calls.failure(lambda c: ship(c, trade_id, token))

    assert before.nothing_shipped
    assert after.shipments == (DeclaredShipment("776705370628", "FEDEX", "EXPRESS"),)
    assert type(second) is NeedsLookup
    (held,) = [
        entry
        for entry in sandbox.get("/journal?kind=shipment&limit=10000")["entries"]
        if entry["trade_id"] == trade_id
    ]
    assert str(held["voucher_id"]) == voucher


def test_an_order_nobody_knows_is_rejected(
    sandbox: Sandbox, door: AlibabaSettings, token: SecretStr
) -> None:
    error = through(sandbox, door).failure(
        lambda c: c.get_order("999999999999999999", access_token=token)
    )

    assert type(error) is Rejected
    assert error.code == "404"


def test_a_wrong_secret_is_the_installations_fault(
    sandbox: Sandbox, door: AlibabaSettings, token: SecretStr
) -> None:
    wrong = AppCredentials(app_key=sandbox.credentials.app_key, app_secret=SecretStr("not it"))

    async def main() -> None:
        async with AlibabaClient(door, wrong) as client:
            with pytest.raises(Misconfigured, match="check the app secret"):
                await client.get_order("1", access_token=token)

    asyncio.run(main())


@pytest.mark.parametrize("name", ["gop", "sync", "top"])
def test_a_wrong_clock_is_told_and_ends_no_authorisation(
    sandbox: Sandbox, token: SecretStr, name: str
) -> None:
    """Neither is an order read as gone, nor a token as ended."""
    settings = settings_for(sandbox, name)
    refresh = run(sandbox, lambda c: c.create_token(SecretStr(sandbox.grant()["code"])))

    async def main() -> None:
        async with AlibabaClient(
            settings, sandbox.credentials, now_ms=lambda: 1_500_000_000_000
        ) as client:
            assert refresh.refresh_token is not None
            with pytest.raises(Misconfigured, match="clock"):
                await client.get_order("1", access_token=token)
            with pytest.raises(Misconfigured, match="clock"):
                await client.refresh_token(refresh.refresh_token)

    asyncio.run(main())


# What each named error is to a read and to a declaration. "Not done" only where the call never ran.
EXPECTED: dict[str, tuple[type[AlibabaError], type[AlibabaError]]] = {
    **dict.fromkeys(
        ("api_limit", "app_limit", "seller_limit", "user_limit", "partner_limit",
         "frequency_limit", "limit_901"),
        (Throttled, Throttled),
    ),
    **dict.fromkeys(("token_ended", "token_invalid"), (Unauthorised, Unauthorised)),
    **dict.fromkeys(
        ("signature", "app_key", "permission", "permission_user", "path", "ip"),
        (Misconfigured, Misconfigured),
    ),
    **dict.fromkeys(
        ("service_timeout", "service_unavailable", "remote_error", "system", "trade_500"),
        (Unavailable, OutcomeUnknown),
    ),
    **dict.fromkeys(
        ("trade_402", "trade_402_trade_id", "trade_402_tracking", "trade_402_type", "trade_403",
         "trade_404"),
        (Rejected, Rejected),
    ),
    **dict.fromkeys(("parameter", "parameter_missing"), (Rejected, OutcomeUnknown)),
}  # fmt: skip
# Parameters that the newer gateway has one code for, and the older one a number each.
BY_GATEWAY: dict[str, dict[str, tuple[type[AlibabaError], type[AlibabaError]]]] = {
    "gop": {
        "timestamp": (Misconfigured, OutcomeUnknown),
        "timestamp_missing": (Misconfigured, OutcomeUnknown),
        "token_missing": (Rejected, OutcomeUnknown),
        "signature_missing": (Rejected, OutcomeUnknown),
        "app_key_missing": (Rejected, OutcomeUnknown),
    },
    "top": {
        "timestamp": (Misconfigured, Misconfigured),
        "timestamp_missing": (Misconfigured, Misconfigured),
        "token_missing": (Unauthorised, Unauthorised),
        "signature_missing": (Misconfigured, Misconfigured),
        "app_key_missing": (Misconfigured, Misconfigured),
    },
}
GRANTS = {"refresh_token_ended", "code_used"}


def _fault(sandbox: Sandbox, name: str, path: str, **more: object) -> None:
    sandbox.post("/faults", {"kind": "api_error", "name": name, "path": path, "times": 1, **more})


@pytest.mark.parametrize("layer", ["first", "second"])
@pytest.mark.parametrize("gateway", ["gop", "sync", "top"])
def test_every_error_of_the_table_is_what_it_says_and_never_more(
    sandbox: Sandbox, token: SecretStr, gateway: str, layer: str
) -> None:
    """All rows, in both shapes and in both layers; in lenient mode, where nothing else would refuse."""
    settings = settings_for(sandbox, gateway)
    sandbox.lenient(on=True)
    path = run(sandbox, lambda c: c.upload_attachment("proof.png", PNG, access_token=token))
    trade_id = sandbox.new_order()
    request = request_for(trade_id, path)
    first = BY_GATEWAY["gop" if gateway == "gop" or layer == "second" else "top"]
    expected = {**EXPECTED, **first}
    assert set(expected) | GRANTS == set(sandbox.get("/errors")["errors"])

    async def both(client: AlibabaClient) -> dict[str, tuple[type, type]]:
        found = {}
        for name in expected:
            _fault(sandbox, name, settings.order_get, layer=layer)
            read = await _end(client.get_order(trade_id, access_token=token))
            _fault(sandbox, name, settings.shipment_declare, layer=layer)
            declared = await _end(client.declare_shipment(request, access_token=token))
            found[name] = (read, declared)
        return found

    found = run(sandbox, both, settings=settings)

    assert found == expected
    assert sandbox.get(f"/orders/{trade_id}")["accepted_shipments"] == 0


@pytest.mark.parametrize("gateway", ["gop", "sync", "top"])
def test_an_error_told_after_the_act_is_in_doubt_unless_it_is_proof(
    sandbox: Sandbox, token: SecretStr, gateway: str
) -> None:
    """What a server may say after it acted all the same: none of it may pass for "not done"."""
    settings = settings_for(sandbox, gateway)
    path = run(sandbox, lambda c: c.upload_attachment("proof.png", PNG, access_token=token))
    names = ("service_timeout", "service_unavailable", "remote_error", "system", "trade_500")

    async def after_the_act(client: AlibabaClient) -> None:
        for name in names:
            trade_id = sandbox.new_order()
            _fault(sandbox, name, settings.shipment_declare, acted=True)
            request = request_for(trade_id, path)
            end = await _end(client.declare_shipment(request, access_token=token))
            assert end is OutcomeUnknown, name
            assert not issubclass(end, NotDone | InvalidRequest)
            assert sandbox.get(f"/orders/{trade_id}")["accepted_shipments"] == 1

    run(sandbox, after_the_act, settings=settings)


async def _end(call: Any) -> type:
    try:
        await call
    except AlibabaError as error:
        return type(error)
    return type(None)


@pytest.fixture(autouse=True)
def _settings_back(sandbox: Sandbox) -> Iterator[None]:
    """No fault stays behind."""
    yield
    sandbox.clear()
