"""The dotted methods: the same orders behind two more doors, each with its own signatures."""

import json
from typing import Any

import pytest

from tests.integration.sandbox.client import PNG, Api, sign_older
from tests.integration.sandbox.conftest import Start

LIST = "alibaba.seller.order.list"
SHIPPING = "alibaba.seller.order.shipping"
UPLOAD = "alibaba.order.picture.upload"
DOORS = ("older", "sync")


def result(answer: Any, method: str) -> Any:
    return answer[f"{method.replace('.', '_')}_response"]["result"]


def call(api: Api, door: str, method: str, file: bytes | None = None, **params: str) -> Any:
    return getattr(api, door)(method, file, **params)


def listed(api: Api, door: str, *, simplify: bool = False, **query: Any) -> Any:
    params = {"param_trade_ecology_order_list_query": json.dumps({"role": "seller", **query})}
    if simplify:
        params["simplify"] = "true"
    return result(call(api, door, LIST, None, **params), LIST)["value"]


@pytest.mark.parametrize("door", DOORS)
def test_the_order_list_takes_its_query_as_one_parameter(shared_api: Api, door: str) -> None:
    value = listed(shared_api, door, page_size=5, status="undeliver")
    rows = value["order_list"]["trade_ecology_order"]
    assert len(rows) == 5
    assert int(value["total_count"]) > 5
    assert all("trade_status" not in row and row["modify_date"]["timestamp"] for row in rows)
    plain = listed(shared_api, door, simplify=True, page_size=5, status="undeliver")
    assert plain["order_list"] == rows


@pytest.mark.parametrize("door", DOORS)
def test_windows_are_objects_inside_the_query(shared_api: Api, door: str) -> None:
    newest = listed(shared_api, door, page_size=1)["order_list"]["trade_ecology_order"][0]
    at = newest["create_date"]["timestamp"]
    for edge in ({"date_timestamp": at}, {"time": at}):
        value = listed(shared_api, door, create_date_start=edge, create_date_end=edge)
        assert value["total_count"] == "1"


@pytest.mark.parametrize("door", DOORS)
def test_detail_payments_and_logistics_name_the_order_alike(shared_api: Api, door: str) -> None:
    trade_id = shared_api.order()
    detail = call(shared_api, door, "alibaba.seller.order.get", e_trade_id=trade_id)
    value = result(detail, "alibaba.seller.order.get")["value"]
    assert value["trade_id"] == trade_id
    products = value["order_products"]["trade_ecology_order_product"]
    assert products[0]["sku_attributes"]["sku_attribute"][0].keys() == {"key", "value"}
    funds = call(
        shared_api,
        door,
        "alibaba.seller.order.fund.get",
        e_trade_id=trade_id,
        data_select="fund_fundPay",
    )
    assert result(funds, "alibaba.seller.order.fund.get")["value"]["fund_pay_list"]["fund_pay"]
    logistics = call(
        shared_api,
        door,
        "alibaba.seller.order.logistics.get",
        e_trade_id=trade_id,
        data_select="logistic_order",
    )
    value = result(logistics, "alibaba.seller.order.logistics.get")["value"]
    assert value["logistic_status"] == "UNDELIVERED"
    assert value["shipping_order_list"] == {}


@pytest.mark.parametrize("door", DOORS)
def test_a_proof_is_uploaded_and_a_shipment_declared(shared_api: Api, door: str) -> None:
    trade_id = shared_api.order()
    request = json.dumps({"file_name": "proof.png"})
    answer = call(shared_api, door, UPLOAD, PNG, param_file_upload_request=request)
    path = result(answer, UPLOAD)["value"]
    attachments = [{"file_name": "proof.png", "file_path": path}]
    body = shared_api.shipping_request(trade_id, attachments=attachments)
    before = shared_api.admin("GET", "/totals")["shipping_calls_received"]
    answer = call(shared_api, door, SHIPPING, shipping_request=body)
    assert result(answer, SHIPPING)["voucher_id"] > 0
    assert shared_api.tracking_numbers(trade_id) == [f"77{trade_id[-10:]}"]
    assert shared_api.admin("GET", "/totals")["shipping_calls_received"] == before + 1
    again = call(shared_api, door, SHIPPING, shipping_request=body)["error_response"]
    assert (again["code"], again["sub_code"]) == ("15", "isv.402")
    assert again["sub_msg"].startswith("invalidate request")


