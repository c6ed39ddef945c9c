"""Reading stretches of a topic and writing records again, on a real cluster."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.kafka import TopicSpace
from waybill.cli.cluster import Cluster
from waybill.cli.errors import CommandError, InputError
from waybill.cli.rewriting import Rewriter
from waybill.cli.segments import TopicReader
from waybill.settings import KafkaSettings
from waybill.streaming.records import Inbound, Outbound

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def cluster(topic_space: TopicSpace) -> Cluster:
    topic_space.create_declared("shipments", partitions=2)
    return Cluster(
        KafkaSettings(bootstrap_servers=topic_space.bootstrap, topic_prefix=topic_space.prefix)
    )


def records(count: int, partition: int = 0) -> list[Outbound]:
    return [Outbound("shipments", partition, b"sandbox:1", b"%d" % n) for n in range(count)]


def source(number: int) -> Inbound:
    return Inbound("shipments", 0, number, b"sandbox:1", b"", (), 0)


def test_a_stretch_ends_where_the_topic_ended_and_begins_at_a_time_or_an_offset(
    cluster: Cluster,
) -> None:
    cluster.publish([*records(5), *records(3, partition=1)])
    reader = TopicReader(cluster, "shipments")
    everything = reader.from_beginning()
    cluster.publish(records(2))

    assert len(list(reader.read(everything))) == 8
    assert [r.value for r in reader.read(reader.from_offsets({0: 4}))] == [b"4", b"0", b"1"]
    now = datetime.now(UTC)
    assert len(list(reader.read(reader.from_time(now - timedelta(hours=1))))) == 10
    assert list(reader.read(reader.from_time(now + timedelta(hours=1)))) == []


def test_offsets_that_have_expired_are_refused_with_the_first_one_left(
    cluster: Cluster, topic_space: TopicSpace
) -> None:
    cluster.publish(records(5))
    admin = AdminClient({"bootstrap.servers": topic_space.bootstrap})
    place = TopicPartition(topic_space.name("waybill.shipments.v1"), 0, 3)
    admin.delete_records([place])[place].result(20)

    with pytest.raises(InputError, match=r"--offsets 0:1: .* begins at 3.* give 0:3"):
        TopicReader(cluster, "shipments").from_offsets({0: 1})


def test_whoever_begins_shuts_out_the_one_before_who_has_written_whole_batches(
    cluster: Cluster,
) -> None:
    told: list[int] = []
    first = Rewriter(cluster, 10, pause=lambda _s: None)

    def pairs() -> Iterator[tuple[Inbound, Outbound]]:
        for number, record in enumerate(records(25)):
            if number == 20:
                Rewriter(cluster, 10)
            yield source(number), record

    with pytest.raises(CommandError, match="another replay or redrive of this installation"):
        first.write(pairs(), lambda done: told.extend(one.offset for one in done))

    reader = TopicReader(cluster, "shipments")
    assert told == list(range(20))
    assert len(list(reader.read(reader.from_beginning()))) == 20


def test_the_rate_is_kept_by_pausing_after_each_batch(cluster: Cluster) -> None:
    pauses: list[float] = []
    rewriter = Rewriter(cluster, 10, clock=lambda: 0.0, pause=pauses.append)

    rewriter.write([(source(n), record) for n, record in enumerate(records(25))], lambda _: None)

    assert pauses == [1.0, 1.0, 0.5]
