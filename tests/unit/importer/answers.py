"""Raw answers as the site's documentation shows them, written by hand, and a store."""

from datetime import UTC, datetime
from typing import Any

from waybill.contracts.store import Store

NOW = datetime(2025, 8, 1, 6, 0, tzinfo=UTC)

ORDER: dict[str, Any] = {
    "trade_id": "255201166001024316",
    "trade_status": "undeliver",
    "item_status": "normal",
    "pay_step": "FULL",
    "create_date": {"format_date": "Jul. 31, 2025, 20:00:00 PDT.", "timestamp": "1754017200000"},
    "modify_date": {"format_date": "Jul. 31, 2025, 21:09:36 PDT.", "timestamp": "1754021376000"},
    "shipment_date": {"type": "absolute", "duration": "null", "date": "1754625600000"},
    "buyer": {"full_name": "Ada King", "immutable_eid": "MC2abc", "country": "UK"},
    "product_total_amount": {"amount": "100.00", "currency": "USD"},
    "shipment_fee": {"amount": "12.5", "currency": "USD"},
    "shipment_insurance_fee": {"amount": "0.00", "currency": "USD"},
    "discount_amount": {"amount": "10.00", "currency": "USD"},
    "adjust_amount": {"amount": "-2.50", "currency": "USD"},
    "vat_amount": "null",
    "inspection_service_amount": {"amount": "30", "currency": "USD"},
    "total_amount": {"amount": "130.00", "currency": "USD"},
    "shipment_method": "EXPRESS",
    "trade_term": "DAP",
    "fulfillment_channel": "TAD",
    "carrier": {"code": "FEDEX", "name": "FedEx"},
    "shipping_address": {
        "contact_person": "Ada King",
        "address": "12 St James's Square",
        "alternate_address": "null",
        "city": "London",
        "province": "Greater London",
        "country": "United Kingdom",
        "country_code": "UK",
        "port": "null",
        "mobile": {"country": "+44", "area": "null", "number": "7700900123"},
        "telephone": {"country": "44", "area": "20", "number": "79460000"},
    },
    "order_products": [
        {
            "id": "1",
            "product_id": "1600123456789",
            "sku_id": "100",
            "sku_code": "HX-200-B",
            "model_number": "HX-200",
            "name": "Portable Blender",
            "quantity": "2.5000",
            "unit": "Piece/Pieces",
            "unit_price": {"amount": "40.00", "currency": "USD"},
            "product_image": "//s.alicdn.example/kf/H1.jpg",
            "sku_attributes": [{"key": "Color", "value": "军绿色"}, {"key": "Plug", "value": "EU"}],
            "sort": "1",
            "item_status": "normal",
        }
    ],
    "remark": "Please ring twice",
    "list_remark": "null",
}

FUNDS: dict[str, Any] = {
    "fund_pay_list": [
        {
            "pay_method": "TT",
            "pay_step": "ADVANCE",
            "pay_status": "FULFILLED",
            "pay_time": "1754018000000",
            "receive_amount": {"amount": "39.00", "currency": "USD"},
        },
        {
            "pay_method": "CREDIT_CARD",
            "pay_step": "BALANCE",
            "pay_status": "PAID",
            "pay_time": {"timestamp": 1754020000000},
            "pay_amount": {"amount": "91.00", "currency": "USD"},
            "receive_amount": "null",
        },
    ]
}

STORE = Store(
    store_id="s-1",
    site="alibaba",
    seller_id="200042360",
    name="Ningbo Brightway",
    revision=1,
    connected_at=NOW,
    ship_from=NOW,
)
