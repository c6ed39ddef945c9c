"""Making the local view anew from the topics: ledger entries and orders, in order, nothing decided.

An entry's card comes in a header, so that a rebuild decodes no entry; one that cannot be read is kept
as it is, since it has to be answered, and makes no call.
"""

from collections.abc import Mapping, Sequence

import structlog

from services.notifier import view
from services.notifier.codecs import Codecs
from services.notifier.orders import kept_form
from services.notifier.view import Card
from waybill.contracts.codec import DecodeError
from waybill.contracts.headers import LEDGER_CARD
from waybill.contracts.ledger import State
from waybill.streaming.records import Inbound
from waybill.streaming.store import Changes, LocalStore

log = structlog.get_logger()


_PLACED_MAX = 20_000
"""Open entries of a partition that are remembered while its view is made, about 3 MB."""


class Restoring:
    """Makes the view of one partition; each call of `absorb` is one write, with its positions.

    A view that began empty holds in its indexes only what was put there since. Entries that stand in none,
    nearly all of a ledger, are then written without asking the view what it knew of them, which is half of
    the work. With too many open entries to remember, the view is asked after all.
    """

    def __init__(self, store: LocalStore, codecs: Codecs) -> None:
        self._store = store
        self._codecs = codecs
        self._placed: set[str] | None = set() if store.position("ledger") is None else None

    def absorb(self, records: Sequence[Inbound]) -> None:
        """Take records of the ledger and of the orders into the view; the last one of a key counts."""
        changes = Changes()
        latest: dict[str, Inbound] = {}
        positions: dict[str, int] = {}
        for record in records:
            key = (record.key or b"").decode(errors="replace")
            if record.topic == "ledger":
                latest[key] = record
            elif record.topic == "orders":
                _take_order(self._codecs, changes, key, record)
            positions[record.topic] = record.offset + 1
        entries = [
            (key, _card(self._codecs, record), record.value) for key, record in latest.items()
        ]
        view.put_entries(changes, entries, self._known(entries))
        self._store.apply(changes, positions)

    def _known(self, entries: Sequence[view.Written]) -> Mapping[str, Card]:
        """What the view may have in its indexes of these."""
        if self._placed is None:
            return view.cards(self._store, [key for key, _, _ in entries])
        known = view.cards(self._store, [key for key, _, _ in entries if key in self._placed])
        for key, card, _ in entries:
            if card is not None and card.has_places:
                self._placed.add(key)
            else:
                self._placed.discard(key)
        if len(self._placed) > _PLACED_MAX:
            self._placed = None
        return known


def _card(codecs: Codecs, record: Inbound) -> Card | None:
    if record.value is None:
        return None
    header = record.header(LEDGER_CARD)
    try:
        return Card.parse(header) if header else _card_of(codecs, record.value)
    except ValueError:  # a newer version writes other cards
        return _card_of(codecs, record.value)


def _card_of(codecs: Codecs, framed: bytes) -> Card:
    try:
        return Card.of(codecs.ledger.decode(framed))
    except DecodeError:
        return Card(State.UNRECOGNISED, "", "", 0, 0)


def _take_order(codecs: Codecs, changes: Changes, key: str, record: Inbound) -> None:
    if record.value is None:
        changes.delete(view.order_key(key))
        return
    try:
        changes.put(view.order_key(key), kept_form(record, codecs.order))
    except DecodeError as error:  # the order stays as it was known before
        log.error("order_unreadable", offset=record.offset, detail=error.detail)
