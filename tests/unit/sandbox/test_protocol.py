"""Signatures against published vectors, and Alibaba's way of writing time."""

import pytest

from sandbox.protocol import (
    App,
    BusinessError,
    GopError,
    check_signature,
    date_forms,
    parse_pacific,
    push_signature,
    signature,
)

SECRET = "helloworld"
NOW_MS = 1517820392000
SYSTEM = {"app_key": "123456", "sign_method": "sha256", "timestamp": str(NOW_MS)}


def test_published_vector_of_a_token_call() -> None:
    params = {**SYSTEM, "app_key": "12345678", "code": "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"}
    assert (
        signature("/auth/token/create", params, SECRET)
        == "35607762342831B6A417A0DED84B79C05FEFBF116969C48AD6DC00279A9F4D81"
    )


def test_published_vector_of_an_order_call() -> None:
    params = {**SYSTEM, "access_token": "test", "order_id": "1234"}
    assert (
        signature("/order/get", params, SECRET)
        == "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A"
    )


def test_published_vector_of_a_dotted_method() -> None:
    params = {
        **SYSTEM,
        "access_token": "test",
        "aliexpress_category_id": "200135143",
        "method": "aliexpress.logistics.redefining.getonlinelogisticsinfo",
    }
    assert (
        signature("", params, SECRET)
        == "F7F7926B67316C9D1E8E15F7E66940ED3059B1638C497D77973F30046EFB5BBB"
    )


def test_regression_vector_of_a_shipping_call() -> None:
    request = (
        '{"trade_id":"1234","service_provider":"FEDEX","logistics_type":"EXPRESS",'
        '"tracking_number":"776705370628"}'
    )
    params = {**SYSTEM, "access_token": "test", "shipping_request": request}
    assert (
        signature("/alibaba/v2/order/shipping", params, SECRET)
        == "F9C6B77A6A51EA5718EAE8979287FA07E1C1163A50213D9CE12D9E5AE94813E7"
    )


def test_regression_vector_of_a_push_message() -> None:
    body = (
        b'{"havana_id":"17379911544","seller_id":"200042360","message_type":3,'
        b'"data":{"status":"trade_close","trade_id_str":"255201166001024316"},'
        b'"timestamp":1650435537,"site":"icbu_global"}'
    )
    assert (
        push_signature("123456", body, SECRET)
        == "b2c0651819f3af36abb7ca69e035f29dc1f0c47685b508ed089cf59bf0cf66c4"
    )


def test_names_sort_by_bytes_and_empty_values_and_the_signature_stay_out() -> None:
    params = {"foobar": "1", "foo_bar": "2", "foo": "3", "Foo": "4"}
    plain = signature("/p", params, SECRET)
    assert plain == signature("/p", {**params, "bar": "", "sign": "x"}, SECRET)
    assert plain == signature("/pFoo4foo3foo_bar2foobar1", {}, SECRET)


def test_a_right_call_passes_and_every_wrong_one_has_its_code() -> None:
    app = App("123456", SECRET)
    params = {**SYSTEM, "access_token": "test", "order_id": "1234"}
    params["sign"] = signature("/order/get", params, SECRET)
    check_signature("/order/get", params, app, NOW_MS, skew_s=7200)

    def code(now_ms: int = NOW_MS, path: str = "/order/get", **changes: str) -> str:
        with pytest.raises(GopError) as refused:
            check_signature(path, params | changes, app, now_ms, skew_s=7200)
        return refused.value.code

    assert code(sign="") == "MissingParameter"
    assert code(app_key="654321") == "InvalidAppKey"
    assert code(sign_method="md5") == "InvalidParameter"
    assert code(order_id="12345") == "IncompleteSignature"
    assert code(path="/order/put") == "IncompleteSignature"
    assert code(sign="Ü") == "IncompleteSignature"
    assert code(now_ms=NOW_MS + 7_200_001) == "InvalidParameter"
    assert code(timestamp="1517820392") == "InvalidParameter"
    check_signature("/order/get", params, app, NOW_MS - 7_200_000, skew_s=7200)


def test_the_documented_date_sample() -> None:
    assert date_forms(1754021376000) == {
        "format_date": "Jul. 31, 2025, 21:09:36 PDT.",
        "timestamp": "1754021376000",
    }


def test_winter_time_and_a_month_without_a_dot() -> None:
    assert date_forms(1767225600123)["format_date"] == "Dec. 31, 2025, 16:00:00 PST."
    assert date_forms(1778716800000)["format_date"] == "May 13, 2026, 17:00:00 PDT."


def test_windows_stay_wide_in_the_hour_that_occurs_twice() -> None:
    start = parse_pacific("2026-11-01 01:30:00", end_of_window=False)
    end = parse_pacific("2026-11-01 01:30:00", end_of_window=True)
    assert end - start == 3_600_999
    plain = parse_pacific("2025-07-31 21:09:36", end_of_window=False)
    assert plain == 1754021376000


def test_errors_in_both_layers_and_in_the_older_form() -> None:
    error = BusinessError("404", "order not exist")
    assert error.answer("r").items() >= {"code": "404", "type": "ISV", "request_id": "r"}.items()
    assert error.nested("error") == {
        "result": {"success": False, "error_code": "404", "error_message": "order not exist"}
    }
    assert error.nested("msg")["result"]["msg_code"] == "404"
    older = error.older_answer("r")["error_response"]
    assert (older["code"], older["sub_code"]) == ("15", "isv.404")
    throttled = GopError("ApiCallLimit", "wait", "ISP").older_answer("r")["error_response"]
    assert throttled["code"] == "7"
