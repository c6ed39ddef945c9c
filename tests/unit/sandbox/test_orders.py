"""Generated orders: the promised mix, repeatable, and consistent in themselves."""

import re
import unicodedata
from collections import Counter
from decimal import Decimal
from typing import Any

from sandbox import orders, payloads
from sandbox.orders import BLOCK, STATUS_MIX, Order, OrderBook, Query, Voucher, Window, merged
from sandbox.places import PLACES
from sandbox.sellers import make_sellers

EPOCH_MS = 1790000000000
SELLERS = list(make_sellers(1, 3).values())


def some(count: int = BLOCK, *, seller: int = 0, seed: int = 1, plain: bool = False) -> list[Order]:
    return [
        orders.generated(seed, SELLERS[seller], number, EPOCH_MS, plain=plain)
        for number in range(count)
    ]


def details(count: int = BLOCK, *, plain: bool = False) -> list[dict[str, Any]]:
    return [payloads.detail(1, order) for order in some(count, plain=plain)]


def test_every_hundred_orders_hold_the_promised_mix() -> None:
    assert sum(STATUS_MIX.values()) == BLOCK
    for first in (0, 100, 700):
        numbers = range(first, first + BLOCK)
        found = [orders.traits(1, 0, number) for number in numbers]
        assert Counter(row.status for row in found) == STATUS_MIX
        assert {row.place for row in found} == set(range(len(PLACES)))


def test_trade_ids_have_eighteen_digits_and_occur_once() -> None:
    ids = [order.trade_id for seller in range(3) for order in some(2000, seller=seller)]
    assert len(set(ids)) == 6000
    assert all(re.fullmatch(r"[1-9]\d{17}", trade_id) for trade_id in ids)


def test_the_same_seed_gives_the_same_orders_and_another_seed_others() -> None:
    first, again, other = some(20), some(20), some(20, seed=2)
    assert first == again
    assert [payloads.detail(1, order) for order in first] == details(20)
    assert {order.trade_id for order in first}.isdisjoint(order.trade_id for order in other)


def test_orders_were_made_in_the_month_before_and_changed_after_that() -> None:
    for order in some(500):
        assert EPOCH_MS - orders.HISTORY_MS - 60_000 <= order.created_ms <= order.modified_ms
        assert order.modified_ms <= EPOCH_MS


def test_amounts_add_up() -> None:
    for value in details(200):
        currency = value["total_amount"]["currency"]
        goods = Decimal(0)
        for product in value["order_products"]:
            price = product["unit_price"]
            if isinstance(price, dict):
                assert price["currency"] == currency
                price = price["amount"]
            line = Decimal(price) * Decimal(product["quantity"])
            unit = Decimal(value["product_total_amount"]["amount"]).as_tuple().exponent
            goods += line.quantize(Decimal((0, (1,), int(unit))), rounding="ROUND_HALF_UP")
        amount = {
            name: Decimal(item["amount"])
            for name, item in value.items()
            if name.endswith(("_amount", "_fee")) and isinstance(item, dict)
        }
        assert amount["product_total_amount"] == goods
        added = ("shipment_fee", "shipment_insurance_fee", "adjust_amount", "vat_amount")
        total = goods + sum(amount[name] for name in added) - amount["discount_amount"]
        assert amount["total_amount"] == total
        assert amount["advance_amount"] + amount["balance_amount"] == total


def test_currencies_without_decimals_have_none() -> None:
    found = {
        value["total_amount"]["currency"]: value["total_amount"]["amount"] for value in details(300)
    }
    assert {"JPY", "KRW", "USD", "EUR"} <= set(found)
    assert "." not in found["JPY"]
    assert re.fullmatch(r"\d+\.\d\d", found["EUR"])


def test_the_oddities_of_real_payloads_occur() -> None:
    values = details(300)
    products = [product for value in values for product in value["order_products"]]
    assert {len(value["order_products"]) for value in values} == set(range(1, 9))
    assert any(product["quantity"] == "2.5000" for product in products)
    assert any(product["product_image"].startswith("//") for product in products)
    assert any(product["product_image"].startswith("https://") for product in products)
    assert any(isinstance(product["unit_price"], str) for product in products)
    assert any(value["remark"] == "null" for value in values)
    addresses = [value.get("shipping_address") for value in values]
    assert addresses.count(None) + addresses.count("null") == 6
    written = [address for address in addresses if isinstance(address, dict)]
    assert {"UK", "GB"} <= {address["country_code"] for address in written}
    assert any("zip" not in address for address in written)
    assert any(address.get("zip") == "null" for address in written)
    assert any(value["discount_amount"]["amount"] not in {"0", "0.00"} for value in values)


