"""Facts about orders and SKUs, from the lines of a CSV or JSONL file. Pure.

A CSV file has a heading; one line holds the facts of one order or one SKU. JSONL has one object a line,
with the same names.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from waybill.contracts.enrichment import Enrichment
from waybill.contracts.keys import parse_order_key

COLUMNS: Final = (
    "store_id",
    "trade_id",
    "sku",
    "given_at",
    "source",
    "buyer_email",
    "is_gift",
    "gift_message",
    "internal_note",
    "note_to_buyer",
    "weight_total",
    "weight",
    "warehouse_location",
)
"""What a heading may name; an order key in trade_id is taken as well."""
_WEIGHTS: Final = ("weight", "weight_total")
_WEIGHT: Final = re.compile(r"\s*([0-9]{1,14}(?:[.,][0-9]{1,4})?)\s*(g|kg|oz|lb)\s*")
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
LINE_CHARS_MAX: Final = 100_000


class Line(NamedTuple):
    """One line: facts, or what is wrong with it, never with the values."""

    number: int
    facts: Enrichment | None
    problem: str = ""


def csv_lines(text: Iterable[str], defaults: Mapping[str, Any]) -> Iterator[Line]:
    """The lines of a CSV file; raises ValueError when its heading is not usable."""
    rows = csv.DictReader(text, strict=True)
    names = [name.strip() for name in rows.fieldnames or ()]
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or not names:
        raise ValueError(
            f"heading: {', '.join(unknown) or 'nothing'} is no column; there are {', '.join(COLUMNS)}"
        )
    rows.fieldnames = names
    for row in rows:
        number = rows.line_num
        if None in row:
            yield Line(number, None, f"more than {len(names)} columns")
        else:
            given = {name: value for name, value in row.items() if value and value.strip()}
            yield _line(number, given, defaults)


def json_lines(text: Iterable[str], defaults: Mapping[str, Any]) -> Iterator[Line]:
    """The lines of a JSONL file."""
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        try:
            given = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError):
            yield Line(number, None, "not JSON")
            continue
        if not isinstance(given, dict):
            yield Line(number, None, "not a JSON object")
        elif unknown := [name for name in given if name not in COLUMNS]:
            names = ", ".join(name[:40] for name in unknown[:5])
            yield Line(number, None, f"{names}: no such field; there are {', '.join(COLUMNS)}")
        else:
            yield _line(number, given, defaults)


def _line(number: int, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Line:
    values = {**defaults, **given}
    try:
        for name in _WEIGHTS:
            if isinstance(values.get(name), str):
                values[name] = _weight(name, values[name])
        values["is_gift"] = _yes(values.get("is_gift"))
        values["trade_id"] = _trade_id(values.get("trade_id"))
        return Line(number, Enrichment.model_validate(values))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(map(str, found["loc"]))
        what = found["msg"].removeprefix("Value error, ").replace("'UNRECOGNISED', ", "")
        return Line(number, None, f"{field}: {what}" if field else what)
    except ValueError as error:
        return Line(number, None, str(error))


def _weight(name: str, text: str) -> dict[str, object]:
    match = _WEIGHT.fullmatch(text)
    if match is None:
        raise ValueError(f"{name}: want a number and a unit, e.g. 2.5 kg, 250 g, 4 oz, 1 lb")
    try:
        return {"value": Decimal(match[1].replace(",", ".")), "unit": match[2]}
    except InvalidOperation as error:
        raise ValueError(f"{name}: not a number") from error


def _yes(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _WORDS.get(value.strip().lower())
    if found is None:
        raise ValueError(f"is_gift: want one of {', '.join(_WORDS)}")
    return found


def _trade_id(value: object) -> object:
    if isinstance(value, str) and ":" in value:
        return parse_order_key(value).trade_id
    return value


def default_values(store: str | None, source: str, now: datetime) -> dict[str, Any]:
    """What holds for lines that do not say otherwise."""
    found: dict[str, Any] = {"source": source, "given_at": now}
    return found | ({"store_id": store} if store else {})
