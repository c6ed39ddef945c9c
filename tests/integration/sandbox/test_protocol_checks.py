"""The gateway refuses what Alibaba's gateway refuses, with its codes."""

import time
from typing import Any

import pytest

from tests.integration.sandbox.client import PNG, UPLOAD, Api, sign
from tests.integration.sandbox.conftest import Start

LIST = "/alibaba/order/list"


@pytest.fixture(name="api")
def _api(shared_api: Api) -> Api:
    return shared_api


def raw(api: Api, params: dict[str, str], path: str = LIST) -> Any:
    return api.http.post(f"/rest{path}", data=params).json()


def list_params(api: Api) -> dict[str, str]:
    return api.signed(LIST, access_token=api.stores[0].token, role="seller")


def test_a_signed_call_is_answered_by_post_and_by_get(api: Api) -> None:
    params = list_params(api)
    posted = raw(api, params)
    got = api.http.get(f"/rest{LIST}", params=params).json()
    assert posted["code"] == got["code"] == "0"
    assert posted["value"] == got["value"]
    assert posted["request_id"] != got["request_id"]


@pytest.mark.parametrize("name", ["app_key", "timestamp", "sign_method", "sign", "access_token"])
def test_a_missing_system_parameter_is_named(api: Api, name: str) -> None:
    params = api.signed(LIST, access_token=api.stores[0].token, role="seller")
    del params[name]
    if name == "access_token":
        params = api.signed(LIST, role="seller")
    answer = raw(api, params)
    assert (answer["code"], answer["type"]) == ("MissingParameter", "ISV")
    assert name in answer["message"]


def test_a_wrong_secret_or_a_changed_parameter_breaks_the_signature(api: Api) -> None:
    params = list_params(api)
    forged = {**params, "sign": sign(LIST, params | {"sign": ""}, "not the secret")}
    assert raw(api, forged)["code"] == "IncompleteSignature"
    assert raw(api, params | {"role": "buyer"})["code"] == "IncompleteSignature"
    assert raw(api, params | {"page_size": "5"})["code"] == "IncompleteSignature"


def test_the_signature_needs_the_path_and_upper_case(api: Api) -> None:
    params = list_params(api)
    unsigned = {name: value for name, value in params.items() if name != "sign"}
    without_path = {**unsigned, "sign": sign("", unsigned, api.secret)}
    with_rest = {**unsigned, "sign": sign(f"/rest{LIST}", unsigned, api.secret)}
    lower = params | {"sign": params["sign"].lower()}
    for wrong in (without_path, with_rest, lower):
        assert raw(api, wrong)["code"] == "IncompleteSignature"


def test_text_in_any_script_is_signed_as_raw_utf8(api: Api) -> None:
    params = api.signed(
        LIST, access_token=api.stores[0].token, role="seller", sales_man_login_id="Zoë & 髙橋 =+%"
    )
    assert raw(api, params)["code"] == "0"


def test_empty_parameters_stay_out_of_the_signature(api: Api) -> None:
    params = list_params(api) | {"status": ""}
    assert raw(api, params)["code"] == "0"


@pytest.mark.parametrize("shift_s", [-7300, 7300])
def test_a_stale_timestamp_is_refused(api: Api, shift_s: int) -> None:
    stamp = str(time.time_ns() // 1_000_000 + shift_s * 1000)
    params = api.signed(LIST, access_token=api.stores[0].token, timestamp=stamp)
    answer = raw(api, params)
    assert answer["code"] == "InvalidParameter"
    assert "timestamp" in answer["message"]


@pytest.mark.parametrize("shift_s", [-7100, 7100])
def test_a_timestamp_within_two_hours_is_fine(api: Api, shift_s: int) -> None:
    stamp = str(time.time_ns() // 1_000_000 + shift_s * 1000)
    assert (
        raw(api, api.signed(LIST, access_token=api.stores[0].token, timestamp=stamp))["code"] == "0"
    )


def test_seconds_or_text_are_no_timestamp(api: Api) -> None:
    for stamp in (str(int(time.time())), "2026-11-23 10:00:00"):
        params = api.signed(LIST, access_token=api.stores[0].token, timestamp=stamp)
        assert raw(api, params)["code"] == "InvalidParameter"


def test_an_unknown_app_key_or_path_has_its_own_code(api: Api) -> None:
    params = api.signed(LIST, access_token=api.stores[0].token, app_key="999999")
    assert raw(api, params)["code"] == "InvalidAppKey"
    nowhere = "/alibaba/no/such/path"
    params = api.signed(nowhere, access_token=api.stores[0].token)
    assert raw(api, params, nowhere)["code"] == "InvalidApiPath"


def test_a_made_up_access_token_is_refused(api: Api) -> None:
    answer = raw(api, api.signed(LIST, access_token="nobody", role="seller"))
    assert answer["code"] == "IllegalAccessToken"


def test_errors_come_with_http_200_and_a_request_id(api: Api) -> None:
    answer = api.http.post(f"/rest{LIST}", data={"app_key": "1"})
    assert answer.status_code == 200
    assert set(answer.json()) >= {"type", "code", "message", "request_id"}


def test_a_name_given_twice_is_refused(api: Api) -> None:
    params = list_params(api)
    answer = api.http.post(f"/rest{LIST}", params={"role": "seller"}, data=params).json()
    assert answer["code"] == "InvalidParameter"


def test_the_file_part_is_not_signed(api: Api) -> None:
    params = api.signed(UPLOAD, access_token=api.stores[0].token, file_name="a.png")
    for data in (PNG, PNG + b"more"):
        answer = api.http.post(f"/rest{UPLOAD}", data=params, files={"data": ("x", data)}).json()
        assert answer["code"] == "0"


def test_other_methods_and_other_bodies_are_refused(api: Api) -> None:
    assert api.http.put(f"/rest{LIST}").status_code == 405
    answer = api.http.post(f"/rest{LIST}", json={"role": "seller"}).json()
    assert answer["code"] == "InvalidParameter"


def test_a_body_over_the_limit_is_refused_with_413(start: Start) -> None:
    api = start(orders_per_store=1, upload_bytes_max=1000)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = api.http.post(f"/rest{UPLOAD}", content=bytes(1_001_001), headers=kind)
    assert answer.status_code == 413


def test_carriers_are_also_served_as_a_dotted_method_signed_without_a_path(api: Api) -> None:
    method = "alibaba.seller.order.shipping.channels"
    params = api.signed("", method=method, session=api.stores[0].token)
    answer = api.http.post("/sync", data=params).json()
    listed = answer["alibaba_seller_order_shipping_channels_response"]["result"]["value"]["value"]
    assert {"FEDEX", "DHL"} <= {row["service_provider"] for row in listed}


def test_a_dotted_method_answers_errors_in_the_older_form(api: Api) -> None:
    method = "alibaba.seller.order.shipping.channels"
    params = api.signed("", method=method, session="nobody")
    error = api.http.post("/sync", data=params).json()["error_response"]
    assert (error["code"], error["sub_code"]) == ("27", "IllegalAccessToken")
    params = api.signed("", method="alibaba.no.such.method", session=api.stores[0].token)
    assert api.http.post("/sync", data=params).json()["error_response"]["code"] == "22"


def test_the_path_of_the_carrier_list_can_be_chosen(start: Start) -> None:
    api = start(orders_per_store=1, channels_path="/alibaba/my/channels")
    assert api.call("/alibaba/my/channels")["code"] == "0"
    assert api.call("/alibaba/order/shipping/channels")["code"] == "InvalidApiPath"
