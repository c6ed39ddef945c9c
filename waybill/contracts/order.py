"""Order: the full current state of one order at Alibaba, as the importer publishes it."""

from pydantic import Field

from waybill.contracts.base import (
    Address,
    Amount,
    Id,
    Label,
    LogisticsType,
    Money,
    OpenEnum,
    Option,
    Record,
    Sha256,
    Text,
    Timestamp,
    Weight,
)


class OrderStatus(OpenEnum):
    """What the seller can do with the order."""

    UNRECOGNISED = "UNRECOGNISED"
    AWAITING_PAYMENT = "awaiting_payment"
    AWAITING_SHIPMENT = "awaiting_shipment"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    ON_HOLD = "on_hold"
    UNMAPPED = "unmapped"


class NotImportable(OpenEnum):
    """Why an order cannot be shipped as it is."""

    UNRECOGNISED = "UNRECOGNISED"
    NO_DELIVERY_ADDRESS = "no_delivery_address"
    UNMAPPED_STATUS = "unmapped_status"
    NO_ITEMS = "no_items"


class Progress(OpenEnum):
    """How much of the order has left, as Alibaba sees it."""

    UNRECOGNISED = "UNRECOGNISED"
    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


class Buyer(Record):
    """Who bought."""

    id: Text | None = Field(None, description="Buyer's id at the site.")
    name: Text | None = Field(None, description="Full name.")
    email: Text | None = Field(
        None, description="E-mail address; Alibaba does not send it, enrichment may."
    )
    phone: Text | None = Field(None, description="Phone number as given.")
    country_code: Text | None = Field(None, description="ISO 3166 code of two letters.")


class RequestedService(Record):
    """The shipping service that the buyer chose."""

    text: Text | None = Field(None, description="As the buyer saw it, e.g. EXPRESS or sea.")
    code: Text | None = Field(None, description="Code of the carrier or service, if there is one.")
    logistics_type: LogisticsType | None = Field(
        None, description="EXPRESS or POST, if it is clear."
    )


class Payment(Record):
    """How the order was paid."""

    method: Text | None = Field(
        None, description="Method of the latest payment, e.g. TT or CREDIT_CARD."
    )
    status: Text | None = Field(None, description="Raw payment status, e.g. PAID.")
    step: Text | None = Field(None, description="Raw payment step: ADVANCE, BALANCE or FULL.")
    paid: Money | None = Field(None, description="Sum received so far.")
    paid_at: Timestamp | None = Field(
        None, description="Time of the latest payment, UTC milliseconds."
    )


class Totals(Record):
    """The sums of the order; a sum that the site did not give is null, never computed."""

    items: Money | None = Field(None, description="Sum of the items.")
    shipping: Money | None = Field(None, description="Shipping fee.")
    insurance: Money | None = Field(None, description="Shipping insurance.")
    tax: Money | None = Field(None, description="VAT.")
    duty: Money | None = Field(None, description="Duty.")
    discount: Money | None = Field(None, description="Discount, negative.")
    adjustment: Money | None = Field(
        None, description="Adjustment agreed between the parties, signed."
    )
    grand: Money | None = Field(None, description="What the buyer pays in all.")


class AdjustmentKind(OpenEnum):
    """Kinds of changes to the sum."""

    UNRECOGNISED = "UNRECOGNISED"
    DISCOUNT = "discount"
    COUPON = "coupon"
    SURCHARGE = "surcharge"


class Adjustment(Record):
    """A discount, coupon or surcharge on the order."""

    kind: AdjustmentKind = Field(description="Discount, coupon or surcharge.")
    code: Text | None = Field(None, description="Coupon code.")
    description: Text | None = Field(None, description="In words.")
    amount: Money | None = Field(
        None, description="Signed amount: discounts and coupons are negative."
    )


class Gift(Record):
    """Whether the order is a gift."""

    is_gift: bool = Field(description="True when it is.")
    message: Text | None = Field(None, description="Text for the recipient.")


class Note(Record):
    """A note on the order."""

    text: Text = Field(description="The note.")
    author: Text | None = Field(None, description="Who wrote it, if known.")
    at: Timestamp | None = Field(None, description="When, UTC milliseconds.")


class Notes(Record):
    """All notes on the order, by who may read them."""

    internal: tuple[Note, ...] = Field((), description="For the seller alone.", max_length=500)
    customer: tuple[Note, ...] = Field((), description="Written by the buyer.", max_length=500)
    to_buyer: Text | None = Field(
        None, description="For the buyer; goes onto the proof when the shipment has none."
    )


