"""After any writes, in any batches, the indexes are those of the entries that are there."""

from pathlib import Path
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from services.notifier import restoring
from services.notifier.codecs import Codecs
from services.notifier.restoring import Restoring
from services.notifier.view import Card, cards, entry_key, put_entries, unpack
from tests.property.notifier.memory import MemoryStore
from waybill.contracts.headers import LEDGER_CARD
from waybill.contracts.ledger import State
from waybill.streaming.records import Inbound
from waybill.streaming.store import Changes

INDEXES = (b"q/", b"d/", b"w/", b"x/")
CODECS = Codecs()
KEYS = [f"alibaba:{number}" for number in range(6)]

times_ms = st.sampled_from([0, 0, 1, 255, 256, 1_795_449_600_000])
some_cards = st.builds(
    Card,
    st.sampled_from([state.value for state in State]),
    st.sampled_from(["", "store-1", "store-10"]),
    st.sampled_from(["", "order_unknown", "not_sent"]),
    times_ms,
    times_ms,
)
batches = st.lists(
    st.dictionaries(st.sampled_from(KEYS), st.none() | some_cards, min_size=1), max_size=20
)


@given(batches)
def test_indexes_follow_from_the_entries(batches: list[dict[str, Card | None]]) -> None:
    store = MemoryStore(Path(), "1")
    last: dict[str, Card] = {}
    for batch in batches:
        before = set(store.part(*INDEXES))
        changes = Changes()
        framed = [(key, card, b"framed" if card else None) for key, card in batch.items()]
        added = put_entries(changes, framed, cards(store, [*batch]))
        store.apply(changes, {})
        last.update({key: card for key, card in batch.items() if card})
        for key in [key for key, card in batch.items() if card is None]:
            last.pop(key, None)

        wanted = {index for key, card in last.items() for index in card.index_keys(key)}
        assert set(store.part(*INDEXES)) == wanted
        assert added == wanted - before
        assert store.part(b"e/").keys() == {entry_key(key) for key in last}
        for key, card in last.items():
            (value,) = store.get_many([entry_key(key)])
            assert value is not None
            assert unpack(value) == (card, b"framed")


@given(batches, st.sampled_from([0, 1, 100]), st.integers(0, 20))
def test_a_view_made_anew_has_the_same_indexes(
    batches: list[dict[str, Card | None]], placed_max: int, begun_again_after: int
) -> None:
    """Whether its open entries are remembered, are too many for that, or a crash came between."""
    store = MemoryStore(Path(), "1")
    last: dict[str, Card] = {}
    with patch.object(restoring, "_PLACED_MAX", placed_max):
        making = Restoring(store, CODECS)
        for number, batch in enumerate(batches):
            making.absorb([_record(number, key, card) for key, card in batch.items()])
            if number == begun_again_after:
                making = Restoring(store, CODECS)
            last.update({key: card for key, card in batch.items() if card})
            for key in [key for key, card in batch.items() if card is None]:
                last.pop(key, None)

    wanted = {index for key, card in last.items() for index in card.index_keys(key)}
    assert set(store.part(*INDEXES)) == wanted
    assert store.part(b"e/").keys() == {entry_key(key) for key in last}


def _record(offset: int, key: str, card: Card | None) -> Inbound:
    headers = [(LEDGER_CARD, card.encoded())] if card else []
    value = b"framed" if card else None
    return Inbound("ledger", 0, offset, key.encode(), value, headers, 0)


@given(some_cards)
def test_a_card_comes_back_from_its_header(card: Card) -> None:
    assert Card.parse(card.encoded()) == card


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_a_card_or_a_value_error(data: bytes) -> None:
    try:
        card = Card.parse(data)
    except ValueError:
        return
    assert Card.parse(card.encoded()) == card
