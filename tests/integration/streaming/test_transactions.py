"""Transactions on a real broker: all or nothing, once, and only by the newest owner."""

from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from tests.integration.streaming.conftest import WAIT_S, Topics
from tests.waiting import wait_until
from waybill.settings import KafkaSettings
from waybill.streaming.clients import transactional_producer
from waybill.streaming.errors import FencedError, UnclearError
from waybill.streaming.records import Outbound

pytestmark = pytest.mark.kafka


def _out(*values: bytes, topic: str = "ledger") -> list[Outbound]:
    return [Outbound(topic, 0, b"k", value) for value in values]


class Injecting(Producer):
    """The real client, but for a commit that goes wrong in one way, once."""

    fault: KafkaError | None = None
    before: bool = True
    """Whether the fault comes instead of the commit, or instead of its answer."""

    def commit_transaction(self, *args: Any) -> None:
        fault, self.fault = self.fault, None
        if fault is None:
            super().commit_transaction(*args)
            return
        if self.before:
            self.flush(WAIT_S)
        else:
            super().commit_transaction(*args)
        raise KafkaException(fault)


def _injecting(topics: Topics, fault: KafkaError, *, before: bool) -> Injecting:
    client = Injecting(
        {
            "bootstrap.servers": topics.kafka.bootstrap_servers,
            "transactional.id": f"{topics.physical['ledger']}-0",
        }
    )
    client.fault, client.before = fault, before
    return client


def _metadata(topics: Topics) -> Any:
    """Of somebody who is no member of any group, as an administrator's tool sends it."""
    consumer = Consumer(
        {"bootstrap.servers": topics.kafka.bootstrap_servers, "group.id": topics.group}
    )
    metadata = consumer.consumer_group_metadata()
    consumer.close()
    return metadata


def _committed(topics: Topics, topic: str) -> int:
    consumer = Consumer(
        {"bootstrap.servers": topics.kafka.bootstrap_servers, "group.id": topics.group}
    )
    (place,) = consumer.committed([TopicPartition(topics.physical[topic], 0)], timeout=WAIT_S)
    consumer.close()
    return int(place.offset)


def test_outputs_and_positions_are_there_together(topics: Topics) -> None:
    producer = topics.producer()
    outputs = [*_out(b"1", b"2"), *_out(b"n", topic="notifications")]
    positions = [TopicPartition(topics.physical["shipments"], 0, 7)]

    delivered = producer.commit(outputs, positions, _metadata(topics))

    assert delivered.ends == {("ledger", 0): 1, ("notifications", 0): 0}
    assert topics.read("ledger") == [b"1", b"2"]
    assert topics.read("notifications") == [b"n"]
    assert _committed(topics, "shipments") == 7


def test_commit_markers_take_offsets(topics: Topics) -> None:
    producer = topics.producer()

    ends = [producer.commit(_out(b"x"), [], None).ends["ledger", 0] for _ in range(3)]

    assert ends == [0, 2, 4]
    assert topics.end("ledger") == 6


def test_a_clean_abort_is_made_again_and_counts_once(topics: Topics) -> None:
    aborting = KafkaError(KafkaError._TIMED_OUT, "injected", False, False, True)
    producer = topics.producer(_injecting(topics, aborting, before=True))

    producer.commit(_out(b"1", b"2"), [], None)

    assert topics.read("ledger") == [b"1", b"2"]
    assert topics.read("ledger", committed=False) == [b"1", b"2", b"1", b"2"], "no abort was made"


@pytest.mark.parametrize("before", [True, False], ids=["never arrived", "its answer was lost"])
def test_after_an_unclear_commit_the_next_owner_finds_all_or_nothing(
    topics: Topics, before: bool
) -> None:
    lost = KafkaError(KafkaError._TRANSPORT, "injected", True)
    producer = topics.producer(_injecting(topics, lost, before=before))

    with pytest.raises(UnclearError):
        producer.commit([*_out(b"1", b"2"), *_out(b"n", topic="notifications")], [], None)
    topics.producer()  # the same process, opened anew

    found = (topics.read("ledger"), topics.read("notifications"))
    assert found == (([], []) if before else ([b"1", b"2"], [b"n"]))


def test_a_second_producer_shuts_the_first_one_out(topics: Topics) -> None:
    first, second = topics.producer(), topics.producer()

    with pytest.raises(FencedError):
        first.commit(_out(b"first"), [], None)
    second.commit(_out(b"second"), [], None)

    assert topics.read("ledger") == [b"second"]


