"""What an operator reads: what to do, where, and for which API. Never what Alibaba's text repeats."""

from typing import Any

import pytest

from waybill.alibaba import errors
from waybill.alibaba.advice import advice
from waybill.alibaba.classification import Answer, Effect, Operation, classify
from waybill.alibaba.settings import AnswerCodes

DECLARE = Operation("declare_shipment", Effect.SHIPMENT)
API = "/alibaba/v2/order/shipping"


def told(body: dict[str, Any], api: str = API) -> errors.AlibabaError:
    error = classify(DECLARE, Answer(200, {}, body), AnswerCodes(), api=api)
    assert error is not None
    return error


def top(code: str, sub_code: str = "", sub_msg: str = "") -> dict[str, Any]:
    return {"error_response": {"code": code, "sub_code": sub_code, "sub_msg": sub_msg}}


def test_a_refused_address_is_named_so_that_it_can_be_allow_listed() -> None:
    said = "source ip 203.0.113.7 is not in the white list at 12:30:01"

    error = told({"code": "AppWhiteIpLimit", "type": "ISV", "message": said})

    assert isinstance(error, errors.Misconfigured)
    assert error.advice == (
        "add this installation's outgoing address 203.0.113.7 to the IP allow-list of the app in "
        "Alibaba's console, or set proxy_url to a proxy whose address is on it"
    )
    assert str(error).endswith(error.advice)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("ip=2001:db8::1, denied", "2001:db8::1"),
        ("ip:198.51.100.9", "198.51.100.9"),
        ("[198.51.100.9]", "198.51.100.9"),
        ("999.1.1.1 at 12:30", None),
        ("no address", None),
    ],
)
def test_an_address_is_found_only_where_there_is_one(said: str, address: str | None) -> None:
    words = advice(["AppWhiteIpLimit"], said=said)

    assert words is not None
    assert (f"address {address} to" in words) if address else ("outgoing IP address to" in words)


def test_an_address_in_any_other_message_is_left_out() -> None:
    error = told({"code": "402", "message": "198.51.100.9", "type": "ISV"})

    assert "198.51" not in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"code": "InsufficientPermission", "type": "ISV"},
        {"code": "InvalidApiPath", "type": "ISV"},
        top("11", "isv.permission-api-package-limit"),
        top("12"),
    ],
)
def test_a_missing_permission_names_the_api_to_apply_for(body: dict[str, Any]) -> None:
    error = told(body)

    assert isinstance(error, errors.Misconfigured)
    assert error.api == API
    assert f"permission group of {API}" in str(error)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (top("25"), "app secret"),
        (top("29"), "app key"),
        (top("30"), "clock"),
        (top("26"), "waybill stores connect"),
        (top("22"), "name of the API"),
        (top("7"), "goes on by itself"),
        (top("15", "isv.402"), "missing or not accepted"),
        ({"code": "IncompleteSignature"}, "clock"),
        ({"code": "InvalidAppKey"}, "belongs to this gateway"),
        ({"code": "IllegalAccessToken"}, "waybill stores connect"),
        ({"code": "0", "result": {"success": False, "error_code": "403"}}, "the account"),
        ({"code": "0", "result": {"success": False, "error_code": "404"}}, "no such order"),
    ],
)
def test_every_condition_an_operator_can_end_says_how(body: dict[str, Any], words: str) -> None:
    error = told(body)

    assert error.advice is not None
    assert words in error.advice


def test_every_code_that_is_listed_as_not_done_has_words() -> None:
    codes = AnswerCodes()

    for code in codes.throttled | codes.unauthorised | codes.misconfigured | codes.rejected:
        assert advice([code]), code
    for code in codes.throttled_prefixes:
        assert advice([code]), code
    for code in codes.top_throttled | codes.top_unauthorised:
        assert advice([code], top=True), code


def test_a_sub_code_tells_more_than_the_number_around_it() -> None:
    error = told(top("11", "AppWhiteIpLimit", "203.0.113.7"))

    assert "203.0.113.7" in str(error)
    assert "permission" not in str(error)


def test_an_unknown_code_gets_no_words() -> None:
    assert told({"code": "SomethingNew"}).advice is None
    assert advice(["27"]) is None
