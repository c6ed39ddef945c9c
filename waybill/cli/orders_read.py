"""What the topics hold of orders now: schemas, imported orders, ledger entries and how they stand."""

from collections.abc import Callable
from typing import NamedTuple

import orjson
from confluent_kafka import OFFSET_BEGINNING

from services.notifier.view import Card
from waybill.cli.cluster import READ_S, Cluster
from waybill.cli.errors import CommandError, InputError
from waybill.contracts import LedgerEntry, Order
from waybill.contracts.codec import Codec, DecodeError, SchemaBook
from waybill.contracts.headers import LEDGER_ATTENTION, LEDGER_CARD, last_text
from waybill.contracts.keys import parse_order_key, partition_of
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason
from waybill.streaming.records import Inbound


def checked_order_key(text: str) -> str:
    """The order key that was given to a command; raises InputError when it is none."""
    try:
        return str(parse_order_key(text))
    except ValueError as error:
        raise InputError(str(error)) from error


def learnt(cluster: Cluster, timeout_s: float = READ_S) -> SchemaBook:
    """The schemas of this release and those that others published."""
    book = SchemaBook()
    for record in cluster.read(["schemas"], timeout_s=timeout_s):
        if record.value:
            book.learn(orjson.loads(record.value))
    return book


def newest_orders(cluster: Cluster, timeout_s: float = READ_S) -> dict[str, Order]:
    """The newest state of every order, by its key; what cannot be read is left out."""
    codec = Codec(Order, "order", learnt(cluster, timeout_s))
    newest: dict[str, bytes | None] = {}
    for record in cluster.read(["orders"], timeout_s=timeout_s):
        newest[(record.key or b"").decode(errors="replace")] = record.value
    orders = {}
    for key, value in newest.items():
        try:
            orders[key] = codec.decode(value)
        except DecodeError:
            continue  # a tombstone, or a record that `waybill orders show` explains
    return orders


# ----------------------------------------------------------------------------------------- one entry


class Place(NamedTuple):
    """A ledger entry as it was read, and where whatever is written after it will lie."""

    entry: LedgerEntry
    partition: int
    next_offset: int


def newest_entry(cluster: Cluster, key: str, codec: Codec[LedgerEntry], timeout_s: float) -> Place:
    """The entry of one order; raises CommandError when there is none, or it cannot be read."""
    partition = partition_of(key, cluster.partitions("ledger"))
    value, next_offset = None, OFFSET_BEGINNING
    for record in cluster.read(["ledger"], partition, timeout_s=timeout_s):
        next_offset = record.offset + 1
        if record.key == key.encode():
            value = record.value
    if value is None:
        raise CommandError(f"the ledger at {cluster.address} has no entry of {key}")
    try:
        return Place(codec.decode(value), partition, next_offset)
    except DecodeError as error:
        raise CommandError(f"the ledger entry of {key} cannot be read: {error.detail}") from error


# --------------------------------------------------------------------------------------- all entries


class Standing(NamedTuple):
    """How an order's shipment stands, as the headers of its ledger entry tell."""

    key: str
    store_id: str
    state: str
    reason: str
    attention: str
    changed_ms: int

    @property
    def needs_operator(self) -> bool:
        """Parked, unreadable, or something came too late."""
        return bool(self.attention) or self.state in (State.PARKED, State.UNRECOGNISED)


def standings(
    cluster: Cluster, wanted: Callable[[Standing], bool], timeout_s: float = READ_S
) -> list[Standing]:
    """The entries that are wanted, those unchanged for longest first. Decodes none that has a card."""
    codec = Codec(LedgerEntry, "ledger_entry", learnt(cluster, timeout_s))
    found: dict[str, Standing] = {}
    for record in cluster.read(["ledger"], timeout_s=timeout_s):
        key = (record.key or b"").decode(errors="replace")
        standing = _standing(key, record, codec) if record.value is not None else None
        if standing is not None and wanted(standing):
            found[key] = standing
        else:
            found.pop(key, None)
    return sorted(found.values(), key=lambda one: (one.changed_ms, one.key))


def _standing(key: str, record: Inbound, codec: Codec[LedgerEntry]) -> Standing:
    card = record.header(LEDGER_CARD)
    attention = last_text(record.headers, LEDGER_ATTENTION) or ""
    try:
        found = Card.parse(card) if card else _decoded(record, codec)
    except ValueError:  # a newer version writes other cards
        found = _decoded(record, codec)
    at_ms = record.timestamp_ms
    return Standing(key, found.store_id, found.state, found.reason, attention, at_ms)


def _decoded(record: Inbound, codec: Codec[LedgerEntry]) -> Card:
    try:
        return Card.of(codec.decode(record.value))
    except DecodeError:
        return Card(State.UNRECOGNISED, "", Reason.LEDGER_UNREADABLE, 0, 0)
