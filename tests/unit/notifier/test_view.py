"""Entries and their indexes: an index says exactly what the entries say."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.notifier.view import (
    Card,
    cards,
    due_key,
    entry_key,
    pack,
    parse_due_key,
    parse_queue_key,
    put_entries,
    queue_key,
    queue_prefix,
    unpack,
    waiting_prefix,
)
from tests.unit.notifier.rule.builders import START, Life
from tests.unit.notifier.world import index_keys
from waybill.contracts.base import millis
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason
from waybill.streaming.store import Changes, RocksStore

KEY = "alibaba:1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RocksStore]:
    store = RocksStore(tmp_path / "p0", "1;topic")
    yield store
    store.close()


def _card(state: State, **changes: Any) -> Card:
    return Card(state.value, "store-1", "", 0, 0)._replace(**changes)


def _put(store: RocksStore, *entries: tuple[str, Card | None]) -> set[bytes]:
    changes = Changes()
    framed = [(key, card, b"framed" if card else None) for key, card in entries]
    added = put_entries(changes, framed, cards(store, [key for key, _, _ in framed]))
    store.apply(changes, {})
    return added


# ------------------------------------------------------------------------------------------- cards


def test_a_card_says_what_the_indexes_need_of_an_entry() -> None:
    life = Life().claimed()
    entry = life.entry.model_copy(
        update={"due_at": START + timedelta(seconds=1), "reason": Reason.NOT_SENT}
    )

    card = Card.of(entry)

    assert card == Card("claimed", "store-1", "not_sent", millis(START) + 1_000, millis(START))
    assert Card.parse(card.encoded()) == card


def test_a_card_of_an_entry_without_a_store_comes_back() -> None:
    life = Life(order=None)
    life.ship()
    card = Card.of(life.entry)

    assert (card.state, card.store_id, card.reason) == ("waiting", "", "order_unknown")
    assert Card.parse(card.encoded()) == card


@pytest.mark.parametrize("text", [b"", b"claimed", b"a|b|c|d|e", b"a|b|c|1|2|3", b"a|b|c|1|\xff"])
def test_what_is_no_card_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Card.parse(text)


def test_a_packed_entry_comes_back() -> None:
    card = _card(State.CLAIMED, due_ms=7)

    assert unpack(pack(card, b"\xc3\x01framed")) == (card, b"\xc3\x01framed")
    assert unpack(pack(card, b"")) == (card, b"")


# ----------------------------------------------------------------------------------------- indexes


@pytest.mark.parametrize(
    ("card", "kinds"),
    [
        (_card(State.CLAIMED, claimed_ms=5), [b"q/"]),
        (_card(State.CLAIMED, claimed_ms=5, due_ms=9), [b"d/"]),
        (_card(State.WAITING, reason="order_unknown", due_ms=9), [b"d/", b"w/"]),
        (_card(State.WAITING, reason="carrier_unmapped"), [b"w/"]),
        (_card(State.PARKED, reason="no_proof"), [b"w/"]),
        (_card(State.DISPATCHED, due_ms=9), [b"d/", b"x/"]),
        (_card(State.IN_DOUBT, due_ms=9), [b"d/", b"x/"]),
        (_card(State.CONFIRMED), []),
        (_card(State.REJECTED), []),
        (_card(State.VOIDED), []),
        (_card(State.UNRECOGNISED), []),
    ],
    ids=lambda value: value.state if isinstance(value, Card) else "",
)
def test_where_an_entry_stands_follows_from_its_state(card: Card, kinds: list[bytes]) -> None:
    assert sorted(key[:2] for key in card.index_keys(KEY)) == kinds


def test_a_queue_is_in_the_order_of_claiming() -> None:
    times = [0, 1, 255, 256, 1_795_449_600_000, 2**62]
    keys = [queue_key("store-1", ms, f"alibaba:{9 - n}") for n, ms in enumerate(times)]

    assert keys == sorted(keys)
    assert [parse_queue_key(key, queue_prefix("store-1"))[0] for key in keys] == times


def test_stores_do_not_mix() -> None:
    inside = queue_key("store-1", 5, KEY)

    assert inside.startswith(queue_prefix("store-1"))
    assert not inside.startswith(queue_prefix("store"))
    assert not inside.startswith(queue_prefix("store-10"))
    assert not queue_key("store-10", 5, KEY).startswith(queue_prefix("store-1"))
    assert not waiting_prefix("store-1").startswith(waiting_prefix(""))
    assert parse_queue_key(inside, queue_prefix("store-1")) == (5, KEY)


def test_the_timetable_is_in_the_order_of_time() -> None:
    keys = [due_key(ms, KEY) for ms in (1, 2, 300, 2**40)]

    assert keys == sorted(keys)
    assert parse_due_key(keys[2]) == (300, KEY)


def test_an_entry_moves_in_the_indexes(store: RocksStore) -> None:
    waiting = _card(State.WAITING, reason="order_unknown", due_ms=9)
    claimed = _card(State.CLAIMED, claimed_ms=5)

    assert _put(store, (KEY, waiting)) == waiting.index_keys(KEY)
    assert _put(store, (KEY, claimed)) == claimed.index_keys(KEY)

    assert index_keys(store).keys() == claimed.index_keys(KEY)


def test_what_stays_where_it_is_is_not_new(store: RocksStore) -> None:
    claimed = _card(State.CLAIMED, claimed_ms=5)
    _put(store, (KEY, claimed))

    assert _put(store, (KEY, claimed._replace(reason="not_sent"))) == set()
    assert index_keys(store).keys() == claimed.index_keys(KEY)


def test_a_finished_entry_stands_nowhere_and_is_there(store: RocksStore) -> None:
    _put(store, (KEY, _card(State.DISPATCHED, due_ms=9)))
    _put(store, (KEY, _card(State.CONFIRMED)))

    assert index_keys(store) == {}
    assert store.get_many([entry_key(KEY)]) != [None]


def test_a_forgotten_entry_is_gone_with_its_places(store: RocksStore) -> None:
    _put(store, (KEY, _card(State.WAITING, due_ms=9)))
    assert _put(store, (KEY, None)) == set()

    assert index_keys(store) == {}
    assert store.get_many([entry_key(KEY)]) == [None]


def test_forgetting_what_never_was_is_nothing(store: RocksStore) -> None:
    _put(store, (KEY, None))

    assert index_keys(store) == {}


def test_many_entries_of_one_batch_do_not_disturb_each_other(store: RocksStore) -> None:
    cards = {f"alibaba:{n}": _card(State.CLAIMED, claimed_ms=n % 3) for n in range(50)}
    _put(store, *cards.items())
    _put(store, *((key, _card(State.DISPATCHED, due_ms=n)) for n, key in enumerate(cards)))

    assert len(index_keys(store)) == 2 * 50 - 1, "due 0 means never"
