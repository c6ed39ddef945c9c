"""The sandbox makes orders of many countries, with the oddities of the real site; all of them are read."""

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import pytest

from sandbox import orders as sandbox_orders
from sandbox.payloads import detail, funds
from sandbox.sellers import make_sellers
from services.importer.normalise import Draft, normalise
from tests.unit.importer.answers import STORE
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.order import NotImportable, Order, OrderStatus

SEED = 7
COUNT = 300
EPOCH_MS = 1_754_028_000_000
AT = datetime.fromtimestamp(EPOCH_MS / 1000, UTC)


@cache
def answers() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Detail and fund answers as they would come over HTTP."""
    (seller,) = make_sellers(SEED, 1).values()
    made = [
        sandbox_orders.generated(SEED, seller, number, EPOCH_MS, plain=False)
        for number in range(COUNT)
    ]
    return [
        (
            orjson.loads(orjson.dumps(detail(SEED, order))),
            orjson.loads(orjson.dumps(funds(SEED, order))),
        )
        for order in made
    ]


@cache
def readings() -> list[tuple[dict[str, Any], Order | Draft]]:
    return [
        (answer, normalise(answer, payments=paid, site="sandbox", store=STORE, imported_at=AT))
        for answer, paid in answers()
    ]


@cache
def records() -> list[tuple[dict[str, Any], Order]]:
    return [(answer, order) for answer, order in readings() if isinstance(order, Order)]


def test_every_order_but_the_drafts_is_published() -> None:
    drafts = [answer for answer, order in readings() if isinstance(order, Draft)]
    assert len(records()) + len(drafts) == COUNT
    assert {answer["trade_status"] for answer in drafts} == {"intention_processing"}


def test_each_hundred_orders_hold_the_known_mix() -> None:
    found = Counter(order.status for _, order in records())
    assert found[OrderStatus.AWAITING_SHIPMENT] == 3 * 70
    assert found[OrderStatus.UNMAPPED] == 3
    held = Counter(reason for _, order in records() for reason in order.not_importable)
    assert held[NotImportable.UNMAPPED_STATUS] == 3
    assert held[NotImportable.NO_ITEMS] == 0
    assert 0 < held[NotImportable.NO_DELIVERY_ADDRESS] <= 3 * 2


def test_nothing_is_unreadable() -> None:
    notes = Counter(why for _, order in records() for why in order.provenance.values())
    assert notes == Counter()


def test_whatever_has_an_address_names_street_and_country() -> None:
    for answer, order in records():
        if NotImportable.NO_DELIVERY_ADDRESS in order.not_importable:
            assert answer.get("shipping_address") in (None, "null")
            continue
        assert order.ship_to is not None
        assert order.ship_to.lines[0] == answer["shipping_address"]["address"]
        assert order.ship_to.country_code != "UK"
        assert order.ship_to.phone is not None
        assert order.ship_to.phone.startswith("+")


def test_sums_of_lines_and_totals_agree_with_what_was_sent() -> None:
    for answer, order in records():
        assert order.totals is not None
        assert order.totals.grand is not None
        currency = order.totals.grand.currency
        assert order.totals.items is not None
        total = sum(
            item.quantity * item.unit_price.amount for item in order.items if item.unit_price
        )
        smallest = len(order.items)  # each line is rounded to the smallest coin, yen at most
        assert abs(total - order.totals.items.amount) <= smallest
        assert {item.unit_price.currency for item in order.items if item.unit_price} == {currency}
        assert len(order.items) == len(answer["order_products"])
        assert order.totals.discount is None or order.totals.discount.amount <= 0


def test_what_was_paid_is_known_from_the_fund_query() -> None:
    for _, order in records():
        if order.status is OrderStatus.AWAITING_SHIPMENT:
            assert order.payment is not None
            assert order.totals is not None
            assert order.payment.method
            assert order.payment.paid == order.totals.grand
            assert order.paid_at is not None


@pytest.mark.parametrize("wrap", ["gop", "top"])
def test_the_wrapping_of_an_answer_changes_nothing(wrap: str) -> None:
    for answer, order in records()[:20]:
        wrapped = {"code": "0", "value": answer, "request_id": "r"}
        if wrap == "top":
            products = {"trade_ecology_order_product": answer["order_products"]}
            value = answer | {"order_products": products}
            wrapped = {"alibaba_seller_order_get_response": {"result": {"value": value}}}
        again = normalise(wrapped, payments=None, site="sandbox", store=STORE, imported_at=AT)
        alone = normalise(answer, payments=None, site="sandbox", store=STORE, imported_at=AT)
        assert isinstance(again, Order)
        assert isinstance(alone, Order)
        assert again.content_sha256 == alone.content_sha256
        assert again.key == order.key


def test_records_survive_their_encoding() -> None:
    codec = Codec(Order, "order", SchemaBook())
    for _, order in records():
        assert codec.decode(codec.encode(order)) == order
