"""`waybill topics apply` and `check` on a real broker."""

import json
import threading
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not marked as re-exported
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from tests.kafka import TopicSpace
from tests.waiting import wait_until
from waybill.cli.app import execute
from waybill.contracts.codec import SchemaBook, schema_fingerprint
from waybill.contracts.files import schema_versions
from waybill.contracts.topics import topics
from waybill.streaming import schema_topic
from waybill.streaming.schema_topic import SchemaTopicError
from waybill.streaming.topic_admin import ApplyReport, TopicError, apply, check

pytestmark = pytest.mark.kafka

PARTITIONS = 2
ADMIN_S = 20.0


class Cluster:
    """The session's broker, seen through this test's prefix."""

    def __init__(self, space: TopicSpace) -> None:
        self.space = space
        self.config = {"bootstrap.servers": space.bootstrap}
        self.admin = AdminClient(dict(self.config))

    def apply(self, partitions: int = PARTITIONS) -> ApplyReport:
        return apply(self.config, self.space.prefix, partitions, replication=1)

    def problems(self, partitions: int = PARTITIONS) -> list[str]:
        return [str(one) for one in check(self.config, self.space.prefix, partitions)]

    def settle(self) -> None:
        """Wait until the broker tells of every change: it hears of them a little later."""
        wait_until(lambda: self.problems() == [], ADMIN_S)

    def set(self, topic: str, name: str, value: str) -> None:
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(
            ResourceType.TOPIC, self.space.name(topic), incremental_configs=[entry]
        )
        for answer in self.admin.incremental_alter_configs([resource]).values():
            answer.result(ADMIN_S)


@pytest.fixture
def cluster(topic_space: TopicSpace) -> Cluster:
    return Cluster(topic_space)


def test_before_apply_everything_is_missing(cluster: Cluster) -> None:
    found = cluster.problems()

    assert len(found) == len(topics())
    assert all(one.endswith("is missing. Run `waybill topics apply`") for one in found)


def test_apply_makes_every_topic_as_it_was_declared(cluster: Cluster) -> None:
    report = cluster.apply()

    assert report.created == sorted(cluster.space.name(topic.name) for topic in topics().values())
    assert report.altered == {}
    cluster.settle()
    live = cluster.admin.list_topics(timeout=ADMIN_S).topics
    assert {len(live[name].partitions) for name in report.created} == {PARTITIONS}


def test_two_operators_at_once_do_no_harm(cluster: Cluster) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            cluster.apply()
        except BaseException as error:  # noqa: BLE001 - reported by the test
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    cluster.settle()


def test_a_topic_that_somebody_deleted_is_made_again(cluster: Cluster) -> None:
    cluster.apply()
    name = cluster.space.name("waybill.order-hints.v1")
    cluster.admin.delete_topics([name])[name].result(ADMIN_S)
    wait_until(lambda: name not in cluster.space.existing(), ADMIN_S)

    assert cluster.apply().created == [name]


def test_settings_that_somebody_changed_are_told_and_altered(cluster: Cluster) -> None:
    cluster.apply()
    cluster.set("waybill.ledger.v1", "cleanup.policy", "delete")
    cluster.set("waybill.proofs.v1", "max.message.bytes", "1000000")
    wait_until(lambda: len(cluster.problems()) == 2, ADMIN_S)

    ledger, proofs = (cluster.space.name(f"waybill.{name}.v1") for name in ("ledger", "proofs"))
    assert [one.split(". ")[0] for one in cluster.problems()] == [
        f"error: {ledger}: cleanup.policy is delete, not compact",
        f"error: {proofs}: takes records of 1000000 bytes, 8388608 are needed",
    ]
    assert cluster.apply().altered == {
        ledger: {"cleanup.policy": "compact"},
        proofs: {"max.message.bytes": "8388608"},
    }
    cluster.settle()


def test_another_partition_count_changes_nothing(cluster: Cluster) -> None:
    cluster.apply()
    before = cluster.space.existing()

    with pytest.raises(TopicError, match=r"asked for 6 partitions, but .* has 2"):
        cluster.apply(partitions=6)

    assert cluster.space.existing() == before
    assert any("has 2 partitions, the installation 6" in one for one in cluster.problems(6))


def test_a_topic_that_grew_is_told_and_stops_apply(cluster: Cluster) -> None:
    cluster.apply()
    name = cluster.space.name("waybill.orders.v1")
    cluster.admin.create_partitions([NewPartitions(name, 4)])[name].result(ADMIN_S)
    wait_until(lambda: len(cluster.problems()) == 1, ADMIN_S)

    assert f"error: {name}: has 4 partitions, the installation 2" in cluster.problems()[0]
    with pytest.raises(TopicError, match=f"{name} has 4; nothing was changed"):
        cluster.apply()