def test_scalars_come_as_text() -> None:
    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for item in value.values() for leaf in leaves(item)]
        if isinstance(value, list):
            return [leaf for item in value for leaf in leaves(item)]
        return [value]

    assert {type(leaf) for value in details() for leaf in leaves(value)} == {str}


def test_names_come_in_many_scripts() -> None:
    names = "".join(value["buyer"]["full_name"] for value in details(300))
    scripts = {unicodedata.name(letter).split()[0] for letter in names if letter.isalpha()}
    assert scripts >= {
        *("LATIN", "CYRILLIC", "GREEK", "CJK", "HIRAGANA", "HANGUL"),
        *("ARABIC", "HEBREW", "THAI", "DEVANAGARI"),
    }


def test_plain_orders_can_all_be_shipped() -> None:
    assert {order.status for order in some(plain=True)} == {"undeliver"}
    assert all(isinstance(value["shipping_address"], dict) for value in details(300, plain=True))


def test_a_merge_patch_follows_rfc_7396() -> None:
    target = {"a": "b", "c": {"d": "e", "f": "g"}, "x": [1]}
    patch = {"a": "z", "c": {"f": None}, "x": {"y": None, "n": 1}}
    assert merged(target, patch) == {"a": "z", "c": {"d": "e"}, "x": {"n": 1}}
    assert target == {"a": "b", "c": {"d": "e", "f": "g"}, "x": [1]}
    assert merged(target, "whole") == "whole"


def test_a_view_that_lags_sees_the_status_before_the_shipments_it_does_not_know() -> None:
    order = some(1, plain=True)[0]
    order.vouchers = [Voucher(at, "DHL", "T", "EXPRESS", "undeliver", True) for at in (1000, 2000)]
    order.status = "delivering"
    assert order.status_seen(999) == "undeliver"
    assert order.status_seen(2000) == "delivering"
    order.status = "frozen"  # not the shipment's doing
    assert order.status_seen(999) == "frozen"


def test_a_page_is_counted_from_the_newest() -> None:
    book = OrderBook()
    for order in some(50):
        book.add(order)
    query = Query(SELLERS[0].id, created=Window(EPOCH_MS - orders.HISTORY_MS // 2, None))
    expected = sorted(
        (order for order in some(50) if query.finds(order)), key=lambda order: -order.created_ms
    )
    total, page = book.page(query, 1, 5)
    assert (total, page) == (len(expected), expected[5:10])
    assert book.page(query, 1000, 5) == (total, [])
    assert book.page(Query("nobody"), 0, 5) == (0, [])


def test_both_windows_and_a_status_narrow_together() -> None:
    book = OrderBook()
    for order in some(300):
        book.add(order)
    middle = EPOCH_MS - orders.HISTORY_MS // 2
    query = Query(SELLERS[0].id, "undeliver", Window(None, middle), Window(middle, None))
    total, page = book.page(query, 0, 1000)
    expected = [
        order
        for order in some(300)
        if order.status == "undeliver" and order.created_ms <= middle <= order.modified_ms
    ]
    assert total == len(expected) > 0
    assert page == sorted(expected, key=lambda order: -order.modified_ms)


def test_a_list_may_begin_with_the_oldest() -> None:
    book = OrderBook()
    for order in some(50):
        book.add(order)
    query = Query(SELLERS[0].id, modified=Window(EPOCH_MS - orders.HISTORY_MS // 2, None))
    total, newest_first = book.page(query, 0, 1000)
    pages = [book.page(query, page, 7, oldest_first=True)[1] for page in range(total // 7 + 2)]
    assert [order for page in pages for order in page] == newest_first[::-1]
    assert pages[-1] == []


def test_a_window_of_changes_may_come_sorted_by_creation() -> None:
    book = OrderBook()
    for order in some(50):
        book.add(order)
    query = Query(SELLERS[0].id, modified=Window(EPOCH_MS - orders.HISTORY_MS // 2, None))
    total, page = book.page(query, 0, 1000, by_creation=True)
    assert total == book.page(query, 0, 1000)[0]
    assert page == sorted(page, key=lambda order: -order.created_ms)
    assert page != sorted(page, key=lambda order: -order.modified_ms)
