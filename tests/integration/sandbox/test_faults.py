"""The sandbox misbehaves as it is told, and what it did can be counted."""

import socket
import time
from typing import Any

import httpx
import pytest

from tests.integration.sandbox.client import LOGISTICS, SHIPPING, Api
from tests.integration.sandbox.conftest import Start
from tests.waiting import wait_until

LIST = "/alibaba/order/list"
GET = "/alibaba/order/get"


def list_code(api: Api, number: int = 0) -> str:
    return str(api.call(LIST, api.stores[number], role="seller")["code"])


def ready_to_ship(api: Api) -> tuple[str, str]:
    """A trade id and the shipping request for it."""
    trade_id = api.order()
    path = api.upload()["value"]
    attachments = [{"file_name": "proof.png", "file_path": path}]
    return trade_id, api.shipping_request(trade_id, attachments=attachments)


def send(api: Api, request: str) -> httpx.Response:
    return api.post(SHIPPING, access_token=api.stores[0].token, shipping_request=request)


def totals(api: Api) -> Any:
    return api.admin("GET", "/totals")


def test_latency_delays_every_call_and_jitter_adds_to_it(api: Api) -> None:
    api.fault("latency", ms=80, jitter_ms=10)
    for _ in range(3):
        began = time.perf_counter()
        assert list_code(api) == "0"
        assert time.perf_counter() - began >= 0.078  # timers of the event loop count milliseconds


def test_latency_from_the_command_line_is_a_fault_that_can_be_removed(start: Start) -> None:
    api = start(orders_per_store=1, latency_ms=60)
    began = time.perf_counter()
    list_code(api)
    assert time.perf_counter() - began >= 0.058
    (fault,) = api.admin("GET", "/faults")["faults"]
    assert (fault["kind"], fault["ms"], fault["hits"]) == ("latency", 60, 1)
    assert api.admin("DELETE", f"/faults/{fault['id']}") == {"faults": []}


def test_latency_after_acting_lets_the_call_act_at_once(api: Api) -> None:
    trade_id, request = ready_to_ship(api)
    api.fault("latency", ms=1_500, when="after", path=SHIPPING)
    with pytest.raises(httpx.ReadTimeout):
        api.http.post(
            f"/rest{SHIPPING}",
            data=api.signed(SHIPPING, access_token=api.stores[0].token, shipping_request=request),
            timeout=0.3,
        )
    assert len(api.tracking_numbers(trade_id)) == 1


def test_a_caller_who_gives_up_does_not_stop_the_call(api: Api) -> None:
    trade_id, request = ready_to_ship(api)
    api.fault("latency", ms=400, path=SHIPPING)
    params = api.signed(SHIPPING, access_token=api.stores[0].token, shipping_request=request)
    with pytest.raises(httpx.ReadTimeout):
        api.http.post(f"/rest{SHIPPING}", data=params, timeout=0.1)
    assert api.tracking_numbers(trade_id) == []
    wait_until(lambda: api.tracking_numbers(trade_id))


def test_the_admin_api_is_never_slowed(api: Api) -> None:
    api.fault("latency", ms=30_000)
    began = time.perf_counter()
    assert api.admin("GET", "/health")["status"] == "ok"
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(("acted", "shipments"), [(False, 0), (True, 1)])
def test_an_http_error_may_hide_that_the_call_acted(api: Api, acted: bool, shipments: int) -> None:
    trade_id, request = ready_to_ship(api)
    api.fault("http_error", status=502, acted=acted, path=SHIPPING, times=1)
    answer = send(api, request)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert len(api.tracking_numbers(trade_id)) == shipments
    assert send(api, request).json()["code"] == ("402" if acted else "0")


def test_a_throttle_tells_how_long_the_ban_lasts_and_then_ends(api: Api) -> None:
    api.fault("throttle", ban_s=0.5, times=1)
    banned = api.call(LIST, role="seller")
    assert (banned["code"], banned["type"]) == ("ApiCallLimit", "ISP")
    assert "this ban will last 1 seconds" in banned["message"]
    assert list_code(api) == "ApiCallLimit"
    wait_until(lambda: list_code(api) == "0")
    assert list_code(api) == "0"


