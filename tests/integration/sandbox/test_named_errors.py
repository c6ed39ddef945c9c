"""Every known error can be provoked at every door, in either layer, and before or after acting."""

from typing import Any

import pytest

from sandbox.errors import CATALOGUE
from tests.integration.sandbox.client import SHIPPING, Api

LIST = "/alibaba/order/list"
METHOD = "alibaba.seller.order.list"
QUERY = {"param_trade_ecology_order_list_query": '{"role":"seller"}'}


def all_doors(api: Api) -> tuple[Any, Any, Any]:
    return api.call(LIST, role="seller"), api.sync(METHOD, **QUERY), api.older(METHOD, **QUERY)


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_error_has_its_form_at_every_door(shared_api: Api, name: str) -> None:
    expected = shared_api.admin("GET", "/errors")["errors"][name]
    fault = shared_api.fault("api_error", name=name)
    rest, sync, older = all_doors(shared_api)
    shared_api.admin("DELETE", f"/faults/{fault}")
    assert {**rest, "request_id": "", "_trace_id_": ""} == {
        **expected["rest"],
        "request_id": "",
        "_trace_id_": "",
    }
    expected = expected["dotted"]["error_response"] | {"request_id": ""}
    for answer in (sync, older):
        assert answer["error_response"] | {"request_id": ""} == expected


def test_an_error_may_hide_in_an_answer_that_calls_itself_a_success(shared_api: Api) -> None:
    fault = shared_api.fault("api_error", name="trade_403", layer="second", message="not yours")
    rest, sync, older = all_doors(shared_api)
    shared_api.admin("DELETE", f"/faults/{fault}")
    failed = {"success": False, "error_code": "403", "error_message": "not yours"}
    assert (rest["code"], rest["result"]) == ("0", failed)
    for answer in (sync, older):
        assert answer["alibaba_seller_order_list_response"]["result"] == failed


def test_a_call_may_act_and_be_answered_with_an_error_all_the_same(api: Api) -> None:
    trade_id = api.order()
    path = api.upload()["value"]
    attachments = [{"file_name": "proof.png", "file_path": path}]
    request = api.shipping_request(trade_id, attachments=attachments)
    api.fault("api_error", name="service_timeout", path=SHIPPING, acted=True, http_status=504)
    answer = api.post(SHIPPING, access_token=api.stores[0].token, shipping_request=request)
    assert (answer.status_code, answer.json()["code"]) == (504, "ServiceTimeout")
    assert api.tracking_numbers(trade_id) == [f"77{trade_id[-10:]}"]


def test_an_unknown_name_is_refused_with_the_known_ones(shared_api: Api) -> None:
    answer = shared_api.admin("POST", "/faults", {"kind": "api_error", "name": "x"}, status=422)
    assert "api_limit" in answer["fields"][0]["problem"]
