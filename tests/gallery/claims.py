"""Claims as the notifier writes them, from what differs from one everyday order."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from waybill.contracts import Claim, Order, Shipment
from waybill.contracts.codec import Codec, SchemaBook

TRADE_ID = "255201166001024316"
ORDER_KEY = f"sandbox:{TRADE_ID}"
STORE_ID = "sandbox-4711"

Facts = Mapping[str, Any]

ORDER: Facts = {
    "key": ORDER_KEY,
    "site": "sandbox",
    "trade_id": TRADE_ID,
    "order_number": TRADE_ID,
    "mapping_version": "1",
    "importable": True,
    "content_sha256": "a" * 64,
    "store_id": STORE_ID,
    "status": "awaiting_shipment",
    "raw_status": "undeliver",
    "ordered_at": "2026-11-19T01:12:44Z",
    "modified_at": "2026-11-20T08:00:00Z",
    "imported_at": "2026-11-20T08:00:05Z",
    "buyer": {"name": "Erika Mustermann"},
    "ship_to": {
        "name": "Erika Mustermann",
        "company": "Mustermann & Söhne Elektrohandel GmbH",
        "phone": "+49 30 2555 0143",
        "lines": ["Musterstraße 118, Hinterhaus"],
        "city": "Berlin",
        "postal_code": "10969",
        "country_code": "DE",
        "country": "Germany",
    },
    "items": [
        {
            "line_id": "1",
            "sku": "LS-24V-5M-WW",
            "name": "LED strip light 24 V, 5 m reel, IP65, warm white",
            "quantity": "24",
            "unit": "Pieces",
            "options": [{"name": "Colour temperature", "value": "2700 K"}],
        },
        {
            "line_id": "2",
            "sku": "PSU-24-6A-EU",
            "name": "Power supply 24 V, 6 A, plug for the EU",
            "quantity": "24",
            "unit": "Pieces",
        },
    ],
}
SHIPMENT: Facts = {
    "order_key": ORDER_KEY,
    "shipment_id": "se-28529731",
    "revision": 3,
    "occurred_at": "2026-11-23T14:00:00Z",
    "shipped_at": "2026-11-23T09:40:00Z",
    "tracking_number": "776705370628",
    "tracking_url": "https://www.fedex.com/fedextrack/?trknbr=776705370628",
    "carrier": {"code": "fedex", "name": "FedEx"},
    "service": {"name": "International Priority"},
    "ship_from": {
        "name": "李明",
        "company": "深圳市亮星科技有限公司",
        "phone": "+86 755 8632 1100",
        "lines": ["粤海街道高新南一道008号 A座 1203室"],
        "city": "深圳市",
        "state": "广东省",
        "postal_code": "518057",
        "country_code": "CN",
        "country": "中国",
    },
    "packages": [
        {
            "weight": {"value": "11.5", "unit": "kg"},
            "dimensions": {"length_cm": "60", "width_cm": "40", "height_cm": "30"},
        }
    ],
    "cost": {"amount": "86.40", "currency": "USD"},
}
CLAIM: Facts = {
    "claim_id": "c-dd1b3c312cf7d816130354452e9629",
    "order_key": ORDER_KEY,
    "store_id": STORE_ID,
    "carrier_code": "FEDEX",
    "logistics_type": "EXPRESS",
    "branding": {"name": "Shenzhen Bright Star Technology Co., Ltd."},
    "time_zone": "Asia/Shanghai",
    "issued_at": "2026-11-23T14:05:09Z",
}


def claim_bytes(
    *,
    order: Facts | None = None,
    shipment: Facts | None = None,
    claim: Facts | None = None,
    parts: Sequence[Facts] = (),
) -> bytes:
    """The framed claim of the everyday order with these facts in place of its own.

    `parts` are further shipments of the order, as changes of the first.
    """
    orders, shipments, claims = _codecs()
    first, *more = (
        shipments.encode(Shipment.model_validate({**SHIPMENT, **changes}))
        for changes in (shipment or {}, *parts)
    )
    facts = {
        **CLAIM,
        **(claim or {}),
        "order": orders.encode(Order.model_validate({**ORDER, **(order or {})})).hex(),
        "shipment": first.hex(),
        "parts": [part.hex() for part in more],
    }
    return claims.encode(Claim.model_validate(facts))


@cache
def _codecs() -> tuple[Codec[Order], Codec[Shipment], Codec[Claim]]:
    book = SchemaBook()
    return (
        Codec(Order, "order", book),
        Codec(Shipment, "shipment", book),
        Codec(Claim, "claim", book),
    )
