"""The records that the notifier reads and writes."""

from dataclasses import dataclass, field

from waybill.contracts import (
    Claim,
    Command,
    LedgerEntry,
    Notification,
    Order,
    OrderHint,
    Proof,
    Shipment,
    Store,
    StoreTokens,
)
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.recent import RecentlyDecoded


@dataclass(slots=True)
class Codecs:
    """The codecs that the notifier needs, over one book of schemas."""

    book: SchemaBook = field(default_factory=SchemaBook)

    def __post_init__(self) -> None:
        """Make them once; a codec parses its schema when it is made."""
        self.order = Codec(Order, "order", self.book)
        self.shipment = Codec(Shipment, "shipment", self.book)
        self.recent_orders = RecentlyDecoded(self.order)
        self.recent_shipments = RecentlyDecoded(self.shipment, allow_json=True)
        self.notification = Codec(Notification, "notification", self.book)
        self.claim = Codec(Claim, "claim", self.book)
        self.proof = Codec(Proof, "proof", self.book)
        self.ledger = Codec(LedgerEntry, "ledger_entry", self.book)
        self.store = Codec(Store, "store", self.book)
        self.tokens = Codec(StoreTokens, "store_tokens", self.book)
        self.hint = Codec(OrderHint, "order_hint", self.book)
        self.command = Codec(Command, "command", self.book)

    order: Codec[Order] = field(init=False)
    shipment: Codec[Shipment] = field(init=False)
    recent_orders: RecentlyDecoded[Order] = field(init=False)
    recent_shipments: RecentlyDecoded[Shipment] = field(init=False)
    notification: Codec[Notification] = field(init=False)
    claim: Codec[Claim] = field(init=False)
    proof: Codec[Proof] = field(init=False)
    ledger: Codec[LedgerEntry] = field(init=False)
    store: Codec[Store] = field(init=False)
    tokens: Codec[StoreTokens] = field(init=False)
    hint: Codec[OrderHint] = field(init=False)
    command: Codec[Command] = field(init=False)

    def legible(self, claim: Claim) -> Claim:
        """The claim with facts that proofgen can read: it keeps no state, so it learns no schemas.

        Only what a newer publisher wrote is encoded anew, without the fields that this release does not
        know and could not draw; the ledger keeps the untouched bytes.
        """
        order = claim.order
        if not self.book.is_released(order):
            order = self.order.encode(self.recent_orders.decode(order))
        shipment, *parts = map(self._legible_shipment, (claim.shipment, *claim.parts))
        return claim.model_copy(
            update={"shipment": shipment, "parts": tuple(parts), "order": order}
        )

    def _legible_shipment(self, shipment: bytes) -> bytes:
        if shipment[:1] == b"{" or self.book.is_released(shipment):
            return shipment
        return self.shipment.encode(self.recent_shipments.decode(shipment))
