"""The older gateway: its signatures against the published vector, its times and its JSON."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from sandbox import top
from sandbox.protocol import App, GopError

SECRET = "helloworld"
APP = App("12345678", SECRET)
NOW_MS = int(datetime(2016, 1, 1, 4, 0, tzinfo=UTC).timestamp() * 1000)
VECTOR = {
    "app_key": "12345678",
    "fields": "num_iid,title,nick,price,num",
    "format": "json",
    "method": "taobao.item.seller.get",
    "num_iid": "11223344",
    "session": "test",
    "sign_method": "md5",
    "timestamp": "2016-01-01 12:00:00",
    "v": "2.0",
}


def signed(**changes: str | None) -> dict[str, str]:
    """The published call with changes (None removes), signed."""
    params = {name: value for name, value in {**VECTOR, **changes}.items() if value is not None}
    if params.get("sign_method") in {"md5", "hmac", "hmac-sha256"}:
        params["sign"] = top.signature(params, SECRET)
    return params | {name: value for name, value in changes.items() if name == "sign" and value}


def refused(params: dict[str, str], now_ms: int = NOW_MS) -> str:
    with pytest.raises(GopError) as error:
        top.check(params, APP, now_ms)
    return error.value.older.number


def test_published_vector_of_the_older_gateway() -> None:
    assert top.signature(VECTOR, SECRET) == "66987CB115214E59E6EC978214934FB8"


def test_the_published_call_is_accepted_at_its_time() -> None:
    top.check({**VECTOR, "sign": "66987CB115214E59E6EC978214934FB8"}, APP, NOW_MS)


@pytest.mark.parametrize(("method", "digest"), [("hmac", "md5"), ("hmac-sha256", "sha256")])
def test_the_keyed_signatures_do_not_wrap_the_text_in_the_secret(method: str, digest: str) -> None:
    params = {**VECTOR, "sign_method": method}
    text = "".join(name + params[name] for name in sorted(params))
    expected = hmac.new(SECRET.encode(), text.encode(), digest).hexdigest().upper()
    assert top.signature(params, SECRET) == expected
    top.check({**params, "sign": expected}, APP, NOW_MS)


def test_empty_parameters_and_the_signature_itself_are_not_signed() -> None:
    more = {**VECTOR, "simplify": "", "sign": "anything"}
    assert top.signature(more, SECRET) == top.signature(VECTOR, SECRET)


def test_text_is_signed_as_utf_8() -> None:
    params = {**VECTOR, "fields": "价格"}
    rest = "".join(name + params[name] for name in sorted(params))
    text = f"{SECRET}{rest}{SECRET}".encode()
    assert (
        top.signature(params, SECRET)
        == hashlib.md5(text, usedforsecurity=False).hexdigest().upper()
    )


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"method": None}, "21"),
        ({"app_key": None}, "28"),
        ({"timestamp": None}, "30"),
        ({"v": None}, "32"),
        ({"sign_method": None}, "40"),
        ({"sign_method": "sha1"}, "41"),
        ({"app_key": "87654321"}, "29"),
        ({"v": "1.0"}, "33"),
        ({"format": "xml"}, "23"),
        ({"timestamp": "1451620800000"}, "31"),
        ({"timestamp": "2016-01-01 04:00:00"}, "31"),
        ({"sign": "0" * 32}, "25"),
    ],
)
def test_each_system_parameter_is_checked(changes: dict[str, str | None], number: str) -> None:
    params = signed(**changes)
    if changes.get("sign_method") == "sha1":
        params["sign"] = "0" * 32
    assert refused(params) == number


def test_a_call_without_a_signature_is_refused_as_such() -> None:
    assert refused(VECTOR) == "24"


def test_a_time_may_be_ten_minutes_off_and_no_more() -> None:
    params = signed()
    for off_ms in (-600_000, 600_000):
        top.check(params, APP, NOW_MS + off_ms)
        assert refused(params, NOW_MS + off_ms + (off_ms > 0) - (off_ms < 0)) == "31"


def test_arrays_sit_one_object_deeper() -> None:
    plain = {
        "value": {
            "order_list": [{"trade_id": "1"}],
            "order_products": [{"sku_attributes": [{"key": "Color"}]}],
            "fund_pay_list": [{"pay_method": "TT"}],
            "attachments": [],
            "total_count": "1",
        }
    }
    assert top.nested(plain)["value"] == {
        "order_list": {"trade_ecology_order": [{"trade_id": "1"}]},
        "order_products": {
            "trade_ecology_order_product": [
                {"sku_attributes": {"sku_attribute": [{"key": "Color"}]}}
            ]
        },
        "fund_pay_list": {"fund_pay": [{"pay_method": "TT"}]},
        "attachments": {},
        "total_count": "1",
    }


def test_answers_are_named_after_their_method() -> None:
    assert top.root("alibaba.seller.order.list") == "alibaba_seller_order_list_response"
    assert top.root("taobao.top.auth.token.create") == "top_auth_token_create_response"
