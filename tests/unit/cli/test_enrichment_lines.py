"""Facts about orders and SKUs, from the lines of a file."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from waybill.cli.enrichment_lines import Line, csv_lines, default_values, json_lines
from waybill.contracts.base import WeightUnit
from waybill.contracts.enrichment import Enrichment, EnrichmentSource

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DEFAULTS = default_values("alibaba-1", "operator", NOW)


def good(line: Line) -> Enrichment:
    assert line.facts is not None, line.problem
    return line.facts


def test_a_csv_line_is_about_an_order_or_a_sku() -> None:
    text = (
        "trade_id, sku, weight, internal_note, is_gift\n"
        'alibaba:2552,,,"Call, please",yes\n'
        ",LAMP/7,250 g,,\n"
    )
    order, sku = (good(line) for line in csv_lines(text.splitlines(), DEFAULTS))
    assert (order.store_id, order.trade_id, order.given_at) == ("alibaba-1", "2552", NOW)
    assert (order.internal_note, order.is_gift) == ("Call, please", True)
    assert sku.sku == "LAMP/7"
    assert sku.weight is not None
    assert (sku.weight.value, sku.weight.unit) == (Decimal(250), WeightUnit.G)


def test_a_json_line_may_say_everything_itself() -> None:
    text = (
        '{"store_id": "alibaba-2", "sku": "A", "weight": {"value": 2.5, "unit": "kg"}, '
        '"source": "catalogue", "given_at": "2026-01-01T00:00:00Z"}\n\n'
    )
    (line,) = json_lines(text.splitlines(), DEFAULTS)
    found = good(line)
    assert (found.store_id, found.source) == ("alibaba-2", EnrichmentSource.CATALOGUE)
    assert found.weight is not None
    assert found.weight.value == Decimal("2.5")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,A,,,", "exactly one of trade_id and sku"),
        (",,,,", "exactly one of trade_id and sku"),
        (",A,250,,", "a number and a unit"),
        (",A,0 g,,", "above 0"),
        ("1,,,,perhaps", "is_gift: want one of"),
        (",A,,a note,", "internal_note: not a fact about a SKU"),
        ("1,,,,yes,more", "more than 5 columns"),
    ],
)
def test_a_bad_line_says_what_is_wrong_and_not_what_it_holds(row: str, words: str) -> None:
    heading = "trade_id,sku,weight,internal_note,is_gift"
    (line,) = csv_lines([heading, row], DEFAULTS)
    assert line.facts is None
    assert line.number == 2
    assert words in line.problem
    assert "a note" not in line.problem


def test_an_unknown_column_is_no_silent_loss() -> None:
    with pytest.raises(ValueError, match="colour is no column"):
        list(csv_lines(["sku,colour", "A,red"], DEFAULTS))
    (line,) = json_lines(['{"sku": "A", "colour": "red"}'], DEFAULTS)
    assert "colour: no such field" in line.problem


@pytest.mark.parametrize("text", ["{", "[]", "7", '"x"'])
def test_what_is_no_object_is_told(text: str) -> None:
    (line,) = json_lines([text], DEFAULTS)
    assert line.facts is None
