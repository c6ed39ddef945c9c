"""Hashes of orders. Pure.

Two orders have the same content hash when a reader could not tell them apart: the order of keys and
the way numbers are written (`2.5`, `2.5000`) do not count. Fields that hold their default are left
out, so a field that a later version adds does not make every order look changed.
"""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal

import orjson
from pydantic import BaseModel

from waybill.contracts.order import Order

_NOT_CONTENT = {"imported_at", "raw_sha256", "content_sha256", "mapping_version"}


def content_sha256(order: Order) -> str:
    """Hash of everything that the order says, but not of when and from what it was read."""
    return sha256_of(order.model_dump(exclude=_NOT_CONTENT, exclude_defaults=True))


def raw_sha256(payload: Mapping[str, object], payments: Mapping[str, object] | None) -> str:
    """Hash of the site's answers: the same answers, whatever the order of their keys, hash alike."""
    answers = [payload, payments]
    try:
        text = canonical_json(answers)
    except orjson.JSONEncodeError:  # halves of surrogate pairs, numbers beyond 64 bits
        text = json.dumps(answers, sort_keys=True, default=str).encode("ascii")
    return hashlib.sha256(text).hexdigest()


def sha256_of(value: object) -> str:
    """SHA-256, in lower-case hex, of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def canonical_json(value: object) -> bytes:
    """JSON in one form only: sorted keys, no spaces, times in ISO 8601, decimals as plain text."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f")
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_defaults=True)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no canonical JSON for a {type(value).__name__}")
