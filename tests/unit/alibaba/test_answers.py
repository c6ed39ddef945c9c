"""Answers of both generations, in the shapes seen and documented, become the same types."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.alibaba import answers
from waybill.alibaba.answers import UnreadableAnswerError
from waybill.alibaba.models import Channel, DeclaredShipment, Money, OrderListing, Payment

MODIFIED = {"format_date": "Jul. 31, 2025, 21:09:36 PDT.", "timestamp": "1754021376000"}
NOW_MS = 1754021376000
MOMENT = datetime(2025, 8, 1, 4, 9, 36, tzinfo=UTC)
ENTRY = {
    "trade_id": "255201166001024316",
    "trade_status": "undeliver",
    "create_date": MODIFIED,
    "modify_date": MODIFIED,
}
LISTING = OrderListing("255201166001024316", "undeliver", MOMENT, MOMENT)


@pytest.mark.parametrize(
    "body",
    [
        {"code": "0", "value": {"total_count": "1", "order_list": [ENTRY]}, "request_id": "r"},
        {
            "code": "0",
            "result": {"success": "true", "value": {"total_count": 1, "order_list": [ENTRY]}},
        },
        {
            "alibaba_seller_order_list_response": {
                "result": {
                    "value": {"total_count": "1", "order_list": {"trade_ecology_order": [ENTRY]}}
                },
                "request_id": "r",
            }
        },
        {"code": "0", "value": json.dumps({"total_count": "1", "order_list": [ENTRY]})},
    ],
)
def test_a_page_in_every_shape(body: object) -> None:
    page = answers.order_page(body, 0, 50)

    assert page.orders == (LISTING,)
    assert (page.page, page.total, page.masked, page.is_last) == (0, 1, 0, True)


@pytest.mark.parametrize(
    "value",
    [
        {"total_count": "0", "order_list": []},
        {"total_count": "0"},
        {"total_count": 0, "order_list": None},
        {"order_list": []},
        {"order_list": {}},
    ],
)
def test_an_empty_page_is_a_page(value: object) -> None:
    page = answers.order_page({"code": "0", "value": value}, 0, 50)

    assert page.orders == ()
    assert page.is_last


def test_a_masked_number_is_counted_but_not_listed() -> None:
    masked = {**ENTRY, "trade_id": "21***54"}
    body = {"code": "0", "value": {"order_list": [ENTRY, masked, {}]}}

    page = answers.order_page(body, 0, 3)

    assert page.orders == (LISTING,)
    assert page.masked == 2
    assert not page.is_last


def test_an_entry_without_status_and_with_unreadable_dates_is_still_an_order() -> None:
    body = {"code": "0", "value": {"order_list": [{"trade_id": 7, "modify_date": "soon"}]}}

    page = answers.order_page(body, 0, 50)

    assert page.orders == (OrderListing("7", None, None, None),)


@pytest.mark.parametrize(
    ("page", "total", "is_last"), [(0, 100, False), (1, 100, True), (1, 101, False), (2, 101, True)]
)
def test_the_total_says_which_page_is_the_last(page: int, total: int, is_last: bool) -> None:
    body = {"code": "0", "value": {"total_count": total, "order_list": [ENTRY] * 50}}

    assert answers.order_page(body, page, 50).is_last is is_last


def test_an_order_keeps_its_payload() -> None:
    value = {**ENTRY, "order_products": [{"id": "1"}], "remark": "null"}

    order = answers.raw_order({"code": "0", "value": value}, "255201166001024316")

    assert (order.trade_id, order.status, order.modified) == (
        "255201166001024316",
        "undeliver",
        MOMENT,
    )
    assert order.payload == value


def test_an_answer_about_another_order_is_refused() -> None:
    with pytest.raises(UnreadableAnswerError, match="another order"):
        answers.raw_order({"code": "0", "value": ENTRY}, "1")


PAYMENT = {
    "pay_method": "TT",
    "pay_step": "ADVANCE",
    "pay_status": "PAID",
    "pay_time": MODIFIED,
    "pay_amount": {"amount": "12.50", "currency": "USD"},
}


@pytest.mark.parametrize(
    "value",
    [
        {"fund_pay_list": [PAYMENT], "service_fee": {"amount": "1", "currency": "USD"}},
        {"fund_pay_list": {"fund_pay": [PAYMENT]}},
        {"fund_pay": [PAYMENT]},
    ],
)
def test_payments_in_every_shape(value: dict[str, Any]) -> None:
    found = answers.payments({"code": "0", "value": value})

    expected = Payment("TT", "ADVANCE", "PAID", MOMENT, Money(Decimal("12.50"), "USD"))
    assert found.payments == (expected,)
    assert found.payload == value


def test_an_order_without_payments_has_none() -> None:
    assert answers.payments({"code": "0", "value": {"trade_id": "1"}}).payments == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"amount": "12.50", "currency": "USD"}, Money(Decimal("12.50"), "USD")),
        ('{"amount": "12.50", "currency": "USD"}', Money(Decimal("12.50"), "USD")),
        ("12.50", Money(Decimal("12.50"), None)),
        ({"amount": "null"}, None),
        (None, None),
    ],
)
def test_money_as_object_or_bare(value: object, expected: Money | None) -> None:
    assert answers.money(value) == expected


def test_an_unreadable_amount_is_not_nothing() -> None:
    with pytest.raises(UnreadableAnswerError):
        answers.money({"amount": "a lot"})


VOUCHER = {"service_provider": "FEDEX", "logistics_type": "EXPRESS", "tracking_number": "7767"}
SHIPMENT = DeclaredShipment("7767", "FEDEX", "EXPRESS")


@pytest.mark.parametrize(
    "value",
    [
        {
            "logistic_status": "DELIVERING",
            "shipping_order_list": [{"voucher": VOUCHER, "goods": []}],
        },
        {"logistic_status": "DELIVERING", "shipping_order_list": [VOUCHER]},
        {
            "shipping_order_list": {
                "shippingorderlist": [{"voucher": VOUCHER, "goods": {"goods": []}}]
            }
        },
        {
            "logistic_status": "UNDELIVERED",
            "shipping_order_list": json.dumps([{"voucher": VOUCHER}]),
        },
        {"something_new": {"list": [{"voucher": json.dumps(VOUCHER)}]}},
    ],
)
def test_a_shipment_is_found_wherever_it_stands(value: dict[str, Any]) -> None:
    found = answers.logistics({"code": "0", "value": value})

    assert found.shipments == (SHIPMENT,)
    assert not found.nothing_shipped


@pytest.mark.parametrize(
    "value",
    [
        {"logistic_status": "UNDELIVERED", "shipping_order_list": []},
        {"logistic_status": "UNDELIVERED"},
        {"logistic_status": "UNDELIVERED", "shipping_order_list": None},
        {"shipping_order_list": []},
        {"logistic_status": "null", "shipping_order_list": {}},
    ],
)
def test_nothing_shipped_is_believed_when_it_is_said(value: dict[str, Any]) -> None:
    found = answers.logistics({"code": "0", "value": value})

    assert found.nothing_shipped
    assert found.shipments == ()


@pytest.mark.parametrize(
    "value",
    [
        {"logistic_status": "DELIVERING", "shipping_order_list": []},
        {"logistic_status": "SOMETHING_NEW", "shipping_order_list": []},
        {"logistic_status": "UNDELIVERED", "shipping_order_list": [{"voucher": {}}]},
        {"logistic_status": "UNDELIVERED", "shipping_order_list": "unreadable"},
        {"logistic_status": "UNDELIVERED", "shipping_order_list": {"a": [], "b": []}},
    ],
)
def test_an_answer_that_leaves_doubt_never_says_nothing_shipped(value: dict[str, Any]) -> None:
    found = answers.logistics({"code": "0", "value": value})

    assert not found.nothing_shipped


@pytest.mark.parametrize(
    "body", [{"code": "0"}, {"code": "0", "value": {"trade_id": "1"}}, [], None]
)
def test_an_answer_that_says_nothing_about_logistics_is_unreadable(body: object) -> None:
    """Read as "nothing shipped" it would have an order sent a second time."""
    with pytest.raises(UnreadableAnswerError):
        answers.logistics(body)


@pytest.mark.parametrize(
    "body",
    [
        {"code": "0", "value": "/icbu/a.png", "request_id": "r"},
        {"code": "0", "value": {"file_path": "/icbu/a.png"}},
        {"code": "0", "result": {"success": True, "value": " /icbu/a.png "}},
    ],
)
def test_a_file_path_in_every_shape(body: object) -> None:
    assert answers.file_path(body) == "/icbu/a.png"


@pytest.mark.parametrize(
    "body",
    [
        {"code": "0", "voucher_id": 3000000001, "request_id": "1"},
        {"code": "0", "voucher_id": "3000000001"},
        {"code": "0", "result": {"success": "true", "voucher_id": 3000000001}},
        {"code": "0", "value": {"voucher_id": "3000000001"}},
        {"code": "0", "value": "3000000001"},
        {"code": "0", "result": '{"voucher_id":3000000001}'},
    ],
)
def test_a_voucher_in_every_shape(body: object) -> None:
    assert answers.voucher_id(body) == "3000000001"


@pytest.mark.parametrize(
    "body",
    [
        {"code": "0", "request_id": "123"},
        {"code": "0", "value": "true"},
        {"code": "0", "value": True},
        {"code": "0", "voucher_id": "null"},
        {},
    ],
)
def test_no_voucher_is_not_taken_for_one(body: object) -> None:
    with pytest.raises(UnreadableAnswerError, match="voucher"):
        answers.voucher_id(body)


@pytest.mark.parametrize(
    "body",
    [
        {"code": "0", "value": [{"service_provider": "FEDEX", "name": "FedEx"}, {"service_provider": "SF"}]},
        {"code": "0", "result": {"channels": [{"code": "FEDEX", "name": "FedEx"}, {"code": "SF"}]}},
        {"x_response": {"list": {"channel": [{"code": "FEDEX", "display_name": "FedEx"}, {"code": "SF"}]}}},
    ],
)  # fmt: skip
def test_carriers_in_every_shape(body: object) -> None:
    assert answers.channels(body) == (Channel("FEDEX", "FedEx"), Channel("SF", None))


@pytest.mark.parametrize(
    "body", [{"code": "0", "request_id": "1"}, {"code": "0", "value": []}, None]
)
def test_no_carriers_at_all_is_no_answer(body: object) -> None:
    with pytest.raises(UnreadableAnswerError, match="carriers"):
        answers.channels(body)


def test_tokens_as_documented() -> None:
    grant = answers.token_grant(
        {
            "access_token": "50002",
            "refresh_token": "50003",
            "expires_in": "864000",
            "refresh_expires_in": "5184000",
            "account": "a@b.c",
            "account_id": None,
            "account_platform": "seller_center",
            "country": "CN",
            "user_info": {
                "country": "CN",
                "loginId": "x",
                "user_id": "9",
                "seller_id": "200042360",
            },
            "code": "0",
            "request_id": "r1",
        },
        NOW_MS,
    )

    assert (grant.havana_id, grant.login_id) == ("9", "x")
    assert "login_id" not in repr(grant)
    assert grant.access_token.get_secret_value() == "50002"
    assert grant.refresh_token is not None
    assert grant.refresh_token.get_secret_value() == "50003"
    assert (grant.expires_in_s, grant.refresh_expires_in_s) == (864000, 5184000)
    assert (grant.seller_id, grant.country, grant.account) == ("200042360", "CN", "a@b.c")
    assert (grant.account_platform, grant.request_id) == ("seller_center", "r1")


def test_tokens_of_the_older_gateway_come_as_a_text() -> None:
    inner = {"access_token": "5", "expires_in": 86400, "re_expires_in": 0, "taobao_user_id": "77"}
    body = {
        "top_auth_token_create_response": {"token_result": json.dumps(inner), "request_id": "r"}
    }

    grant = answers.token_grant(body, NOW_MS)

    assert grant.access_token.get_secret_value() == "5"
    assert (grant.refresh_token, grant.refresh_expires_in_s, grant.seller_id) == (None, 0, "77")


def test_a_grant_whose_lifetime_is_not_told_is_still_a_grant() -> None:
    assert answers.token_grant({"code": "0", "access_token": "5"}, NOW_MS).expires_in_s is None


@pytest.mark.parametrize(
    ("told", "lifetimes"),
    [
        ({"expire_time": "1754021436000", "refresh_token_valid_time": 1754022000000}, (60, 624)),
        ({"expires_in": "5", "expire_time": 1754021436000}, (5, None)),
        ({"expire_time": "1754021300000", "refresh_token_valid_time": "null"}, (0, None)),
        ({"expire_time": "soon"}, (None, None)),
    ],
)
def test_a_lifetime_may_be_told_as_the_moment_of_its_end(
    told: dict[str, Any], lifetimes: tuple[int | None, int | None]
) -> None:
    grant = answers.token_grant({"access_token": "5", **told}, NOW_MS)

    assert (grant.expires_in_s, grant.refresh_expires_in_s) == lifetimes


def test_no_token_is_no_grant() -> None:
    with pytest.raises(UnreadableAnswerError, match="access_token"):
        answers.token_grant({"code": "0", "access_token": "null"}, NOW_MS)


READERS: list[Callable[[object], object]] = [
    lambda body: answers.order_page(body, 0, 50),
    lambda body: answers.raw_order(body, "1"),
    answers.payments,
    answers.logistics,
    answers.file_path,
    answers.voucher_id,
    answers.channels,
    lambda body: answers.token_grant(body, NOW_MS),
]
names = st.sampled_from(
    ["code", "result", "value", "order_list", "trade_id", "trade_status", "modify_date", "timestamp",
     "fund_pay_list", "pay_amount", "amount", "logistic_status", "shipping_order_list", "voucher",
     "tracking_number", "voucher_id", "access_token", "expires_in", "user_info", "token_result",
     "total_count", "expire_time", "data", "havana_id"]
)  # fmt: skip
json_texts = st.sampled_from(["{}", "[]", '{"a":', '[{"tracking_number":"1"}]', "null", "1"])
bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | json_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=12,
)


@given(bodies)
def test_nothing_but_a_result_or_unreadable_ever_comes_out(body: object) -> None:
    """After a declaration any other exception would hide that the call was made."""
    for reader in READERS:
        with suppress(UnreadableAnswerError):
            reader(body)


def test_an_absurdly_deep_answer_is_unreadable() -> None:
    body: dict[str, Any] = {"tracking_number": "1"}
    for _ in range(500):
        body = {"value": body}

    with pytest.raises(UnreadableAnswerError, match="deeper"):
        answers.logistics(body)
