"""The note of a real transaction: kept beside the position, found at the next takeover and from outside."""

from collections.abc import Sequence
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.cimpl import NewPartitions
from structlog.testing import capture_logs

from tests.integration.streaming.conftest import WAIT_S, Topics
from tests.waiting import wait_until
from waybill.settings import KafkaSettings
from waybill.streaming import survey
from waybill.streaming.errors import FatalError
from waybill.streaming.kafka import KafkaOpener
from waybill.streaming.ports import Opened, Sources
from waybill.streaming.records import Outbound
from waybill.streaming.survey import Survey, UnsettledError
from waybill.streaming.witness import Note, Verdict, judge

pytestmark = pytest.mark.kafka

SOURCES = Sources(owned="shipments", state=("ledger",), inputs=("shipments",), witnessed=True)


def _open(topics: Topics, kafka: KafkaSettings | None = None) -> Opened:
    opener = KafkaOpener(kafka or topics.kafka, topics.group, SOURCES, "ledger")
    return opener.open(0)


def _commit(topics: Topics, opened: Opened, *values: bytes) -> None:
    consumer = Consumer(
        {"bootstrap.servers": topics.kafka.bootstrap_servers, "group.id": topics.group}
    )
    inputs = {name: extent.topic_id for name, extent in opened.inputs.items()}
    note = Note(opened.state_id, opened.state_start, opened.ends["ledger"], 2, inputs)
    opened.transactions.commit(
        [Outbound("ledger", 0, b"k", value) for value in values],
        {"shipments": opened.inputs["shipments"].start},
        note.encode(),
        consumer.consumer_group_metadata(),
    )
    consumer.close()


def _verdict(opened: Opened) -> Verdict:
    return judge(0, "ledger", opened).verdict


def test_a_note_comes_back_with_the_next_takeover_and_to_whoever_looks(topics: Topics) -> None:
    first = _open(topics)
    assert first.note is None
    assert _verdict(first) is Verdict.NEW
    _commit(topics, first, b"1", b"2")

    second = _open(topics)
    looked = Survey(topics.kafka, topics.group, SOURCES).look([0, 1])

    assert _verdict(second) is Verdict.OK
    assert (looked[0].note, looked[0].ends) == (second.note, second.ends)
    assert looked[1].note is None


def test_a_position_that_was_deleted_is_found_at_the_takeover(topics: Topics) -> None:
    _commit(topics, _open(topics), b"1")
    topics.publish("shipments", b"a", b"b", b"c")
    topics.delete_before("shipments", 3)

    found = judge(0, "ledger", _open(topics))

    assert found.loss is not None
    assert "up to 3 records of shipments were deleted" in found.loss.reason


def _leave_open(topics: Topics, partition: int) -> Producer:
    """A transaction that is about to change the position of a partition, and never does."""
    member = Consumer(
        {"bootstrap.servers": topics.kafka.bootstrap_servers, "group.id": topics.group}
    )
    client = topics.client(partition)
    client.init_transactions(WAIT_S)
    client.begin_transaction()
    place = TopicPartition(topics.physical["shipments"], partition, 7, "a note")
    client.send_offsets_to_transaction([place], member.consumer_group_metadata(), WAIT_S)
    member.close()
    return client


def test_an_open_transaction_keeps_only_its_own_partition_waiting(
    topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    _commit(topics, _open(topics), b"1")
    client = _leave_open(topics, 1)
    monkeypatch.setattr(survey, "_SETTLED_S", 3.0)
    look = Survey(topics.kafka, topics.group, SOURCES).look

    assert look([0], fenced=True)[0].note is not None
    with pytest.raises(UnsettledError, match="positions are about to change"):
        look([1], fenced=True)
    assert look([1])[1].note is None, "what is not committed does not count"
    client.abort_transaction(WAIT_S)


def test_a_record_that_nobody_can_read_yet_is_noticed(topics: Topics) -> None:
    client = topics.client(1)
    client.init_transactions(WAIT_S)
    client.begin_transaction()
    client.produce(topics.physical["ledger"], b"a call", b"k", partition=1)
    assert client.flush(WAIT_S) == 0

    with pytest.raises(UnsettledError, match="ledger-1 is readable to 0 of 1"):
        Survey(topics.kafka, topics.group, SOURCES).look([1], fenced=True)
    client.abort_transaction(WAIT_S)


def test_what_a_fence_left_open_is_ended_and_positions_stay(
    topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No broker leaves one open on demand: the first look says so, all else is real."""
    _commit(topics, _open(topics), b"1", b"2")
    topics.publish("shipments", b"a", b"b")
    look, seen = Survey.look, []

    def doubting(self: Survey, numbers: Sequence[int], *, fenced: bool = False) -> Any:
        seen.append(fenced)
        if len(seen) == 1:
            raise UnsettledError("left open")
        return look(self, numbers, fenced=fenced)

    monkeypatch.setattr(Survey, "look", doubting)
    with capture_logs() as logs:
        opened = _open(topics)

    assert seen == [True, True]
    assert [line["event"] for line in logs] == ["transaction_left_open"]
    assert topics.read("ledger") == [b"1", b"2", None]
    assert opened.committed == {"shipments": 0}
    assert (_verdict(opened), opened.note is not None) == (Verdict.OK, True)


def _grow(topics: Topics, names: Sequence[str], count: int) -> None:
    asked = [NewPartitions(topics.physical[name], count) for name in names]
    for grown in topics.admin.create_partitions(asked).values():
        grown.result(WAIT_S)

    def visible() -> bool:
        found = topics.admin.list_topics(timeout=WAIT_S).topics
        return all(len(found[topics.physical[name]].partitions) == count for name in names)

    wait_until(visible, WAIT_S)


def test_another_partition_count_ends_the_process_whoever_set_it(topics: Topics) -> None:
    _commit(topics, _open(topics), b"1")
    _grow(topics, ("ledger", "shipments"), 3)

    with pytest.raises(FatalError, match="has 3 partitions, the installation was made with 2"):
        _open(topics)
    changed_too = topics.kafka.model_copy(update={"partitions": 3})
    with pytest.raises(FatalError, match="wrote with 2 partitions"):
        # the new number has no note of its own
        KafkaOpener(changed_too, topics.group, SOURCES, "ledger").open(2)
