"""One transaction at a time per partition: what travels in it, what waits for it, what needs none."""

import pytest

from tests.unit.streaming.fakes import SOURCES, TIMING, Cluster, House
from waybill.streaming.ports import Place

WORK, STATE, FACTS = Place("work", 0), Place("state", 0), Place("facts", 0)


def _running(*numbers: int, cluster: Cluster | None = None) -> House:
    house = House(cluster or Cluster()).join(*(numbers or (0,))).turns()
    assert set(house.phases().values()) == {"running"}
    return house


def test_an_idle_partition_commits_at_once() -> None:
    house = _running()
    house.cluster.append("work", b"a")

    house.runtime.turn()  # reads
    house.runtime.turn()  # decides and commits

    assert house.cluster.values("state") == [b"a"]
    assert house.cluster.committed[WORK] == 1


def test_what_arrives_during_a_commit_is_the_next_transaction() -> None:
    house = _running()
    house.pool.holding = True
    house.cluster.append("work", b"a")
    house.turns(2)
    for value in (b"b", b"c", b"d"):
        house.cluster.append("work", value)
        house.turns(2)

    assert len(house.pool.jobs) == 1, "two undecided batches"
    assert house.service.batches() == [[b"a"]]
    assert house.service.effects() == []

    house.pool.run_next()
    house.turns(3)

    assert house.service.effects() == [b"a"]
    assert house.service.batches() == [[b"a"], [b"b", b"c", b"d"]]
    assert len(house.pool.jobs) == 1


def test_never_are_two_batches_of_a_partition_undecided() -> None:
    house = _running()
    house.pool.holding = True
    for number in range(30):
        house.cluster.append("work", b"%d" % number)
        house.service.handlers[0].results.append(b"result %d" % number)
        house.turns(2)
        assert len(house.pool.jobs) <= 1
        if number % 7 == 6:
            house.pool.run_next()

    while house.pool.jobs:
        house.pool.run_next()
        house.turns(3)

    wanted = [b"%d" % n for n in range(30)] + [b"result %d" % n for n in range(30)]
    assert sorted(house.service.effects()) == sorted(wanted)


def test_partitions_commit_side_by_side() -> None:
    house = _running(0, 1)
    house.pool.holding = True
    house.cluster.append("work", b"a", partition=0)
    house.cluster.append("work", b"b", partition=1)

    house.turns(3)

    assert len(house.pool.jobs) == 2
    second = house.pool.jobs.pop()
    second.run()
    house.turns(2)
    assert house.service.effects() == [b"b"], "a slow commit of one partition held up the other"


def test_a_batch_is_bounded() -> None:
    house = _running()
    for number in range(1_200):
        house.cluster.append("work", b"%d" % number)

    house.turns(12)

    assert [len(batch) for batch in house.service.batches()] == [500, 500, 200]
    assert len(house.service.effects()) == 1_200


def test_reading_pauses_while_too_much_waits_for_commits() -> None:
    house = _running()
    house.pool.holding = True
    for number in range(8_000):
        house.cluster.append("work", b"%d" % number)

    house.turns(40)

    waiting = len(house.runtime.partitions[0].inbox)
    assert 5_000 < waiting <= 5_500
    reads = house.reader.reads
    house.turns(5)
    assert house.reader.reads == reads
    house.pool.holding = False
    house.pool.run_next()
    house.turns(60)
    assert len(house.service.effects()) == 8_000


def test_only_inputs_and_views_travel_and_the_next_offset_is_meant() -> None:
    house = _running()
    house.cluster.append("facts", b"f")
    house.cluster.append("hints", b"h")
    house.cluster.append("work", b"a")

    house.turns(3)

    _, positions = house.cluster.transactions[-1]
    assert positions == {"work": 1, "hints": 1, "facts": 1}
    assert "state" not in positions


def test_the_view_gets_the_positions_of_what_it_holds_and_none_of_the_inputs() -> None:
    house = _running()
    house.cluster.append("facts", b"f")
    house.cluster.append("work", b"a")

    house.turns(3)

    # state: one record at 0; the marker behind it is found by the reader's own end
    assert house.service.disks[0] == {"facts": 1, "state": 1}


def test_the_position_of_the_state_grows_with_each_own_commit() -> None:
    house = _running()
    for value in (b"a", b"b", b"c"):
        house.cluster.append("work", value)
        house.turns(3)

    last = house.cluster.end(STATE) - 2  # behind the last record lies its marker
    assert house.service.disks[0]["state"] == last + 1


def test_a_view_record_needs_no_transaction() -> None:
    house = _running()
    house.cluster.append("facts", b"f")

    house.turns(4)

    assert house.cluster.transactions == []
    assert house.service.batches() == [[b"f"]]
    assert house.service.disks[0] == {"facts": 1}


def test_a_lazy_input_causes_no_transaction_and_travels_with_the_next() -> None:
    house = _running()
    house.cluster.append("hints", b"h")
    house.turns(4)
    assert house.cluster.transactions == []

    house.cluster.append("work", b"a")
    house.turns(4)

    assert [positions for _, positions in house.cluster.transactions] == [{"work": 1, "hints": 1}]


def test_an_eager_input_that_leads_to_nothing_still_commits_its_position() -> None:
    house = _running()
    house.cluster.append("work", b"a")
    house.turns(3)
    house.service.handlers[0].leads_to_nothing = True
    house.cluster.append("work", b"b")

    house.turns(3)

    assert house.cluster.transactions[-1] == ([], {"work": 2, "hints": 0})


def test_results_alone_make_a_transaction() -> None:
    house = _running()
    house.service.handlers[0].results.append(b"done")

    house.turns(2)

    assert house.service.effects() == [b"done"]


def test_leases_count_from_before_the_commit_was_sent() -> None:
    house = _running()
    house.pool.holding = True
    house.cluster.append("work", b"a")
    house.turns(2)
    sent_at_s = house.clock.now_s
    house.clock.now_s += 40
    house.pool.run_next()

    house.turns(2)

    assert house.service.trace[-1] == ("committed", [b"a"], sent_at_s)


def test_nothing_is_committed_while_there_is_nothing_to_do() -> None:
    house = _running().turns(50)

    assert house.cluster.transactions == []
    assert house.service.batches() == []


def test_positions_are_committed_again_before_they_expire() -> None:
    house = _running()
    house.cluster.append("hints", b"h")
    house.turns(4)
    house.clock.now_s += TIMING.recommit_s + 1

    house.turns(4)

    assert house.cluster.transactions == [([], {"work": 0, "hints": 1})]
    house.turns(20)
    assert len(house.cluster.transactions) == 1, "it is committed again only when it is old again"
    house.clock.now_s += TIMING.recommit_s + 1
    house.turns(4)
    assert len(house.cluster.transactions) == 2


def test_inputs_go_on_where_the_last_transaction_left_them() -> None:
    house = _running()
    for value in (b"a", b"b"):
        house.cluster.append("work", value)
    house.turns(4)
    house.runtime.close()

    other = House(house.cluster).join(0).turns()
    other.cluster.append("work", b"c")
    other.turns(4)

    assert other.service.batches() == [[b"c"]]


@pytest.mark.parametrize("topic", SOURCES.inputs)
def test_an_input_without_a_position_is_read_from_its_beginning(topic: str) -> None:
    cluster = Cluster()
    cluster.append(topic, b"old")

    house = _running(cluster=cluster).turns(4)

    assert house.service.batches() == [[b"old"]]
