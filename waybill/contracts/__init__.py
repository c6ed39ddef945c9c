"""The contracts: records as frozen models, Avro codecs, keys and topics.

Nothing here knows Kafka, HTTP, the clock or settings; the models are what all services share.
"""

from waybill.contracts.base import Record
from waybill.contracts.command import Command
from waybill.contracts.enrichment import Enrichment
from waybill.contracts.imports import ImportCursor, ImportSeen, OrderHint
from waybill.contracts.ledger import LedgerEntry
from waybill.contracts.notification import Notification
from waybill.contracts.order import Order
from waybill.contracts.proof import Claim, Proof
from waybill.contracts.shipment import Shipment
from waybill.contracts.store import Store, StoreTokens

RECORDS: dict[str, type[Record]] = {
    "order": Order,
    "shipment": Shipment,
    "notification": Notification,
    "claim": Claim,
    "proof": Proof,
    "ledger_entry": LedgerEntry,
    "store": Store,
    "store_tokens": StoreTokens,
    "import_cursor": ImportCursor,
    "import_seen": ImportSeen,
    "order_hint": OrderHint,
    "enrichment": Enrichment,
    "command": Command,
}
"""Record name, as in `schemas/avro/<name>/`, to its model."""

__all__ = [
    "RECORDS",
    "Claim",
    "Command",
    "Enrichment",
    "ImportCursor",
    "ImportSeen",
    "LedgerEntry",
    "Notification",
    "Order",
    "OrderHint",
    "Proof",
    "Record",
    "Shipment",
    "Store",
    "StoreTokens",
]
