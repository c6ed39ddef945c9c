"""What Alibaba answers about an order: the detail, its payments and its logistics.

Scalars come as text, as at Alibaba: ``"true"``, ``"2.0000"``, epoch milliseconds, and now and then
the word ``"null"``. Oddities depend on the order alone: asking twice gives the same answer.
"""

from __future__ import annotations

import random
from functools import reduce
from typing import Any

from sandbox.goods import GOODS, Good
from sandbox.orders import SHIPPED, Order, Traits, Voucher, chaos, merged, traits
from sandbox.places import CURRENCY_DECIMALS, PLACES, Place, Site
from sandbox.protocol import date_forms
from sandbox.sellers import digits, hexadecimal

QUANTITY_UNIT = 10_000
"""Quantities are counted in ten-thousandths: ``"2.5000"`` is 25,000."""
_SCALE = {"JPY": 1.5, "KRW": 14, "VND": 250, "CLP": 9, "HUF": 360, "INR": 84, "THB": 33, "TWD": 31}
"""Roughly how many of the currency's smallest unit a US cent is; 1 for all others."""
_ACTIONS = {
    "undeliver": [{"name": "SHIPPING", "value": "shipping", "render_name": "Ship order"}],
    "unpay": [{"name": "REMIND_PAY", "value": "remind_pay", "render_name": "Remind buyer to pay"}],
}


def money(minor: int, currency: str) -> dict[str, str]:
    """An amount with its currency; ``minor`` counts the currency's smallest unit."""
    return {"amount": amount_text(minor, currency), "currency": currency}


def amount_text(minor: int, currency: str) -> str:
    """``1234`` as ``"12.34"``, or as ``"1234"`` in a currency without decimals."""
    if CURRENCY_DECIMALS.get(currency, 2) == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def detail(seed: int, order: Order, *, status: str | None = None) -> dict[str, Any]:
    """The ``value`` of ``/alibaba/order/get``; ``status`` if a view that lags shows another one."""
    rng = chaos(seed, order.seller.number, order.number)
    share = traits(seed, order.seller.number, order.number)
    place = PLACES[share.place]
    currency = _currency(rng, place)
    products = [_product(rng, line, currency) for line in range(1, rng.randint(1, 8) + 1)]
    value: dict[str, Any] = {
        **_head(rng, order, status or order.status, place),
        **_amounts(rng, products, currency),
        **_terms(rng),
        **_notes(rng, place),
        "order_products": [product for product, _ in products],
    }
    address = _address(rng, order, share, place)
    if address is not None:
        value["shipping_address"] = address
    return reduce(merged, order.patches, value)


def _currency(rng: random.Random, place: Place) -> str:
    return "USD" if rng.random() < 0.4 else place.currency


def _head(rng: random.Random, order: Order, status: str, place: Place) -> dict[str, Any]:
    seller = order.seller
    return {
        "trade_id": order.trade_id,
        "trade_status": status,
        "item_status": "normal",
        "pay_step": rng.choice(("FULL", "FULL", "ADVANCE", "BALANCE")),
        "status_action": {"status": status, "actions": _ACTIONS.get(status, [])},
        "biz_code": "ta_order",
        "contract_version": str(rng.randint(1, 3)),
        "channel_refer_id": rng.choice(("null", "")),
        "source": "ta_mobile" if rng.random() < 0.3 else "ta_pc",
        "tags": '{"assurance":"1"}',
        "dropshipping": "false",
        "semi_manage": "false",
        "draft_role": "seller",
        "nation": place.code,
        "create_date": date_forms(order.created_ms),
        "modify_date": date_forms(order.modified_ms),
        "shipment_date": {
            "type": "relative_balance",
            "duration": str(rng.choice((3, 7, 15, 30))),
            "date": "null",
        },
        "buyer": {
            "full_name": rng.choice(place.people),
            "immutable_eid": f"MC2{hexadecimal(24, order.trade_id, 'buyer')}",
            "e_account_id": digits(10, order.trade_id, "buyer"),
            "country": place.code,
        },
        "seller": {
            "full_name": seller.store,
            "login_id": seller.login_id,
            "email": seller.email,
            "is_admin": "true",
            "immutable_eid": seller.eid,
        },
    }


