"""Whether a reading of an order is published. Pure.

Decides from what was last published of the order, so each change goes out once, whatever is read
twice, late or in another order. The decision and the new memory belong into one transaction.

Two readings of one order must not be under way at the same time: of two states with the same modified
time only the order of reading tells which is the newer.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final, TypeAlias

from services.importer.enriching import codes_of
from services.importer.normalise import Draft
from services.importer.statuses import still_open
from waybill.contracts.imports import ImportSeen
from waybill.contracts.order import NotImportable, Order

_UNPUBLISHED: Final = "0" * 64
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Publish:
    """A new state: write the order and, in the same transaction, what was seen."""

    order: Order
    seen: ImportSeen


@dataclass(frozen=True, slots=True)
class Keep:
    """This very state was published last, made with another table or other enrichments: remember that."""

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


Decision: TypeAlias = Publish | Keep | Skip


def decide(
    seen: ImportSeen | None,
    reading: Order | Draft,
    *,
    made_with: str | None = None,
    disconnected: Container[str] = (),
) -> Decision:
    """Compare a reading with what was last published of the same order.

    An older modified time never overwrites a newer one; the same time with another content is a
    change. An order stays with the store that published it first, until that one is `disconnected`
    (ids of such stores). `made_with` names the table and the enrichments behind the reading. Raises
    ValueError when memory and reading are of different orders.
    """
    if isinstance(reading, Draft):
        return Skip.DRAFT
    if seen is not None and seen.order_key != reading.key:
        raise ValueError(f"compared {reading.key} with what was seen of {seen.order_key}")
    if seen is None or seen.content_sha256 == _UNPUBLISHED:
        return Publish(reading, seen_of(reading, made_with))
    skip = _skip(seen, reading, disconnected)
    if skip is Skip.UNCHANGED and seen.made_with != made_with:
        return Keep(seen_of(reading, made_with))
    return skip or Publish(reading, seen_of(reading, made_with))


def _skip(seen: ImportSeen, order: Order, disconnected: Container[str]) -> Skip | None:
    if seen.erased:
        return Skip.ERASED
    if seen.store_id != order.store_id and seen.store_id not in disconnected:
        return Skip.OTHER_STORE
    if order.modified_at < seen.modified_at:
        return Skip.OLDER
    return Skip.UNCHANGED if order.content_sha256 == seen.content_sha256 else None


def seen_of(order: Order, made_with: str | None = None) -> ImportSeen:
    """What to remember of an order that is published now."""
    is_open = still_open(order.status, order.raw_status)
    return ImportSeen(
        order_key=order.key,
        store_id=order.store_id,
        modified_at=order.modified_at,
        content_sha256=order.content_sha256,
        held=order.not_importable,
        open=is_open,
        made_with=made_with,
        codes=codes_of(order) if is_open or order.not_importable else (),
    )


def unread(seen: ImportSeen | None, order_key: str, store_id: str) -> ImportSeen:
    """What to remember of an order that the site lists and does not give: it is owed until it is read."""
    if seen is not None:
        return seen.model_copy(update={"made_with": None, "open": True})
    return ImportSeen(
        order_key=order_key, store_id=store_id, modified_at=_NEVER, content_sha256=_UNPUBLISHED
    )


def owed(seen: ImportSeen) -> bool:
    """Whether the order was listed and could not be read since."""
    return seen.made_with is None and seen.open and not seen.erased


def erased(seen: ImportSeen) -> ImportSeen:
    """What to remember after an erasure; goes with a tombstone for the order."""
    return seen.model_copy(update={"erased": True, "open": False, "codes": ()})


def rank(seen: ImportSeen) -> int:
    """Which of many orders to read again first: those held for their status, then those held at all."""
    if NotImportable.UNMAPPED_STATUS in seen.held:
        return 0
    return 1 if seen.held else 2
