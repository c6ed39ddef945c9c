"""What the topics and the stand-in's journal tell, as they grow.

Nothing here knows what was sent: every number of the demo is counted from what was read. Reading begins at
the first record of every topic, so watching again tells the same.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx
from confluent_kafka import OFFSET_BEGINNING, KafkaError, Message, TopicPartition

from waybill.cli.cluster import Cluster
from waybill.contracts import LedgerEntry, Notification, Order, Proof, Shipment
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, DecodeError, SchemaBook
from waybill.contracts.headers import DLQ_ERROR, DLQ_REASON, WB_REROUTED, last_text
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome, Reason
from waybill.demo.sandbox_admin import SandboxAdmin
from waybill.demo.scenario import ShipmentKey
from waybill.streaming.kafka import inbound
from waybill.streaming.ports import Place
from waybill.streaming.records import Inbound

TOPICS = ("orders", "shipments", "ledger", "proofs", "notifications", "dead-letters")
_BATCH = 500
_JOURNAL_EVERY_S = 0.5
_OPEN = frozenset({State.CLAIMED, State.DISPATCHED, State.IN_DOUBT})
"""States that come to an end by themselves."""


@dataclass(frozen=True, slots=True)
class Told:
    """One notification about a shipment."""

    outcome: Outcome
    reason: Reason | None
    revision: int | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """A shipment that Alibaba's stand-in holds, from its journal."""

    tracking_number: str
    at_ms: int
    pages: tuple[str, ...]
    """Hashes of the uploaded proof pages."""


@dataclass(slots=True)
class Observed:
    """Everything read so far."""

    orders: dict[str, Order] = field(default_factory=dict)
    shipments_read: int = 0
    first_published_ms: dict[tuple[str, str, int], int] = field(default_factory=dict)
    """Order key, shipment id and revision to the time of its first record."""
    rerouted: int = 0
    told: dict[ShipmentKey, list[Told]] = field(default_factory=dict)
    notification_ids: Counter[str] = field(default_factory=Counter)
    states: dict[str, State] = field(default_factory=dict)
    """Order key to the state of its ledger entry."""
    attempts: dict[str, int] = field(default_factory=dict)
    """Order key to declare calls made."""
    proofs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Order key to the hashes of the newest proof's pages."""
    proof_hashes: set[str] = field(default_factory=set)
    proofs_refused: int = 0
    dead: Counter[str] = field(default_factory=Counter)
    dead_details: list[str] = field(default_factory=list)
    accepted: dict[str, list[Accepted]] = field(default_factory=dict)
    """Trade id to the shipments that the stand-in holds of it."""
    uploads: int = 0
    refused_by_site: Counter[str] = field(default_factory=Counter)
    journal_seq: int = 0

    def last(self, key: ShipmentKey) -> Told | None:
        """What a shipment's publisher was told last."""
        told = self.told.get(key)
        return told[-1] if told else None

    def outcomes(self) -> Counter[tuple[Outcome, Reason | None]]:
        """How many shipments stand where, by the last notification about each."""
        return Counter((told[-1].outcome, told[-1].reason) for told in self.told.values())

    @property
    def under_way(self) -> int:
        """Orders whose shipment is neither finished nor waiting."""
        return sum(state in _OPEN for state in self.states.values())

    @property
    def shipments_accepted(self) -> int:
        """Shipments that the stand-in holds."""
        return sum(map(len, self.accepted.values()))


