"""Content hashes."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from services.importer.fingerprint import canonical_json, content_sha256
from waybill.contracts.base import Money
from waybill.contracts.order import Order

Read = Callable[..., Order]


def test_when_and_from_what_it_was_read_is_no_content(read: Read, payload: dict[str, Any]) -> None:
    order = read(payload)
    other = order.model_copy(
        update={
            "imported_at": order.imported_at + timedelta(days=1),
            "raw_sha256": None,
            "content_sha256": "f" * 64,
            "mapping_version": "another",
        }
    )
    assert content_sha256(other) == order.content_sha256


def test_whatever_a_reader_sees_is_content(read: Read, payload: dict[str, Any]) -> None:
    order = read(payload)
    hashes = {order.content_sha256}
    for field, value in (
        ("raw_status", "frozen"),
        ("modified_at", order.modified_at + timedelta(milliseconds=1)),
        ("importable", False),
        ("provenance", {"buyer": "unreadable"}),
        ("items", ()),
        ("store_id", "s-2"),
    ):
        hashes.add(content_sha256(order.model_copy(update={field: value})))
    assert len(hashes) == 7


def test_a_field_that_holds_its_default_does_not_count(read: Read, payload: dict[str, Any]) -> None:
    """So a field that a later version adds does not make every order look changed."""
    order = read(payload)
    assert b"gift" not in canonical_json(order)
    assert b"weight_total" not in canonical_json(order)


def test_numbers_have_one_form() -> None:
    forms = [Money(amount=Decimal(text), currency="USD") for text in ("100", "1E+2", "100.0000")]
    assert {canonical_json(money) for money in forms} == {b'{"amount":"100","currency":"USD"}'}
    zeros = [Decimal(0), Decimal("-0.00"), Decimal("0E-4")]
    assert {canonical_json(zero) for zero in zeros} == {b'"0"'}