def test_more_replicas_than_brokers_are_refused_by_name(cluster: Cluster) -> None:
    with pytest.raises(TopicError, match=r"the cluster refused .*waybill\.ledger\.v1: "):
        apply(cluster.config, cluster.space.prefix, PARTITIONS, replication=3)


class TestSchemas:
    """Every schema of the release lies once on the schemas topic, under its fingerprint."""

    def topic(self, cluster: Cluster) -> str:
        return cluster.space.name("waybill.schemas.v1")

    def records(self, cluster: Cluster) -> list[tuple[bytes, bytes]]:
        consumer = Consumer({**cluster.config, "group.id": "test", "auto.offset.reset": "earliest"})
        found: list[tuple[bytes, bytes]] = []
        consumer.assign([TopicPartition(self.topic(cluster), p, 0) for p in range(PARTITIONS)])

        def read_some() -> bool:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                found.append((message.key() or b"", message.value() or b""))
            return message is None

        wait_until(read_some, ADMIN_S)
        consumer.close()
        return found

    def test_they_are_published_once_and_can_be_learnt(self, cluster: Cluster) -> None:
        first, second = cluster.apply(), cluster.apply()

        assert len(first.schemas) == sum(len(versions) for versions in schema_versions().values())
        assert second.schemas == []
        found = dict(schema_topic.read_all(cluster.config, self.topic(cluster)))
        assert len(self.records(cluster)) == len(found)
        assert {SchemaBook().learn(schema).hex() for schema in found.values()} == found.keys()
        assert found == {
            schema_fingerprint(schema).hex(): schema
            for versions in schema_versions().values()
            for schema in versions
        }

    def test_those_of_a_newer_release_stay(self, cluster: Cluster) -> None:
        cluster.apply()
        producer = Producer(dict(cluster.config))
        newer: dict[str, Any] = {"type": "record", "name": "Newer", "fields": []}
        producer.produce(self.topic(cluster), key="00" * 8, value=json.dumps(newer))
        assert producer.flush(ADMIN_S) == 0

        assert cluster.apply().schemas == []
        assert dict(schema_topic.read_all(cluster.config, self.topic(cluster)))["00" * 8] == newer

    def test_a_topic_that_is_empty_is_told(self, cluster: Cluster) -> None:
        cluster.space.create("waybill.schemas.v1", partitions=PARTITIONS)

        assert any("lacks order v1" in one or "order v1," in one for one in cluster.problems())

    def test_a_topic_that_is_missing(self, cluster: Cluster) -> None:
        with pytest.raises(SchemaTopicError, match="Unknown topic"):
            list(schema_topic.read_all(cluster.config, self.topic(cluster)))


class TestCommandLine:
    """`waybill topics …` with its options."""

    @pytest.fixture(autouse=True)
    def _captured(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def run(self, cluster: Cluster, *words: str) -> tuple[int, str]:
        where = ["--bootstrap", cluster.space.bootstrap, "--topic-prefix", cluster.space.prefix]
        code = execute(["topics", *words, *where, "--partitions", str(PARTITIONS)])
        told = self.capsys.readouterr()
        return code, told.out + told.err

    def test_apply_then_check(self, cluster: Cluster) -> None:
        code, told = self.run(cluster, "check")
        assert code == 1
        assert "is missing. Run `waybill topics apply`" in told

        code, told = self.run(cluster, "apply")
        assert code == 0
        assert f"created {cluster.space.name('waybill.ledger.v1')}" in told
        cluster.settle()

        assert self.run(cluster, "check") == (0, "the topics are as they should be\n")
        assert self.run(cluster, "apply") == (
            0,
            "nothing to do: all topics and schemas are there\n",
        )

    def test_what_was_altered_is_told(self, cluster: Cluster) -> None:
        cluster.apply()
        cluster.set("waybill.shipments.v1", "retention.ms", "1000")
        wait_until(lambda: len(cluster.problems()) == 1, ADMIN_S)

        code, told = self.run(cluster, "check")
        assert code == 0  # a warning
        assert told.endswith("no errors\n")
        code, told = self.run(cluster, "apply")
        assert (code, told) == (
            0,
            f"altered {cluster.space.name('waybill.shipments.v1')}: retention.ms=2592000000\n",
        )

    def test_errors_end_with_one_line(self, cluster: Cluster) -> None:
        code, told = self.run(cluster, "apply", "--replication", "3")

        assert code == 1
        assert told.startswith("error: the cluster refused ")

    def test_a_cluster_that_is_away_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        code = execute(["topics", "check", "--bootstrap", "127.0.0.1:1"])

        assert code == 1
        assert "127.0.0.1:1" in capsys.readouterr().err
