"""What the notifier relies on, on the model as on Apache Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from tests.conformance.reading import LEDGER, SHIPMENTS, reading
from tests.conformance.rigs import WAIT_S, Rig
from tests.waiting import wait_until
from waybill.streaming.errors import FencedError
from waybill.streaming.ports import Membership, Opened, Place
from waybill.streaming.records import Outbound


def _write(
    rig: Rig,
    opened: Opened,
    *values: bytes,
    positions: Mapping[str, int] | None = None,
    note: str = "",
) -> Mapping[Place, int]:
    outputs = [Outbound("ledger", 0, b"k", value) for value in values]
    return opened.transactions.commit(outputs, positions or {}, note, rig.metadata())


def test_an_old_producer_is_fenced_by_the_next_takeover(rig: Rig) -> None:
    old = rig.opener().open(0)
    _write(rig, old, b"old")

    new = rig.opener().open(0)

    with pytest.raises(FencedError):
        _write(rig, old, b"zombie")
    _write(rig, new, b"new")
    assert reading(rig, LEDGER).up_to(4) == [b"old", b"new"]


def test_a_takeover_leaves_other_partitions_alone(rig: Rig) -> None:
    first = rig.opener().open(0)
    rig.opener().open(1)

    assert _write(rig, first, b"1") == {LEDGER: 0}


def test_a_takeover_aborts_what_the_predecessor_left_open(rig: Rig) -> None:
    left = rig.leave_open(rig.fence_id(0), "ledger", b"open", b"open too")

    opened = rig.opener().open(0)

    assert opened.ends["ledger"] == 3  # two records and the marker of their abort
    _write(rig, opened, b"mine")
    assert reading(rig, LEDGER).up_to(5) == [b"mine"]
    del left


def test_a_reader_tells_the_end_behind_markers(rig: Rig) -> None:
    opened = rig.opener().open(0)
    assert _write(rig, opened, b"1", b"2") == {LEDGER: 1}
    seen = reading(rig, LEDGER)

    assert seen.up_to(3) == [b"1", b"2"]
    assert rig.opener().open(0).ends == {"ledger": 3, "orders": 0}


def test_a_reader_stops_at_the_last_stable_offset(rig: Rig) -> None:
    rig.publish("shipments", b"before")
    left = rig.leave_open("somebody", "shipments", b"open")
    rig.publish("shipments", b"behind")
    seen = reading(rig, SHIPMENTS)

    assert seen.up_to(1) == [b"before"]
    for _ in range(5):
        seen.step()
    assert seen.values == [b"before"]

    rig.abort(left)

    assert seen.up_to(4) == [b"before", b"behind"]


def test_positions_and_note_come_back(rig: Rig) -> None:
    first = rig.opener().open(0)
    assert (first.committed, first.note) == ({}, None)
    _write(rig, first, b"1", positions={"shipments": 7, "commands": 3}, note='{"v":1}')

    second = rig.opener().open(0)

    assert second.committed == {"shipments": 7, "commands": 3}
    assert second.note == '{"v":1}'
    assert (second.identity, second.state_id) == (first.identity, first.state_id)
    assert second.partition_count == 2
    assert rig.opener().open(1).committed == {}


def test_a_note_of_an_aborted_transaction_does_not_count(rig: Rig) -> None:
    first = rig.opener().open(0)
    _write(rig, first, b"1", positions={"shipments": 1}, note="first")
    rig.opener().open(0)
    with pytest.raises(FencedError):
        _write(rig, first, b"2", positions={"shipments": 2}, note="second")

    assert rig.opener().open(0).note == "first"


@pytest.mark.parametrize("offset", [0, 9])
def test_a_position_that_is_gone_is_told(rig: Rig, offset: int) -> None:
    rig.publish("shipments", b"1", b"2", b"3")
    rig.delete_before("shipments", 2)

    seen = reading(rig, SHIPMENTS, offset)

    wait_until(lambda: seen.step().lost, WAIT_S)
    assert seen.lost == [SHIPMENTS]
    assert seen.values == []


def test_what_inputs_hold_is_told(rig: Rig) -> None:
    rig.publish("shipments", b"1", b"2", b"3")
    rig.delete_before("shipments", 2)

    found = rig.opener().open(0).inputs

    assert (found["shipments"].start, found["shipments"].end) == (2, 3)
    assert (found["commands"].start, found["commands"].end) == (0, 0)


@dataclass
class Process:
    """A member of the group, and what it was told."""

    rig: Rig
    owned: set[int] = field(default_factory=set)
    lost: list[int] = field(default_factory=list)
    membership: Membership = field(init=False)

    def __post_init__(self) -> None:
        self.membership = self.rig.member(self.owned.add, self._lose)

    def _lose(self, number: int) -> None:
        self.owned.discard(number)
        self.lost.append(number)


def _settled(rig: Rig, processes: Sequence[Process], *shares: int) -> bool:
    rig.pass_time()
    for process in processes:
        process.membership.poll()
    return [len(process.owned) for process in processes] == list(shares)


def test_a_newcomer_gets_its_share_and_a_live_member_keeps_its_own(rig: Rig) -> None:
    first = Process(rig)
    wait_until(lambda: _settled(rig, [first], 2), WAIT_S)
    second = Process(rig)
    wait_until(lambda: _settled(rig, [first, second], 1, 1), WAIT_S)

    assert first.owned | second.owned == {0, 1}
    assert first.lost == list(second.owned)

    second.membership.close()
    wait_until(lambda: _settled(rig, [first], 2), WAIT_S)
    assert first.lost == list(second.owned | set(first.lost))
    first.membership.close()
