"""The client and the stand-in for Alibaba.com, which share no code, understand each other."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
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
from waybill.alibaba.authorisation import authorise_url
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
from waybill.alibaba.models import DeclaredShipment, OrderWindow
from waybill.alibaba.settings import AppCredentials


def test_a_seller_authorises_the_app_and_it_gets_tokens(sandbox: Sandbox) -> None:
    page = authorise_url(
        sandbox.settings,
        app_key=sandbox.credentials.app_key,
        redirect_uri="https://waybill.example/callback",
        state="abc",
    )
    confirm = page.replace("/authorize?", "/authorize/confirm?")
    answer = httpx.get(f"{confirm}&seller={sandbox.seller['id']}&months=3", trust_env=False)
    returned = parse_qs(urlsplit(answer.headers["location"]).query)

    grant = run(sandbox, lambda c: c.create_token(SecretStr(returned["code"][0])))

    assert returned["state"] == ["abc"]
    assert grant.seller_id is not None
    assert grant.seller_id in {str(value) for value in sandbox.seller.values()}
    assert grant.expires_in_s is not None
    assert grant.expires_in_s > 0
    assert grant.account == sandbox.seller["email"]


def test_a_code_works_once(sandbox: Sandbox) -> None:
    code = SecretStr(sandbox.grant()["code"])
    run(sandbox, lambda c: c.create_token(code))

    assert type(failure(sandbox, lambda c: c.create_token(code))) is Unauthorised


def test_a_refresh_gives_new_tokens_and_ends_the_old_ones(sandbox: Sandbox) -> None:
    first = run(sandbox, lambda c: c.create_token(SecretStr(sandbox.grant()["code"])))
    refresh = first.refresh_token
    assert refresh is not None

    second = run(sandbox, lambda c: c.refresh_token(refresh))

    assert second.access_token != first.access_token
    assert run(sandbox, lambda c: c.list_orders(everything(), access_token=second.access_token))
    assert type(failure(sandbox, lambda c: c.refresh_token(refresh))) is Unauthorised
    old = first.access_token
    error = failure(sandbox, lambda c: c.list_orders(everything(), access_token=old))
    assert type(error) is Unauthorised


def test_an_authorisation_shorter_than_its_token_cannot_be_refreshed(sandbox: Sandbox) -> None:
    code = SecretStr(sandbox.grant(authorisation_s=60)["code"])

    grant = run(sandbox, lambda c: c.create_token(code))

    assert grant.refresh_expires_in_s == 0
    assert grant.expires_in_s is not None
    assert grant.expires_in_s <= 60


@pytest.mark.parametrize("window_format", ["date_timestamp", "date_str"])
def test_all_orders_are_listed_page_by_page(
    sandbox: Sandbox, token: SecretStr, window_format: str
) -> None:
    async def pages(client: AlibabaClient) -> list[str]:
        found: list[str] = []
        for number in range(100):
            page = await client.list_orders(everything(), number, access_token=token)
            found += [order.trade_id for order in page.orders]
            if page.is_last:
                assert page.total == len(found)
                break
        return found

    found = run(sandbox, pages, window_format=window_format)

    held = sandbox.get(f"/orders?seller={sandbox.seller['id']}&limit=10000")
    assert sorted(found) == sorted(order["trade_id"] for order in held["orders"])


def test_a_window_holds_what_changed_in_it(sandbox: Sandbox, token: SecretStr) -> None:
    trade_id = sandbox.new_order()
    changed = datetime.fromtimestamp(sandbox.get(f"/orders/{trade_id}")["modified_ms"] / 1000, UTC)
    second = timedelta(seconds=1)

    inside = OrderWindow(changed - second, changed + second, status="undeliver")
    page = run(sandbox, lambda c: c.list_orders(inside, access_token=token))
    before = OrderWindow(changed - 3 * second, changed - 2 * second)
    earlier = run(sandbox, lambda c: c.list_orders(before, access_token=token))

    (listed,) = [order for order in page.orders if order.trade_id == trade_id]
    assert listed.status == "undeliver"
    assert listed.modified == changed
    assert trade_id not in {order.trade_id for order in earlier.orders}


def test_every_order_can_be_read_in_full(sandbox: Sandbox, token: SecretStr) -> None:
    """All statuses, scripts and oddities that the sandbox makes up."""
    held = sandbox.get(f"/orders?seller={sandbox.seller['id']}&limit=100")["orders"]

    async def read_all(client: AlibabaClient) -> None:
        for row in held:
            order = await client.get_order(row["trade_id"], access_token=token)
            assert (order.trade_id, order.status) == (row["trade_id"], row["status"])
            assert order.modified == datetime.fromtimestamp(row["modified_ms"] / 1000, UTC)
            assert order.payload["order_products"]

    run(sandbox, read_all)


def test_payments_tell_the_method(sandbox: Sandbox, token: SecretStr) -> None:
    trade_id = sandbox.new_order()

    payments = run(sandbox, lambda c: c.get_payments(trade_id, access_token=token))

    assert payments.payments
    assert all(payment.method for payment in payments.payments)
    assert all(payment.amount and payment.amount.amount > 0 for payment in payments.payments)


def test_channels_name_their_codes(sandbox: Sandbox, token: SecretStr) -> None:
    channels = run(sandbox, lambda c: c.list_channels(access_token=token))
    by_path = run(
        sandbox,
        lambda c: c.list_channels(access_token=token),
        channels="/alibaba/order/shipping/channels",
    )

    assert channels == by_path
    assert ("FEDEX", "FedEx") in {(channel.code, channel.name) for channel in channels}


def test_an_upload_arrives_whole(sandbox: Sandbox, token: SecretStr) -> None:
    path = run(sandbox, lambda c: c.upload_attachment("proof.png", PNG, access_token=token))

    uploads = sandbox.get("/journal?kind=upload&limit=10000")["entries"]
    (upload,) = [entry for entry in uploads if entry["file_path"] == path]
    assert upload["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert upload["media_type"] == "image/png"


def test_a_declared_shipment_is_found_by_a_look_up(sandbox: Sandbox, token: SecretStr) -> None:
    trade_id = sandbox.new_order()

    before = run(sandbox, lambda c: c.get_logistics(trade_id, access_token=token))
    voucher = run(sandbox, lambda c: ship(c, trade_id, token))
    after = run(sandbox, lambda c: c.get_logistics(trade_id, access_token=token))
    order = run(sandbox, lambda c: c.get_order(trade_id, access_token=token))

    assert before.nothing_shipped
    assert after.shipments == (DeclaredShipment("776705370628", "FEDEX", "EXPRESS"),)
    assert not after.nothing_shipped
    assert order.status == "delivering"
    journal = sandbox.get("/journal?kind=shipment&limit=10000")["entries"]
    (held,) = [entry for entry in journal if entry["trade_id"] == trade_id]
    assert str(held["voucher_id"]) == voucher


def test_a_second_declaration_needs_a_look_up(sandbox: Sandbox, token: SecretStr) -> None:
    trade_id = sandbox.new_order()
    run(sandbox, lambda c: ship(c, trade_id, token))

    error = failure(sandbox, lambda c: ship(c, trade_id, token))

    assert type(error) is NeedsLookup
    assert error.code == "402"
    assert error.request_id is not None
    assert sandbox.get(f"/orders/{trade_id}")["accepted_shipments"] == 1


def test_an_order_not_yet_paid_needs_a_look_up(sandbox: Sandbox, token: SecretStr) -> None:
    trade_id = sandbox.new_order(status="unpay")

    assert type(failure(sandbox, lambda c: ship(c, trade_id, token))) is NeedsLookup


def test_a_shipment_made_elsewhere_is_found(sandbox: Sandbox, token: SecretStr) -> None:
    trade_id = sandbox.new_order()
    elsewhere = {"service_provider": "DHL", "tracking_number": "JD01", "logistics_type": "EXPRESS"}
    sandbox.patch(f"/orders/{trade_id}", {"shipped_elsewhere": elsewhere})

    found = run(sandbox, lambda c: c.get_logistics(trade_id, access_token=token))

    assert found.shipments == (DeclaredShipment("JD01", "DHL", "EXPRESS"),)


def test_a_wrong_declaration_is_rejected(sandbox: Sandbox, token: SecretStr) -> None:
    trade_id = sandbox.new_order()
    wrong = request_for(trade_id, "/no/such/file.png")

    error = failure(sandbox, lambda c: c.declare_shipment(wrong, access_token=token))

    assert type(error) is Rejected
    assert error.code == "402"


def test_an_order_nobody_knows_is_rejected(sandbox: Sandbox, token: SecretStr) -> None:
    error = failure(sandbox, lambda c: c.get_order("999999999999999999", access_token=token))

    assert type(error) is Rejected
    assert error.code == "404"


def test_a_wrong_secret_is_the_installations_fault(sandbox: Sandbox, token: SecretStr) -> None:
    async def main() -> None:
        wrong = AppCredentials(
            app_key=sandbox.credentials.app_key, app_secret=SecretStr("not the secret")
        )
        async with AlibabaClient(sandbox.settings, wrong) as client:
            with pytest.raises(Misconfigured):
                await client.list_orders(everything(), access_token=token)

    asyncio.run(main())


FAULTS = [
    ({"kind": "http_error", "status": 503}, OutcomeUnknown, 0),
    ({"kind": "http_error", "status": 504, "acted": True}, OutcomeUnknown, 1),
    ({"kind": "cut_before"}, OutcomeUnknown, 0),
    ({"kind": "cut_after"}, OutcomeUnknown, 1),
    ({"kind": "latency", "ms": 3_000, "when": "after"}, OutcomeUnknown, 1),
    ({"kind": "latency", "ms": 3_000, "when": "before"}, OutcomeUnknown, 0),
    ({"kind": "gop_error", "code": "ServiceTimeout"}, OutcomeUnknown, 0),
    ({"kind": "gop_error", "code": "NobodyKnows", "type": "ISV"}, OutcomeUnknown, 0),
    ({"kind": "throttle", "ban_s": 0.1}, Throttled, 0),
    ({"kind": "token_ended"}, Unauthorised, 0),
]


@pytest.mark.parametrize(("fault", "expected", "accepted"), FAULTS)
def test_a_declaration_under_a_fault_tells_the_truth_and_is_made_once(
    sandbox: Sandbox,
    token: SecretStr,
    fault: dict[str, Any],
    expected: type[AlibabaError],
    accepted: int,
) -> None:
    """In lenient mode, where a second call would be accepted and counted."""
    trade_id = sandbox.new_order()
    path = run(sandbox, lambda c: c.upload_attachment("proof.png", PNG, access_token=token))
    sandbox.lenient(on=True)
    sandbox.post("/faults", {"path": "/alibaba/v2/order/shipping", "times": 1, **fault})
    calls = sandbox.get("/totals")["shipping_calls_received"]
    request = request_for(trade_id, path)

    error = failure(sandbox, lambda c: c.declare_shipment(request, access_token=token), call_s=0.5)

    assert type(error) is expected
    assert sandbox.get(f"/orders/{trade_id}")["accepted_shipments"] == accepted
    assert sandbox.get("/totals")["shipping_calls_received"] == calls + 1


def test_a_ban_tells_its_length(sandbox: Sandbox, token: SecretStr) -> None:
    sandbox.post("/faults", {"kind": "throttle", "ban_s": 7, "times": 1})

    error = failure(sandbox, lambda c: c.list_orders(everything(), access_token=token))

    assert isinstance(error, Throttled)
    assert error.retry_after_s == 7


@pytest.mark.parametrize(
    "fault", [{"kind": "cut_before"}, {"kind": "http_error"}, {"kind": "gop_error", "code": "500"}]
)
def test_a_read_under_a_fault_may_be_repeated(
    sandbox: Sandbox, token: SecretStr, fault: dict[str, Any]
) -> None:
    trade_id = sandbox.new_order()
    sandbox.post("/faults", {"path": "/alibaba/order/get", "times": 1, **fault})

    async def twice(client: AlibabaClient) -> str:
        with pytest.raises(Unavailable):
            await client.get_order(trade_id, access_token=token)
        return (await client.get_order(trade_id, access_token=token)).trade_id

    assert run(sandbox, twice) == trade_id
