"""Hashes of orders. Pure.

Two orders have the same content hash when a reader could not tell them apart: the order of keys and
the way numbers are written (`2.5`, `2.5000`) do not count. Fields that hold their default are left
out, so a field that a later version adds does not make every order look changed.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum

from pydantic import BaseModel

from waybill.contracts.base import millis
from waybill.contracts.order import Order

_NOT_CONTENT = frozenset({"imported_at", "raw_sha256", "content_sha256", "mapping_version"})


def content_sha256(order: Order) -> str:
    """Hash of everything that the order says, but not of when and from what it was read."""
    content = order.model_dump(exclude=set(_NOT_CONTENT), exclude_defaults=True)
    return sha256_of(content)


def raw_sha256(payload: Mapping[str, object], payments: Mapping[str, object] | None) -> str:
    """Hash of the site's answers: the same answers, whatever the order of their keys, hash alike."""
    return sha256_of([payload, payments])


def sha256_of(value: object) -> str:
    """SHA-256, in lower-case hex, of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def canonical_json(value: object) -> bytes:
    """JSON in one form only: sorted keys, no spaces, ASCII, times as epoch milliseconds."""
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), default=str)
    return text.encode("ascii")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(exclude_defaults=True))
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f") if value.is_finite() else str(value)
    if isinstance(value, datetime):
        return millis(value)
    return value.value if isinstance(value, Enum) else value
