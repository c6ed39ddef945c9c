"""Every error of the public tables can be asked for by name, in both forms."""

import pytest

from sandbox.errors import CATALOGUE, named, table
from sandbox.protocol import BusinessError, SecondLayerError

GOP_CODES = {
    *("ApiCallLimit", "AppCallLimit", "SellerCallLimit", "901"),
    *("IllegalAccessToken", "InvalidAccessToken"),
    *("IncompleteSignature", "InvalidAppKey", "MissingParameter", "InvalidParameter"),
    *("InsufficientPermission", "InvalidApiPath", "AppWhiteIpLimit", "ServiceTimeout"),
    *("402", "403", "404", "500"),
}
"""The codes of the newer gateway that are known."""
TOP_NUMBERS = {
    "4",
    "5",
    "6",
    "7",
    "8",
    "10",
    "11",
    "12",
    "15",
    *map(str, range(24, 32)),
    "40",
    "41",
}
"""The numbers of the older one."""


def test_every_known_code_of_both_gateways_is_there() -> None:
    known = CATALOGUE.values()
    assert {error.code for error in known} >= GOP_CODES
    assert {error.older.number for error in known} >= TOP_NUMBERS
    assert {error.type for error in known} == {"ISV", "ISP", "SYSTEM"}


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_has_a_form_for_each_gateway(name: str) -> None:
    rest, dotted = table("r")[name]["rest"], table("r")[name]["dotted"]["error_response"]
    assert rest["code"] != "0"
    assert rest.keys() >= {"type", "code", "message", "request_id"}
    assert dotted["code"].isdigit()
    assert dotted.keys() >= {"code", "type", "msg", "sub_code", "sub_msg", "request_id"}


def test_throttles_say_how_long() -> None:
    for name in ("api_limit", "app_limit", "seller_limit", "limit_901"):
        assert "this ban will last 1 seconds" in named(name).message


def test_errors_of_the_trade_system_sit_below_number_15() -> None:
    error = named("trade_402_trade_id").older_answer("r")["error_response"]
    assert (error["code"], error["sub_code"]) == ("15", "isv.402")
    assert error["sub_msg"] == "tradeId is invalid"
    bare = named("trade_402_trade_id", bare_sub_code=True).older_answer("r")["error_response"]
    assert bare["sub_code"] == "402"
    raised = BusinessError("404", "order not exist").older_answer("r")
    assert raised == named("trade_404").older_answer("r")


def test_words_and_layer_can_be_chosen() -> None:
    error = named("permission", message="not yours", second_layer=True, http_status=403)
    assert isinstance(error, SecondLayerError)
    assert (error.message, error.older.sub_message, error.http_status) == (
        *("not yours", "not yours"),
        403,
    )


@pytest.mark.parametrize(
    ("name", "status"),
    [
        *(("api_limit", 429), ("limit_901", 429), ("token_ended", 401), ("ip", 403)),
        *(("permission", 403), ("signature", 400), ("service_timeout", 503), ("system", 503)),
        *(("trade_402", 400), ("trade_403", 403), ("trade_404", 404), ("trade_500", 500)),
    ],
)
def test_each_means_an_http_status(name: str, status: int) -> None:
    assert named(name).meaning == status
