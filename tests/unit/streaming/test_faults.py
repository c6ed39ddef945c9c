"""Fenced, unclear, lost, out of range: what a partition does when something goes wrong under it."""

import pytest

from tests.unit.streaming.fakes import TIMING, Cluster, House
from waybill.streaming.errors import FatalError, FencedError, UnclearError
from waybill.streaming.ports import Place
from waybill.streaming.records import Outbound

WORK, STATE, FACTS = Place("work", 0), Place("state", 0), Place("facts", 0)


def _running(*numbers: int) -> House:
    house = House().join(*(numbers or (0,))).turns()
    assert set(house.phases().values()) == {"running"}
    return house


def _another_owner(house: House, number: int = 0) -> None:
    """Somebody else opens the partition."""
    house.cluster.epochs[number] += 1


def _fence(house: House) -> None:
    _another_owner(house)
    house.cluster.append("work", b"a")
    house.turns(4)
    assert house.phases()[0] == "fenced"


# ---------------------------------------------------------------------------------------- fenced


def test_a_fenced_partition_is_forgotten_and_starts_nothing() -> None:
    house = _running()

    _fence(house)

    assert house.service.effects() == []
    assert house.service.trace[-1] == ("close", 0)
    assert not [place for place in house.reader.positions if place.topic != "table"]
    assert house.metric("waybill_fenced_total") == 1


def test_a_fenced_partition_that_is_taken_away_in_time_is_no_fault() -> None:
    house = _running()
    _fence(house)
    house.clock.now_s += TIMING.fence_grace_s - 1
    house.turns(2)
    house.lose(0)
    house.turns(2)
    house.clock.now_s += 100

    house.turns(5)

    assert house.phases() == {}


def _outstay(house: House) -> None:
    """Fenced, and still assigned when the grace is over."""
    _fence(house)
    house.clock.now_s += TIMING.fence_grace_s + 0.1
    house.turns()


def test_an_owner_shut_out_by_a_takeover_that_came_too_late_opens_its_partition_again() -> None:
    """An evicted member woke up and finished the takeover that it had begun; then it learnt of it."""
    house = _running()

    _outstay(house)

    assert house.phases() == {0: "running"}
    assert house.service.effects() == [b"a"]


def test_a_partition_that_is_shut_out_twice_and_stays_assigned_ends_the_process() -> None:
    house = _running()
    _outstay(house)

    with pytest.raises(FatalError, match="another group writes state partition 0"):
        _outstay(house)


def test_fences_long_apart_are_no_other_group() -> None:
    house = _running()
    for _ in range(3):
        _outstay(house)
        house.clock.now_s += TIMING.rivalry_s
        house.turns()

    assert house.phases() == {0: "running"}


def test_a_reopened_partition_without_work_commits_often_to_meet_a_rival() -> None:
    house = _running()
    _outstay(house)
    _another_owner(house)

    house.clock.now_s += TIMING.probe_s + 0.1
    house.turns(4)

    assert house.phases() == {0: "fenced"}


def test_a_fence_of_one_partition_leaves_the_others_alone() -> None:
    house = _running(0, 1)
    _fence(house)
    house.cluster.append("work", b"b", partition=1)

    house.turns(4)

    assert house.service.effects() == [b"b"]


def test_a_partition_that_is_given_again_after_a_fence_is_opened_anew() -> None:
    house = _running()
    _fence(house)
    house.lose(0)
    house.gain(0)

    house.turns()

    assert house.phases() == {0: "running"}
    assert house.service.effects() == [b"a"], "the input was not committed, so it is read again"


def test_a_takeover_that_is_fenced_itself_starts_nothing() -> None:
    house = House()
    house.opener.failures.append(FencedError("a newer one"))
    house.join(0).turns(4)

    assert house.phases() == {0: "fenced"}
    assert house.service.handlers == {}


# --------------------------------------------------------------------------------------- unclear