class OrderItem(Record):
    """One line of the order."""

    line_id: Id = Field(description="Id of the line; a stable hash where the site gives none.")
    product_id: Text | None = Field(None, description="Product id at the site.")
    sku_id: Text | None = Field(None, description="SKU id at the site.")
    sku: Text | None = Field(None, description="The seller's own SKU.")
    model_number: Text | None = Field(None, description="Model number.")
    name: Text = Field(description="Product name.")
    quantity: Amount = Field(
        description="Ordered quantity in the unit beside it; fractions are possible."
    )
    unit: Text | None = Field(None, description="Unit of the quantity, e.g. Piece.")
    unit_price: Money | None = Field(None, description="Price of one unit.")
    line_total: Money | None = Field(None, description="Price of the line, if given.")
    weight: Weight | None = Field(
        None, description="Weight of one unit; from enrichment, Alibaba sends none."
    )
    image_url: Text | None = Field(None, description="https URL of the product image.")
    options: tuple[Option, ...] = Field(
        (), description="Chosen options such as colour and size.", max_length=100
    )
    warehouse_location: Text | None = Field(
        None, description="Where it lies in the seller's warehouse; from enrichment."
    )
    status: Text | None = Field(None, description="Raw status of the line, e.g. normal or delete.")


class Marketplace(Record):
    """What the site says of how the order is to be fulfilled."""

    fulfillment_channel: Text | None = Field(None, description="Raw channel, e.g. TAD.")
    trade_term: Text | None = Field(None, description="Incoterm, e.g. DAP.")
    carrier_code: Text | None = Field(None, description="Carrier code that the order names.")
    carrier_name: Text | None = Field(None, description="Carrier name that the order names.")
    port: Text | None = Field(None, description="Port of destination.")


class Order(Record):
    """The full current state of one order. The last record of a key is the truth; older never follows newer."""

    key: Id = Field(description="Order key <site>:<trade_id>; equals the record key.")
    site: Id = Field(description="Where the order was made: alibaba or sandbox.")
    trade_id: Id = Field(description="Number of the order at the site.")
    store_id: Id = Field(description="The store whose import found the order.")
    order_number: Text = Field(
        description="Number that people see; the trade id unless the site has another."
    )
    status: OrderStatus = Field(description="Mapped status.")
    raw_status: Text = Field(description="Status code as the site sent it.")
    mapping_version: Text = Field(description="Which status table translated it.")
    progress: Progress | None = Field(None, description="How much has left, if the status tells.")
    importable: bool = Field(
        description="False while the order cannot be shipped; the reasons say why."
    )
    not_importable: tuple[NotImportable, ...] = Field(
        (), description="Why it cannot be shipped as it is.", max_length=16
    )
    ordered_at: Timestamp | None = Field(None, description="When it was made, UTC milliseconds.")
    modified_at: Timestamp = Field(description="When the site last changed it, UTC milliseconds.")
    paid_at: Timestamp | None = Field(None, description="When it was paid, UTC milliseconds.")
    ship_by_at: Timestamp | None = Field(
        None, description="Agreed latest shipping time, UTC milliseconds."
    )
    buyer: Buyer | None = Field(None, description="Who bought.")
    ship_to: Address | None = Field(
        None, description="Delivery address; an order without one is not importable."
    )
    bill_to: Address | None = Field(None, description="Billing address.")
    ship_from: Address | None = Field(
        None, description="Where the seller ships from, if the order says."
    )
    requested_service: RequestedService | None = Field(
        None, description="Shipping service that the buyer chose."
    )
    payment: Payment | None = Field(None, description="How it was paid.")
    totals: Totals | None = Field(None, description="The sums.")
    adjustments: tuple[Adjustment, ...] = Field(
        (), description="Discounts, coupons, surcharges.", max_length=500
    )
    gift: Gift | None = Field(None, description="Gift flag and message; from enrichment.")
    notes: Notes | None = Field(None, description="Internal and customer notes.")
    weight_total: Weight | None = Field(
        None, description="Total weight; provenance says whether it was summed."
    )
    items: tuple[OrderItem, ...] = Field(
        (), description="The lines, in the site's order.", max_length=2_000
    )
    marketplace: Marketplace | None = Field(None, description="Fulfilment facts of the site.")
    tags: dict[Label, Text] = Field(
        default_factory=dict, description="The store's own tags.", max_length=100
    )
    provenance: dict[Label, Text] = Field(
        default_factory=dict,
        max_length=10_000,
        description="Field path to where its value comes from, when not the site: catalogue, operator, computed.",
    )
    content_sha256: Sha256 = Field(
        description="Hash of everything but imported_at and raw_sha256; equal hash, no new record."
    )
    raw_sha256: Sha256 | None = Field(
        None, description="Hash of the site's answer that this record was made from."
    )
    imported_at: Timestamp = Field(description="When the importer read it, UTC milliseconds.")
