"""From being given a partition to acting on it: fence, tables, state, views, then inputs."""

from typing import Any

from tests.unit.streaming.fakes import Cluster, House
from waybill.streaming.ports import BEGINNING, Place

STATE, FACTS, WORK, TABLE = (Place(t, 0) for t in ("state", "facts", "work", "table"))


def _kinds(trace: list[Any]) -> list[str]:
    return [event[0] for event in trace]


def test_the_predecessor_is_shut_out_before_anything_is_read() -> None:
    house = House()
    house.pool.holding = True
    house.join(0).turns(3)

    assert house.phases() == {0: "opening"}
    assert [place for start in house.reader.starts for place in start] == [TABLE]

    house.pool.run_next()
    house.turns(1)
    assert {STATE, FACTS} <= house.reader.positions.keys()
    assert WORK not in house.reader.positions


def test_state_and_views_are_absorbed_to_their_end_before_any_input_is_read() -> None:
    cluster = Cluster()
    cluster.append("work", b"w")
    for number in range(3):
        cluster.append("state", b"s%d" % number)
        cluster.append("facts", b"f%d" % number)
    house = House(cluster).join(0)
    house.reader.held = {FACTS}
    house.turns(6)

    assert house.phases() == {0: "restoring"}
    assert WORK not in house.reader.positions
    assert "opened" not in _kinds(house.service.trace)

    house.reader.held = set()
    house.turns(6)

    assert house.phases() == {0: "running"}
    kinds = _kinds(house.service.trace)
    assert kinds[:7] == ["absorb"] * 6 + ["opened"]
    assert kinds.index("process") > kinds.index("opened")


def test_the_end_seen_at_the_takeover_counts_not_one_that_runs_away() -> None:
    cluster = Cluster()
    cluster.append("facts", b"f")
    house = House(cluster).join(0).turns(1)  # opened: the end of the facts is 1
    house.turns(1)
    cluster.append("facts", b"g")

    house.turns(3)

    assert house.phases() == {0: "running"}
    assert [e for e in house.service.trace if e[0] in ("absorb", "opened")] == [
        ("absorb", "facts", b"f"),
        ("opened", 0),
    ]
    house.turns(3)
    assert house.service.batches() == [[b"g"]]


def test_a_state_that_ends_in_a_commit_marker_is_read_to_its_end() -> None:
    cluster = Cluster()
    cluster.append("state", b"s")
    cluster.logs[STATE].append(None)

    house = House(cluster).join(0).turns()

    assert house.phases() == {0: "running"}


def test_nothing_runs_before_the_tables_were_read_whole() -> None:
    cluster = Cluster()
    cluster.append("table", b"t")
    house = House(cluster)
    house.reader.held = {TABLE}
    house.join(0).turns()

    assert (house.phases(), house.runtime.ready) == ({0: "restoring"}, False)

    house.reader.held = set()
    house.turns(3)

    assert (house.phases(), house.runtime.ready) == ({0: "running"}, True)
    assert ("table", b"t") in house.service.trace[: house.service.trace.index(("opened", 0))]


def test_a_warm_view_goes_on_from_its_own_position() -> None:
    cluster = Cluster()
    for number in range(4):
        cluster.append("state", b"s%d" % number)
    house = House(cluster)
    house.service.disks[0] = {"state": 3}
    house.join(0).turns()

    assert house.reader.starts[1] == {STATE: 3, FACTS: BEGINNING}
    assert ("absorb", "state", b"s3") in house.service.trace
    assert ("absorb", "state", b"s2") not in house.service.trace


def test_the_view_is_never_put_past_its_own_position_by_a_committed_one() -> None:
    cluster = Cluster()
    for number in range(4):
        cluster.append("facts", b"f%d" % number)
    cluster.committed[FACTS] = 4  # it travelled; the view wrote only up to 1 before a crash
    house = House(cluster)
    house.service.disks[0] = {"facts": 1}
    house.join(0).turns()

    absorbed = [event[2] for event in house.service.trace if event[0] == "absorb"]
    assert absorbed == [b"f1", b"f2", b"f3"]


def test_its_own_state_is_not_read_back() -> None:
    house = House().join(0).turns()
    assert STATE not in house.reader.positions
    assert FACTS in house.reader.positions

    house.cluster.append("work", b"a")
    house.turns(6)

    assert house.service.batches() == [[b"a"]]


def test_each_partition_is_ready_for_itself() -> None:
    cluster = Cluster()
    cluster.append("facts", b"f", partition=1)
    house = House(cluster)
    house.reader.held = {Place("facts", 1)}
    house.join(0, 1).turns()

    assert house.phases() == {0: "running", 1: "restoring"}
    assert not house.runtime.ready
    cluster.append("work", b"a")
    house.turns(3)
    assert house.service.effects() == [b"a"]


def test_a_partition_taken_over_twice_restores_what_it_wrote_itself() -> None:
    house = House().join(0).turns()
    house.cluster.append("work", b"a")
    house.turns(4)
    house.lose(0)
    house.turns(2)
    house.service.disks[0].clear()  # the disk was lost

    house.gain(0)
    house.turns()

    assert house.phases() == {0: "running"}
    assert ("absorb", "state", b"a") in house.service.trace
    assert house.service.effects() == [b"a"]


def test_the_time_from_takeover_to_work_is_measured() -> None:
    house = House().join(0).turns()

    assert house.metric("waybill_restore_seconds_count") == 1


def test_a_takeover_that_hangs_is_given_up_and_begun_anew() -> None:
    """The client library was seen to ignore its own time-outs after a broker came back."""
    house = House().join(0)
    house.pool.holding = True
    house.turns()
    hung = house.pool.jobs.popleft()
    assert hung.future.set_running_or_notify_cancel(), "it runs, so nothing can call it back"
    house.clock.pause(59)
    house.turns()
    assert house.phases() == {0: "opening"}
    assert not house.pool.jobs

    house.pool.holding = False
    for _ in range(3):  # given up; and after a short pause begun anew
        house.clock.pause(5)
        house.turns()

    assert house.phases() == {0: "running"}
    assert house.metric("waybill_producer_rebuilds_total") == 1


def test_a_commit_that_hangs_is_given_up_and_its_partition_opened_anew() -> None:
    house = House().join(0).turns()
    house.cluster.append("work", b"a")
    house.pool.holding = True
    house.turns()
    (hung,) = house.pool.jobs
    assert hung.future.set_running_or_notify_cancel()
    house.pool.jobs.clear()
    house.clock.pause(39)
    house.turns()
    assert house.phases() == {0: "running"}

    house.pool.holding = False
    for _ in range(3):  # given up; and after a short pause begun anew
        house.clock.pause(5)
        house.turns()

    assert house.phases() == {0: "running"}
    assert house.service.effects() == [b"a"]
    assert len(house.opener.opened) == 2