@pytest.mark.parametrize("counts", [False, True], ids=["was aborted", "was committed"])
def test_after_an_unclear_end_the_partition_is_opened_anew(counts: bool) -> None:
    house = _running()
    house.cluster.failures.append((UnclearError("no answer"), counts))
    house.cluster.append("work", b"a")
    house.turns(4)

    assert house.phases() == {0: "opening"}
    assert house.service.effects() == [], (
        "its effects must not start: nobody knows whether it counts"
    )
    assert house.metric("waybill_producer_rebuilds_total") == 1
    assert house.opener.opened == [0], "opened again before the pause was over"

    house.clock.now_s += TIMING.reopen_pause_s
    house.turns()

    assert house.opener.opened == [0, 0]
    assert house.phases() == {0: "running"}
    if counts:
        assert ("absorb", "state", b"a") in house.service.trace
        assert house.service.effects() == []
    else:
        assert house.service.effects() == [b"a"]
    assert house.cluster.values("state") == [b"a"], "written once, neither twice nor never"


def test_what_waited_behind_an_unclear_transaction_is_read_again() -> None:
    house = _running()
    house.pool.holding = True
    house.cluster.append("work", b"a")
    house.turns(2)
    for value in (b"b", b"c"):
        house.cluster.append("work", value)
    house.turns(2)
    house.cluster.failures.append((UnclearError("no answer"), False))
    house.pool.run_next()
    house.pool.holding = False
    house.turns(3)
    house.clock.now_s += TIMING.reopen_pause_s

    house.turns()

    assert house.service.effects() == [b"a", b"b", b"c"]


def test_results_that_waited_in_a_closed_handler_are_not_the_next_handlers() -> None:
    house = _running()
    before = house.service.handlers[0]
    house.cluster.failures.append((UnclearError("no answer"), False))
    house.cluster.append("work", b"a")
    house.turns(4)
    before.results.append(b"late")
    house.clock.now_s += TIMING.reopen_pause_s

    house.turns()

    assert house.service.handlers[0] is not before
    assert b"late" not in house.service.effects()


def test_a_takeover_without_an_answer_is_tried_again() -> None:
    house = House()
    house.opener.failures += [UnclearError("no answer"), UnclearError("no answer")]
    house.join(0).turns(3)
    assert house.phases() == {0: "opening"}
    for _ in range(2):
        house.clock.now_s += TIMING.reopen_pause_s
        house.turns(3)

    house.turns()

    assert house.phases() == {0: "running"}


def test_an_unclear_end_of_one_partition_leaves_the_others_at_work() -> None:
    house = _running(0, 1)
    house.cluster.failures.append((UnclearError("no answer"), False))
    house.cluster.append("work", b"a")
    house.turns(4)
    house.cluster.append("work", b"b", partition=1)

    house.turns(4)

    assert house.service.effects() == [b"b"]


# ------------------------------------------------------------------------------------------ lost


def test_of_a_lost_partition_nothing_is_started_whatever_its_commit_does() -> None:
    house = _running()
    house.pool.holding = True
    house.cluster.append("work", b"a")
    house.turns(2)
    house.lose(0)
    house.turns(2)
    house.pool.run_next()  # it even counts: the broker had it before the partition was given away

    house.turns(5)

    assert house.service.effects() == []
    assert house.phases() == {}
    assert house.service.trace[-1] == ("close", 0)
    assert house.cluster.values("state") == [b"a"]


def test_a_lost_partition_reads_and_writes_nothing_any_more() -> None:
    house = _running(0, 1)
    house.cluster.append("work", b"a")
    house.runtime.turn()
    house.lose(0)
    house.turns(1)
    house.cluster.append("work", b"b")

    house.turns(5)

    assert house.cluster.values("state") == []
    assert {place.partition for place in house.reader.positions if place.topic != "table"} == {1}


def test_a_partition_lost_during_its_takeover_is_not_taken_over() -> None:
    house = House()
    house.pool.holding = True
    house.join(0).turns(2)
    house.lose(0)
    house.turns(1)
    house.pool.run_next()

    house.turns(5)

    assert house.opener.opened == [], "a takeover that had not begun shut out the next owner"
    assert house.service.handlers == {}


def test_the_new_owner_of_a_partition_finds_what_the_old_one_wrote() -> None:
    house = _running()
    house.cluster.append("work", b"a")
    house.turns(4)
    other = House(house.cluster).join(0).turns()  # opened while the first still believes to own it

    house.cluster.append("work", b"b")
    house.turns(4)
    other.turns(4)

    assert house.phases() == {0: "fenced"}
    assert other.service.effects() == [b"b"]
    assert house.cluster.values("state") == [b"a", b"b"]


