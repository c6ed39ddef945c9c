"""What the importer keeps on topics: how far it is, what it has published, and hints to look now."""

from pydantic import Field

from waybill.contracts.base import Id, Label, OpenEnum, Record, Sha256, Text, Timestamp
from waybill.contracts.order import NotImportable


class ImportCursor(Record):
    """How far the import of one store is. Everything changed up to `modified_until` has been published."""

    store_id: Id = Field(description="The store; the record key.")
    modified_until: Timestamp = Field(
        description="End of the last finished window, UTC milliseconds."
    )
    finished_at: Timestamp = Field(description="When that window was finished, UTC milliseconds.")
    orders_total: int = Field(0, description="Orders published for this store so far.")
    backfill: int = Field(
        0, description="Number of the back-fill (see the store) that was begun last; 0 for none."
    )
    backfill_until: Timestamp | None = Field(
        None,
        description="How far that back-fill is, UTC milliseconds; null once it is finished.",
    )
    backfill_end: Timestamp | None = Field(
        None, description="Where that back-fill ends, UTC milliseconds: when it was begun."
    )
    backfill_orders: int = Field(0, description="Orders published by that back-fill.")


class ImportSeen(Record):
    """What was last published of one order; decides whether a reading is a change."""

    order_key: Id = Field(
        description="Order key; the record key. Lies on the partition of its store."
    )
    store_id: Id = Field(description="The store.")
    modified_at: Timestamp = Field(
        description="The site's time of the last published state, UTC milliseconds."
    )
    content_sha256: Sha256 = Field(description="Hash of the last published state.")
    held: tuple[NotImportable, ...] = Field(
        (), description="Why it is not importable, if so.", max_length=16
    )
    open: bool = Field(True, description="False once nothing can change the shipment any more.")
    erased: bool = Field(False, description="True after an erasure: never published again.")
    made_with: Label | None = Field(
        None,
        description="Which status table and enrichments the state was made with; an open order is read again when they change.",
    )
    codes: tuple[Text, ...] = Field(
        (),
        max_length=2_000,
        description="SKUs of an order that is open or held, by which enrichments find it.",
    )
    asked_at: Timestamp | None = Field(
        None,
        description="When the order was last read because an operator asked, UTC milliseconds.",
    )


class HintReason(OpenEnum):
    """Who asks for a look."""

    UNRECOGNISED = "UNRECOGNISED"
    PUSHED = "pushed"
    ORDER_UNKNOWN = "order_unknown"
    OPERATOR = "operator"


class OrderHint(Record):
    """Look at this order now. A hint lost costs time, never an order: polling finds it too."""

    order_key: Id = Field(description="Order key; the record key.")
    store_id: Id | None = Field(
        None, description="The store, if known; else every store of the site tries."
    )
    reason: HintReason = Field(description="Who asks.")
    hinted_at: Timestamp = Field(
        description="When, UTC milliseconds; hints older than some minutes are ignored."
    )
