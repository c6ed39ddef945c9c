"""A witnessed partition that lost something: not served, heard again when an operator accepts the loss."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.unit.streaming.fakes import STARTED_AT, TIMING, WITNESSED, Cluster, House
from waybill.streaming.ports import Place
from waybill.streaming.witness import Accepted, decode

STATE, WORK = Place("state", 0), Place("work", 0)


def _house(cluster: Cluster | None = None) -> House:
    return House(cluster or Cluster(), WITNESSED)


def _worked(*values: bytes) -> Cluster:
    """A cluster on which somebody worked, and left."""
    house = _house().join(0).turns()
    for value in values:
        house.cluster.append("work", value)
        house.turns()
    house.clock.now_s += TIMING.settle_s + 1
    house.turns()
    return house.cluster


def _loss_id(house: House) -> str:
    (partition,) = house.runtime.partitions
    assert partition.loss is not None
    return partition.loss.loss_id


def _accept(house: House, loss_id: str | None = None) -> None:
    house.cluster.append("commands", b"accept " + (loss_id or _loss_id(house)).encode())
    house.turns()


def _recreate(cluster: Cluster) -> None:
    cluster.recreate("state")


def _cut(cluster: Cluster) -> None:
    cluster.cut("state", 1)


def _delete_head(cluster: Cluster) -> None:
    cluster.delete_before("state", 2)


def _lose_work(cluster: Cluster) -> None:
    for value in (b"x", b"y"):
        cluster.append("work", value)
    cluster.delete_before("work", cluster.end(WORK))


def _cut_work(cluster: Cluster) -> None:
    cluster.cut("work", 1)


def _recreate_work(cluster: Cluster) -> None:
    cluster.recreate("work")
    for value in (b"a", b"b", b"c", b"d"):
        cluster.append("work", value)


LOSSES = [_recreate, _cut, _delete_head, _lose_work, _cut_work, _recreate_work]


def test_a_partition_that_lost_nothing_goes_on_where_it_was() -> None:
    cluster = _worked(b"a", b"b")
    house = _house(cluster).join(0)
    cluster.append("work", b"c")

    house.turns()

    assert house.service.effects() == [b"c"]
    assert house.service.handlers[0].accepted_at is None


@pytest.mark.parametrize("lose", LOSSES)
def test_a_partition_that_lost_something_is_not_served(lose: Callable[[Cluster], None]) -> None:
    cluster = _worked(b"a", b"b")
    lose(cluster)
    house = _house(cluster).join(0).turns()
    cluster.append("work", b"z")
    house.clock.now_s += 10_000

    house.turns(20)

    assert house.phases() == {0: "stopped"}
    assert house.service.handlers == {}
    assert not house.runtime.ready
    assert house.metric("waybill_partition_stopped", partition="0") == 1
    assert len(cluster.transactions) == len(_worked(b"a", b"b").transactions)


@pytest.mark.parametrize("lose", LOSSES)
def test_it_goes_on_once_the_loss_is_accepted_and_remembers_that(
    lose: Callable[[Cluster], None],
) -> None:
    cluster = _worked(b"a", b"b")
    lose(cluster)
    house = _house(cluster).join(0).turns()
    _accept(house)
    house.clock.now_s += 1
    cluster.append("work", b"z")

    house.turns()

    assert house.phases() == {0: "running"}
    assert house.service.effects()[-1] == b"z"
    at = house.service.handlers[0].accepted_at
    assert at is not None
    assert house.metric("waybill_partition_stopped", partition="0") == 0
    next_owner = _house(cluster).join(0).turns()
    assert next_owner.phases() == {0: "running"}
    assert next_owner.service.handlers[0].accepted_at == at


def test_two_partitions_are_judged_apart() -> None:
    cluster = _worked(b"a", b"b")
    _cut(cluster)
    house = _house(cluster).join(0, 1)
    cluster.append("work", b"1", partition=1)

    house.turns()

    assert house.phases() == {0: "stopped", 1: "running"}
    assert house.service.effects() == [b"1"]


def test_accepting_another_loss_changes_nothing() -> None:
    cluster = _worked(b"a", b"b")
    _cut(cluster)
    house = _house(cluster).join(0).turns()

    _accept(house, "another")
    house.cluster.append("commands", b"something else")
    house.turns()

    assert house.phases() == {0: "stopped"}


def test_a_replayed_acceptance_does_not_accept_the_next_loss() -> None:
    cluster = _worked(b"a", b"b")
    _cut(cluster)
    house = _house(cluster).join(0).turns()
    loss_id = _loss_id(house)
    _accept(house)
    cluster.append("work", b"c")
    house.turns()
    house.clock.now_s += TIMING.settle_s + 1
    house.turns()
    _recreate(cluster)
    other = _house(cluster).join(0).turns()

    _accept(other, loss_id)

    assert other.phases() == {0: "stopped"}
    assert _loss_id(other) != loss_id


def test_a_loss_is_the_same_one_for_every_owner_until_it_is_accepted() -> None:
    cluster = _worked(b"a", b"b")
    _cut(cluster)
    first = _house(cluster).join(0).turns()
    second = _house(cluster).join(0).turns()

    assert _loss_id(first) == _loss_id(second)


def test_an_acceptance_given_while_nobody_listened_is_found() -> None:
    cluster = _worked(b"a", b"b")
    _cut(cluster)
    loss_id = _loss_id(_house(cluster).join(0).turns())
    cluster.append("commands", b"accept " + loss_id.encode())

    house = _house(cluster).join(0).turns()

    assert house.phases() == {0: "running"}


def test_an_acceptance_whose_note_was_never_written_is_heard_again() -> None:
    cluster = _worked(b"a", b"b")
    _cut(cluster)
    house = _house(cluster).join(0).turns()
    house.cluster.append("commands", b"accept " + _loss_id(house).encode())
    house.turns(2)
    assert house.phases() == {0: "restoring"}

    other = _house(cluster).join(0).turns()

    assert other.phases() == {0: "running"}


def test_a_state_without_a_note_may_have_forgotten_everything_before_the_takeover() -> None:
    cluster = _worked(b"a", b"b")
    cluster.notes.clear()

    house = _house(cluster).join(0).turns()

    assert house.phases() == {0: "running"}
    assert house.service.handlers[0].accepted_at == house.now()
    note = decode(cluster.notes[0])
    assert note is not None
    assert note.accepted == Accepted(house.now())
    later = _house(cluster)
    later.clock.now_s += 5_000
    later.join(0).turns()
    assert later.service.handlers[0].accepted_at == STARTED_AT + timedelta(seconds=100)


def test_a_new_installation_has_nothing_to_have_forgotten() -> None:
    house = _house().join(0).turns()

    assert house.phases() == {0: "running"}
    assert house.service.handlers[0].accepted_at is None
    assert house.cluster.transactions == []


def test_a_view_that_had_read_further_than_the_state_goes_tells_of_the_loss() -> None:
    """What the last transaction wrote is in no note yet; losing the disk afterwards must not hide it."""
    cluster = _worked(b"a")
    house = _house(cluster)
    house.service.disks[0] = {"state": 7}
    house.service.identities[0] = "identity"

    house.join(0).turns()

    assert house.phases() == {0: "stopped"}
    assert ("opened", 0) not in house.service.trace
    without_disk = _house(cluster).join(0).turns()
    assert _loss_id(without_disk) == _loss_id(house)
    _accept(house)
    assert house.phases() == {0: "running"}
    assert house.service.disks[0]["state"] == 1, "the view was made anew"


def test_a_state_that_becomes_shorter_while_it_is_written_starts_nothing() -> None:
    """Deleted and made anew under a running owner: the transaction counts, its effects do not."""
    house = _house(_worked(b"a", b"b")).join(0).turns()
    _recreate(house.cluster)
    house.cluster.append("work", b"c")

    house.turns()
    house.clock.now_s += TIMING.reopen_pause_s + 1
    house.turns()

    assert house.phases() == {0: "stopped"}
    assert b"c" not in house.service.effects()


def test_the_end_of_the_last_transaction_is_noted_soon_after_it() -> None:
    house = _house().join(0).turns()
    house.cluster.append("work", b"a")
    house.turns()
    note = decode(house.cluster.notes[0])
    assert note is not None
    assert note.end == 0
    count = len(house.cluster.transactions)

    house.clock.now_s += TIMING.settle_s + 1
    house.turns(20)

    note = decode(house.cluster.notes[0])
    assert note is not None
    assert note.end == 1
    assert len(house.cluster.transactions) == count + 1, "once, not again and again"


def test_the_next_owner_notes_what_the_last_transaction_of_the_former_one_wrote() -> None:
    house = _house().join(0).turns()
    house.cluster.append("work", b"a")
    house.turns()
    other = _house(house.cluster).join(0).turns()

    other.clock.now_s += TIMING.settle_s + 1
    other.turns()

    note = decode(house.cluster.notes[0])
    assert note is not None
    assert note.end > 0


def test_a_position_lost_while_running_is_judged_by_a_new_takeover() -> None:
    house = _house(_worked(b"a", b"b")).join(0).turns()
    house.reader.held.add(WORK)
    _lose_work(house.cluster)
    house.reader.held.clear()
    house.turns(2)
    house.clock.now_s += TIMING.reopen_pause_s + 1

    house.turns()

    assert house.phases() == {0: "stopped"}
    (partition,) = house.runtime.partitions
    assert partition.loss is not None
    assert "up to 2 records of work were deleted before they were read" in partition.loss.reason


def test_services_that_are_not_witnessed_note_nothing() -> None:
    house = House(Cluster(), dataclasses.replace(WITNESSED, witnessed=False)).join(0).turns()
    house.cluster.append("work", b"a")
    house.turns()

    assert house.service.effects() == [b"a"]
    assert house.cluster.notes == {}
