"""Totals, adjustments and payments."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.importer.money import amount
from waybill.contracts.base import Money
from waybill.contracts.order import AdjustmentKind, Order, Payment

Read = Callable[..., Order]
Payload = dict[str, Any]


def usd(text: str) -> Money:
    return Money(amount=Decimal(text), currency="USD")


def paid(order: Order) -> Payment:
    assert order.payment is not None
    return order.payment


def test_totals_are_the_sites_and_never_computed(read: Read, payload: Payload) -> None:
    del payload["product_total_amount"]
    totals = read(payload).totals
    assert totals is not None
    assert totals.items is None
    assert totals.shipping == usd("12.5")
    assert totals.insurance == usd("0")
    assert totals.tax is None
    assert totals.grand == usd("130")


@pytest.mark.parametrize("given", ["10.00", "-10.00"])
def test_discounts_are_negative_whatever_sign_the_site_gives(
    read: Read, payload: Payload, given: str
) -> None:
    order = read(payload | {"discount_amount": {"amount": given, "currency": "USD"}})
    assert order.totals is not None
    assert order.totals.discount == usd("-10")
    assert order.adjustments[0].kind is AdjustmentKind.DISCOUNT
    assert order.adjustments[0].amount == usd("-10")


def test_a_discount_of_zero_has_no_sign_and_is_no_adjustment(read: Read, payload: Payload) -> None:
    for name in ("discount_amount", "adjust_amount", "inspection_service_amount"):
        payload[name] = {"amount": "-0.00", "currency": "USD"}
    order = read(payload)
    assert order.totals is not None
    assert order.totals.discount is not None
    assert str(order.totals.discount.amount) == "0.0000"
    assert order.adjustments == ()


def test_an_agreed_change_keeps_its_sign(read: Read, payload: Payload) -> None:
    down = read(payload).adjustments
    assert [(row.kind, row.amount) for row in down[1:]] == [
        (AdjustmentKind.DISCOUNT, usd("-2.5")),
        (AdjustmentKind.SURCHARGE, usd("30")),
    ]
    up = read(payload | {"adjust_amount": {"amount": "2.50", "currency": "USD"}}).adjustments
    assert (up[1].kind, up[1].amount) == (AdjustmentKind.SURCHARGE, usd("2.5"))


def test_a_bare_amount_is_in_the_orders_currency(read: Read, payload: Payload) -> None:
    order = read(payload | {"shipment_fee": "7.25", "vat_amount": 3})
    assert order.totals is not None
    assert order.totals.shipping == usd("7.25")
    assert order.totals.tax == usd("3")


def test_an_amount_without_any_currency_is_unreadable(read: Read, payload: Payload) -> None:
    for name in list(payload):
        if name.endswith(("_amount", "_fee")):
            del payload[name]
    order = read(payload | {"total_amount": "130.00"})
    assert order.totals is None
    assert order.provenance["totals.grand"] == "unreadable"


@pytest.mark.parametrize("value", ["0.00125", "1e14", "1,234.50", "NaN", "1E+999999", True, "12 €"])
def test_an_amount_that_does_not_fit_exactly_is_never_rounded(value: object) -> None:
    with pytest.raises(ValueError, match=r"amount|number"):
        amount(value)


@pytest.mark.parametrize("value", ["2.5", "2.50000", "25e-1", 2.5, " 2.5000 "])
def test_one_amount_has_one_form(value: object) -> None:
    assert str(amount(value)) == "2.5000"


def test_the_latest_payment_is_told_and_what_came_in_is_summed(
    read: Read, payload: Payload, funds: Payload
) -> None:
    order = read(payload, payments=funds)
    assert paid(order) == Payment(
        method="CREDIT_CARD",
        status="PAID",
        step="BALANCE",
        paid=usd("130"),
        paid_at=datetime(2025, 8, 1, 3, 46, 40, tzinfo=UTC),
    )
    assert order.paid_at == paid(order).paid_at
    assert order.provenance == {"payment.paid": "computed"}


def test_payments_may_be_wrapped_and_nested(read: Read, payload: Payload, funds: Payload) -> None:
    nested = {"result": {"success": True, "value": {"fund_pay": {"pay": funds["fund_pay_list"]}}}}
    assert read(payload, payments=nested).payment == read(payload, payments=funds).payment


def test_money_that_is_not_here_yet_is_not_counted(
    read: Read, payload: Payload, funds: Payload
) -> None:
    for row in funds["fund_pay_list"]:
        row |= {"pay_status": "CAPTURED", "receive_amount": "null", "pay_amount": "5.00"}
    order = read(payload, payments=funds)
    assert paid(order).status == "CAPTURED"
    assert paid(order).paid is None
    assert order.paid_at is None


def test_a_failed_payment_does_not_hide_the_one_that_worked(
    read: Read, payload: Payload, funds: Payload
) -> None:
    failed = {"pay_method": "BOLETO", "pay_status": "FAILED", "pay_time": "1754021000000"}
    funds["fund_pay_list"].append(failed)
    assert paid(read(payload, payments=funds)).method == "CREDIT_CARD"
    alone = {"fund_pay_list": [failed]}
    assert paid(read(payload, payments=alone)).method == "BOLETO"


def test_an_order_that_awaits_payment_was_not_paid_even_if_an_advance_was(
    read: Read, payload: Payload, funds: Payload
) -> None:
    order = read(payload | {"trade_status": "unpay"}, payments=funds)
    assert order.paid_at is None
    assert paid(order).paid == usd("130")


def test_several_currencies_make_no_sum(read: Read, payload: Payload, funds: Payload) -> None:
    funds["fund_pay_list"][0]["receive_amount"]["currency"] = "EUR"
    order = read(payload, payments=funds)
    assert paid(order).paid is None
    assert "several currencies" in order.provenance["payment.paid"]


def test_without_the_fund_query_only_the_step_is_known(read: Read, payload: Payload) -> None:
    assert read(payload).payment == Payment(step="FULL")
    del payload["pay_step"]
    assert read(payload, payments={"code": "0", "value": {"fund_pay_list": "null"}}).payment is None
