"""The local view of one partition: ledger entries, orders, and indexes that need no decoding.

e/<order key>                      card, then the framed ledger entry
o/<order key>                      the framed order
q/<store> 0 <claimed ms><key>      claimed and free to go: the queue of a store, oldest first
d/<due ms><key>                    wants to be looked at again at that time
w/<store> 0 <reason> 0 <key>       waiting or parked: a new order or setting may cure it
x/<state> 0 <key>                  dispatched or in doubt: to be looked up after a takeover
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from waybill.contracts.base import millis
from waybill.contracts.ledger import LedgerEntry, State
from waybill.streaming.store import Changes, LocalStore

_SEPARATOR = "|"
_CARDS_MAX = 4_096
"""All finished entries of a store share a handful of cards."""
_UNPLACED = frozenset({State.CONFIRMED, State.REJECTED, State.VOIDED})


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
        return _parsed(text)

    def encoded(self) -> bytes:
        """For the header and the view."""
        return _encoded(self)

    @property
    def has_places(self) -> bool:
        """Whether it stands in any index; most entries are finished and stand in none."""
        return self.due_ms > 0 or self.state not in _UNPLACED

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


@lru_cache(_CARDS_MAX)
def _parsed(text: bytes) -> Card:
    state, store_id, reason, due, claimed = text.decode().split(_SEPARATOR)
    return Card(state, store_id, reason, int(due), int(claimed))


@lru_cache(_CARDS_MAX)
def _encoded(card: Card) -> bytes:
    return _SEPARATOR.join(map(str, card)).encode()


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


Written = tuple[str, Card | None, bytes | None]
"""Order key, card and framed entry; None forgets it."""


def cards(store: LocalStore, keys: Sequence[str]) -> dict[str, Card]:
    """The cards of those orders that the view knows."""
    if not keys:
        return {}
    found = store.get_many([entry_key(key) for key in keys])
    return {key: unpack(value)[0] for key, value in zip(keys, found, strict=True) if value}


def put_entries(
    changes: Changes, entries: Sequence[Written], known: Mapping[str, Card]
) -> set[bytes]:
    """Write entries and move them in the indexes. Returns index keys that are new.

    `known`: the cards that the view has of them; those without a place in an index may be left out.
    """
    added: set[bytes] = set()
    for key, card, framed in entries:
        before = known.get(key)
        if (before and before.has_places) or (card and card.has_places):
            added |= _moved(changes, key, before, card)
        if card is None or framed is None:
            changes.delete(entry_key(key))
        else:
            changes.put(entry_key(key), pack(card, framed))
    return added


def _moved(changes: Changes, key: str, before: Card | None, after: Card | None) -> set[bytes]:
    """Take an entry from its old places to its new ones; returns those that are new."""
    stale = before.index_keys(key) if before else set()
    fresh = after.index_keys(key) if after else set()
    for index in stale - fresh:
        changes.delete(index)
    for index in fresh - stale:
        changes.put(index, b"")
    return fresh - stale