def test_tokens_of_the_older_gateway_come_as_json_in_a_text(api: Api) -> None:
    code = api.admin("POST", "/codes", {"seller": api.stores[1].id, "months": "1"})["code"]
    answer = api.older("taobao.top.auth.token.create", code=code, session="")
    tokens = json.loads(answer["top_auth_token_create_response"]["token_result"])
    assert tokens["re_expires_in"] > tokens["expires_in"] == tokens["w2_expires_in"]
    answer = api.older(
        "taobao.top.auth.token.refresh", refresh_token=tokens["refresh_token"], session=""
    )
    renewed = json.loads(answer["top_auth_token_refresh_response"]["token_result"])
    api.stores[0].token = renewed["access_token"]
    assert int(listed(api, "older")["total_count"]) == 20


@pytest.mark.parametrize("method", ["md5", "hmac", "hmac-sha256"])
def test_the_older_gateway_takes_three_ways_of_signing(shared_api: Api, method: str) -> None:
    params = shared_api.signed_older(
        method,
        method="alibaba.seller.order.shipping.channels",
        session=shared_api.stores[0].token,
    )
    answer = shared_api.http.get("/router/rest", params=params).json()
    assert "alibaba_seller_order_shipping_channels_response" in answer
    params["sign"] = sign_older(params, "another secret", method)
    refused = shared_api.http.get("/router/rest", params=params).json()["error_response"]
    assert refused["code"] == "25"


def test_the_newer_signature_does_not_open_the_older_door(shared_api: Api) -> None:
    params = shared_api.signed("", method=LIST, session=shared_api.stores[0].token)
    refused = shared_api.http.post("/router/rest", data=params).json()["error_response"]
    assert refused["code"] == "32"  # no version


def test_an_ended_session_is_named_as_on_the_older_gateway(shared_api: Api) -> None:
    refused = shared_api.older(LIST, session="nobody")["error_response"]
    assert (refused["code"], refused["msg"]) == ("27", "Invalid session")


def test_trade_ids_of_lists_may_be_masked(start: Start) -> None:
    api = start(orders_per_store=3, mask_trade_ids=True)
    for row in listed(api, "older")["order_list"]["trade_ecology_order"]:
        assert "***" in row["trade_id"]
        refused = api.older("alibaba.seller.order.get", e_trade_id=row["trade_id"])
        assert refused["error_response"]["sub_code"] == "isv.404"


def test_a_simplified_answer_may_lose_the_object_around_it(start: Start) -> None:
    api = start(orders_per_store=3, simplified_root=False)
    params = {"param_trade_ecology_order_list_query": '{"role":"seller"}', "simplify": "true"}
    answer = api.older(LIST, **params)
    assert len(answer["result"]["value"]["order_list"]) == 3


@pytest.mark.parametrize("query", ["not json", "[]"])
def test_a_wrapped_parameter_that_cannot_be_read_is_refused(shared_api: Api, query: str) -> None:
    answer = shared_api.older(LIST, param_trade_ecology_order_list_query=query)
    assert answer["error_response"]["code"] == "41"


def test_a_parameter_that_nobody_documented_is_refused_and_named(start: Start) -> None:
    api = start(orders_per_store=1)
    refused = api.call("/alibaba/order/list", role="seller", modified_date_strat="{}")
    assert (refused["code"], "modified_date_strat" in refused["message"]) == (
        "InvalidParameter",
        True,
    )
    inside = {"param_trade_ecology_order_list_query": '{"role":"seller","page":1}'}
    assert "page" in api.older(LIST, **inside)["error_response"]["sub_msg"]
    api.admin("PATCH", "/settings", {"unknown_parameters": "ignore"})
    assert api.call("/alibaba/order/list", role="seller", modified_date_strat="{}")["code"] == "0"
    assert len(api.older(LIST, **inside)["alibaba_seller_order_list_response"]) == 2
