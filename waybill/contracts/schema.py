"""The Avro schema of a record model.

The newest version under `schemas/avro/<record>/` equals what `avro_schema` derives; published
versions never change. Enums get `UNRECOGNISED` as default, so an old reader meets a new symbol safely.
"""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from waybill.contracts.base import DecimalType, OpenEnum

NAMESPACE = "com.waybill.v1"
_PRIMITIVES: dict[Any, str] = {str: "string", bool: "boolean", int: "long", bytes: "bytes"}

Schema = dict[str, Any]


def avro_schema(model: type[BaseModel]) -> Schema:
    """The schema of a record model; fields keep their order, later versions only append."""
    return _record(model, set())


def _record(model: type[BaseModel], named: set[str]) -> Schema:
    named.add(model.__name__)
    fields = [_field(name, info, named) for name, info in model.model_fields.items()]
    return {
        "type": "record",
        "name": model.__name__,
        "namespace": NAMESPACE,
        "doc": _summary(model),
        "fields": fields,
    }


def _summary(cls: type) -> str:
    return " ".join((cls.__doc__ or "").split())


def _field(name: str, info: FieldInfo, named: set[str]) -> Schema:
    if not info.description:
        raise TypeError(f"field {name!r} has no description; say what it means and its unit")
    field: Schema = {"name": name, "type": _type(info.annotation, info.metadata, named)}
    if not info.is_required():
        field["default"] = _default(info.get_default(call_default_factory=True))
    field["doc"] = info.description
    return field


def _default(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _default(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, tuple):
        return [_default(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if value is PydanticUndefined:
        raise TypeError("a default that is not defined")
    return value


def _type(annotation: Any, metadata: list[Any], named: set[str]) -> Any:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(args[0], [*metadata, *args[1:]], named)
    if origin in (Union, UnionType):
        (inner,) = [arg for arg in args if arg is not NoneType]
        return ["null", _type(inner, metadata, named)]
    if origin is tuple:
        return {"type": "array", "items": _type(args[0], [], named)}
    if origin is dict:
        return {"type": "map", "values": _type(args[1], [], named)}
    return _scalar(annotation, metadata, named)


def _scalar(annotation: Any, metadata: list[Any], named: set[str]) -> Any:
    if annotation in _PRIMITIVES:
        return _PRIMITIVES[annotation]
    if annotation is Decimal:
        (kind,) = [item for item in metadata if isinstance(item, DecimalType)]
        return {
            "type": "bytes",
            "logicalType": "decimal",
            "precision": kind.precision,
            "scale": kind.scale,
        }
    if annotation is datetime:
        return {"type": "long", "logicalType": "timestamp-millis"}
    if annotation.__name__ in named:
        return f"{NAMESPACE}.{annotation.__name__}"
    if issubclass(annotation, OpenEnum):
        return _enum(annotation, named)
    return _record(annotation, named)


def _enum(cls: type[OpenEnum], named: set[str]) -> Schema:
    named.add(cls.__name__)
    return {
        "type": "enum",
        "name": cls.__name__,
        "namespace": NAMESPACE,
        "doc": _summary(cls),
        "symbols": [member.value for member in cls],
        "default": "UNRECOGNISED",
    }
