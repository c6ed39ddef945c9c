"""Making the local view anew from the topics: ledger entries and orders, in order, nothing decided.

An entry's card comes in a header, so that a rebuild decodes no entry; one that cannot be read is kept
as it is, since it has to be answered, and makes no call.
"""

from collections.abc import Sequence

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


def absorb(store: LocalStore, codecs: Codecs, records: Sequence[Inbound]) -> None:
    """Take records of the ledger and of the orders into the view, with their positions, as one write."""
    changes = Changes()
    latest: dict[str, Inbound] = {}
    positions: dict[str, int] = {}
    for record in records:
        key = (record.key or b"").decode(errors="replace")
        if record.topic == "ledger":
            latest[key] = record
        elif record.topic == "orders":
            _take_order(codecs, changes, key, record)
        positions[record.topic] = record.offset + 1
    if latest:
        entries = [(key, _card(codecs, record), record.value) for key, record in latest.items()]
        view.put_entries(store, changes, entries)
    store.apply(changes, positions)


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
