"""The key of each record, what decides its partition, and whether a key and a body agree.

The key of a public record decides its partition and with it the owner: a record that names one order in its key and another
one in its body would be judged by the wrong owner.
"""

from waybill.contracts.base import Record
from waybill.contracts.codec import DeadReason, DecodeError
from waybill.contracts.enrichment import Enrichment, enrichment_key
from waybill.contracts.imports import ImportCursor, ImportSeen
from waybill.contracts.ledger import LedgerEntry
from waybill.contracts.order import Order
from waybill.contracts.store import Store, StoreTokens


def record_key(record: Record) -> str:
    """The Kafka key of a record; raises TypeError for what is no record of a topic."""
    match record:
        case Order() | LedgerEntry():
            return record.key
        case Store() | ImportCursor():
            return record.store_id
        case Enrichment():
            return enrichment_key(record)
        case StoreTokens():
            return f"{record.store_id}:{record.generation}"
        case _:
            key = getattr(record, "order_key", None)
            if not isinstance(key, str):
                raise TypeError(f"{type(record).__name__} is no record of a topic")
            return key


def partition_key(record: Record) -> str:
    """What decides the partition: the order key, or the store id for all that the store's importer owns."""
    if isinstance(record, Enrichment | ImportSeen | StoreTokens):
        return record.store_id
    return record_key(record)


def check_key(key: bytes | None, record: Record) -> None:
    """Raise DecodeError when a record came without its key, or under another one.

    The key that was found is not repeated: a publisher may have taken anything for it.
    """
    wanted = record_key(record)
    if not key:
        raise DecodeError(DeadReason.NO_KEY, f"no record key; publish with the key {wanted}")
    if key != wanted.encode():
        raise DecodeError(
            DeadReason.KEY_MISMATCH, f"the record key is another one; publish with the key {wanted}"
        )