class Watch:
    """Reads on; `turn` takes what is new. One thread."""

    def __init__(
        self,
        cluster: Cluster,
        admin: SandboxAdmin,
        on_proof: Callable[[Proof], None] = lambda _: None,
    ) -> None:
        self.observed = Observed()
        self._admin = admin
        self._on_proof = on_proof
        self._logical = {cluster.name(topic): topic for topic in TOPICS}
        self._consumer = cluster.consumer()
        self._consumer.assign(
            [
                TopicPartition(cluster.name(topic), number, OFFSET_BEGINNING)
                for topic in TOPICS
                for number in range(cluster.partitions(topic))
            ]
        )
        self._journal_at_s = 0.0
        book = SchemaBook()
        self._codecs: dict[str, Codec[Any]] = {
            "orders": Codec(Order, "order", book),
            "shipments": Codec(Shipment, "shipment", book),
            "ledger": Codec(LedgerEntry, "ledger_entry", book),
            "proofs": Codec(Proof, "proof", book),
            "notifications": Codec(Notification, "notification", book),
        }

    def close(self) -> None:
        """Let go of the cluster."""
        self._consumer.close()

    def turn(self, wait_s: float) -> None:
        """Take what the topics, and now and then the journal, have that is new; waits at most `wait_s`."""
        for message in self._consumer.consume(_BATCH, wait_s):
            self._message(message)
        if monotonic() >= self._journal_at_s:
            self.read_journal()
            self._journal_at_s = monotonic() + _JOURNAL_EVERY_S

    def read_journal(self) -> None:
        """Take what the stand-in accepted meanwhile; while it is away there is nothing new."""
        try:
            for entry in self._admin.journal(self.observed.journal_seq):
                take_journal(self.observed, entry)
        except httpx.TransportError:
            return

    def _message(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.fatal() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise RuntimeError(f"the topics cannot be read any more: {error.str()}")
            return  # the end of a partition, or a broker that is away for a moment
        place = Place(self._logical[message.topic() or ""], message.partition() or 0)
        record = inbound(place, message)
        if record.topic == "dead-letters":
            _take_dead_letter(self.observed, record)
            return
        try:
            json = record.topic == "shipments"
            decoded = self._codecs[record.topic].decode(record.value, allow_json=json)
        except DecodeError:
            self.observed.shipments_read += record.topic == "shipments"
            return  # on shipments that is a dead letter in the making; the others have no such records
        _TAKERS[record.topic](self.observed, record, decoded)
        if isinstance(decoded, Proof):
            self._on_proof(decoded)


def _take_order(observed: Observed, _record: Inbound, order: Any) -> None:
    observed.orders[order.key] = order


def _take_shipment(observed: Observed, record: Inbound, shipment: Any) -> None:
    observed.shipments_read += 1
    if last_text(record.headers, WB_REROUTED) is not None:
        observed.rerouted += 1
        observed.shipments_read -= 1  # the copy of a record that was counted where it lay
    revision = (shipment.order_key, shipment.shipment_id, shipment.effective_revision)
    known = observed.first_published_ms.get(revision, record.timestamp_ms)
    observed.first_published_ms[revision] = min(known, record.timestamp_ms)


def _take_entry(observed: Observed, _record: Inbound, entry: Any) -> None:
    observed.states[entry.key] = entry.state
    if entry.attempt is not None:
        observed.attempts[entry.key] = entry.attempt.number


def _take_proof(observed: Observed, _record: Inbound, proof: Any) -> None:
    if proof.refusal is not None:
        observed.proofs_refused += 1
    hashes = tuple(page.sha256 for page in proof.pages)
    observed.proofs[proof.order_key] = hashes
    observed.proof_hashes.update(hashes)


def _take_notification(observed: Observed, _record: Inbound, note: Any) -> None:
    observed.notification_ids[note.notification_id] += 1
    key = (note.order_key, note.shipment_id or "")
    told = Told(note.outcome, note.reason, note.shipment_revision, millis(note.decided_at))
    observed.told.setdefault(key, []).append(told)


def _take_dead_letter(observed: Observed, record: Inbound) -> None:
    reason = last_text(record.headers, DLQ_REASON) or "without a reason"
    observed.dead[reason] += 1
    observed.dead_details.append(f"{reason}: {last_text(record.headers, DLQ_ERROR) or ''}")


_TAKERS: Mapping[str, Callable[[Observed, Inbound, Any], None]] = {
    "orders": _take_order,
    "shipments": _take_shipment,
    "ledger": _take_entry,
    "proofs": _take_proof,
    "notifications": _take_notification,
}


def take_journal(observed: Observed, entry: dict[str, Any]) -> None:
    """One entry of the stand-in's journal."""
    observed.journal_seq = entry["seq"]
    match entry["kind"]:
        case "upload":
            observed.uploads += 1
        case "shipment_refused":
            observed.refused_by_site[entry["code"]] += 1
        case "shipment":
            pages = tuple(page["sha256"] for page in entry["attachments"])
            accepted = Accepted(entry["tracking_number"], entry["at_ms"], pages)
            observed.accepted.setdefault(entry["trade_id"], []).append(accepted)
        case _:
            pass  # orders and tokens of the stand-in itself