def test_each_partition_is_fenced_for_itself(topics: Topics) -> None:
    first = topics.producer()
    topics.producer(topics.client(1))

    first.commit(_out(b"first"), [], None)

    assert topics.read("ledger") == [b"first"]


def test_what_a_predecessor_left_open_is_never_seen_and_holds_nobody_back(topics: Topics) -> None:
    """A process that was stopped between its last record and its commit."""
    client = topics.client()
    client.init_transactions(WAIT_S)
    client.begin_transaction()
    client.produce(topics.physical["ledger"], b"open", b"k", partition=0)
    client.flush(WAIT_S)
    assert topics.end("ledger") == 1

    producer = topics.producer()

    # last stable offset = high watermark: a reader gets to the end, behind the record and its marker
    assert topics.read("ledger") == []
    assert topics.read("ledger", committed=False) == [b"open"]
    assert topics.end("ledger") == 2
    producer.commit(_out(b"mine"), [], None)
    with pytest.raises(KafkaException):
        client.commit_transaction(WAIT_S)
    assert topics.read("ledger") == [b"mine"]


def test_a_transaction_that_its_broker_gave_up_is_made_again_or_is_unclear(topics: Topics) -> None:
    """It was open for too long: whatever the client learns, nothing of it is seen, and nothing twice."""
    kafka = KafkaSettings(
        **{**topics.kafka.model_dump(), "transaction_timeout_ms": 1_000},
    )
    client = transactional_producer(kafka, f"{topics.physical['ledger']}-0")
    producer = topics.producer(client)
    client.begin_transaction()
    client.produce(topics.physical["ledger"], b"too long", b"k", partition=0)
    client.flush(WAIT_S)
    # aborted by the broker: its marker is the second offset
    wait_until(lambda: topics.end("ledger") == 2, WAIT_S)
    with pytest.raises(KafkaException) as caught:
        client.commit_transaction(WAIT_S)
    error = caught.value.args[0]
    if error.txn_requires_abort():
        client.abort_transaction(WAIT_S)
        producer.commit(_out(b"next"), [], None)
    else:
        topics.producer().commit(_out(b"next"), [], None)

    assert topics.read("ledger") == [b"next"]


def test_positions_of_somebody_who_left_the_group_are_refused_with_all_that_goes_with_them(
    topics: Topics,
) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": topics.kafka.bootstrap_servers,
            "group.id": topics.group,
            "session.timeout.ms": 3_000,
        }
    )
    consumer.subscribe([topics.physical["shipments"]])
    wait_until(lambda: consumer.poll(0.1) is not None or consumer.assignment(), WAIT_S)
    metadata = consumer.consumer_group_metadata()
    consumer.close()
    producer = topics.producer()
    positions = [TopicPartition(topics.physical["shipments"], 0, 7)]

    with pytest.raises(UnclearError, match="aborted"):
        producer.commit(_out(b"late"), positions, metadata)

    assert topics.read("ledger") == []
    assert _committed(topics, "shipments") < 0


def test_a_record_that_its_topic_does_not_take_takes_its_whole_transaction_along(
    topics: Topics,
) -> None:
    """Such a record must never be made: nothing here can write it, and nothing may be written in part."""
    producer = topics.producer()
    too_large = Outbound("notifications", 0, b"k", bytes(1_100_000))

    with pytest.raises(UnclearError):
        producer.commit([*_out(b"1"), too_large], [], None)

    assert topics.read("ledger") == []
    topics.producer().commit(_out(b"2"), [], None)
    assert topics.read("ledger") == [b"2"]


def test_an_empty_transaction_is_no_error(topics: Topics) -> None:
    producer = topics.producer()

    assert producer.commit([], [], None).ends == {}
    producer.commit(_out(b"1"), [], None)

    assert topics.read("ledger") == [b"1"]


def test_headers_keys_and_tombstones_arrive_as_they_are(topics: Topics) -> None:
    producer = topics.producer()
    headers = (("ce_id", b"1"), ("empty", b""), ("none", None), ("twice", b"a"), ("twice", b"b"))
    producer.commit([Outbound("ledger", 1, b"\xff\x00", None, headers)], [], None)

    consumer = Consumer(
        {"bootstrap.servers": topics.kafka.bootstrap_servers, "group.id": topics.group}
    )
    consumer.assign([TopicPartition(topics.physical["ledger"], 1, 0)])
    message = consumer.poll(WAIT_S)
    consumer.close()

    assert message is not None
    assert (message.key(), message.value()) == (b"\xff\x00", None)
    assert message.headers() == list(headers)
