"""What the topics say of the orders that are compared: imported, in the ledger, confirmed with a proof.

Only what is compared is kept, so memory follows the period and the open entries, not the installation's age.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from services.notifier.view import Card
from waybill.cli.cluster import Cluster
from waybill.cli.orders import learnt
from waybill.cli.segments import TopicReader
from waybill.contracts import LedgerEntry, Notification, Order
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, DecodeError
from waybill.contracts.headers import LEDGER_CARD
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome
from waybill.contracts.order import OrderStatus
from waybill.reprocessing.differences import Imported, Sent, Standing
from waybill.streaming.records import Inbound

_STANDING = {
    OrderStatus.AWAITING_SHIPMENT: Standing.SHIPPABLE,
    OrderStatus.SHIPPED: Standing.SHIPPED,
}
_FINISHED = {State.CONFIRMED.value, State.VOIDED.value}


@dataclass(slots=True)
class OurSide:
    """What was found, by order key."""

    imported: dict[str, Imported] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    pages: dict[str, int] = field(default_factory=dict)
    untold: dict[str, str] = field(default_factory=dict)
    """Orders whose records cannot be read, and why."""


def read_our_side(cluster: Cluster, since: datetime, listed: Container[str]) -> OurSide:
    """Everything that changed since then, every open entry, and what is known of the listed orders."""
    side, book = OurSide(), learnt(cluster)
    since_ms = millis(since)
    ledger = Codec(LedgerEntry, "ledger_entry", book)
    for record in _all(cluster, "ledger"):
        _take_entry(side, record, ledger, since_ms, listed)
    orders = Codec(Order, "order", book)
    for record in _all(cluster, "orders"):
        _take_order(side, record, orders, since_ms, listed)
    notifications = Codec(Notification, "notification", book)
    reader = TopicReader(cluster, "notifications")
    for record in reader.read(reader.from_time(since)):
        _take_notification(side, record, notifications)
    return side


def _all(cluster: Cluster, topic: str) -> Iterator[Inbound]:
    reader = TopicReader(cluster, topic)
    return reader.read(reader.from_beginning())


def _key(record: Inbound) -> str:
    return (record.key or b"").decode(errors="replace")


def _take_entry(
    side: OurSide,
    record: Inbound,
    codec: Codec[LedgerEntry],
    since_ms: int,
    listed: Container[str],
) -> None:
    key = _key(record)
    side.sent.pop(key, None)
    side.untold.pop(key, None)
    old = record.timestamp_ms < since_ms and key not in listed
    if record.value is None or (old and _state(record) in _FINISHED):
        return
    try:
        entry = codec.decode(record.value)
    except DecodeError as error:
        side.untold[key] = f"its ledger entry cannot be read: {error.detail}"
        return
    if not old or entry.state.value not in _FINISHED:
        side.sent[key] = Sent.of(entry)


def _state(record: Inbound) -> str | None:
    """From the header, so that the many finished entries are not decoded."""
    card = record.header(LEDGER_CARD)
    try:
        return Card.parse(card).state if card else None
    except ValueError:
        return None


def _take_order(
    side: OurSide, record: Inbound, codec: Codec[Order], since_ms: int, listed: Container[str]
) -> None:
    key = _key(record)
    side.imported.pop(key, None)
    wanted = record.timestamp_ms >= since_ms or key in listed or key in side.sent
    if record.value is None or not wanted:
        return
    try:
        order = codec.decode(record.value)
    except DecodeError as error:
        side.untold[key] = f"the order cannot be read: {error.detail}"
        return
    standing = _STANDING.get(order.status, Standing.OTHER)
    side.imported[key] = Imported(order.store_id, standing, order.modified_at)


def _take_notification(side: OurSide, record: Inbound, codec: Codec[Notification]) -> None:
    try:
        told = codec.decode(record.value)
    except DecodeError:
        return  # the ledger tells the outcome; only the pages stay unknown
    if told.outcome is Outcome.CONFIRMED:
        side.pages[told.order_key] = len(told.proof_sha256)
