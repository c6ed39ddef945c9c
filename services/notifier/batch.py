"""One batch being decided: what the events led to, as an overlay over the committed view."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID, uuid5

import structlog

from services.notifier import view
from services.notifier.rule import Decision, Facts, Forgotten, SendHint
from services.notifier.rule.claims import claim_of
from services.notifier.scheduling import Work
from services.notifier.shared import Shared
from services.notifier.view import Card
from waybill.contracts import LedgerEntry, Notification, Order, OrderHint, Shipment, Store
from waybill.contracts.base import Record, millis
from waybill.contracts.codec import Codec, DecodeError
from waybill.contracts.headers import (
    LEDGER_ATTENTION,
    LEDGER_CARD,
    TRACEPARENT,
    event_headers,
    parse_traceparent,
)
from waybill.contracts.identity import record_key
from waybill.contracts.imports import HintReason
from waybill.contracts.keys import parse_order_key
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome, Reason
from waybill.streaming.ports import Batch
from waybill.streaming.records import Header, Inbound, Outbound
from waybill.streaming.store import LocalStore

log = structlog.get_logger()

R = TypeVar("R", bound=Record)

_UNREADABLE = UUID("0d9d4d0c-53a0-5f6c-a5cf-6f1a0f3dfb3a")


@dataclass(frozen=True, slots=True)
class Remember:
    """Effect: the entry is committed and may be cached."""

    key: str
    entry: LedgerEntry


@dataclass(frozen=True, slots=True)
class Requeue:
    """Effect: the order's place in the works is free; if it is still claimed, it stands in line again."""

    key: str


