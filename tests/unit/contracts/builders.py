"""Shipments and codecs for these tests."""

from typing import Any

from waybill.contracts import RECORDS, Shipment
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.examples import Example, examples

KEY = "alibaba:255201166001024316"

JSON: dict[str, Any] = {
    "order_key": KEY,
    "shipment_id": "se-1",
    "occurred_at": "2026-11-20T08:30:00Z",
    "shipped_at": "2026-11-20T08:15:00Z",
    "carrier": {"code": "fedex"},
}


def example(record: str, name: str) -> Example:
    """One of the example files of version 1."""
    return next(e for e in examples() if (e.record, e.version, e.name) == (record, 1, name))


def codec(name: str, book: SchemaBook | None = None) -> Codec[Any]:
    """The codec of a record."""
    return Codec(RECORDS[name], name, book or SchemaBook())


def shipment(**changed: Any) -> Shipment:
    """A good shipment with some fields changed."""
    return Shipment.model_validate({**JSON, **changed})
