"""What the seller knows of an order, put into it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from services.importer.enriching import NOTHING, Facts, codes_of, enriched, made_with
from services.importer.fingerprint import content_sha256
from tests.unit.importer.answers import NOW
from waybill.contracts.base import Weight, WeightUnit
from waybill.contracts.enrichment import Enrichment, EnrichmentSource, enrichment_key, store_of_key
from waybill.contracts.order import Buyer, Order

Read = Callable[..., Order]


@pytest.fixture
def order(read: Read, payload: dict[str, Any]) -> Order:
    return read(payload)


def of_order(**facts: Any) -> Enrichment:
    return Enrichment(store_id="s-1", trade_id="255201166001024316", given_at=NOW, **facts)


def of_sku(sku: str, **facts: Any) -> Enrichment:
    source = EnrichmentSource.CATALOGUE
    return Enrichment(store_id="s-1", sku=sku, given_at=NOW, source=source, **facts)


def weight(value: str, unit: WeightUnit) -> Weight:
    return Weight(value=Decimal(value), unit=unit)


def test_without_facts_the_order_is_the_very_same(order: Order) -> None:
    assert enriched(order, NOTHING) is order


def test_facts_about_an_order_fill_what_the_site_has_no_field_for(order: Order) -> None:
    facts = of_order(
        buyer_email="ada@example.com",
        is_gift=True,
        gift_message="Happy birthday",
        internal_note="Call first",
        note_to_buyer="Thank you",
    )
    after = enriched(order, Facts(facts))
    assert after.buyer is not None
    assert order.buyer is not None
    assert (after.buyer.email, after.buyer.name) == ("ada@example.com", order.buyer.name)
    assert after.gift is not None
    assert after.gift.message == "Happy birthday"
    assert after.notes is not None
    assert after.notes.internal[-1].text == "Call first"
    assert after.notes.to_buyer == "Thank you"
    for path in ("buyer.email", "gift", "notes.to_buyer"):
        assert after.provenance[path] == "operator"
    assert after.content_sha256 == content_sha256(after) != order.content_sha256


def test_what_the_site_says_is_never_replaced(order: Order) -> None:
    told = order.model_copy(update={"buyer": Buyer(email="site@example.com")})
    after = enriched(told, Facts(of_order(buyer_email="ours@example.com")))
    assert after.buyer == told.buyer
    assert "buyer.email" not in after.provenance


def test_weights_of_all_items_make_the_total_which_says_that_it_is_computed(order: Order) -> None:
    (code,) = codes_of(order)
    quantity = order.items[0].quantity
    facts = of_sku(code, weight=weight("250", WeightUnit.G), warehouse_location="A-03-2")
    after = enriched(order, Facts(None, {code: facts}))
    assert after.items[0].weight == facts.weight
    assert after.items[0].warehouse_location == "A-03-2"
    assert after.weight_total is not None
    assert after.weight_total.value == 250 * quantity
    assert after.provenance["weight_total"] == "computed"
    assert after.provenance["items.0.weight"] == "catalogue"


def test_weights_in_several_units_are_summed_in_grams(order: Order) -> None:
    line = order.items[0].model_copy(update={"quantity": Decimal(1)})
    lines = tuple(line.model_copy(update={"line_id": sku, "sku": sku}) for sku in ("a", "b"))
    facts = {
        "a": of_sku("a", weight=weight("1", WeightUnit.KG)),
        "b": of_sku("b", weight=weight("1", WeightUnit.LB)),
    }
    after = enriched(order.model_copy(update={"items": lines}), Facts(None, facts))
    assert after.weight_total == weight("1453.5924", WeightUnit.G)


def test_one_item_without_a_weight_leaves_the_total_unknown(order: Order) -> None:
    line = order.items[0]
    lines = tuple(line.model_copy(update={"line_id": sku, "sku": sku}) for sku in ("a", "b"))
    facts = {"a": of_sku("a", weight=weight("1", WeightUnit.KG))}
    after = enriched(order.model_copy(update={"items": lines}), Facts(None, facts))
    assert after.weight_total is None
    assert after.items[0].weight is not None


def test_a_weight_of_the_order_counts_before_a_sum(order: Order) -> None:
    (code,) = codes_of(order)
    facts = Facts(
        of_order(weight_total=weight("9", WeightUnit.KG)),
        {code: of_sku(code, weight=weight("250", WeightUnit.G))},
    )
    after = enriched(order, facts)
    assert after.weight_total == weight("9", WeightUnit.KG)
    assert after.provenance["weight_total"] == "operator"


def test_places_of_very_many_lines_leave_the_record_below_its_limit(order: Order) -> None:
    line = order.items[0]
    lines = tuple(line.model_copy(update={"line_id": str(n), "sku": str(n)}) for n in range(2_000))
    facts = {str(n): of_sku(str(n), warehouse_location="é" * 500) for n in range(2_000)}
    after = enriched(order.model_copy(update={"items": lines}), Facts(None, facts))
    assert sum(len((i.warehouse_location or "").encode()) for i in after.items) <= 100_000
    assert after.provenance["items.1999.warehouse_location"] == "cut"


def test_what_an_order_was_made_with_names_its_facts(order: Order) -> None:
    (code,) = codes_of(order)
    one = Facts(None, {code: of_sku(code, warehouse_location="A")})
    other = Facts(None, {code: of_sku(code, warehouse_location="B")})
    names = {made_with("t", facts) for facts in (NOTHING, one, other)}
    assert len(names) == 3
    assert made_with("t", NOTHING) == "t"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "exactly one of trade_id and sku"),
        ({"trade_id": "1", "sku": "A"}, "exactly one of trade_id and sku"),
        ({"trade_id": "1", "warehouse_location": "A"}, "not a fact about an order"),
        ({"sku": "A", "is_gift": True}, "not a fact about a SKU"),
        ({"sku": "A", "weight": {"value": "0", "unit": "g"}}, "above 0"),
    ],
)
def test_facts_are_of_an_order_or_of_a_sku(facts: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Enrichment.model_validate({"store_id": "s-1", "given_at": NOW, **facts})


def test_the_key_tells_the_store_also_of_a_tombstone() -> None:
    key = enrichment_key(of_sku("LAMP/7", warehouse_location="A")).encode()
    assert key == b"s-1/sku/LAMP/7"
    assert store_of_key(key) == "s-1"
    for broken in (None, b"", b"s-1", b"s-1/sku/", b"s-1/other/1", b"/sku/1"):
        assert store_of_key(broken) is None
