"""What `waybill topics check` says of clusters that this machine cannot offer: large, capped, half made."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from waybill.contracts.topics import topics
from waybill.streaming.topic_rules import (
    ClusterState,
    Problem,
    TopicState,
    config_changes,
    problems,
    wanted_config,
)


def cluster(brokers: int = 3, replicas: int = 3, **changed: Any) -> ClusterState:
    """A cluster as it should be."""
    states = {
        logical: TopicState(f"p-{topic.name}", 12, replicas, wanted_config(topic, replicas))
        for logical, topic in topics().items()
    }
    return replace(ClusterState(brokers, states, 104_857_600, prefix="p-"), **changed)


def with_topic(state: ClusterState, logical: str, **changed: Any) -> ClusterState:
    return replace(
        state, topics={**state.topics, logical: replace(state.topics[logical], **changed)}
    )


def with_config(state: ClusterState, logical: str, config: Mapping[str, str]) -> ClusterState:
    return with_topic(state, logical, config={**state.topics[logical].config, **config})


def told(state: ClusterState, partitions: int = 12) -> list[tuple[str, str, str]]:
    return [(p.level, p.subject, p.what) for p in problems(state, partitions)]


@pytest.mark.parametrize(("brokers", "replicas"), [(1, 1), (3, 3), (9, 3), (5, 5)])
def test_a_cluster_as_it_should_be_has_no_problems(brokers: int, replicas: int) -> None:
    assert problems(cluster(brokers, replicas), 12) == []


def test_a_missing_topic() -> None:
    state = cluster()
    there = {name: live for name, live in state.topics.items() if name != "ledger"}

    assert told(replace(state, topics=there)) == [("error", "p-waybill.ledger.v1", "is missing")]


def test_another_partition_count() -> None:
    assert told(with_topic(cluster(), "orders", partitions=24)) == [
        ("error", "p-waybill.orders.v1", "has 24 partitions, the installation 12")
    ]


def test_a_count_that_all_topics_share_but_not_the_installation() -> None:
    assert len(problems(cluster(), 6)) == len(topics())


def test_a_cluster_that_caps_records() -> None:
    (problem,) = problems(with_config(cluster(), "proofs", {"max.message.bytes": "1048588"}), 12)

    assert problem.level == "error"
    assert problem.what == "takes records of 1048588 bytes, 8388608 are needed"
    assert "another cluster or plan" in problem.todo


def test_more_room_than_needed_harms_nobody() -> None:
    assert told(with_config(cluster(), "orders", {"max.message.bytes": "9000000"})) == []


@pytest.mark.parametrize(
    ("logical", "setting", "value", "level"),
    [
        ("ledger", "cleanup.policy", "delete", "error"),
        ("ledger", "cleanup.policy", "compact,delete", "error"),
        ("proofs", "cleanup.policy", "compact", "error"),
        ("orders", "min.insync.replicas", "1", "error"),
        ("shipments", "retention.ms", "604800000", "warning"),
        ("orders", "max.compaction.lag.ms", "9223372036854775807", "warning"),
    ],
)
def test_a_setting_that_differs(logical: str, setting: str, value: str, level: str) -> None:
    found = told(with_config(cluster(), logical, {setting: value}))

    assert len(found) == 1
    assert found[0][0] == level
    assert found[0][2].startswith(f"{setting} is {value}, not ")


def test_a_list_in_another_order_is_the_same() -> None:
    assert told(with_config(cluster(), "proofs", {"cleanup.policy": "delete,compact"})) == []
    assert told(with_config(cluster(), "proofs", {"cleanup.policy": "delete, compact"})) == []


def test_a_ratio_written_otherwise_is_the_same() -> None:
    assert told(with_config(cluster(), "ledger", {"min.cleanable.dirty.ratio": "0.10"})) == []


def test_a_setting_that_the_cluster_does_not_have() -> None:
    state = cluster()
    config = dict(state.topics["ledger"].config)
    del config["unclean.leader.election.enable"]

    assert told(with_topic(state, "ledger", config=config)) == [
        ("warning", "p-waybill.ledger.v1", "unclean.leader.election.enable is not set, not false")
    ]


class TestTheLedger:
    """It must not lose what was acknowledged, or an order ships twice."""

    def errors(self, state: ClusterState) -> list[str]:
        return [
            p.what
            for p in problems(state, 12)
            if p.level == "error" and p.subject == "p-waybill.ledger.v1"
        ]

    def test_too_few_replicas(self) -> None:
        assert "has 1 replicas on 3 brokers, 3 are wanted" in self.errors(cluster(3, 1))
        assert "has 2 replicas on 3 brokers, 3 are wanted" in self.errors(cluster(3, 2))

    def test_other_topics_are_warned_about(self) -> None:
        found = problems(with_topic(cluster(), "proofs", replicas=1), 12)

        assert [p.level for p in found] == ["warning"]

    def test_one_in_sync_replica(self) -> None:
        found = self.errors(with_config(cluster(), "ledger", {"min.insync.replicas": "1"}))

        assert any("one broker alone may acknowledge and then fail" in what for what in found)

    def test_unclean_election(self) -> None:
        changed = {"unclean.leader.election.enable": "true"}

        found = self.errors(with_config(cluster(), "ledger", changed))

        assert "unclean leader election may drop acknowledged records" in found

    def test_all_replicas_have_to_acknowledge(self) -> None:
        found = told(with_config(cluster(), "ledger", {"min.insync.replicas": "3"}))

        assert any("one broker down stops all" in what for _, _, what in found)

    def test_one_broker_alone_is_a_developers_machine(self) -> None:
        assert self.errors(cluster(1, 1)) == []


def test_a_cluster_without_transactions() -> None:
    (problem,) = problems(cluster(transactions_error="unsupported"), 12)

    assert problem == Problem("error", "cluster", "no transactions: unsupported", problem.todo)
    assert "one-shipment rule rests on them" in problem.todo


def test_requests_smaller_than_the_largest_record() -> None:
    assert told(cluster(request_bytes_max=1_048_576)) == [
        (
            "error",
            "cluster",
            "the brokers take requests of 1048576 bytes; records have up to 8388608",
        )
    ]
    assert told(cluster(request_bytes_max=None)) == []


def test_schemas_that_are_not_published() -> None:
    assert told(cluster(schemas_missing=["order v2"])) == [
        ("error", "p-waybill.schemas.v1", "lacks order v2")
    ]


def test_settings_that_may_not_be_read() -> None:
    state = with_topic(cluster(unreadable=["orders"]), "orders", config={})

    assert told(state) == [("warning", "p-waybill.orders.v1", "its settings cannot be read")]


def test_errors_come_first() -> None:
    state = with_config(cluster(transactions_error="no"), "shipments", {"retention.ms": "1"})

    assert [p.level for p in problems(state, 12)] == ["error", "warning"]


def test_a_problem_reads_as_a_sentence() -> None:
    (problem,) = problems(with_topic(cluster(), "orders", partitions=24), 12)

    assert str(problem).startswith(
        "error: p-waybill.orders.v1: has 24 partitions, the installation 12. Keys would move"
    )


def test_settings_are_altered_only_where_they_differ() -> None:
    state = with_config(cluster(), "shipments", {"retention.ms": "1"})

    changes = {
        logical: config_changes(topic, state.topics[logical]) for logical, topic in topics().items()
    }

    assert {name: change for name, change in changes.items() if change} == {
        "shipments": {"retention.ms": "2592000000"}
    }
