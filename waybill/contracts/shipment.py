"""Shipment: what a shipping system publishes, and the only public way in."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from waybill.contracts.base import (
    Address,
    Amount,
    Id,
    LogisticsType,
    Long,
    Money,
    OpenEnum,
    Option,
    Record,
    Text,
    Timestamp,
    Weight,
    millis,
)
from waybill.contracts.keys import parse_order_key

TrackingNumber = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]


def _absent_if_blank(value: object) -> object:
    # many systems print a number that does not exist yet as an empty text
    return None if isinstance(value, str) and not value.strip() else value


OptionalTrackingNumber = Annotated[TrackingNumber | None, BeforeValidator(_absent_if_blank)]
"""Null, or 1 to 50 printable characters; an empty text counts as null."""


class Action(OpenEnum):
    """What the event does to the shipment."""

    UNRECOGNISED = "UNRECOGNISED"
    CREATE = "create"
    CORRECT = "correct"
    VOID = "void"


class Coverage(OpenEnum):
    """How much of the order the shipment covers, as far as the publisher knows."""

    UNRECOGNISED = "UNRECOGNISED"
    UNKNOWN = "unknown"
    FULL = "full"
    PARTIAL = "partial"


class Carrier(Record):
    """Who carries it: at least a code or a name; the store maps it to Alibaba's code."""

    code: Text | None = Field(None, description="The shipping system's code, e.g. fedex.")
    name: Text | None = Field(None, description="Name that people read, e.g. FedEx.")


class Service(Record):
    """The carrier's service."""

    code: Text | None = Field(None, description="Code, e.g. fedex_international_priority.")
    name: Text | None = Field(None, description="Name that people read.")


class ShipmentItem(Record):
    """A line of the shipment; matched to the order by line_id, else by sku."""

    line_id: Text | None = Field(None, description="Line of the order.")
    sku: Text | None = Field(None, description="The seller's SKU.")
    name: Text | None = Field(None, description="Product name.")
    quantity: Amount = Field(description="Shipped quantity in the unit beside it.")
    unit: Text | None = Field(None, description="Unit of the quantity, e.g. Piece.")
    options: tuple[Option, ...] = Field((), description="Chosen options.", max_length=100)


class Dimensions(Record):
    """Outer size of a parcel."""

    length_cm: Amount = Field(description="Length in centimetres.")
    width_cm: Amount = Field(description="Width in centimetres.")
    height_cm: Amount = Field(description="Height in centimetres.")


class Package(Record):
    """One parcel of the shipment; several parcels of one shipment are one shipment."""

    tracking_number: OptionalTrackingNumber = Field(
        None, description="The parcel's own number, if it has one."
    )
    weight: Weight | None = Field(None, description="Weight of the parcel.")
    dimensions: Dimensions | None = Field(None, description="Outer size.")


class Part(Record):
    """Says that this shipment is one of several that together cover the order."""

    number: int = Field(description="1, 2, 3 …", ge=1, le=64)
    final: bool = Field(False, description="True on the part after which nothing follows.")


class Source(Record):
    """Where the event comes from."""

    system: Text = Field(description="Name of the shipping system.")
    resource_url: Text | None = Field(None, description="Where the shipment can be read there.")
    received_at: Timestamp | None = Field(
        None, description="When a bridge received it, UTC milliseconds."
    )


class Shipment(Record):
    """One revision of one shipment of one order. Publish it as often as you like: a revision counts once."""

    order_key: Id = Field(description="Order key <site>:<trade_id>; equals the record key.")
    shipment_id: Id = Field(
        description="The shipping system's id; stays the same over corrections and the void."
    )
    action: Action = Field(Action.CREATE, description="create, correct or void.")
    revision: Long | None = Field(
        None, description="Grows with each change; occurred_at in epoch milliseconds when null."
    )
    occurred_at: Timestamp = Field(
        description="When this became so in the shipping system, UTC milliseconds."
    )
    store_id: Id | None = Field(
        None, description="The store, if the publisher knows it; checked against the order."
    )
    source: Source | None = Field(None, description="Where the event comes from.")
    is_return: bool = Field(
        False, description="True for a return to the seller: never sent to Alibaba."
    )
    shipped_at: Timestamp | None = Field(
        None, description="When it left, UTC milliseconds; needed unless void."
    )
    shipped_at_zone: Text | None = Field(
        None, description="IANA zone in which to print the time, e.g. Asia/Shanghai."
    )
    label_created_at: Timestamp | None = Field(
        None, description="When the label was made, UTC milliseconds."
    )
    tracking_number: OptionalTrackingNumber = Field(
        None, description="May follow later; the shipment waits for it."
    )
    tracking_url: Text | None = Field(
        None, description="https page of the carrier that shows the way."
    )
    carrier: Carrier | None = Field(None, description="Who carries it; needed unless void.")
    logistics_type: LogisticsType | None = Field(
        None, description="EXPRESS or POST; EXPRESS when null."
    )
    contact_mobile: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = Field(
        None,
        description="Last four digits of the recipient's phone, for carriers that ask for them.",
    )
    service: Service | None = Field(
        None, description="The carrier's service; printed on the proof."
    )
    cost: Money | None = Field(
        None, description="What the carrier charges; printed on the proof if the store wants it."
    )
    insurance_cost: Money | None = Field(None, description="What the insurance costs.")
    note_to_buyer: Annotated[str, StringConstraints(max_length=1_000)] | None = Field(
        None, description="Note to the buyer; printed on the proof."
    )
    notify_buyer_by_email: bool | None = Field(
        None, description="False when the shipping system already mails the buyer."
    )
    items: tuple[ShipmentItem, ...] = Field(
        (), description="What is in it; empty means the whole order.", max_length=2_000
    )
    covers_order: Coverage = Field(
        Coverage.UNKNOWN, description="Whether it covers the whole order."
    )
    part: Part | None = Field(
        None, description="Set when several shipments together cover the order."
    )
    packages: tuple[Package, ...] = Field((), description="The parcels.", max_length=500)
    ship_from: Address | None = Field(None, description="Sender; the store's address when null.")
    ship_to: Address | None = Field(
        None, description="Recipient on the label; the order's address when null."
    )
    return_to: Address | None = Field(None, description="Where it goes back to.")
    test: bool = Field(False, description="True: never reaches Alibaba.")

    @property
    def effective_revision(self) -> int:
        """The revision that counts: as given, else the event time in epoch milliseconds."""
        return self.revision if self.revision is not None else millis(self.occurred_at)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        parse_order_key(self.order_key)
        if self.action is Action.VOID:
            return self
        if self.shipped_at is None:
            raise ValueError("shipped_at: missing; give the time the parcel left, with its offset")
        if self.carrier is None or not (self.carrier.code or self.carrier.name):
            raise ValueError("carrier: missing; give carrier.code or carrier.name")
        return self
