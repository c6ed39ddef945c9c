"""The payload's hash follows the facts, and numbers read as people write them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.proofgen.document import Cost, ProofDocument, ProofWarning, RefusalReason, plain


def test_equal_facts_have_one_hash(specimen: ProofDocument) -> None:
    assert specimen.payload_sha256() == replace(specimen).payload_sha256()
    assert len(specimen.payload_sha256()) == 64


def test_a_quantity_written_otherwise_is_the_same_fact(specimen: ProofDocument) -> None:
    longer = replace(specimen, cost=Cost(Decimal("86.4000"), "USD"))

    assert specimen.payload_sha256() == longer.payload_sha256()


def test_any_changed_fact_changes_the_hash(specimen: ProofDocument) -> None:
    changes = (
        {"tracking_number": "JD014600006281234568"},
        {"issued_at": specimen.issued_at + timedelta(milliseconds=1)},
        {"parcels": specimen.parcels[:1]},
        {"items_are_whole_order": True},
        {"note_to_buyer": None},
        {"buyer_name": "\ud800"},
    )
    hashes = {replace(specimen, **change).payload_sha256() for change in changes}

    assert len(changes) == len(hashes - {specimen.payload_sha256()})


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("2.0000", "2"),
        ("2.5000", "2.5"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("0.0001", "0.0001"),
        ("0", "0"),
    ],
)
def test_numbers_have_no_exponent_and_no_idle_zeros(number: str, text: str) -> None:
    assert text == plain(Decimal(number))


def test_every_refusal_and_warning_is_explained() -> None:
    told = (Path(__file__).parents[3] / "docs" / "proof.md").read_text("utf-8")

    assert [word for word in (*RefusalReason, *ProofWarning) if f"`{word}`" not in told] == []
