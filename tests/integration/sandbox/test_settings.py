"""Settings that change while the sandbox runs."""

import time

import pytest

from tests.integration.sandbox.client import Api
from tests.integration.sandbox.conftest import Start

LIST = "/alibaba/order/list"


def change(api: Api, **settings: object) -> None:
    api.admin("PATCH", "/settings", settings)


def test_what_can_be_changed_is_shown_and_changes_at_once(api: Api) -> None:
    before = api.admin("GET", "/settings")
    assert (before["access_token_s"], before["list_order"]) == (864_000, "newest")
    change(api, access_token_s=7, list_order="oldest", page_size_max=50)
    after = api.admin("GET", "/settings")
    assert {name for name in after if after[name] != before[name]} == {
        *("access_token_s", "list_order", "page_size_max")
    }
    tokens = api.post("/auth/token/refresh", refresh_token=api.stores[0].refresh_token).json()
    assert tokens["expires_in"] == "7"
    api.reload()
    rows = api.call(LIST, role="seller", page_size="50")["value"]["order_list"]
    created = [int(row["create_date"]["timestamp"]) for row in rows]
    assert created == sorted(created)
    assert api.call(LIST, role="seller", page_size="51")["code"] == "InvalidParameter"


@pytest.mark.parametrize("name", ["seed", "data_dir", "no_such_setting"])
def test_what_is_fixed_is_refused_with_the_names_of_what_is_not(api: Api, name: str) -> None:
    answer = api.admin("PATCH", "/settings", {name: "1"}, status=422)
    assert answer["error"].startswith(f"{name} cannot be changed; what can: access_token_s")


def test_a_value_that_does_not_fit_is_named_and_changes_nothing(api: Api) -> None:
    wrong = {"code_s": 5, "access_token_s": 0}
    answer = api.admin("PATCH", "/settings", wrong, status=422)
    assert [field["field"] for field in answer["fields"]] == ["access_token_s"]
    assert api.admin("GET", "/settings")["code_s"] == 1800
    for body in ("not json", "[]"):
        assert api.http.patch("/admin/settings", content=body).status_code in {400, 422}


def test_the_clock_can_run_ahead(api: Api) -> None:
    change(api, clock_offset_ms=3_600_000)
    created = api.admin("POST", "/orders", {})["created"][0]
    assert created["created_ms"] - time.time() * 1000 == pytest.approx(3_600_000, abs=30_000)
    change(api, clock_offset_ms=-7_300_000)
    refused = api.call(LIST, role="seller")
    assert refused["code"] == "InvalidParameter"
    assert "timestamp" in refused["message"]


def test_errors_may_come_with_an_http_status_and_in_either_layer(start: Start) -> None:
    api = start(orders_per_store=1, error_http_status="4xx")
    missing = {"access_token": api.stores[0].token, "e_trade_id": "1"}
    answer = api.post("/alibaba/order/get", **missing)
    assert (answer.status_code, answer.json()["code"]) == (404, "404")
    assert api.post(LIST, access_token="nobody").status_code == 401
    change(api, business_errors="result", business_error_names="msg")
    answer = api.post("/alibaba/order/get", **missing)
    assert answer.status_code == 200
    assert answer.json()["result"] == {
        "success": False,
        "msg_code": "404",
        "msg": "order not exist",
    }


def test_the_code_of_an_ended_token_can_be_chosen(api: Api) -> None:
    change(api, token_error="InvalidAccessToken")
    assert api.post(LIST, access_token="nobody").json()["code"] == "InvalidAccessToken"


def test_calls_and_refusals_are_counted_for_each_store(api: Api) -> None:
    first, second = api.stores
    api.call(LIST, first, role="seller")
    api.call(LIST, second, role="seller", page_size="0")
    api.post(LIST, access_token="nobody")
    totals = api.admin("GET", "/totals")
    assert totals["requests_per_seller"] == {
        first.id: {LIST: 1},
        second.id: {LIST: 1},
        "unknown": {LIST: 1},
    }
    assert totals["refused_per_seller"] == {
        second.id: {"InvalidParameter": 1},
        "unknown": {"IllegalAccessToken": 1},
    }


def test_an_order_may_change_behind_the_back_of_its_date(api: Api) -> None:
    trade_id = api.order()
    before = api.admin("GET", f"/orders/{trade_id}")
    api.admin("PATCH", f"/orders/{trade_id}", {"status": "frozen", "keep_modified": True})
    after = api.admin("GET", f"/orders/{trade_id}")
    assert after["status"] == "frozen"
    assert after["modified_ms"] == before["modified_ms"]
