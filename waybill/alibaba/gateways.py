"""The three doors to the same API, and what differs behind them: names, wrappings, time. Pure.

====  =======================================  ==================  ==============================
gop   paths under ``/rest``                    HMAC-SHA256         the platform of today: default
sync  dotted methods on the same host          HMAC-SHA256         answers in TOP's shape
top   dotted methods on ``/router/rest``       MD5 or HMAC         the older platform; its own apps
====  =======================================  ==================  ==============================

Choosing one only changes the defaults of ``settings.AlibabaSettings``: each can still be set by
itself. Sources: the method pages of the older platform (41047, 41074, 41142 and the pages beside
them), its signing page, and the reference of the newer one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

Gateway = Literal["gop", "sync", "top"]

_DOTTED: Final[Mapping[str, Any]] = {
    "order_list": "alibaba.seller.order.list",
    "order_list_wrapper": "param_trade_ecology_order_list_query",
    "order_get": "alibaba.seller.order.get",
    "payments": "alibaba.seller.order.fund.get",
    "payments_data_select": "fund_serviceFee,fund_fundPay,fund_refund",
    "logistics": "alibaba.seller.order.logistics.get",
    "logistics_id_parameter": "e_trade_id",
    "attachment_upload": "alibaba.order.picture.upload",
    "attachment_wrapper": "param_file_upload_request",
    "shipment_declare": "alibaba.seller.order.shipping",
    "window_format": "date_str",
}
_TOP: Final[Mapping[str, Any]] = {
    **_DOTTED,
    "token_create": "taobao.top.auth.token.create",
    "token_refresh": "taobao.top.auth.token.refresh",
    "timestamp_format": "text_gmt8",
    "authorise_url": "https://oauth.alibaba.com/authorize",
    "authorise_parameters": {"sp": "icbu", "view": "web", "force_login": "true"},
    "service_time_url": "https://crosstrade.alibaba.com/ecology/service.htm",
}
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


def defaults(gateway: object) -> Mapping[str, Any]:
    """The settings whose default another gateway changes; nothing for ``gop`` or an unknown one."""
    if gateway == "sync":
        return MappingProxyType(dict(_DOTTED))
    return MappingProxyType(dict(_TOP)) if gateway == "top" else _NONE
