"""Stopping: nothing new, what is under way to its end, then everything is given back."""

from typing import Any

from tests.unit.streaming.fakes import House


def _running() -> House:
    return House().join(0).turns()


def _at(house: House, turn: int, act: Any) -> None:
    """Do something while `stop` turns; the clock goes on in each turn."""
    turns = 0
    service_turn = house.service.turn

    def each() -> bool:
        nonlocal turns
        turns += 1
        house.clock.now_s += 0.1
        if turns == turn:
            act()
        return service_turn()

    house.service.turn = each  # type: ignore[method-assign]


def test_an_idle_runtime_stops_at_once() -> None:
    house = _running()

    assert house.runtime.stop(house.clock.now_s + 5)
    assert not house.service.taking


def test_what_was_read_and_not_processed_is_left_for_the_next_start() -> None:
    house = _running()
    house.service.under_way = 1
    house.cluster.append("work", b"a")
    house.runtime.turn()  # read, not processed
    _at(house, 5, lambda: setattr(house.service, "under_way", 0))

    assert house.runtime.stop(house.clock.now_s + 5)

    assert house.service.effects() == []
    house.runtime.close()
    after = House(house.cluster).join(0).turns(12)
    assert after.service.effects() == [b"a"]


def test_nothing_is_read_any_more() -> None:
    house = _running()
    house.service.under_way = 1
    _at(house, 5, lambda: setattr(house.service, "under_way", 0))
    reads = house.reader.reads

    house.runtime.stop(house.clock.now_s + 5)

    assert house.reader.reads == reads


def test_a_result_that_comes_during_the_stop_is_committed() -> None:
    house = _running()
    house.service.under_way = 1

    def arrives() -> None:
        house.service.handlers[0].results.append(b"done")
        house.service.under_way = 0

    _at(house, 3, arrives)

    assert house.runtime.stop(house.clock.now_s + 5)

    assert house.service.effects() == [b"done"]
    assert house.cluster.values("state") == [b"done"]


def test_a_commit_under_way_is_waited_for() -> None:
    house = _running()
    house.cluster.append("work", b"a")
    house.pool.holding = True
    house.turns(2)
    _at(house, 4, house.pool.run_next)

    assert house.runtime.stop(house.clock.now_s + 5)

    assert house.service.effects() == [b"a"]


def test_the_deadline_ends_a_stop_that_does_not_finish() -> None:
    house = _running()
    house.service.under_way = 1
    _at(house, 10_000, lambda: None)
    began_s = house.clock.now_s

    assert not house.runtime.stop(began_s + 5)
    assert 5 <= house.clock.now_s - began_s < 6


def test_a_deadline_that_is_over_waits_for_nothing() -> None:
    house = _running()

    assert not house.runtime.stop(house.clock.now_s)


def test_close_gives_everything_back() -> None:
    house = House().join(0, 1).turns()

    house.runtime.close()

    assert house.membership.closed == 1
    assert house.reader.closed
    assert house.phases() == {}
    assert {event for event in house.service.trace if event[0] == "close"} == {
        ("close", 0),
        ("close", 1),
    }


def test_it_is_not_ready_before_it_takes_part() -> None:
    house = House()

    assert not house.runtime.ready
    assert house.join().turns(2).runtime.ready
