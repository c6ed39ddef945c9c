"""Enrichment: what the seller knows of an order or an article and Alibaba has no field for."""

from typing import Self

from pydantic import Field, model_validator

from waybill.contracts.base import Id, OpenEnum, Record, Text, Timestamp, Weight


class EnrichmentSource(OpenEnum):
    """Where a fact comes from; it ends up in the order's provenance."""

    UNRECOGNISED = "UNRECOGNISED"
    CATALOGUE = "catalogue"
    OPERATOR = "operator"


FACTS_OF_ORDER = (
    "buyer_email",
    "is_gift",
    "gift_message",
    "internal_note",
    "note_to_buyer",
    "weight_total",
)
FACTS_OF_SKU = ("weight", "warehouse_location")


class Enrichment(Record):
    """Facts about one order or one SKU of a store; the last record of a key counts, as a whole, and a tombstone takes it back."""

    store_id: Id = Field(description="The store; its partition is where the record must lie.")
    trade_id: Id | None = Field(
        None, description="Order number at the site; exactly one of trade_id and sku is given."
    )
    sku: Text | None = Field(
        None,
        description="The seller's SKU; of an item without one its SKU id, or else its product id.",
    )
    given_at: Timestamp = Field(
        description="When these facts became so, UTC milliseconds; older ones never replace newer ones."
    )
    source: EnrichmentSource = Field(
        EnrichmentSource.OPERATOR, description="catalogue or operator."
    )
    buyer_email: Text | None = Field(None, description="Of an order: the buyer's e-mail address.")
    is_gift: bool | None = Field(None, description="Of an order: whether it is a gift.")
    gift_message: Text | None = Field(None, description="Of an order: text for the recipient.")
    internal_note: Text | None = Field(
        None, description="Of an order: a note for the seller alone."
    )
    note_to_buyer: Text | None = Field(
        None, description="Of an order: for the buyer; goes onto the proof."
    )
    weight_total: Weight | None = Field(
        None, description="Of an order: its total weight; without it the items' weights are summed."
    )
    weight: Weight | None = Field(None, description="Of a SKU: weight of one unit.")
    warehouse_location: Text | None = Field(
        None, description="Of a SKU: where it lies in the warehouse."
    )

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.trade_id is None) == (not self.sku):
            raise ValueError("trade_id: want exactly one of trade_id and sku")
        foreign, subject = (
            (FACTS_OF_SKU, "an order") if self.trade_id else (FACTS_OF_ORDER, "a SKU")
        )
        for name in foreign:
            if getattr(self, name) is not None:
                raise ValueError(f"{name}: not a fact about {subject}")
        for name in ("weight", "weight_total"):
            found = getattr(self, name)
            if found is not None and found.value <= 0:
                raise ValueError(f"{name}: want a weight above 0")
        return self


def order_enrichment_key(store_id: str, trade_id: str) -> str:
    """The record key of the facts about an order."""
    return f"{store_id}/order/{trade_id}"


def sku_enrichment_key(store_id: str, sku: str) -> str:
    """The record key of the facts about a SKU."""
    return f"{store_id}/sku/{sku}"


def enrichment_key(enrichment: Enrichment) -> str:
    """The record key: `<store_id>/order/<trade_id>` or `<store_id>/sku/<sku>`."""
    if enrichment.trade_id is not None:
        return order_enrichment_key(enrichment.store_id, enrichment.trade_id)
    return sku_enrichment_key(enrichment.store_id, enrichment.sku or "")


def store_of_key(key: bytes | None) -> str | None:
    """The store that a record key names, also that of a tombstone; None when it has another form."""
    store_id, slash, rest = (key or b"").decode(errors="replace").partition("/")
    kind, second, subject = rest.partition("/")
    named = bool(store_id and slash and second and subject and kind in ("order", "sku"))
    return store_id if named else None
