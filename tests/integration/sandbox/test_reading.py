"""Order list, order detail, payments and logistics."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.integration.sandbox.client import LOGISTICS, Api

LIST = "/alibaba/order/list"
GET = "/alibaba/order/get"
FUND = "/alibaba/order/fund/query"


def listed(api: Api, **params: str) -> Any:
    answer = api.call(LIST, role="seller", **params)
    assert answer["code"] == "0", answer
    return answer["value"]


def ids(value: Any) -> list[str]:
    return [row["trade_id"] for row in value["order_list"]]


def test_pages_count_from_zero_and_cover_every_order_once(api: Api) -> None:
    pages = [listed(api, start_page=str(page), page_size="7") for page in range(4)]
    assert [len(page["order_list"]) for page in pages] == [7, 7, 6, 0]
    assert {page["total_count"] for page in pages} == {"20"}
    found = [trade_id for page in pages for trade_id in ids(page)]
    assert len(set(found)) == 20
    assert found == ids(listed(api, page_size="100"))


def test_orders_come_newest_first_and_ten_to_a_page(api: Api) -> None:
    rows = listed(api)["order_list"]
    assert len(rows) == 10
    created = [int(row["create_date"]["timestamp"]) for row in rows]
    assert created == sorted(created, reverse=True)


def test_without_a_role_the_caller_is_a_buyer_without_orders(api: Api) -> None:
    assert api.call(LIST)["value"] == {"total_count": "0", "order_list": []}
    assert api.call(LIST, role="admin")["code"] == "InvalidParameter"


@pytest.mark.parametrize(
    "params",
    [{"page_size": "101"}, {"page_size": "0"}, {"start_page": "-1"}, {"page_size": "ten"}],
)
def test_pages_out_of_range_are_refused(api: Api, params: dict[str, str]) -> None:
    assert api.call(LIST, role="seller", **params)["code"] == "InvalidParameter"


def test_the_list_can_be_narrowed_to_a_status(api: Api) -> None:
    trade_id = api.order(status="frozen")
    rows = listed(api, status="frozen", page_size="100")["order_list"]
    assert trade_id in [row["trade_id"] for row in rows]
    assert {row["trade_status"] for row in rows} == {"frozen"}


def test_each_store_sees_its_own_orders_only(api: Api) -> None:
    first, second = (
        ids(api.call(LIST, store, role="seller", page_size="100")["value"]) for store in api.stores
    )
    assert len(first) == len(second) == 20
    assert not set(first) & set(second)


def test_both_date_forms_name_the_same_second(api: Api) -> None:
    for row in listed(api, page_size="100")["order_list"]:
        for date in (row["create_date"], row["modify_date"]):
            form = date["format_date"].replace("PST.", "-0800").replace("PDT.", "-0700")
            moment = datetime.strptime(form.replace(".", ""), "%b %d, %Y, %H:%M:%S %z")
            assert int(moment.timestamp()) == int(date["timestamp"]) // 1000


def test_windows_by_timestamp_include_both_ends(api: Api) -> None:
    rows = listed(api, page_size="100")["order_list"]
    for kind, field in (("create_date", "create_date"), ("modified_date", "modify_date")):
        stamps = sorted(int(row[field]["timestamp"]) for row in rows)
        edges = {
            f"{kind}_start": json.dumps({"date_timestamp": str(stamps[5])}),
            f"{kind}_end": json.dumps({"date_timestamp": stamps[9]}),
        }
        inside = listed(api, page_size="100", **edges)
        assert inside["total_count"] == "5"
        found = {int(row[field]["timestamp"]) for row in inside["order_list"]}
        assert found == set(stamps[5:10])


def test_windows_by_text_are_pacific_time(api: Api) -> None:
    rows = listed(api, page_size="100")["order_list"]
    newest = int(rows[0]["create_date"]["timestamp"])
    wall = datetime.fromtimestamp(newest // 1000, ZoneInfo("America/Los_Angeles"))
    edge = json.dumps({"date_str": f"{wall:%Y-%m-%d %H:%M:%S}"})
    found = listed(api, create_date_start=edge, create_date_end=edge)
    assert ids(found) == [rows[0]["trade_id"]]
    utc = datetime.fromtimestamp(newest // 1000, ZoneInfo("UTC"))
    edge = json.dumps({"date_str": f"{utc:%Y-%m-%d %H:%M:%S}"})
    assert rows[0]["trade_id"] not in ids(listed(api, create_date_end=edge, create_date_start=edge))


@pytest.mark.parametrize("edge", ["yesterday", '{"date_str":"23.11.2026"}', "{}", "[1]", "5"])
def test_a_window_in_another_form_is_refused(api: Api, edge: str) -> None:
    answer = api.call(LIST, role="seller", modified_date_start=edge)
    assert answer["code"] == "InvalidParameter"
    assert "modified_date_start" in answer["message"]


def test_a_change_moves_the_order_to_the_end_of_modified_windows(api: Api) -> None:
    trade_id = ids(listed(api, page_size="100"))[-1]
    before = int(api.call(GET, e_trade_id=trade_id)["value"]["modify_date"]["timestamp"])
    api.admin("PATCH", f"/orders/{trade_id}", {"status": "frozen"})
    edge = json.dumps({"date_timestamp": before + 1})
    changed = listed(api, modified_date_start=edge)
    assert ids(changed)[0] == trade_id
    assert changed["order_list"][0]["trade_status"] == "frozen"


def test_the_detail_repeats_what_the_list_says(api: Api) -> None:
    for row in listed(api, page_size="100")["order_list"]:
        value = api.call(GET, e_trade_id=row["trade_id"])["value"]
        assert {name: value[name] for name in row} == row
        assert value["status_action"]["status"] == row["trade_status"]


def test_asking_twice_gives_the_same_detail(api: Api) -> None:
    trade_id = ids(listed(api))[0]
    assert (
        api.call(GET, e_trade_id=trade_id)["value"] == api.call(GET, e_trade_id=trade_id)["value"]
    )


@pytest.mark.parametrize(
    ("path", "name"), [(GET, "e_trade_id"), (FUND, "e_trade_id"), (LOGISTICS, "trade_id")]
)
def test_another_stores_order_and_an_unknown_one_are_refused(
    api: Api, path: str, name: str
) -> None:
    other = api.order(seller=api.stores[1].id)
    assert api.call(path, **{name: other})["code"] == "403"
    assert api.call(path, **{name: "255201166001024316"})["code"] == "404"
    wrong_name = "trade_id" if name == "e_trade_id" else "e_trade_id"
    assert api.call(path, **{wrong_name: other})["code"] == "InvalidParameter"
    assert api.call(path)["code"] == "MissingParameter"


def test_payments_are_as_much_as_the_order_and_come_in_groups(api: Api) -> None:
    trade_id = api.order()
    total = api.call(GET, e_trade_id=trade_id)["value"]["total_amount"]
    value = api.call(FUND, e_trade_id=trade_id, data_select="fund_transaction_fee")["value"]
    payment = value["fund_pay_list"][0]
    assert payment["pay_amount"] == total
    assert payment["pay_status"] == "FULFILLED"
    assert set(api.call(FUND, e_trade_id=trade_id, data_select="fund_refund")["value"]) == {
        "trade_id",
        "refund_list",
    }
    unpaid = api.order(status="unpay")
    payment = api.call(FUND, e_trade_id=unpaid)["value"]["fund_pay_list"][0]
    assert (payment["pay_status"], payment["pay_time"]) == ("UNPAY", "null")


def test_logistics_tell_shipments_only_if_asked(api: Api) -> None:
    trade_id = api.order()
    value = api.call(LOGISTICS, trade_id=trade_id)["value"]
    assert value["logistic_status"] == "UNDELIVERED"
    assert "shipping_order_list" not in value
    value = api.call(LOGISTICS, trade_id=trade_id, data_select="logistic_order")["value"]
    assert value["shipping_order_list"] == []


def test_orders_under_way_from_the_start_have_a_shipment(api: Api) -> None:
    trade_id = api.order(status="wait_confirm_receipt")
    value = api.call(LOGISTICS, trade_id=trade_id, data_select="logistic_order")["value"]
    assert value["logistic_status"] == "DELIVERED"
    assert len(value["shipping_order_list"]) == 1
    assert api.admin("GET", "/totals")["shipments"] == 0


def test_business_errors_can_come_in_the_second_layer(start: Any) -> None:
    api = start(orders_per_store=1, business_errors="result")
    answer = api.call(GET, e_trade_id="255201166001024316")
    assert answer["code"] == "0"
    assert answer["result"] == {
        "success": False,
        "error_code": "404",
        "error_message": "order not exist",
    }
