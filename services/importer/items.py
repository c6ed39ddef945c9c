"""The lines of an order. Pure."""

import re
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from services.importer.fields import CUT, UNREADABLE, Fields
from services.importer.fingerprint import sha256_of
from services.importer.money import amount, money
from waybill.alibaba.scalars import ScalarError, link, whole
from waybill.contracts.base import Option
from waybill.contracts.order import OrderItem

ITEMS_MAX: Final = 2_000
ITEMS_BYTES_MAX: Final = 600_000
"""All lines together; the record's limit is 1 MiB, and it carries more than lines."""
_OPTIONS_MAX: Final = 50
_LAST: Final = 10**18
_ID: Final = re.compile(r"[^\x00-\x20\x7f]{1,100}")
_DELETED: Final = "delete"


class Items(NamedTuple):
    """The lines, and whether they tell all that has to be shipped."""

    lines: tuple[OrderItem, ...]
    complete: bool
    """False when a line, or its quantity, could not be read, when there were too many lines, or when
    there is nothing to ship: someone has to look before goods leave."""


def read_items(order: Fields, currency: str | None) -> Items:
    """The lines in the site's order; a quantity that cannot be read is 0 with a note."""
    rows = sorted(order.rows("items", "order_products"), key=_place)
    lines: list[OrderItem] = []
    ids: set[str] = set()
    room_bytes = ITEMS_BYTES_MAX
    for index, row in enumerate(rows[:ITEMS_MAX]):
        line = _line(row, f"items.{index}", currency, ids)
        room_bytes -= len(line.model_dump_json().encode())
        if room_bytes < 0:
            break
        lines.append(line)
    if len(lines) < len(rows):
        order.notes.add("items", f"{CUT}: {len(lines)} of {len(rows)} lines")
    return Items(tuple(lines), complete=_complete(order, lines))


def _complete(order: Fields, lines: list[OrderItem]) -> bool:
    to_ship = [index for index, line in enumerate(lines) if line.status != _DELETED]
    doubts = order.notes.why
    return (
        bool(to_ship)
        and "items" not in doubts
        and not any(f"items.{index}.quantity" in doubts for index in to_ship)
    )


def _place(row: Fields) -> int:
    try:
        found = whole(row.raw.get("sort"))
    except ScalarError:
        found = None
    return _LAST if found is None else found  # sorting is stable: without it they stay as listed


def _line(row: Fields, at: str, currency: str | None, ids: set[str]) -> OrderItem:
    price = partial(money, currency=currency)
    line = OrderItem(
        line_id="-",  # replaced below: it may depend on all the others
        product_id=row.text(f"{at}.product_id", "product_id"),
        sku_id=row.text(f"{at}.sku_id", "sku_id"),
        sku=row.text(f"{at}.sku", "sku_code"),
        model_number=row.text(f"{at}.model_number", "model_number"),
        name=_name(row, at),
        quantity=_quantity(row, at),
        unit=row.text(f"{at}.unit", "unit"),
        unit_price=row.read(f"{at}.unit_price", price, "unit_price"),
        image_url=row.read(f"{at}.image_url", _image, "product_image"),
        options=_options(row, at),
        status=row.text(f"{at}.status", "item_status"),
    )
    return line.model_copy(update={"line_id": _line_id(row, line, ids)})


def _name(row: Fields, at: str) -> str:
    found = row.text(f"{at}.name", "name", "model_number", "sku_code", "product_id")
    if found is None:
        row.notes.add(f"{at}.name", UNREADABLE)
    return found or "(no name)"


def _quantity(row: Fields, at: str) -> Decimal:
    found = row.read(f"{at}.quantity", amount, "quantity")
    if found is None or found < 0:
        row.notes.add(f"{at}.quantity", UNREADABLE)
        return Decimal(0)
    return found


def _image(value: object) -> str | None:
    found = link(value)
    if found is None:
        return None
    if len(found) > 2_000:
        raise ValueError("a web address of more than 2,000 characters")
    return re.sub(r"^http://", "https://", found, flags=re.IGNORECASE)


def _options(row: Fields, at: str) -> tuple[Option, ...]:
    rows = row.rows(f"{at}.options", "sku_attributes")
    if len(rows) > _OPTIONS_MAX:
        row.notes.add(f"{at}.options", CUT)
    read = (_option(option, f"{at}.options") for option in rows[:_OPTIONS_MAX])
    return tuple(option for option in read if option)


def _option(row: Fields, at: str) -> Option | None:
    name, value = row.text(at, "key"), row.text(at, "value")
    return Option(name=name or "", value=value or "") if name or value else None


def _line_id(row: Fields, line: OrderItem, ids: set[str]) -> str:
    """The site's id, else a hash of what the line is; a second line of the same id gets a number."""
    found = row.read("", _id, "id")
    if found is None:
        found = f"h-{sha256_of([line.product_id, line.sku_id, line.sku, line.name, *line.options])[:16]}"
    unique, count = found, 1
    while unique in ids:
        count += 1
        unique = f"{found}-{count}"
    ids.add(unique)
    return unique


def _id(value: object) -> str | None:
    found = str(value) if isinstance(value, (str, int)) else ""
    return found if found.lower() != "null" and _ID.fullmatch(found) else None
