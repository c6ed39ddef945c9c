"""The parameters of each call, by the settings: their names, and what wraps them. Pure.

Empty ones are left out, inside a wrapper too; objects go as JSON text.
"""

from collections.abc import Mapping

import orjson

from waybill.alibaba.models import OrderWindow, ShippingRequest
from waybill.alibaba.settings import AlibabaSettings
from waybill.alibaba.windows import edges

Parameters = Mapping[str, str | None]


def order_list(settings: AlibabaSettings, window: OrderWindow, page: int) -> Parameters:
    """One page of the orders in a window."""
    return _wrapped(
        settings.order_list_wrapper,
        {
            **settings.order_list_parameters,
            "role": settings.role,
            "start_page": page,
            "page_size": settings.page_size,
            "status": window.status,
            **edges(window, settings.window_format),
        },
    )


def order_get(settings: AlibabaSettings, trade_id: str) -> Parameters:
    """An order in full."""
    return {
        settings.order_id_parameter: trade_id,
        "data_select": settings.order_data_select,
        "language": settings.language,
    }


def payments(settings: AlibabaSettings, trade_id: str) -> Parameters:
    """An order's payments."""
    return {
        settings.order_id_parameter: trade_id,
        "data_select": settings.payments_data_select,
    }


def logistics(settings: AlibabaSettings, trade_id: str) -> Parameters:
    """An order's shipments."""
    return {
        settings.logistics_id_parameter: trade_id,
        "data_select": settings.logistics_data_select,
    }


def attachment(settings: AlibabaSettings, name: str) -> Parameters:
    """What is told of a file, beside the file."""
    return _wrapped(settings.attachment_wrapper, {settings.attachment_name_parameter: name})


def shipment(settings: AlibabaSettings, request: ShippingRequest) -> Parameters:
    """The declaration, in exactly the text that was hashed."""
    return {settings.shipment_parameter: request.canonical_json()}


def _wrapped(wrapper: str | None, fields: Mapping[str, object]) -> Parameters:
    told = {name: value for name, value in fields.items() if value not in (None, "")}
    if wrapper is not None:
        return {wrapper: _json(told)}
    return {
        name: _json(value) if isinstance(value, dict) else str(value)
        for name, value in told.items()
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
