"""Shipments as lines of JSON, checked before anything is published. Pure.

A problem names line and field and never repeats a value: the lines are full of names and addresses.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from types import UnionType
from typing import Any, Never, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from waybill.contracts import Shipment
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.headers import event_headers, new_traceparent
from waybill.contracts.keys import parse_order_key, partition_of
from waybill.streaming.records import Outbound

SOURCE = "waybill/cli"
LINE_BYTES_MAX = 1_000_000
"""What any client can publish to the topic, key and headers included."""
SHIPMENT_BYTES_MAX = 256 * 1024
"""The notifier refuses larger ones as too_large."""
_JSON_TYPE = b"application/json"
_KEY_EXAMPLE = "alibaba:255201166001024316"
_WORDS = ("action", "covers_order", "logistics_type")
"""Fields that take one word of a list."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of one line."""

    line: int
    field: str
    what: str

    def __str__(self) -> str:
        """`field` is empty for the line as a whole."""
        place = f"line {self.line}: {self.field}".rstrip(": ")
        return f"{place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that was checked: a shipment, or problems."""

    number: int
    text: bytes
    shipment: Shipment | None
    problems: tuple[Problem, ...] = ()


def check_line(number: int, text: bytes, *, allow_unknown: bool = False) -> Line:
    """One line of JSON against the Shipment contract."""
    try:
        values = _parsed(text)
    except ValueError as error:
        return Line(number, text, None, (Problem(number, "", str(error)),))
    found = [] if allow_unknown else list(_unknown(number, values, Shipment, ""))
    found += _strange(number, values)
    try:
        shipment = Shipment.model_validate(values)
    except ValidationError as error:
        found += _invalid(number, error)
        first_by_field = {problem.field: problem for problem in reversed(found)}
        return Line(number, text, None, tuple(reversed(first_by_field.values())))
    if len(text) > SHIPMENT_BYTES_MAX:
        found.append(Problem(number, "", f"longer than {SHIPMENT_BYTES_MAX} bytes"))
    return Line(number, text, None if found else shipment, tuple(found))


def _parsed(text: bytes) -> dict[str, Any]:
    if len(text) > LINE_BYTES_MAX:
        raise ValueError(f"longer than {LINE_BYTES_MAX} bytes")
    try:
        values = json.loads(
            text.decode(),
            parse_float=Decimal,  # amounts are exact
            parse_constant=_refuse_constant,
            object_pairs_hook=_once,
        )
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("not JSON: nested too deeply") from None
    if isinstance(values, dict):
        return values
    raise ValueError("not a JSON object; one shipment per line, as `waybill shipments example`")


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"not JSON: {name} is no value")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice[:40]} stands twice in one object")
    return found


def _invalid(number: int, error: ValidationError) -> list[Problem]:
    """Errors of the shipment as a whole name their field themselves; its key was looked at before."""
    problems = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        what = one["msg"].removeprefix("Value error, ").replace("'UNRECOGNISED', ", "")
        field, _, rest = what.partition(": ")
        if one["loc"]:
            problems.append(Problem(number, ".".join(map(str, one["loc"])), what))
        elif field in Shipment.model_fields:
            problems.append(Problem(number, field, rest))
    return problems


def _strange(number: int, values: Mapping[str, Any]) -> Iterator[Problem]:
    """What the contract lets through, or tells with a value in it."""
    key = values.get("order_key")
    if isinstance(key, str) and not _is_order_key(key):
        yield Problem(number, "order_key", f"want <site>:<trade_id>, e.g. {_KEY_EXAMPLE}")
    for name in _WORDS:
        if values.get(name) == "UNRECOGNISED":
            yield Problem(
                number, name, "that word is for readers of newer versions, not to be sent"
            )


def _is_order_key(key: str) -> bool:
    try:
        parse_order_key(key)
    except ValueError:
        return False
    return True


# ------------------------------------------------------------------------------------ unknown fields


def _unknown(number: int, value: Any, model: type[BaseModel], path: str) -> Iterator[Problem]:
    """Fields that the contract lacks: readers ignore them, so a typing error would go unseen."""
    if not isinstance(value, Mapping):
        return
    for name, inner in value.items():
        place = f"{path}{name}"
        if name not in model.model_fields:
            yield Problem(number, place[:120], f"no such field{_meant(name, model)}")
            continue
        nested = _model_in(model.model_fields[name].annotation)
        if nested is None:
            continue
        for index, item in enumerate(inner if isinstance(inner, list) else [inner]):
            at = f"{place}.{index}." if isinstance(inner, list) else f"{place}."
            yield from _unknown(number, item, nested, at)


def _meant(name: str, model: type[BaseModel]) -> str:
    snake = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    close = get_close_matches(snake.strip("_"), model.model_fields, n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else ""


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The record inside of an annotation such as `Carrier | None` or `tuple[Package, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, tuple):
        found = (_model_in(inner) for inner in get_args(annotation))
        return next((model for model in found if model is not None), None)
    return None


# -------------------------------------------------------------------------------------------- records


class ShipmentWriter:
    """Makes records for the topic `shipments` of an installation with so many partitions."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._codec = Codec(Shipment, "shipment", SchemaBook())

    def record(self, shipment: Shipment, as_json: bytes | None = None) -> Outbound:
        """The record: on its key's murmur2 partition, Avro unless the JSON is given to be sent as it is."""
        headers = shipment_headers(shipment)
        if as_json is not None:
            headers = [(n, v if n != "content-type" else _JSON_TYPE) for n, v in headers]
        return Outbound(
            "shipments",
            partition_of(shipment.order_key, self._partitions),
            shipment.order_key.encode(),
            self._codec.encode(shipment) if as_json is None else as_json,
            headers,
        )


def shipment_headers(shipment: Shipment, source: str = SOURCE) -> list[tuple[str, bytes]]:
    """Event headers; the id derives from the revision, so publishing it twice gives it twice."""
    event_id = f"{shipment.order_key}/{shipment.shipment_id}@{shipment.effective_revision}"
    time_ms = millis(shipment.occurred_at)
    return event_headers("shipment", event_id, source, time_ms, new_traceparent(event_id))
