"""Whether a shipment's items are the order's items: all of them, a part, or others."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum, auto

from waybill.contracts.order import OrderItem
from waybill.contracts.shipment import ShipmentItem


class Fit(Enum):
    """How the items of a shipment lie on those of the order."""

    WHOLE = auto()
    """They cover it, or nothing shows that they do not."""
    PARTIAL = auto()
    """Something of the order is missing."""
    CONTRADICTS = auto()
    """They name a line that the order lacks, or more of a line than was ordered."""


def fit(shipped: tuple[ShipmentItem, ...], ordered: tuple[OrderItem, ...]) -> Fit:
    """Judge by line ids, else by SKUs; what has neither, or other units, is never held against a shipment.

    A shipment without items means the whole order.
    """
    lines = {item.line_id: item for item in ordered if (item.status or "").lower() != "delete"}
    if not shipped or not lines:
        return Fit.WHOLE
    by_line = [item for item in shipped if item.line_id]
    if any(item.line_id not in lines for item in by_line):
        return Fit.CONTRADICTS
    open_amounts = _open_amounts(by_line, lines)
    if any(amount < 0 for amount in open_amounts.values()):
        return Fit.CONTRADICTS
    by_sku = [item for item in shipped if not item.line_id]
    return Fit.PARTIAL if _is_short(by_sku, lines, open_amounts) else Fit.WHOLE


def surely_covers(shipped: tuple[ShipmentItem, ...], ordered: tuple[OrderItem, ...]) -> bool:
    """Whether they hold every line of the order in full; what cannot be told or compared proves nothing."""
    lines = {item.line_id: item for item in ordered if (item.status or "").lower() != "delete"}
    if not lines or not all(_is_comparable(item, lines) for item in shipped):
        return False
    by_line = [item for item in shipped if item.line_id]
    open_by_sku: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    for line_id, amount in _open_amounts(by_line, lines).items():
        open_by_sku[lines[line_id].sku] += amount
    for item in shipped:
        if not item.line_id:
            open_by_sku[item.sku] -= item.quantity
    return all(amount <= 0 for amount in open_by_sku.values())


def _is_comparable(item: ShipmentItem, lines: dict[str, OrderItem]) -> bool:
    """Whether it is clear which line it is, and whether it is counted in the same unit."""
    if item.line_id:
        found = [lines[item.line_id]] if item.line_id in lines else []
    else:
        found = [line for line in lines.values() if line.sku and line.sku == item.sku]
    return bool(found) and all(_same_unit(item.unit, line.unit) for line in found)


def _open_amounts(
    by_line: Iterable[ShipmentItem], lines: dict[str, OrderItem]
) -> dict[str, Decimal]:
    """Per line what the shipment leaves open; negative when it holds more than was ordered."""
    left = {line_id: line.quantity for line_id, line in lines.items()}
    incomparable = set()
    for item in by_line:
        line_id = item.line_id or ""
        left[line_id] -= item.quantity
        if not _same_unit(item.unit, lines[line_id].unit):
            incomparable.add(line_id)
    return {line_id: Decimal(0) if line_id in incomparable else n for line_id, n in left.items()}


def _is_short(
    by_sku: list[ShipmentItem], lines: dict[str, OrderItem], open_amounts: dict[str, Decimal]
) -> bool:
    if not by_sku:
        return any(amount > 0 for amount in open_amounts.values())
    open_by_sku: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    units: defaultdict[str | None, list[str | None]] = defaultdict(list)
    for line_id, line in lines.items():
        open_by_sku[line.sku] += open_amounts[line_id]
        units[line.sku].append(line.unit)
    for item in by_sku:
        if not item.sku or item.sku not in units:
            return False  # nobody can tell which line this item is
        open_by_sku[item.sku] -= item.quantity
        if not all(_same_unit(item.unit, unit) for unit in units[item.sku]):
            open_by_sku[item.sku] = Decimal(0)
    return any(amount > 0 for sku, amount in open_by_sku.items() if sku)


def _same_unit(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one.strip().lower() == other.strip().lower()
