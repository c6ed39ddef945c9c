"""Signatures against the published vectors of the open platform and its siblings."""

import hashlib
import hmac

import pytest

from waybill.alibaba.signing import (
    TopSignMethod,
    push_is_authentic,
    push_signature,
    sign_path,
    sign_sync,
    sign_top,
)

SECRET = b"helloworld"


def test_path_call_signs_as_in_the_published_token_example() -> None:
    parameters = {
        "app_key": "12345678",
        "code": "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26",
        "sign_method": "sha256",
        "timestamp": "1517820392000",
    }

    assert sign_path("/auth/token/create", parameters, SECRET) == (
        "35607762342831B6A417A0DED84B79C05FEFBF116969C48AD6DC00279A9F4D81"
    )


def test_path_call_signs_as_in_the_published_order_example() -> None:
    parameters = {
        "order_id": "1234",
        "timestamp": "1517820392000",
        "access_token": "test",
        "sign_method": "sha256",
        "app_key": "123456",
    }

    assert sign_path("/order/get", parameters, SECRET) == (
        "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A"
    )


def test_dotted_method_signs_without_a_path_as_in_the_published_example() -> None:
    parameters = {
        "access_token": "test",
        "aliexpress_category_id": "200135143",
        "app_key": "123456",
        "method": "aliexpress.logistics.redefining.getonlinelogisticsinfo",
        "sign_method": "sha256",
        "timestamp": "1517820392000",
    }

    assert sign_sync(parameters, SECRET) == (
        "F7F7926B67316C9D1E8E15F7E66940ED3059B1638C497D77973F30046EFB5BBB"
    )


def test_top_gateway_signs_with_md5_as_in_the_published_example() -> None:
    parameters = {
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

    assert sign_top(parameters, SECRET, "md5") == "66987CB115214E59E6EC978214934FB8"


@pytest.mark.parametrize(("method", "digest"), [("hmac", "md5"), ("hmac-sha256", "sha256")])
def test_top_gateway_signs_with_hmac_without_wrapping_the_text(
    method: TopSignMethod, digest: str
) -> None:
    """No vector is published: the description, computed by other code."""
    parameters = {"method": "a.b", "sign_method": method, "app_key": "1", "empty": ""}
    text = f"app_key1methoda.bsign_method{method}".encode()

    expected = hmac.new(SECRET, text, digest).hexdigest().upper()

    assert sign_top(parameters, SECRET, method) == expected


SHIPPING = {
    "access_token": "test",
    "app_key": "123456",
    "sign_method": "sha256",
    "timestamp": "1517820392000",
    "shipping_request": (
        '{"trade_id":"1234","service_provider":"FEDEX","logistics_type":"EXPRESS",'
        '"tracking_number":"776705370628"}'
    ),
}
SHIPPING_SIGN = "F9C6B77A6A51EA5718EAE8979287FA07E1C1163A50213D9CE12D9E5AE94813E7"


def test_a_shipping_call_keeps_its_signature() -> None:
    assert sign_path("/alibaba/v2/order/shipping", SHIPPING, SECRET) == SHIPPING_SIGN


def test_the_signature_itself_and_empty_parameters_are_not_signed() -> None:
    more = {**SHIPPING, "sign": "0", "status": ""}

    assert sign_path("/alibaba/v2/order/shipping", more, SECRET) == SHIPPING_SIGN


@pytest.mark.parametrize(("name", "value"), [("timestamp", "1"), ("x", "1"), ("app_key", "1")])
def test_every_parameter_counts(name: str, value: str) -> None:
    changed = {**SHIPPING, name: value}

    assert sign_path("/alibaba/v2/order/shipping", changed, SECRET) != SHIPPING_SIGN


def test_names_are_sorted_byte_by_byte() -> None:
    """``foo_bar`` comes before ``foobar``, and signing "foo_bar1foobar2" says so."""
    one = sign_path("", {"foobar": "2", "foo_bar": "1"}, SECRET)
    other = sign_path("foo_bar1foobar2", {}, SECRET)

    assert one == other


def test_values_are_signed_raw_as_utf8() -> None:
    """Not as they look in the URL-encoded body."""
    expected = hmac.new(SECRET, "/anname=é & 件".encode(), hashlib.sha256).hexdigest().upper()

    assert sign_path("/an", {"name": "=é & 件"}, SECRET) == expected


PUSH_BODY = (
    b'{"havana_id":"17379911544","seller_id":"200042360","message_type":3,"data":'
    b'{"status":"trade_close","trade_id_str":"255201166001024316"},"timestamp":1650435537,'
    b'"site":"icbu_global"}'
)
PUSH_SIGN = "b2c0651819f3af36abb7ca69e035f29dc1f0c47685b508ed089cf59bf0cf66c4"


def test_a_push_message_keeps_its_signature() -> None:
    assert push_signature("123456", PUSH_BODY, SECRET) == PUSH_SIGN


def test_a_push_message_with_its_signature_is_authentic() -> None:
    assert push_is_authentic(f" {PUSH_SIGN.upper()} ", "123456", PUSH_BODY, SECRET)


@pytest.mark.parametrize(
    ("authorization", "app_key", "body", "secret"),
    [
        ("", "123456", PUSH_BODY, SECRET),
        ("Bearer é", "123456", PUSH_BODY, SECRET),
        (PUSH_SIGN, "123457", PUSH_BODY, SECRET),
        (PUSH_SIGN, "123456", PUSH_BODY + b" ", SECRET),
        (PUSH_SIGN, "123456", PUSH_BODY, b"goodbyeworld"),
    ],
)
def test_any_other_push_message_is_not(
    authorization: str, app_key: str, body: bytes, secret: bytes
) -> None:
    assert not push_is_authentic(authorization, app_key, body, secret)
