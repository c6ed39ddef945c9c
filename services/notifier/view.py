"""The local view of one partition: ledger entries, orders, and indexes that need no decoding.

e/<order key>                      card, then the framed ledger entry
o/<order key>                      the framed order
q/<store> 0 <claimed ms><key>      claimed and free to go: the queue of a store, oldest first
d/<due ms><key>                    wants to be looked at again at that time
w/<store> 0 <reason> 0 <key>       waiting or parked: a new order or setting may cure it
x/<state> 0 <key>                  dispatched or in doubt: to be looked up after a takeover
"""

from collections.abc import Sequence
from typing import NamedTuple

from waybill.contracts.base import millis
from waybill.contracts.ledger import LedgerEntry, State
from waybill.streaming.store import Changes, LocalStore

_SEPARATOR = "|"


class Card(NamedTuple):
    """What the indexes need to know of an entry."""

    state: str
    store_id: str
    reason: str
    due_ms: int
    claimed_ms: int

    @staticmethod
    def of(entry: LedgerEntry) -> "Card":
        """The card of an entry."""
        return Card(
            entry.state.value,
            entry.store_id or "",
            entry.reason.value if entry.reason else "",
            millis(entry.due_at) if entry.due_at else 0,
            millis(entry.claimed_at) if entry.claimed_at else 0,
        )

    @staticmethod
    def parse(text: bytes) -> "Card":
        """The card in a header; raises ValueError."""
        state, store_id, reason, due, claimed = text.decode().split(_SEPARATOR)
        return Card(state, store_id, reason, int(due), int(claimed))

    def encoded(self) -> bytes:
        """For the header and the view."""
        return _SEPARATOR.join(map(str, self)).encode()

    def index_keys(self, key: str) -> set[bytes]:
        """Where the entry stands in the indexes."""
        keys: set[bytes] = set()
        if self.due_ms:
            keys.add(due_key(self.due_ms, key))
        elif self.state == State.CLAIMED:
            keys.add(queue_key(self.store_id, self.claimed_ms, key))
        if self.state in (State.WAITING, State.PARKED):
            keys.add(waiting_prefix(self.store_id) + f"{self.reason}\0{key}".encode())
        if self.state in (State.DISPATCHED, State.IN_DOUBT):
            keys.add(f"x/{self.state}\0{key}".encode())
        return keys


def entry_key(key: str) -> bytes:
    """Where an entry lies."""
    return b"e/" + key.encode()


def order_key(key: str) -> bytes:
    """Where an order lies."""
    return b"o/" + key.encode()


def queue_prefix(store_id: str) -> bytes:
    """Start of the queue of a store."""
    return f"q/{store_id}\0".encode()


def queue_key(store_id: str, claimed_ms: int, key: str) -> bytes:
    """Place in the queue of a store."""
    return queue_prefix(store_id) + claimed_ms.to_bytes(8, "big") + key.encode()


def parse_queue_key(found: bytes, prefix: bytes) -> tuple[int, str]:
    """When the order was claimed, and its key."""
    rest = found[len(prefix) :]
    return int.from_bytes(rest[:8], "big"), rest[8:].decode()


def waiting_prefix(store_id: str) -> bytes:
    """Start of what waits for facts of a store; the empty store id stands for unknown orders."""
    return f"w/{store_id}\0".encode()


DUE = b"d/"


def due_key(due_ms: int, key: str) -> bytes:
    """Place in the timetable."""
    return DUE + due_ms.to_bytes(8, "big") + key.encode()


def parse_due_key(found: bytes) -> tuple[int, str]:
    """When it is due, and the order key."""
    return int.from_bytes(found[2:10], "big"), found[10:].decode()


def pack(card: Card, framed: bytes) -> bytes:
    """What lies at an entry's key."""
    text = card.encoded()
    return len(text).to_bytes(2, "big") + text + framed


def unpack(value: bytes) -> tuple[Card, bytes]:
    """The card and the framed entry."""
    end = 2 + int.from_bytes(value[:2], "big")
    return Card.parse(value[2:end]), value[end:]


def put_entries(
    store: LocalStore, changes: Changes, entries: Sequence[tuple[str, Card | None, bytes | None]]
) -> set[bytes]:
    """Write entries and move them in the indexes; None forgets an entry. Returns index keys that are new."""
    before = store.get_many([entry_key(key) for key, _, _ in entries])
    added: set[bytes] = set()
    for (key, card, framed), old in zip(entries, before, strict=True):
        stale = unpack(old)[0].index_keys(key) if old else set()
        fresh = card.index_keys(key) if card else set()
        for index in stale - fresh:
            changes.delete(index)
        for index in fresh - stale:
            changes.put(index, b"")
        if card is None or framed is None:
            changes.delete(entry_key(key))
        else:
            changes.put(entry_key(key), pack(card, framed))
        added |= fresh - stale
    return added
