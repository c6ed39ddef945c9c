"""Read calls: order list, order detail, payments, logistics and the list of carriers."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox import payloads
from sandbox.calls import Call
from sandbox.orders import ALWAYS, Order, Query, Window
from sandbox.protocol import BusinessError, GopError, date_forms, parse_pacific
from sandbox.world import World

START_PAGE_MAX = 10_000_000

CHANNELS: dict[str, dict[str, Any]] = {
    "FEDEX": {"name": "FedEx", "logistics_type": "EXPRESS"},
    "DHL": {"name": "DHL Express", "logistics_type": "EXPRESS"},
    "UPS": {"name": "UPS", "logistics_type": "EXPRESS"},
    "TNT": {"name": "TNT", "logistics_type": "EXPRESS"},
    "SF": {"name": "SF Express", "logistics_type": "EXPRESS"},
    "JT": {"name": "J&T Express", "logistics_type": "EXPRESS", "contact_mobile_required": True},
    "EMS": {"name": "EMS", "logistics_type": "POST"},
    "USPS": {"name": "USPS", "logistics_type": "POST"},
    "CHINA_POST": {"name": "China Post", "logistics_type": "POST"},
    "OTHER": {"name": "Other", "logistics_type": "EXPRESS"},
}
"""Carrier codes. ``FEDEX``, ``DHL`` and ``SF`` occur in samples of Alibaba, the rest is guessed."""


def own_order(world: World, call: Call, trade_id: str) -> Order:
    """The caller's order of that id, or the error Alibaba gives (404, 403)."""
    order = world.orders.by_id.get(trade_id)
    if order is None:
        raise BusinessError("404", "order not exist")
    if order.seller is not call.seller:
        raise BusinessError("403", "this is not your order or you are not the admin account")
    return order


def order_list(world: World, call: Call) -> dict[str, Any]:
    """``/alibaba/order/list``: ids, status and dates of the caller's orders, newest first.

    Without ``role=seller`` the caller asks as a buyer, who has no orders here.
    """
    role = call.params.get("role") or "buyer"
    if role not in {"buyer", "seller"}:
        raise GopError("InvalidParameter", "role must be buyer or seller")
    page = call.number("start_page", 0, 0, START_PAGE_MAX)
    size = call.number("page_size", 10, 1, world.settings.page_size_max)
    query = Query(
        seller=call.seller.id,
        status=call.params.get("status") or None,
        created=Window(_edge(call, "create_date_start"), _edge(call, "create_date_end")),
        modified=Window(_edge(call, "modified_date_start"), _edge(call, "modified_date_end")),
    )
    total, found = _page(world, call, query, page, size) if role == "seller" else (0, [])
    rows = [_row(order) for order in found]
    return {"value": {"total_count": str(total), "order_list": rows}}


def _page(world: World, call: Call, query: Query, page: int, size: int) -> tuple[int, list[Order]]:
    settings = world.settings
    by_creation = settings.list_by == "created" or query.modified == ALWAYS
    if call.lag_s:  # what changed since is not listed yet
        start_ms, end_ms = query.modified
        seen_ms = _seen_until(world, call)
        until_ms = seen_ms if end_ms is None else min(seen_ms, end_ms)
        query = query._replace(modified=Window(start_ms, until_ms))
    return world.orders.page(
        query, page, size, oldest_first=settings.list_order == "oldest", by_creation=by_creation
    )


def _row(order: Order) -> dict[str, Any]:
    return {
        "trade_id": order.trade_id,
        "trade_status": order.status,
        "create_date": date_forms(order.created_ms),
        "modify_date": date_forms(order.modified_ms),
    }


def _edge(call: Call, name: str) -> int | None:
    """One edge of a window: ``{"date_str": …}`` in Pacific time or ``{"date_timestamp": …}``.

    Dotted methods call the latter ``time``.
    """
    text = call.params.get(name)
    if not text:
        return None
    try:
        edge = orjson.loads(text)
        for at_ms in ("date_timestamp", *(("time",) if call.dotted else ())):
            if at_ms in edge:
                return int(edge[at_ms])
        return parse_pacific(edge["date_str"], end_of_window=name.endswith("_end"))
    except (ValueError, TypeError, KeyError) as error:
        raise GopError(
            "InvalidParameter",
            f'{name} must be {{"date_str":"yyyy-MM-dd HH:mm:ss"}} or {{"date_timestamp":ms}}',
        ) from error


def order_get(world: World, call: Call) -> dict[str, Any]:
    """``/alibaba/order/get``: everything about one order."""
    order = own_order(world, call, call.required("e_trade_id"))
    status = order.status_seen(_seen_until(world, call))
    return {"value": payloads.detail(world.settings.seed, order, status=status)}


_FUND_GROUPS = {
    "fund_transaction_fee": ("trade_id", "fund_pay_list", "service_fee"),
    "fund_fundPay": ("trade_id", "fund_pay_list"),
    "fund_serviceFee": ("trade_id", "service_fee"),
    "fund_refund": ("trade_id", "refund_list"),
}


def fund_query(world: World, call: Call) -> dict[str, Any]:
    """``/alibaba/order/fund/query``: payments, fees and refunds, as far as ``data_select`` asks."""
    order = own_order(world, call, call.required("e_trade_id"))
    value = payloads.funds(world.settings.seed, order)
    selected = [name for name in (call.params.get("data_select") or "").split(",") if name]
    if not selected:
        return {"value": value}
    wanted = {name for group in selected for name in _FUND_GROUPS.get(group, ())}
    return {"value": {name: item for name, item in value.items() if name in wanted}}


def logistics_query(world: World, call: Call) -> dict[str, Any]:
    """``/order/logistics/query``: status, and the shipments if ``data_select=logistic_order``."""
    order = own_order(world, call, call.required("trade_id"))
    value = payloads.logistics(order, _seen_until(world, call))
    if "logistic_order" not in (call.params.get("data_select") or "").split(","):
        del value["shipping_order_list"]
    return {"value": value}


def _seen_until(world: World, call: Call) -> int:
    return world.now_ms() - round(call.lag_s * 1000)


def channels(_world: World, _call: Call) -> dict[str, Any]:
    """The carriers a shipment may name. Path and shape of the answer are guesses."""
    value = [{"service_provider": code, **channel} for code, channel in CHANNELS.items()]
    return {"value": value}
