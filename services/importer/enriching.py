"""What the seller knows of an order, put into it. Pure.

Enrichment fills what the site left empty and adds; it never replaces what the site says. Each field that it
fills has its source in the order's provenance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Final

from services.importer.fields import COMPUTED, CUT
from services.importer.fingerprint import content_sha256, sha256_of
from waybill.contracts.base import Weight, WeightUnit
from waybill.contracts.enrichment import Enrichment
from waybill.contracts.order import Buyer, Gift, Note, Notes, Order, OrderItem

_GRAMS: Final = {
    WeightUnit.G: Decimal(1),
    WeightUnit.KG: Decimal(1_000),
    WeightUnit.OZ: Decimal("28.349523125"),
    WeightUnit.LB: Decimal("453.59237"),
}
_EXACT: Final = Decimal("0.0001")
_WEIGHT_MAX: Final = Decimal(10) ** 14
_DIGITS: Final = 80
"""More than a sum of 2,000 products of two amounts has."""
_LOCATIONS_BYTES_MAX: Final = 100_000
"""Of one order: with it the record stays below its topic's limit, however many lines it has."""
_INTERNAL_MAX: Final = 500
_DELETED: Final = "delete"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one order and of its items."""

    order: Enrichment | None = None
    by_code: Mapping[str, Enrichment] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.order is not None or bool(self.by_code)


NOTHING: Final = Facts()


def code_of(item: OrderItem) -> str | None:
    """Under which SKU facts about the item are looked for: the seller's, the site's, or the product id."""
    return item.sku or item.sku_id or item.product_id


def codes_of(order: Order) -> tuple[str, ...]:
    """The codes of all items, each once."""
    return tuple(dict.fromkeys(code for item in order.items if (code := code_of(item))))


def made_with(mapping_version: str, facts: Facts) -> str:
    """Names all that an order depends on beside the site's answer: other ones, another name."""
    if not facts:
        return mapping_version
    parts = [facts.order, *(facts.by_code[code] for code in sorted(facts.by_code))]
    return f"{mapping_version}+{sha256_of(parts)[:12]}"


def enriched(order: Order, facts: Facts) -> Order:
    """The order with these facts and its new content hash; the same order when there are none."""
    if not facts:
        return order
    provenance = dict(order.provenance)
    changes: dict[str, object] = {"items": _items(order.items, facts.by_code, provenance)}
    if facts.order is not None:
        changes |= _of_order(order, facts.order, provenance)
    full = order.model_copy(update=changes)
    if full.weight_total is None and (total := _total(full.items)) is not None:
        provenance["weight_total"] = COMPUTED
        full = full.model_copy(update={"weight_total": total})
    full = full.model_copy(update={"provenance": provenance})
    return full.model_copy(update={"content_sha256": content_sha256(full)})


def _of_order(order: Order, facts: Enrichment, provenance: dict[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    source = facts.source.value
    buyer = order.buyer or Buyer()
    if facts.buyer_email and not buyer.email:
        found["buyer"] = buyer.model_copy(update={"email": facts.buyer_email})
        provenance["buyer.email"] = source
    if (facts.is_gift is not None or facts.gift_message) and order.gift is None:
        is_gift = facts.is_gift if facts.is_gift is not None else True
        found["gift"] = Gift(is_gift=is_gift, message=facts.gift_message)
        provenance["gift"] = source
    notes = _notes(order.notes or Notes(), facts, provenance)
    if notes is not None:
        found["notes"] = notes
    if facts.weight_total is not None and order.weight_total is None:
        found["weight_total"] = facts.weight_total
        provenance["weight_total"] = source
    return found


def _notes(notes: Notes, facts: Enrichment, provenance: dict[str, str]) -> Notes | None:
    found: dict[str, object] = {}
    source = facts.source.value
    if facts.internal_note and len(notes.internal) < _INTERNAL_MAX:
        provenance[f"notes.internal.{len(notes.internal)}"] = source
        found["internal"] = (*notes.internal, Note(text=facts.internal_note, at=facts.given_at))
    if facts.note_to_buyer and notes.to_buyer is None:
        provenance["notes.to_buyer"] = source
        found["to_buyer"] = facts.note_to_buyer
    return notes.model_copy(update=found) if found else None


def _items(
    items: tuple[OrderItem, ...], by_code: Mapping[str, Enrichment], provenance: dict[str, str]
) -> tuple[OrderItem, ...]:
    room_bytes = _LOCATIONS_BYTES_MAX
    found = []
    for index, item in enumerate(items):
        facts = by_code.get(code_of(item) or "")
        changes: dict[str, object] = {}
        if facts is not None and facts.weight is not None and item.weight is None:
            changes["weight"] = facts.weight
            provenance[f"items.{index}.weight"] = facts.source.value
        if facts is not None and facts.warehouse_location and item.warehouse_location is None:
            room_bytes -= len(facts.warehouse_location.encode())
            if room_bytes < 0:
                provenance[f"items.{index}.warehouse_location"] = CUT
            else:
                changes["warehouse_location"] = facts.warehouse_location
                provenance[f"items.{index}.warehouse_location"] = facts.source.value
        found.append(item.model_copy(update=changes) if changes else item)
    return tuple(found)


def _total(items: tuple[OrderItem, ...]) -> Weight | None:
    """The sum, if every item's weight is known: in their unit when they share one, else in grams."""
    sent = [item for item in items if item.status != _DELETED]
    weights = [item.weight for item in sent]
    if not sent or any(weight is None or weight.unit not in _GRAMS for weight in weights):
        return None
    known = [(item.quantity, weight) for item, weight in zip(sent, weights, strict=True) if weight]
    units = {weight.unit for _, weight in known}
    unit = units.pop() if len(units) == 1 else WeightUnit.G
    with localcontext() as context:
        context.prec = _DIGITS
        grams = sum(
            (quantity * weight.value * _GRAMS[weight.unit] for quantity, weight in known),
            Decimal(0),
        )
        value = (grams / _GRAMS[unit]).quantize(_EXACT)
    return Weight(value=value.normalize(), unit=unit) if 0 < value < _WEIGHT_MAX else None