def _product(rng: random.Random, line: int, currency: str) -> tuple[dict[str, Any], int]:
    """One line and its total in the currency's smallest unit."""
    good = rng.choice(GOODS)
    price = max(1, round(rng.randint(good.price_min, good.price_max) * _SCALE.get(currency, 1)))
    quantity = _quantity(rng, good)
    price_text = amount_text(price, currency)
    product_id = digits(13, good.model)
    product = {
        "id": str(line),
        "product_id": product_id,
        "sku_id": digits(12, good.model, rng.randint(1, 20)),
        "sku_code": f"{good.model}-{rng.randint(1, 20):02d}" if rng.random() < 0.9 else "null",
        "model_number": good.model,
        "name": good.name,
        "quantity": f"{quantity // QUANTITY_UNIT}.{quantity % QUANTITY_UNIT:04d}",
        "unit": good.unit,
        # One account of the payload calls it a scalar, another a money object.
        "unit_price": price_text
        if rng.random() < 0.3
        else {"amount": price_text, "currency": currency},
        "product_image": _image(rng, product_id),
        "sku_attributes": [
            {"key": key, "value": rng.choice(values)} for key, values in good.attributes
        ],
        "sort": str(line),
        "item_status": "normal",
        "shipment_date": "null",
    }
    return product, (price * quantity + QUANTITY_UNIT // 2) // QUANTITY_UNIT


def _quantity(rng: random.Random, good: Good) -> int:
    if good.fractional:
        return rng.choice((25_000, 5_000, 12_500, 100_000, 137_500))
    return rng.choice((1, 2, 3, 5, 10, 24, 100, 500)) * QUANTITY_UNIT


def _image(rng: random.Random, product_id: str) -> str:
    scheme = "//" if rng.random() < 0.5 else "https://"
    return f"{scheme}s.alicdn.example/kf/H{product_id}.jpg_350x350.jpg"


def _amounts(
    rng: random.Random, products: list[tuple[dict[str, Any], int]], currency: str
) -> dict[str, Any]:
    goods = sum(total for _, total in products)
    part = {
        "shipment_fee": rng.choice((0, goods // 20, goods // 8)),
        "shipment_insurance_fee": rng.choice((0, 0, goods // 200)),
        "discount_amount": goods // 10 if rng.random() < 0.25 else 0,
        "adjust_amount": -(goods // 50) if rng.random() < 0.1 else 0,
        "vat_amount": goods // 5 if rng.random() < 0.15 else 0,
        "duty_amount": 0,
        "inspection_service_amount": 0,
    }
    total = goods + sum(part.values()) - 2 * part["discount_amount"]
    advance = total * 3 // 10
    amounts = {name: money(minor, currency) for name, minor in part.items()}
    return {
        "product_total_amount": money(goods, currency),
        **amounts,
        "total_amount": money(total, currency),
        "advance_amount": money(advance, currency),
        "balance_amount": money(total - advance, currency),
    }


def _terms(rng: random.Random) -> dict[str, Any]:
    carrier = rng.choice(
        ({"code": "FEDEX", "name": "FedEx"}, {"code": "DHL", "name": "DHL"}, "null")
    )
    return {
        "shipment_method": rng.choice(("EXPRESS", "EXPRESS", "POST", "air", "sea")),
        "trade_term": rng.choice(("DAP", "FOB", "DDP")),
        "fulfillment_channel": rng.choice(("TAD", "TAO")),
        "export_service_type": "self_run_service",
        "carrier": carrier,
    }


def _notes(rng: random.Random, place: Place) -> dict[str, Any]:
    remark = rng.choice(place.remarks) if rng.random() < 0.4 else rng.choice(("", "null"))
    return {"remark": remark, "list_remark": "null", "attachments": []}


def _address(
    rng: random.Random, order: Order, share: Traits, place: Place
) -> dict[str, Any] | str | None:
    if share.address == "none" and not order.plain:
        return rng.choice((None, "null"))
    site = rng.choice(place.sites)
    code = "UK" if place.code == "GB" and rng.random() < 0.5 else place.code
    address = {
        "contact_person": rng.choice(place.people),
        "address": site.street,
        "alternate_address": rng.choice(("null", "", "c/o reception")),
        "city": site.city,
        "city_code": "null",
        "province": site.province,
        "province_code": "null",
        "country": place.name,
        "country_code": code,
        "port": "null",
        "port_code": "null",
        "mobile": {
            "country": place.dial,
            "area": "null",
            "number": digits(9, order.trade_id, "phone"),
        },
        "telephone": {"country": place.dial, "area": "null", "number": "null"},
        "fax": "null",
    }
    return address | _postal_code(rng, share, site)


def _postal_code(rng: random.Random, share: Traits, site: Site) -> dict[str, str]:
    if site.postal_code and share.address != "no_postal_code":
        return {"zip": site.postal_code}
    return rng.choice(({}, {"zip": "null"}, {"zip": ""}))


_PAID_LATER = frozenset({"unpay", "paying", "to_be_audited", "intention_processing", "relating"})


def funds(seed: int, order: Order) -> dict[str, Any]:
    """The ``value`` of ``/alibaba/order/fund/query`` with all its groups."""
    total = detail(seed, order)["total_amount"]
    rng = chaos(seed, order.seller.number, order.number, "fund")
    waiting = order.status in _PAID_LATER
    paid_ms = order.created_ms + 3_600_000
    payment = {
        "pay_method": rng.choice(
            ("CREDIT_CARD", "CREDIT_CARD", "TT", "E_CHECKING", "BOLETO", "OTHER")
        ),
        "pay_step": "FULL",
        "pay_status": "UNPAY" if waiting else "FULFILLED",
        "pay_time": "null" if waiting else date_forms(paid_ms),
        "pay_amount": "null" if waiting else total,
        "receive_amount": "null" if waiting else total,
        "receive_time": "null" if waiting else date_forms(paid_ms + 60_000),
        "should_pay_amount": total,
    }
    refunds = []
    if order.status == "charge_back":
        refunds.append(
            {
                "id": digits(12, order.trade_id, "refund"),
                "amount": total,
                "refund_time": date_forms(order.modified_ms),
            }
        )
    return {
        "trade_id": order.trade_id,
        "fund_pay_list": [payment],
        "service_fee": money(0, total["currency"]),
        "refund_list": refunds,
    }


_LOGISTIC_STATUS = {
    "delivering": "DELIVERING",
    "partial_delivering": "PART_DELIVERED",
    "wait_confirm_receipt": "DELIVERED",
    "trade_success": "CONFIRM_RECEIPT",
}


def logistics(order: Order, seen_until_ms: int) -> dict[str, Any]:
    """The ``value`` of ``/order/logistics/query``, blind to shipments after ``seen_until_ms``."""
    vouchers = [voucher for voucher in order.vouchers if voucher.at_ms <= seen_until_ms]
    if not order.vouchers and order.born_shipped and order.status in SHIPPED:
        vouchers = [_made_before(order)]
    status = order.status_seen(seen_until_ms)
    return {
        "trade_id": order.trade_id,
        "logistic_status": _LOGISTIC_STATUS.get(status, "UNDELIVERED"),
        "shipment_date": date_forms(vouchers[0].at_ms) if vouchers else "null",
        "agreed_shipment_date": date_forms(order.created_ms + 15 * 86_400_000),
        "tracking_url": "null",
        "shipping_order_list": [_shipping_order(voucher) for voucher in vouchers],
    }


def _shipping_order(voucher: Voucher) -> dict[str, Any]:
    return {
        "voucher": {
            "logistics_type": voucher.logistics_type,
            "service_provider": voucher.service_provider,
            "tracking_number": voucher.tracking_number,
        },
        "goods": [],
    }


def _made_before(order: Order) -> Voucher:
    """The shipment of an order that was already under way when the sandbox began."""
    return Voucher(
        at_ms=min(order.created_ms + 86_400_000, order.modified_ms),
        service_provider="DHL",
        tracking_number=digits(10, order.trade_id, "tracking"),
        logistics_type="EXPRESS",
        status_before="undeliver",
        accepted=False,
    )
