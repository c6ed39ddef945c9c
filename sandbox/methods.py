"""API paths and dotted methods: what answers each of them.

The dotted methods are those of the older gateway. They differ from the paths in name and in the
wrapping of their parameters, not in what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from sandbox import auth, reading, writing
from sandbox.calls import Call
from sandbox.errors import named
from sandbox.world import World

SHIPPING_PATH = "/alibaba/v2/order/shipping"
SHIPPING_METHOD = "alibaba.seller.order.shipping"
LIST_QUERY = "param_trade_ecology_order_list_query"
UPLOAD_REQUEST = "param_file_upload_request"


SYSTEM_PARAMETERS = frozenset(
    {
        *("app_key", "timestamp", "sign_method", "sign", "access_token", "session"),
        *("method", "v", "format", "simplify", "partner_id"),
    }
)
_WINDOWS = {f"{date}_date_{edge}" for date in ("create", "modified") for edge in ("start", "end")}
_LIST = {"role", "start_page", "page_size", "status", "sales_man_login_id", *_WINDOWS}
_DETAIL = {"e_trade_id", "data_select", "language"}
_FUND = {"e_trade_id", "data_select"}
_CODE, _REFRESH = {"code", "uuid"}, {"refresh_token", "uuid"}


class Endpoint(NamedTuple):
    """One operation: what answers it, the parameters it has, whether it needs an access token."""

    run: Callable[[World, Call], dict[str, Any]]
    takes: Set[str]
    needs_token: bool = True

    def check(self, call: Call) -> None:
        """Refuse a parameter the operation does not have."""
        _check_names(call.params.keys() - SYSTEM_PARAMETERS, self.takes)


def endpoints(world: World) -> dict[str, Endpoint]:
    """All operations of a sandbox, by path or method."""
    channels = Endpoint(reading.channels, {"param_channel_request"})
    shipping = Endpoint(writing.order_shipping, {"shipping_request"})
    return {
        "/auth/token/create": Endpoint(auth.token_create, _CODE, needs_token=False),
        "/auth/token/refresh": Endpoint(auth.token_refresh, _REFRESH, needs_token=False),
        "/alibaba/order/list": Endpoint(reading.order_list, _LIST),
        "/alibaba/order/get": Endpoint(reading.order_get, _DETAIL),
        "/alibaba/order/fund/query": Endpoint(reading.fund_query, _FUND),
        "/order/logistics/query": Endpoint(reading.logistics_query, {"trade_id", "data_select"}),
        world.settings.channels_path: channels,
        "/alibaba/order/attachment/upload": Endpoint(writing.attachment_upload, {"file_name"}),
        SHIPPING_PATH: shipping,
        "taobao.top.auth.token.create": Endpoint(
            auth.dotted_token_create, _CODE, needs_token=False
        ),
        "taobao.top.auth.token.refresh": Endpoint(
            auth.dotted_token_refresh, _REFRESH, needs_token=False
        ),
        "alibaba.seller.order.list": Endpoint(_order_list, {LIST_QUERY}),
        "alibaba.seller.order.get": Endpoint(reading.order_get, _DETAIL),
        "alibaba.seller.order.fund.get": Endpoint(reading.fund_query, _FUND),
        "alibaba.seller.order.logistics.get": Endpoint(_logistics, _FUND),
        "alibaba.seller.order.shipping.channels": channels,
        "alibaba.order.picture.upload": Endpoint(_upload, {UPLOAD_REQUEST}),
        SHIPPING_METHOD: shipping,
    }


def _check_names(given: Set[str], known: Set[str]) -> None:
    unknown = sorted(given - known)
    if unknown:
        names = ", ".join(name[:40] for name in unknown[:5])
        raise named("parameter", message=f"no such parameter here: {names}")


def _unwrapped(world: World, call: Call, name: str, known: Set[str]) -> Call:
    """The call with the members of a JSON parameter as parameters of their own."""
    try:
        members = orjson.loads(call.required(name))
    except ValueError as error:
        raise named("parameter", message=f"{name} is not JSON") from error
    if not isinstance(members, dict):
        raise named("parameter", message=f"{name} is not an object")
    if world.settings.unknown_parameters == "refuse":
        _check_names(members.keys(), known)
    return replace(call, params=call.params | {key: _text(value) for key, value in members.items()})


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _order_list(world: World, call: Call) -> dict[str, Any]:
    """The order list, whose rows are not documented to carry a status here."""
    answer = reading.order_list(
        world, _unwrapped(world, call, LIST_QUERY, {*_LIST, "other_login_id"})
    )
    for row in answer["value"]["order_list"]:
        del row["trade_status"]
        if world.settings.mask_trade_ids:
            row["trade_id"] = f"{row['trade_id'][:2]}***{row['trade_id'][-2:]}"
    return answer


def _logistics(world: World, call: Call) -> dict[str, Any]:
    """The logistics query, which names the order as the detail does."""
    params = call.params | {"trade_id": call.required("e_trade_id")}
    return reading.logistics_query(world, replace(call, params=params))


def _upload(world: World, call: Call) -> dict[str, Any]:
    """The upload, whose file name is wrapped. The shape of its answer is not public."""
    return writing.attachment_upload(world, _unwrapped(world, call, UPLOAD_REQUEST, {"file_name"}))
