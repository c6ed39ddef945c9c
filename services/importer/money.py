"""Money of an order: totals, adjustments, payment. Pure.

Amounts come as `{amount, currency}` or as a bare number in the order's currency. An amount that does
not fit the contract exactly (four decimals) is unreadable: it is never rounded.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from services.importer.fields import COMPUTED, UNREADABLE, Fields
from waybill.alibaba.envelope import contents, is_object, opened
from waybill.alibaba.scalars import number, text
from waybill.contracts.base import Money
from waybill.contracts.order import Adjustment, AdjustmentKind, Payment, Totals

_STEP: Final = Decimal("0.0001")
_AMOUNT_LIMIT: Final = Decimal(10) ** 14
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_WITH_CURRENCY: Final = ("total_amount", "product_total_amount", "balance_amount", "shipment_fee")
_PAY_LISTS: Final = ("fund_pay_list", "fund_fundPay", "fund_pay")
_RECEIVED: Final = frozenset({"PAID", "FULFILLED"})
_DEAD: Final = frozenset({"FAILED", "CANCELED", "CLOSED"})
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def amount(value: object) -> Decimal | None:
    """An exact number within the contract's digits; raises ValueError for any other."""
    found = number(value)
    if found is None:
        return None
    if abs(found) >= _AMOUNT_LIMIT or found != found.quantize(_STEP):
        raise ValueError("an amount with more than 14 digits before or 4 after the point")
    return found.quantize(_STEP) + 0  # a zero keeps no sign


def currency_code(value: object) -> str | None:
    """An ISO 4217 code; raises ValueError for any other text."""
    found = text(value)
    if found is not None and not _CURRENCY.fullmatch(found.upper()):
        raise ValueError("a currency that is no code of three letters")
    return found and found.upper()


def money(value: object, currency: str | None) -> Money | None:
    """An amount with its own currency, else with the given one; raises ValueError without either."""
    value = opened(value)
    if is_object(value):
        currency = currency_code(value.get("currency")) or currency
        value = value.get("amount")
    found = amount(value)
    if found is None:
        return None
    if currency is None:
        raise ValueError("an amount without currency")
    return Money(amount=found, currency=currency)


def order_currency(order: Fields) -> str | None:
    """The currency of the order's sums, for bare amounts."""
    for name in _WITH_CURRENCY:
        found = opened(order.raw.get(name))
        if is_object(found) and _CURRENCY.fullmatch(str(found.get("currency")).upper()):
            return currency_code(found.get("currency"))
    return None


def totals(order: Fields, currency: str | None) -> Totals | None:
    """The sums that the site gives; none of them is computed."""
    read = partial(_read_sum, order, currency)
    discount = read("totals.discount", "discount_amount")
    found = Totals(
        items=read("totals.items", "product_total_amount"),
        shipping=read("totals.shipping", "shipment_fee"),
        insurance=read("totals.insurance", "shipment_insurance_fee"),
        tax=read("totals.tax", "vat_amount"),
        duty=read("totals.duty", "duty_amount"),
        discount=discount and _negative(discount),
        adjustment=read("totals.adjustment", "adjust_amount"),
        grand=read("totals.grand", "total_amount"),
    )
    return None if found == Totals() else found


def _read_sum(order: Fields, currency: str | None, at: str, name: str) -> Money | None:
    return order.read(at, partial(money, currency=currency), name)


def _negative(found: Money) -> Money:
    """A discount, whichever sign the site gave it."""
    return Money(amount=-abs(found.amount) + 0, currency=found.currency)


def adjustments(order: Fields, currency: str | None, sums: Totals | None) -> tuple[Adjustment, ...]:
    """Discount, agreed change and inspection fee, as far as there are any; discounts are negative."""
    inspection = _read_sum(order, currency, "adjustments", "inspection_service_amount")
    discount, change = (sums.discount, sums.adjustment) if sums else (None, None)
    kind = AdjustmentKind.DISCOUNT if change and change.amount < 0 else AdjustmentKind.SURCHARGE
    rows = (
        (AdjustmentKind.DISCOUNT, "Discount", discount),
        (kind, "Adjustment agreed between the parties", change),
        (AdjustmentKind.SURCHARGE, "Inspection service", inspection),
    )
    return tuple(
        Adjustment(kind=kind, description=words, amount=sum_)
        for kind, words, sum_ in rows
        if sum_ and sum_.amount
    )


class _Pay(NamedTuple):
    method: str | None
    status: str | None
    step: str | None
    at: datetime | None
    received: Money | None


def payment(
    order: Fields, payments: Mapping[str, object] | None, currency: str | None
) -> Payment | None:
    """The latest payment, and what all of them have brought in; `None` if nothing is known."""
    step = order.text("payment.step", "pay_step")
    pays = [_pay(row, currency) for row in _pay_rows(order, payments)]
    live = [pay for pay in pays if pay.status not in _DEAD] or pays
    last = max(reversed(live), key=_when, default=_Pay(None, None, None, None, None))
    found = Payment(
        method=last.method,
        status=last.status,
        step=last.step or step,
        paid=_sum(order, [pay.received for pay in live if pay.received]),
        paid_at=max((pay.at for pay in live if pay.at and pay.received), default=None),
    )
    return None if found == Payment() else found


def _when(pay: _Pay) -> datetime:
    return pay.at or _LONG_AGO


def _pay_rows(order: Fields, payments: Mapping[str, object] | None) -> list[Fields]:
    for layer in contents(dict(payments or {})):
        if any(layer.get(name) is not None for name in _PAY_LISTS):
            return Fields(layer, order.notes).rows("payment", *_PAY_LISTS)
    return []


def _pay(row: Fields, currency: str | None) -> _Pay:
    status = row.text("payment.status", "pay_status")
    amounts = ("receive_amount", "pay_amount") if status in _RECEIVED else ("receive_amount",)
    return _Pay(
        method=row.text("payment.method", "pay_method"),
        status=status,
        step=row.text("payment.step", "pay_step"),
        at=row.time("payment.paid_at", "pay_time", "receive_time"),
        received=row.read("payment.paid", partial(money, currency=currency), *amounts),
    )


def _sum(order: Fields, received: list[Money]) -> Money | None:
    if len(received) <= 1:
        return received[0] if received else None
    total = sum((part.amount for part in received), Decimal())
    if len({part.currency for part in received}) > 1 or abs(total) >= _AMOUNT_LIMIT:
        order.notes.add("payment.paid", f"{UNREADABLE}: no sum over several currencies")
        return None
    order.notes.add("payment.paid", COMPUTED)
    return Money(amount=total, currency=received[0].currency)
