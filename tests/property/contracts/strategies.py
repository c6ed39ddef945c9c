"""Any record that its model accepts, derived from the model itself."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from waybill.contracts import Shipment
from waybill.contracts.base import from_millis, millis
from waybill.contracts.enrichment import FACTS_OF_ORDER, FACTS_OF_SKU, Enrichment
from waybill.contracts.shipment import Carrier

ITEMS_MAX = 3
_FIRST_MS = millis(datetime(1, 1, 1, tzinfo=UTC))
_LAST_MS = millis(datetime(9999, 12, 31, tzinfo=UTC))
_LONG_MAX = 2**63 - 1

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.integers(_FIRST_MS, _LAST_MS).map(from_millis)
amounts = st.decimals(
    min_value=Decimal(-(10**14)) + 1,
    max_value=Decimal(10**14) - 1,
    places=4,
    allow_nan=False,
    allow_infinity=False,
)
order_keys = st.from_regex(r"[a-z][a-z0-9-]{0,31}:[A-Za-z0-9_-]{1,64}", fullmatch=True)
tracking_numbers = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=50
)


@cache
def records(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Any instance of the model."""
    fields = {name: _field(model, name, info) for name, info in model.model_fields.items()}
    if model is Enrichment:
        return st.builds(model, **_facts_of("trade_id", fields)) | st.builds(
            model, **_facts_of("sku", fields)
        )
    return st.builds(model, **fields)


def _facts_of(
    subject: str, fields: dict[str, st.SearchStrategy[Any]]
) -> dict[str, st.SearchStrategy[Any]]:
    """The fields of facts about an order or about a SKU: never of both, and no weight of nothing."""
    foreign = {"trade_id": ("sku", *FACTS_OF_SKU), "sku": ("trade_id", *FACTS_OF_ORDER)}[subject]
    weights = {
        name: fields[name].filter(lambda it: it is None or it.value > 0)
        for name in ("weight", "weight_total")
    }
    given = {subject: fields[subject].filter(bool)}
    return fields | weights | given | dict.fromkeys(foreign, st.none())


def _field(model: type[BaseModel], name: str, info: FieldInfo) -> st.SearchStrategy[Any]:
    if name == "order_key":
        return order_keys
    if name == "tracking_number" and model.__name__ != "Attempt":
        return st.none() | tracking_numbers
    if model is Shipment and name == "carrier":  # needed for every action but a void
        return st.builds(Carrier, code=texts.filter(bool), name=st.none() | texts)
    if model is Shipment and name == "shipped_at":
        return times
    return _type(info.annotation, info.metadata)


def _type(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    origin, args = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and origin is None:
        return _scalar(annotation, metadata)
    if origin is Annotated:
        return _type(args[0], [*metadata, *_flat(args[1:])])
    if origin in (Union, UnionType):
        (inner,) = [arg for arg in args if arg is not NoneType]
        return st.none() | _type(inner, metadata)
    if origin is tuple:
        size = min([ITEMS_MAX, *(int(m.max_length) for m in metadata if isinstance(m, MaxLen))])
        return st.lists(_type(args[0], []), max_size=size).map(tuple)
    return st.dictionaries(_type(args[0], []), _type(args[1], []), max_size=ITEMS_MAX)


def _flat(metadata: Any) -> list[Any]:
    found: list[Any] = []
    for item in metadata:
        found += item.metadata if isinstance(item, FieldInfo) else [item]
    return found


def _scalar(kind: type, metadata: list[Any]) -> st.SearchStrategy[Any]:
    if issubclass(kind, BaseModel):
        return st.deferred(lambda: records(kind))
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if kind is str:
        return _text(metadata)
    if kind is int:
        low = max([-_LONG_MAX - 1, *(int(str(m.ge)) for m in metadata if isinstance(m, Ge))])
        high = min([_LONG_MAX, *(int(str(m.le)) for m in metadata if isinstance(m, Le))])
        return st.integers(low, high)
    plain = {bool: st.booleans(), bytes: st.binary(max_size=20), Decimal: amounts, datetime: times}
    return plain[kind]


def _text(metadata: list[Any]) -> st.SearchStrategy[str]:
    for rule in metadata:
        if isinstance(rule, StringConstraints) and rule.pattern:
            return _matching(rule.pattern, rule.max_length or 64)
        if isinstance(rule, StringConstraints) and rule.min_length:
            return texts.filter(bool)
    return texts


def _matching(pattern: Any, length_max: int) -> st.SearchStrategy[str]:
    alphabet = st.characters(exclude_categories=["Cs"])
    return st.from_regex(pattern, fullmatch=True, alphabet=alphabet).filter(
        lambda text: len(text) <= length_max
    )
