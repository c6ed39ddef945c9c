"""Orders change while their list is read, and pages move."""

import time

from tests.integration.sandbox.client import Api
from tests.integration.sandbox.conftest import Start

LIST = "/alibaba/order/list"
SIZE = 10


def read(api: Api, **window: str) -> list[str]:
    """All trade ids of the list, page by page, as a naive reader gets them."""
    found: list[str] = []
    for page in range(100):
        answer = api.call(LIST, role="seller", page_size=str(SIZE), start_page=str(page), **window)
        rows = answer["value"]["order_list"]
        found += [row["trade_id"] for row in rows]
        if len(rows) < SIZE:
            return found
    raise AssertionError("the list does not end")


def changed_window(until_ms: int) -> dict[str, str]:
    """A window of all changes up to a moment."""
    return {"modified_date_end": f'{{"date_timestamp":{until_ms}}}'}


def test_without_the_fault_a_reader_sees_each_order_once(api: Api) -> None:
    found = read(api, **changed_window(time.time_ns() // 1_000_000))
    assert len(found) == len(set(found)) == 20


def test_a_list_from_the_newest_repeats_orders_that_others_pushed_down(start: Start) -> None:
    api = start(orders_per_store=60)
    api.fault("shift", orders=0, create=2)
    found = read(api)
    assert len(found) > len(set(found))


def test_a_list_from_the_oldest_skips_orders_when_others_leave_their_page(start: Start) -> None:
    api = start(orders_per_store=60, list_order="oldest")
    rows = api.admin("GET", f"/orders?seller={api.stores[0].id}")["orders"]
    window = changed_window(max(row["modified_ms"] for row in rows))
    api.fault("shift", orders=8, times=4)
    seen = read(api, **window)
    changes = api.journal("order_changed")
    assert len(changes) == 32
    assert all(change["payload"]["remark"] for change in changes)
    untouched = {row["trade_id"] for row in rows} - {change["trade_id"] for change in changes}
    assert untouched - set(seen)


def test_changes_come_with_the_calls_of_that_store_only(api: Api) -> None:
    api.fault("shift", orders=1, create=1, content=False, seller=api.stores[1].id)
    api.call(LIST, api.stores[0], role="seller")
    assert api.journal("order_changed") == []
    before = api.call(LIST, api.stores[1], role="seller")["value"]
    after = api.call(LIST, api.stores[1], role="seller")["value"]
    assert int(after["total_count"]) == int(before["total_count"]) + 1
    assert {change["payload"] for change in api.journal("order_changed")} == {None}
    created = api.journal("orders_created")
    assert {event["seller"] for event in created} == {api.stores[1].id}
    assert len(created) == 2


def test_a_change_may_come_before_the_page_it_moves(api: Api) -> None:
    api.fault("shift", orders=0, create=1, when="before", times=1)
    assert api.call(LIST, role="seller")["value"]["total_count"] == "21"


def test_a_list_may_lag_behind_what_changed(api: Api) -> None:
    old = api.call(LIST, role="seller")["value"]
    fault = api.fault("lag", path=LIST, lag_s=60)
    trade_id = api.order()
    lagging = api.call(LIST, role="seller")["value"]
    assert lagging["total_count"] == old["total_count"]
    api.admin("DELETE", f"/faults/{fault}")
    newest = api.call(LIST, role="seller", page_size="1")["value"]["order_list"]
    assert [row["trade_id"] for row in newest] == [trade_id]