def test_a_quota_bans_the_store_that_calls_too_often(api: Api) -> None:
    api.fault("quota", per_second=5, ban_s=0.4, code="SellerCallLimit", seller=api.stores[0].id)
    codes = [list_code(api) for _ in range(12)]
    assert "SellerCallLimit" in codes
    assert codes[:5] == ["0"] * 5
    assert [list_code(api, 1) for _ in range(12)] == ["0"] * 12
    wait_until(lambda: list_code(api) == "0")


@pytest.mark.parametrize(("kind", "shipments"), [("cut_before", 0), ("cut_after", 1)])
def test_a_cut_connection_gives_no_answer(api: Api, kind: str, shipments: int) -> None:
    trade_id, request = ready_to_ship(api)
    api.fault(kind, path=SHIPPING, times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        send(api, request)
    assert len(api.tracking_numbers(trade_id)) == shipments
    assert totals(api)["connections_cut"] == 1
    assert totals(api)["shipping_calls_received"] == 1
    assert send(api, request).json()["code"] == ("402" if shipments else "0")


def test_a_cut_closes_the_tcp_connection_without_a_single_byte(api: Api) -> None:
    api.fault("cut_before", path=LIST)
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET /rest/alibaba/order/list HTTP/1.1\r\nhost: sandbox\r\n\r\n")
        try:
            received = connection.recv(100)
        except ConnectionResetError:
            received = b""
    assert received == b""


@pytest.mark.parametrize("answer", ["cut", "error"])
def test_a_late_act_takes_effect_after_the_caller_was_told_otherwise(api: Api, answer: str) -> None:
    trade_id, request = ready_to_ship(api)
    api.fault("act_late", after_s=0.5, answer=answer, path=SHIPPING, times=1)
    if answer == "cut":
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            send(api, request)
    else:
        assert send(api, request).json()["code"] == "ServiceTimeout"
    assert api.tracking_numbers(trade_id) == []
    assert totals(api)["late_acts_pending"] == 1
    wait_until(lambda: api.tracking_numbers(trade_id))
    assert totals(api)["late_acts_done"] == 1
    assert api.journal("shipment")[0]["late"] is True


def test_a_late_act_may_leave_the_caller_hanging(api: Api) -> None:
    trade_id, request = ready_to_ship(api)
    api.fault("act_late", after_s=0.3, answer="hang", path=SHIPPING, times=1)
    params = api.signed(SHIPPING, access_token=api.stores[0].token, shipping_request=request)
    with pytest.raises(httpx.ReadTimeout):
        api.http.post(f"/rest{SHIPPING}", data=params, timeout=0.2)
    wait_until(lambda: api.tracking_numbers(trade_id))


def test_a_late_act_follows_the_rules_of_its_own_moment(api: Api) -> None:
    trade_id, request = ready_to_ship(api)
    api.fault("act_late", after_s=0.3, answer="error", path=SHIPPING, times=1)
    send(api, request)
    assert send(api, request).json()["code"] == "0"
    wait_until(lambda: totals(api)["late_acts_done"] == 1)
    assert totals(api)["shipments_per_order_max"] == 1
    (refused,) = api.journal("shipment_refused")
    assert (refused["late"], refused["only_by_status"]) == (True, True)
    assert len(api.tracking_numbers(trade_id)) == 1


def test_a_lenient_sandbox_shows_the_harm_of_a_retry_after_a_late_act(start: Start) -> None:
    api = start(orders_per_store=1, lenient=True)
    trade_id, request = ready_to_ship(api)
    api.fault("act_late", after_s=0.2, path=SHIPPING, times=1)
    with pytest.raises(httpx.TransportError):
        send(api, request)
    assert send(api, request).json()["code"] == "0"
    wait_until(lambda: totals(api)["shipments_per_order_max"] == 2)
    assert len(api.tracking_numbers(trade_id)) == 2


def test_a_late_act_is_checked_before_it_is_put_off(api: Api) -> None:
    api.fault("act_late", after_s=0.2, path=SHIPPING)
    answer = api.post(SHIPPING, access_token="nobody", shipping_request="{}").json()
    assert answer["code"] == "IllegalAccessToken"
    assert totals(api)["late_acts_pending"] == 0


def test_the_logistics_query_can_lag_behind(api: Api) -> None:
    trade_id, request = ready_to_ship(api)
    api.fault("lag", lag_s=0.6)
    send(api, request)
    assert api.tracking_numbers(trade_id) == []
    assert api.call(LOGISTICS, trade_id=trade_id)["value"]["logistic_status"] == "UNDELIVERED"
    assert api.call(GET, e_trade_id=trade_id)["value"]["trade_status"] == "delivering"
    wait_until(lambda: api.tracking_numbers(trade_id))


def test_the_status_can_lag_behind_too(api: Api) -> None:
    trade_id, request = ready_to_ship(api)
    api.fault("lag", lag_s=0.6, path=GET)
    send(api, request)
    value = api.call(GET, e_trade_id=trade_id)["value"]
    assert value["trade_status"] == value["status_action"]["status"] == "undeliver"
    assert len(api.tracking_numbers(trade_id)) == 1
    wait_until(lambda: api.call(GET, e_trade_id=trade_id)["value"]["trade_status"] == "delivering")


def test_an_ended_token_and_any_other_error_can_be_played(api: Api) -> None:
    api.fault("token_ended", times=1)
    assert list_code(api) == "IllegalAccessToken"
    assert list_code(api) == "0"
    api.fault("gop_error", code="AppWhiteIpLimit", type="ISV", message="not you", times=1)
    answer = api.call(LIST, role="seller")
    assert (answer["code"], answer["type"], answer["message"]) == (
        "AppWhiteIpLimit",
        "ISV",
        "not you",
    )


def test_a_fault_hits_its_store_and_its_path_only(api: Api) -> None:
    api.fault("gop_error", code="X", seller=api.stores[1].id)
    api.fault("gop_error", code="Y", path="/alibaba/order/attachment/*")
    assert (list_code(api), list_code(api, 1)) == ("0", "X")
    assert api.upload()["code"] == "Y"


def test_a_fault_for_a_store_reaches_its_refresh_too(api: Api) -> None:
    api.fault("gop_error", code="X", seller=api.stores[0].id, path="/auth/*")
    first, second = (
        api.post("/auth/token/refresh", refresh_token=store.refresh_token).json()["code"]
        for store in api.stores
    )
    assert (first, second) == ("X", "0")


def test_of_several_faults_the_oldest_decides(api: Api) -> None:
    api.fault("gop_error", code="A", times=2)
    api.fault("gop_error", code="B", times=1)
    assert [list_code(api) for _ in range(4)] == ["A", "A", "B", "0"]


def test_a_probability_hits_about_its_share_the_same_for_a_seed(
    start: Start, tmp_path: Any
) -> None:
    def hits(name: str) -> list[str]:
        api = start(orders_per_store=1, data_dir=tmp_path / name, seed=7)
        api.fault("gop_error", code="X", probability=0.3)
        return [list_code(api) for _ in range(200)]

    first = hits("a")
    assert 35 <= first.count("X") <= 85
    assert hits("b") == first


def test_clearing_ends_all_faults(api: Api) -> None:
    api.fault("gop_error", code="A")
    api.fault("cut_before")
    assert api.admin("DELETE", "/faults") == {"faults": []}
    assert list_code(api) == "0"


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"kind": "no_such"}, "kind"),
        ({"kind": "latency"}, "ms"),
        ({"kind": "latency", "ms": -1}, "ms"),
        ({"kind": "cut_before", "probability": 1.5}, "probability"),
        ({"kind": "cut_before", "time": 1}, "time"),
        ({"kind": "act_late", "after_s": 1e9}, "after_s"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_its_field(
    api: Api, fault: dict[str, Any], field: str
) -> None:
    answer = api.admin("POST", "/faults", fault, status=422)
    assert any(field in str(row) for row in answer["fields"])
    assert api.admin("GET", "/faults") == {"faults": []}


def test_a_fault_that_could_never_hit_is_refused(api: Api) -> None:
    wrong_path = {"kind": "cut_before", "path": "/alibaba/order/shipping"}
    assert SHIPPING in api.admin("POST", "/faults", wrong_path, status=422)["error"]
    wrong_store = {"kind": "cut_before", "seller": "nobody"}
    api.admin("POST", "/faults", wrong_store, status=404)