@dataclass(slots=True)
class Turn:
    """Collects one batch; `finished` gives it to the runtime."""

    partition: int
    shared: Shared
    store: LocalStore
    cached: Callable[[str], LedgerEntry | None]
    forgotten: Forgotten | None = None
    batch: Batch = field(default_factory=Batch)
    ask_later: list[str] = field(default_factory=list)
    _traces: dict[str, str] = field(default_factory=dict)
    _entries: dict[str, LedgerEntry | None] = field(default_factory=dict)
    _written: dict[str, Decision] = field(default_factory=dict)
    _orders: dict[str, bytes | None] = field(default_factory=dict)
    _fetched: dict[bytes, bytes | None] = field(default_factory=dict)

    def prefetch(self, keys: Sequence[bytes]) -> None:
        """Read entries and orders of many keys at once."""
        wanted = [b"e/" + key for key in keys] + [b"o/" + key for key in keys]
        if wanted:
            self._fetched.update(zip(wanted, self.store.get_many(wanted), strict=True))

    def _value(self, place: bytes) -> bytes | None:
        if place not in self._fetched:
            (self._fetched[place],) = self.store.get_many([place])
        return self._fetched[place]

    def entry(self, key: str) -> LedgerEntry | None:
        """The entry as this batch leaves it; raises DecodeError for one that cannot be read."""
        if key not in self._entries:
            self._entries[key] = self.cached(key) or self._stored_entry(key)
        return self._entries[key]

    def _stored_entry(self, key: str) -> LedgerEntry | None:
        value = self._value(view.entry_key(key))
        return None if value is None else self.shared.codecs.ledger.decode(view.unpack(value)[1])

    def has_entry(self, key: str) -> bool:
        """Whether there is an entry, readable or not."""
        known = self._entries.get(key) or self.cached(key)
        return known is not None or self._value(view.entry_key(key)) is not None

    def readable(self, key: str) -> LedgerEntry | None:
        """The entry; None also for one that cannot be read, which is answered."""
        try:
            return self.entry(key)
        except DecodeError as error:
            self.unreadable(key, error)
            return None

    def is_in(self, key: str, state: State) -> bool:
        """Whether an entry that this batch has looked at is left in the state."""
        entry = self._entries.get(key)
        return entry is not None and entry.state is state

    def order_seen(self, key: str, framed: bytes) -> None:
        """A newer order."""
        self._orders[key] = framed
        self.batch.changes.put(view.order_key(key), framed)

    def order_gone(self, key: str) -> None:
        """The order was erased."""
        self._orders[key] = None
        self.batch.changes.delete(view.order_key(key))

    def facts(self, key: str, entry: LedgerEntry | None) -> Facts:
        """What is true now; raises DecodeError when the entry's shipment cannot be read."""
        order, framed = self._order(key)
        return Facts(
            key=key,
            now=self.shared.now,
            order=order,
            order_bytes=framed,
            store=self._store_of(order),
            shipment=self._held_shipment(entry),
            parts=self._held_parts(entry),
            limits=self.shared.limits,
            forgotten=self.forgotten,
        )

    def _order(self, key: str) -> tuple[Order | None, bytes | None]:
        """The order, decoded and framed; one that cannot be read is as good as unknown: nothing is sent."""
        framed = self._orders[key] if key in self._orders else self._value(view.order_key(key))
        if framed is None:
            return None, None
        try:
            return self.shared.codecs.recent_orders.decode(framed), framed
        except DecodeError as error:
            log.error("order_unreadable", order_key=key, detail=error.detail)
            return None, None

    def _store_of(self, order: Order | None) -> Store | None:
        return self.shared.stores.get(order.store_id) if order else None

    def _held_shipment(self, entry: LedgerEntry | None) -> Shipment | None:
        if entry is None or entry.shipment is None:
            return None
        return self.shared.codecs.recent_shipments.decode(entry.shipment)

    def _held_parts(self, entry: LedgerEntry | None) -> tuple[Shipment, ...]:
        parts = entry.parts if entry else ()
        return tuple(self.shared.codecs.recent_shipments.decode(part.shipment) for part in parts)

    def write(self, key: str, before: LedgerEntry | None, decision: Decision) -> None:
        """Take a decision into the batch."""
        entry = decision.entry
        assert entry is not None  # noqa: S101 - the caller looked
        self._entries[key] = entry
        self._written[key] = decision
        self.shared.metrics.transition(before, entry)
        for notification in decision.notifications:
            self._notify(notification)
        for effect in decision.effects:
            if isinstance(effect, SendHint):
                self._hint(key)

    def _notify(self, notification: Notification) -> None:
        self.shared.metrics.decided(notification)
        log.info(
            "decided",
            order_key=notification.order_key,
            shipment_id=notification.shipment_id,
            outcome=notification.outcome.value,
            reason=notification.reason.value if notification.reason else None,
            error_code=notification.error_code,
            request_id=notification.request_id,
        )
        codec = self.shared.codecs.notification
        self._put("notifications", codec, notification, notification.notification_id)

    def _hint(self, key: str) -> None:
        parse_order_key(key)
        hint = OrderHint(order_key=key, reason=HintReason.ORDER_UNKNOWN, hinted_at=self.shared.now)
        self._put("order-hints", self.shared.codecs.hint, hint, f"{key}@{millis(self.shared.now)}")

    def _put(self, topic: str, codec: Codec[R], record: R, event_id: str) -> None:
        key = record_key(record).encode()
        headers = self._headers(codec.name, event_id, key.decode())
        value = codec.encode(record)
        self.batch.outputs.append(Outbound(topic, self.partition, key, value, headers))

    def follow_trace(self, record: Inbound) -> None:
        """What this batch writes about the record's order belongs to the record's trace."""
        trace = record.header(TRACEPARENT)
        if trace and record.key:
            self._traces[record.key.decode(errors="replace")] = trace.decode(errors="replace")

    def _headers(self, record_name: str, event_id: str, key: str) -> list[Header]:
        trace, now_ms = self._traces.get(key), self.shared.now_ms
        return list(event_headers(record_name, event_id, "waybill/notifier", now_ms, trace))

    def unreadable(self, key: str, error: DecodeError) -> None:
        """An entry that cannot be read: answered, alerted, and no call is made."""
        log.error("ledger_unreadable", order_key=key, detail=error.detail)
        self.shared.metrics.unreadable.inc()
        identity = f"{key}@{self.shared.now_ms}"
        self._notify(
            Notification(
                notification_id=str(uuid5(_UNREADABLE, identity)),
                order_key=key,
                trade_id=parse_order_key(key).trade_id,
                outcome=Outcome.PARKED,
                reason=Reason.LEDGER_UNREADABLE,
                message="The ledger entry of this order cannot be read by this version; nothing is sent.",
                entry_revision=0,
                decided_at=self.shared.now,
                needs_operator=True,
            )
        )

    def due_used(self, key: str, entry: LedgerEntry, index: bytes) -> None:
        """The due time of a claimed order has passed: it stands in line again, without a ledger write."""
        self.batch.changes.delete(index)
        card = Card.of(entry)._replace(due_ms=0)
        for fresh in card.index_keys(key):
            self.batch.changes.put(fresh, b"")

    def ask(self, key: str, entry: LedgerEntry) -> bool:
        """Publish the claim and take the order into the works; False when its facts moved on."""
        claim = claim_of(entry, self.facts(key, entry))
        if claim is None:
            return False
        shared = self.shared
        shared.works.add(Work(key, self.partition, claim.store_id, claim.claim_id, shared.now_s))
        legible = shared.codecs.legible(claim)
        self._put("claims", shared.codecs.claim, legible, claim.claim_id)
        return True

    def release(self, key: str) -> None:
        """Give the order's place in the works to another one."""
        self.shared.works.remove(key)
        self.batch.effects.append(Requeue(key))

    def finished(self) -> Batch:
        """The batch: the last entry of each order, with its place in the indexes."""
        places: list[view.Written] = []
        for key in self._written:
            entry = self._entries[key]
            assert entry is not None  # noqa: S101 - only entries are written
            card, framed = Card.of(entry), self.shared.codecs.ledger.encode(entry)
            headers = self._entry_headers(key, entry, card)
            record = Outbound("ledger", self.partition, key.encode(), framed, headers)
            self.batch.outputs.append(record)
            self.batch.effects.append(Remember(key, entry))
            places.append((key, card, framed))
        known = view.cards(self.store, [key for key, _, _ in places])
        view.put_entries(self.batch.changes, places, known)
        return self.batch

    def _entry_headers(self, key: str, entry: LedgerEntry, card: Card) -> list[Header]:
        """Only what a reader of the ledger decides by: a rebuild parses the headers of millions."""
        headers: list[Header] = [(LEDGER_CARD, card.encoded())]
        if entry.attention is not None:
            headers.append((LEDGER_ATTENTION, entry.attention.value.encode()))
        trace = self._traces.get(key)
        if trace is not None and parse_traceparent(trace) is not None:
            headers.append((TRACEPARENT, trace.encode()))
        return headers
