"""Bounded, oldest first, stores in turn: each part of the scheduler on its own."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from services.notifier.scheduling import Gates, Phase, StoreQueue, Turns, Work, Works
from services.notifier.view import queue_key
from waybill.streaming.store import Changes, RocksStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RocksStore]:
    store = RocksStore(tmp_path / "p0", "1;topic")
    yield store
    store.close()


def _key(number: int) -> str:
    return f"alibaba:{number:06d}"


def _work(number: int, store_id: str = "store-1", partition: int = 0) -> Work:
    return Work(_key(number), partition, store_id, f"claim-{number}", 0.0)


def _claim(store: RocksStore, *numbers: int, store_id: str = "store-1") -> list[bytes]:
    """Write orders into a queue, claimed at the millisecond of their number."""
    changes = Changes()
    indexes = [queue_key(store_id, number, _key(number)) for number in numbers]
    for index in indexes:
        changes.put(index, b"")
    store.apply(changes, {})
    return indexes


def _drained(queue: StoreQueue, busy: set[str] | None = None) -> list[int]:
    found = []
    while (head := queue.head(busy or set())) is not None:
        found.append(head[0])
        queue.pop()
    return found


# ------------------------------------------------------------------------------------------- works


def test_works_are_bounded_per_store_and_in_all() -> None:
    works = Works(works_max=5, works_per_store_max=3)
    for number in range(3):
        works.add(_work(number))
    assert (works.free("store-1"), works.free("store-2")) == (0, 2)

    works.add(_work(10, "store-2"))
    works.add(_work(11, "store-2"))

    assert [works.free(f"store-{n}") for n in (1, 2, 3)] == [0, 0, 0]
    works.remove(_key(0))
    assert [works.free(f"store-{n}") for n in (1, 2, 3)] == [1, 1, 1]


def test_an_order_is_in_the_works_once() -> None:
    works = Works(5, 5)
    works.add(_work(1))

    with pytest.raises(AssertionError):
        works.add(_work(1))


def test_removing_twice_gives_one_place_back() -> None:
    works = Works(5, 2)
    works.add(_work(1))
    works.add(_work(2))

    assert works.remove(_key(1)) is not None
    assert works.remove(_key(1)) is None
    assert (works.free("store-1"), len(works)) == (1, 1)


def test_works_of_a_partition_are_found() -> None:
    works = Works(9, 9)
    for number in range(6):
        works.add(_work(number, partition=number % 2))

    assert [work.key for work in works.of_partition(1)] == [_key(n) for n in (1, 3, 5)]
    assert _key(2) in works
    assert _key(9) not in works
    assert works.get(_key(2)) is not None
    assert [work.phase for work in works] == [Phase.ASKED] * 6


def test_works_can_be_removed_while_they_are_looked_through() -> None:
    works = Works(9, 9)
    for number in range(4):
        works.add(_work(number))

    for work in works:
        works.remove(work.key)

    assert len(works) == 0


# ------------------------------------------------------------------------------------------ queues


def test_a_queue_longer_than_its_window_comes_whole_and_in_order(store: RocksStore) -> None:
    numbers = list(range(1_000))
    _claim(store, *numbers)
    _claim(store, 1, 2, 3, store_id="store-10")

    assert _drained(StoreQueue(store, "store-1")) == numbers


def test_looking_at_the_head_takes_nothing_away(store: RocksStore) -> None:
    _claim(store, 5, 3)
    queue = StoreQueue(store, "store-1")

    assert queue.head(set()) == queue.head(set()) == (3, _key(3))


def test_an_empty_queue_has_no_head_until_somebody_comes(store: RocksStore) -> None:
    queue = StoreQueue(store, "store-1")
    assert queue.head(set()) is None

    (index,) = _claim(store, 7)
    queue.added(index)

    assert _drained(queue) == [7]
    assert queue.head(set()) is None


def test_new_orders_behind_the_window_wait_their_turn(store: RocksStore) -> None:
    _claim(store, *range(300))
    queue = StoreQueue(store, "store-1")
    assert queue.head(set()) == (0, _key(0))

    for index in _claim(store, *range(300, 400)):
        queue.added(index)

    assert _drained(queue) == list(range(400))


def test_an_older_order_that_comes_back_goes_first(store: RocksStore) -> None:
    indexes = _claim(store, *range(600))
    queue = StoreQueue(store, "store-1")
    for _ in range(500):
        queue.head(set())
        queue.pop()

    for number in (
        7,
        450,
        3,
    ):  # their places are free again: still claimed, and older than the rest
        queue.added(indexes[number])

    assert _drained(queue) == [3, 7, 450, *range(500, 600)]


def test_an_order_older_than_all_that_was_ever_seen_goes_first(store: RocksStore) -> None:
    _claim(store, *range(100, 500))
    queue = StoreQueue(store, "store-1")
    queue.head(set())

    for index in _claim(store, 5):
        queue.added(index)

    assert queue.head(set()) == (5, _key(5))


def test_orders_in_the_works_are_passed_over_and_come_back_when_told(store: RocksStore) -> None:
    indexes = _claim(store, *range(4))
    queue = StoreQueue(store, "store-1")

    assert _drained(queue, busy={_key(0), _key(2)}) == [1, 3]

    queue.added(indexes[2])
    assert _drained(queue) == [2]


def test_a_queue_full_of_works_ends(store: RocksStore) -> None:
    _claim(store, *range(700))
    queue = StoreQueue(store, "store-1")

    assert queue.head({_key(number) for number in range(700)}) is None


# ------------------------------------------------------------------------------------------- gates


def test_a_gate_is_open_until_it_is_closed() -> None:
    gates = Gates()
    assert gates.is_open("store-1", 0.0)

    assert gates.close("store-1", "paused")

    assert not gates.is_open("store-1", 1e9)
    assert gates.is_open("store-2", 0.0)
    assert gates.open("store-1")
    assert not gates.open("store-1")
    assert gates.is_open("store-1", 0.0)


def test_a_gate_with_a_time_opens_by_itself() -> None:
    gates = Gates()
    gates.close("store-1", "throttled", until_s=10.0)

    assert [gates.is_open("store-1", at) for at in (9.999, 10.0, 9.0)] == [False, True, True]


def test_only_news_is_news() -> None:
    gates = Gates()

    assert gates.close("store-1", "throttled", 10.0)
    assert not gates.close("store-1", "throttled", 20.0)
    assert not gates.is_open("store-1", 15.0)
    assert gates.close("store-1", "unauthorised")


def test_a_cause_that_lasts_is_not_replaced_by_a_pause() -> None:
    gates = Gates()
    gates.close("store-1", "paused")

    assert not gates.close("store-1", "throttled", until_s=10.0)

    assert not gates.is_open("store-1", 11.0)
    assert gates.closed["store-1"].reason == "paused"


# ------------------------------------------------------------------------------------------- turns


def _queues(
    tmp_path: Path, **claimed: dict[int, list[int]]
) -> dict[str, list[tuple[int, StoreQueue]]]:
    """Store to partition to orders; one local store per partition."""
    stores: dict[int, RocksStore] = {}
    queues: dict[str, list[tuple[int, StoreQueue]]] = {}
    for store_id, partitions in claimed.items():
        for partition, numbers in partitions.items():
            if partition not in stores:
                stores[partition] = RocksStore(tmp_path / f"p{partition}", "1")
            _claim(stores[partition], *numbers, store_id=store_id)
            queue = StoreQueue(stores[partition], store_id)
            queues.setdefault(store_id, []).append((partition, queue))
    return queues


def _grant(
    turns: Turns, queues: dict[str, list[tuple[int, StoreQueue]]], works: Works, most: int = 64
) -> list[tuple[str, int]]:
    granted = turns.grants(queues, works, lambda store_id: store_id != "closed", most)
    for partition, store_id, key in granted:
        if works.free(store_id):
            works.add(Work(key, partition, store_id, key, 0.0))
    return [(store_id, int(key.partition(":")[2])) for _, store_id, key in granted]


def test_the_oldest_of_all_partitions_goes_first(tmp_path: Path) -> None:
    queues = _queues(tmp_path, a={0: [4, 8, 9], 1: [1, 7], 2: [2, 3, 20]})

    granted = _grant(Turns(), queues, Works(99, 99))

    assert granted == [("a", n) for n in (1, 2, 3, 4, 7, 8, 9, 20)]


def test_stores_go_in_turn_and_the_next_round_begins_where_the_last_ended(tmp_path: Path) -> None:
    queues = _queues(tmp_path, a={0: [1, 2, 3]}, b={0: [10, 11, 12]}, c={0: [20, 21, 22]})
    turns, works = Turns(), Works(99, 99)

    rounds = [_grant(turns, queues, works, most=2) for _ in range(5)]

    order = [store_id for granted in rounds for store_id, _ in granted]
    assert order == ["a", "b", "c", "a", "b", "c", "a", "b", "c"]


def test_no_store_gets_more_than_its_places(tmp_path: Path) -> None:
    queues = _queues(tmp_path, a={0: list(range(10))}, b={0: list(range(10, 13))})
    works = Works(99, 4)

    granted = _grant(Turns(), queues, works)

    assert [s for s, _ in granted].count("a") == 4
    assert [s for s, _ in granted].count("b") == 3
    assert _grant(Turns(), queues, works) == []


def test_a_closed_gate_grants_nothing_and_loses_nobody(tmp_path: Path) -> None:
    queues = _queues(tmp_path, closed={0: [1, 2]}, b={0: [3]})
    works = Works(99, 99)
    assert _grant(Turns(), queues, works) == [("b", 3)]

    granted = Turns().grants(queues, works, lambda _: True, 64)

    assert [key for _, _, key in granted] == [_key(1), _key(2)]


def test_one_store_with_a_long_queue_does_not_starve_another(tmp_path: Path) -> None:
    queues = _queues(tmp_path, a={0: list(range(500))}, z={0: [1_000]})
    turns, works = Turns(), Works(2, 2)

    granted = [_grant(turns, queues, works, most=64)]
    for work in works:
        works.remove(work.key)
    granted.append(_grant(turns, queues, works, most=64))

    assert ("z", 1_000) in granted[0] + granted[1]


def test_a_grant_takes_the_order_off_its_queue(tmp_path: Path) -> None:
    queues = _queues(tmp_path, a={0: list(range(300))})
    turns = Turns()
    nobody = Works(999, 999)
    seen = [n for _ in range(10) for _, n in _grant(turns, queues, nobody, most=37)]

    assert all(one < other for one, other in pairwise(seen))
    assert seen == list(range(300))
