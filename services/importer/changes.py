"""Whether a reading of an order is published. Pure.

Decides from what was last published of the order, so each change goes out once, whatever is read
twice, late or in another order. The decision and the new memory belong into one transaction.

Two readings of one order must not be under way at the same time: of two states with the same modified
time only the order of reading tells which is the newer.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from services.importer.normalise import Draft
from services.importer.statuses import still_open
from waybill.contracts.imports import ImportSeen
from waybill.contracts.order import NotImportable, Order


@dataclass(frozen=True, slots=True)
class Publish:
    """A new state: write the order and, in the same transaction, what was seen."""

    order: Order
    seen: ImportSeen


class Skip(Enum):
    """Why nothing is written; for a metric, and for whoever asks why an order did not change."""

    UNCHANGED = auto()
    """This very state was published last."""
    OLDER = auto()
    """A later state was published already: the site, or a copy of it, lags."""
    ERASED = auto()
    """Its personal data was erased: it is never published again."""
    DRAFT = auto()
    """Only being talked about."""
    OTHER_STORE = auto()
    """Another connected store sells this order and has published it: two accounts of one seller."""


Decision: TypeAlias = Publish | Skip


def decide(
    seen: ImportSeen | None, reading: Order | Draft, *, disconnected: Container[str] = ()
) -> Decision:
    """Compare a reading with what was last published of the same order.

    An older modified time never overwrites a newer one; the same time with another content is a
    change. An order stays with the store that published it first, until that one is `disconnected`
    (ids of such stores). Raises ValueError when memory and reading are of different orders.
    """
    if isinstance(reading, Draft):
        return Skip.DRAFT
    if seen is None:
        return Publish(reading, seen_of(reading))
    if seen.order_key != reading.key:
        raise ValueError(f"compared {reading.key} with what was seen of {seen.order_key}")
    skip = _skip(seen, reading, disconnected)
    return skip or Publish(reading, seen_of(reading))


def _skip(seen: ImportSeen, order: Order, disconnected: Container[str]) -> Skip | None:
    if seen.erased:
        return Skip.ERASED
    if seen.store_id != order.store_id and seen.store_id not in disconnected:
        return Skip.OTHER_STORE
    if order.modified_at < seen.modified_at:
        return Skip.OLDER
    return Skip.UNCHANGED if order.content_sha256 == seen.content_sha256 else None


def seen_of(order: Order) -> ImportSeen:
    """What to remember of an order that is published now."""
    return ImportSeen(
        order_key=order.key,
        store_id=order.store_id,
        modified_at=order.modified_at,
        content_sha256=order.content_sha256,
        held=order.not_importable,
        open=still_open(order.status, order.raw_status),
    )


def erased(seen: ImportSeen) -> ImportSeen:
    """What to remember after an erasure; goes with a tombstone for the order."""
    return seen.model_copy(update={"erased": True, "open": False})


class Reread(Enum):
    """Which published orders of a store need another look, although the site did not change them."""

    NONE = auto()
    UNMAPPED = auto()
    """Those held for an unknown status: a table may have learnt it meanwhile."""
    OPEN = auto()
    """All that are held or open: their status may be translated differently now."""


def to_reread(seen: Iterable[ImportSeen], store_id: str, need: Reread) -> list[str]:
    """Keys of the orders to read again: those held for their status first, then other held ones."""
    ranked = [
        (_rank(entry), entry.order_key)
        for entry in seen
        if entry.store_id == store_id and _needs(entry, need)
    ]
    return [key for _, key in sorted(ranked)]


def _needs(entry: ImportSeen, need: Reread) -> bool:
    if entry.erased or need is Reread.NONE:
        return False
    unmapped = NotImportable.UNMAPPED_STATUS in entry.held
    return unmapped or (need is Reread.OPEN and (entry.open or bool(entry.held)))


def _rank(entry: ImportSeen) -> int:
    if NotImportable.UNMAPPED_STATUS in entry.held:
        return 0
    return 1 if entry.held else 2