# ---------------------------------------------------------------------------------- out of range


@pytest.mark.parametrize("place", [WORK, FACTS], ids=["input", "view"])
def test_a_state_that_can_be_made_anew_goes_on_with_what_is_left(place: Place) -> None:
    house = _running(0, 1)
    for number in (0, 1):
        house.cluster.append("work", b"%d" % number, partition=number)
    house.turns()
    house.reader.lost = [place]
    house.turns(2)
    house.cluster.append("work", b"2")
    house.clock.now_s += TIMING.reopen_pause_s + 1

    house.turns(8)

    assert house.phases() == {0: "running", 1: "running"}
    assert house.service.effects() == [b"0", b"1", b"2"]
    assert house.metric("waybill_positions_lost_total", topic=place.topic) == 1


def test_inputs_that_were_deleted_before_they_were_read_are_read_from_what_is_left() -> None:
    house = _running()
    for value in (b"a", b"b", b"c"):
        house.cluster.append("work", value)
    house.cluster.committed[WORK] = 0
    house.cluster.delete_before("work", 2)

    other = House(house.cluster).join(0).turns()

    assert other.service.effects() == [b"c"]


def test_a_view_that_had_read_further_than_the_state_goes_is_made_anew() -> None:
    """For a state that can be made anew from elsewhere, what is left of it is all there is."""
    cluster = Cluster()
    cluster.append("state", b"s")
    house = House(cluster)
    house.service.disks[0] = {"state": 7}
    house.service.identities[0] = "identity"

    house.join(0).turns()
    house.clock.now_s += TIMING.reopen_pause_s + 1
    house.turns(4)

    assert house.phases() == {0: "running"}
    assert house.service.trace[-3:] == [
        ("close", 0),
        ("absorb", "state", b"s"),
        ("opened", 0),
    ]


def test_a_lost_position_of_a_table_stops_no_partition_of_the_same_number() -> None:
    house = _running()
    house.reader.lost = [Place("table", 0)]
    house.turns(2)
    house.cluster.append("work", b"a")

    house.turns(4)

    assert house.phases() == {0: "running"}
    assert house.service.effects() == [b"a"]


# ------------------------------------------------------------------------ a commit without an answer


def _ready(house: House) -> bool:
    return house.runtime.ready


def test_a_commit_that_is_not_answered_is_given_up_for_a_new_producer() -> None:
    house = _running()
    house.pool.holding = True
    house.cluster.append("work", b"a")
    house.turns(2)
    never_answered = house.pool.jobs.popleft()
    house.pool.holding = False
    assert _ready(house)
    house.clock.now_s += 39
    house.turns(2)
    assert not _ready(house)
    assert house.opener.opened == [0]

    house.clock.now_s += 2
    house.turns(2)
    house.clock.now_s += TIMING.reopen_pause_s + 1
    house.turns(10)

    assert house.opener.opened == [0, 0]
    assert house.cluster.values("state") == [b"a"]
    assert house.service.effects() == [b"a"]
    assert _ready(house)
    never_answered.run()
    house.turns(5)
    assert house.cluster.values("state") == [b"a"], "the old producer was shut out"
    assert house.service.effects() == [b"a"]


def test_a_commit_that_counted_without_an_answer_is_read_back_and_not_repeated() -> None:
    house = _running()
    house.pool.holding = True
    house.cluster.append("work", b"a")
    house.turns(2)
    house.pool.jobs.popleft().run()
    house.service.handlers[0].results.append(b"b")
    house.turns(2)
    answer_lost = house.pool.jobs.popleft()
    house.cluster.transact(0, [Outbound("state", 0, b"k", b"b")], {"work": 1})
    house.pool.holding = False

    house.clock.now_s += 41
    house.turns(2)
    house.clock.now_s += TIMING.reopen_pause_s + 1
    house.turns(10)
    answer_lost.run()
    house.turns(5)

    assert house.cluster.values("state") == [b"a", b"b"]
    assert house.service.batches() == [[b"a"]]
