"""The admin API: what a test, a demo and a benchmark steer the sandbox with."""

from typing import Any

import pytest

from tests.integration.sandbox.client import LOGISTICS, Api
from tests.integration.sandbox.conftest import Start

GET = "/alibaba/order/get"


def test_orders_are_listed_by_store_and_status(api: Api) -> None:
    everything = api.admin("GET", "/orders")
    assert everything["total"] == len(everything["orders"]) == 40
    store = api.stores[1].id
    own = api.admin("GET", f"/orders?seller={store}")
    assert {row["seller"] for row in own["orders"]} == {store}
    waiting = api.admin("GET", f"/orders?seller={store}&status=undeliver&limit=3&offset=1")
    assert len(waiting["orders"]) == 3
    assert waiting["total"] > 3
    assert {row["status"] for row in waiting["orders"]} == {"undeliver"}


def test_new_orders_wait_for_shipment_and_have_an_address(api: Api) -> None:
    created = api.admin("POST", "/orders", {"count": 150, "seller": api.stores[1].id})["created"]
    assert len({row["trade_id"] for row in created}) == 150
    assert {row["status"] for row in created} == {"undeliver"}
    for row in created:
        value = api.call(GET, api.stores[1], e_trade_id=row["trade_id"])["value"]
        assert value["shipping_address"]["country_code"]


def test_mixed_orders_have_the_usual_mix(api: Api) -> None:
    created = api.admin("POST", "/orders", {"count": 200, "status": "mixed"})["created"]
    statuses = [row["status"] for row in created]
    assert {"undeliver", "frozen", "trade_close", "charge_back"} <= set(statuses)
    assert 120 <= statuses.count("undeliver") <= 160


def test_a_payload_is_merged_over_the_order_and_null_removes(api: Api) -> None:
    patch = {"remark": "hello", "shipping_address": {"zip": None, "city": "Łódź"}, "buyer": None}
    value = api.call(GET, e_trade_id=api.order(payload=patch))["value"]
    assert value["remark"] == "hello"
    assert value["shipping_address"]["city"] == "Łódź"
    assert "zip" not in value["shipping_address"]
    assert value["shipping_address"]["address"]
    assert "buyer" not in value


def test_changes_of_an_order_add_up_and_move_its_date(api: Api) -> None:
    trade_id = api.order()
    first = api.admin("PATCH", f"/orders/{trade_id}", {"payload": {"remark": "a", "tags": "b"}})
    second = api.admin("PATCH", f"/orders/{trade_id}", {"payload": {"remark": "c"}})
    assert second["modified_ms"] > first["modified_ms"]
    value = api.call(GET, e_trade_id=trade_id)["value"]
    assert (value["remark"], value["tags"]) == ("c", "b")
    assert value["modify_date"]["timestamp"] == str(second["modified_ms"])


def test_an_order_can_be_shipped_by_somebody_else(api: Api) -> None:
    trade_id = api.order()
    elsewhere = {"tracking_number": "ELSE", "service_provider": "UPS"}
    row = api.admin("PATCH", f"/orders/{trade_id}", {"shipped_elsewhere": elsewhere})
    assert (row["status"], row["accepted_shipments"]) == ("delivering", 0)
    assert api.tracking_numbers(trade_id) == ["ELSE"]
    assert api.ship(trade_id)["code"] == "402"
    assert api.admin("GET", "/totals")["shipments"] == 0


def test_an_order_shows_its_payload_and_shipments(api: Api) -> None:
    trade_id = api.order()
    api.ship(trade_id, tracking_number="T")
    shown = api.admin("GET", f"/orders/{trade_id}")
    assert shown["payload"] == api.call(GET, e_trade_id=trade_id)["value"]
    assert shown["shipments"][0].items() >= {"tracking_number": "T", "accepted": True}.items()
    assert shown["accepted_shipments"] == 1


def test_the_journal_is_read_in_pieces(api: Api) -> None:
    for _ in range(5):
        api.order()
    last = api.admin("GET", "/journal")["last"]
    first = api.admin("GET", "/journal?limit=3")["entries"]
    assert [entry["seq"] for entry in first] == [1, 2, 3]
    rest = api.admin("GET", "/journal?after=3")["entries"]
    assert [entry["seq"] for entry in rest] == list(range(4, last + 1))
    assert len(api.admin("GET", "/journal?kind=orders_created&limit=2")["entries"]) == 2
    assert api.admin("GET", f"/journal?after={last}")["entries"] == []


def test_totals_count_every_request_by_path(api: Api) -> None:
    trade_id = api.order()
    for _ in range(3):
        api.call(LOGISTICS, trade_id=trade_id)
    api.http.post("/rest/alibaba/order/get")
    api.http.post("/rest/no/such/path")
    requests = api.admin("GET", "/totals")["requests"]
    assert requests == {LOGISTICS: 3, GET: 1, "other": 1}


def test_all_orders_are_shippable_if_wanted(start: Start) -> None:
    api = start(orders_per_store=120, all_shippable=True)
    orders = api.admin("GET", "/orders")["orders"]
    assert {row["status"] for row in orders} == {"undeliver"}
    details = (api.admin("GET", f"/orders/{row['trade_id']}")["payload"] for row in orders)
    assert all(isinstance(value["shipping_address"], dict) for value in details)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/orders", {"count": 0}, 422),
        ("POST", "/orders", {"counts": 1}, 422),
        ("POST", "/orders", {"seller": "nobody"}, 404),
        ("GET", "/orders/1", None, 404),
        ("PATCH", "/orders/1", {"status": "frozen"}, 404),
        ("GET", "/orders?limit=many", None, 400),
        ("POST", "/codes", {"seller": "nobody"}, 404),
        ("DELETE", "/faults/99", None, 404),
        ("PUT", "/lenient", {}, 422),
        ("PUT", "/push", {"url": "ftp://x"}, 422),
        ("GET", "/nowhere", None, 404),
        ("GET", "/files/abc", None, 404),
    ],
)
def test_what_cannot_be_done_is_said(
    api: Api, method: str, path: str, body: Any, status: int
) -> None:
    assert api.admin(method, path, body, status=status)["error"]


def test_a_body_that_is_not_json_is_said(api: Api) -> None:
    for path in ("/orders", "/faults"):
        answer = api.http.post(f"/admin{path}", content=b"{")
        assert answer.status_code == 422
