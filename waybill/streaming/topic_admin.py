"""Make the topics, check the cluster, publish this release's schemas.

`apply` may run as often as one likes, by several people at once, and after a crash at any point: it only
adds what is missing and alters settings that differ. It never deletes and never changes a partition count.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not marked as re-exported
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from waybill.contracts.topics import topics
from waybill.streaming import schema_topic
from waybill.streaming.schema_topic import ClientConfig
from waybill.streaming.topic_rules import (
    ClusterState,
    Problem,
    TopicState,
    config_changes,
    problems,
    wanted_config,
)

_REACH_S = 10.0
"""A cluster that does not tell its topics in this time is away."""
_ADMIN_S = 30.0
"""Longest wait for one answer: a cluster under load takes seconds to make fourteen topics."""
_VISIBLE_S = 30.0
"""The controller decides first, the brokers hear of a new topic a little later."""
_POLL_S = 0.05
_TRANSACTION_S = 15.0
"""A transaction coordinator that is just being elected needs some seconds."""
_NAMED_MAX = 3
_CHECK_ID = "waybill.topics-check"
"""Transactional id of the check; one name for all, since the broker keeps each one for a week."""


class TopicError(Exception):
    """The topics could not be made as wanted; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What `apply` did; all empty when everything was there."""

    created: list[str] = field(default_factory=list)
    altered: dict[str, dict[str, str]] = field(default_factory=dict)
    """Topic name to the settings that were changed, with their new values."""
    schemas: list[str] = field(default_factory=list)
    """Schemas published now, as `order v1`."""


def apply(
    bootstrap_config: ClientConfig, prefix: str, partitions: int, replication: int
) -> ApplyReport:
    """Create missing topics, alter settings that differ, publish the schemas that are not there yet.

    `bootstrap_config` holds librdkafka's connection settings. Raises TopicError before changing anything when
    a live topic has another partition count, and after trying all when the cluster refuses some.
    """
    admin = AdminClient(dict(bootstrap_config))
    state = _described(admin, prefix)
    _refuse_other_counts(state, partitions)
    created = _create_missing(admin, state, partitions, replication)
    # somebody else may have made some of them a moment ago: wait for all
    _wait_visible(admin, [prefix + topic.name for topic in topics().values()])
    altered = _alter(admin, _described(admin, prefix))
    schemas = schema_topic.publish_missing(bootstrap_config, _schemas_name(prefix), partitions)
    return ApplyReport(created, altered, schemas)


def check(bootstrap_config: ClientConfig, prefix: str, partitions: int) -> list[Problem]:
    """Everything that is wrong with the topics and the cluster; changes nothing.

    Opens one transactional id, `waybill.topics-check`, to see whether the cluster has transactions.
    """
    admin = AdminClient(dict(bootstrap_config))
    state = _described(admin, prefix)
    missing: list[str] = []
    if "schemas" in state.topics:
        missing = schema_topic.missing(bootstrap_config, _schemas_name(prefix))
    full = ClusterState(
        brokers=state.brokers,
        topics=state.topics,
        request_bytes_max=_request_bytes_max(admin),
        schemas_missing=missing,
        transactions_error=_transactions_error(bootstrap_config),
        prefix=prefix,
        unreadable=state.unreadable,
    )
    return problems(full, partitions)


def _transactions_error(config: ClientConfig) -> str | None:
    """Why the cluster offers no transactions; None when one could be opened and ended."""
    producer = Producer({**config, "transactional.id": _CHECK_ID, "log_level": 0})
    try:
        producer.init_transactions(_TRANSACTION_S)
        producer.begin_transaction()
        producer.abort_transaction(_TRANSACTION_S)
    except KafkaException as error:
        return str(error.args[0].str())
    return None


def _schemas_name(prefix: str) -> str:
    return prefix + topics()["schemas"].name


def _described(admin: AdminClient, prefix: str) -> ClusterState:
    metadata = admin.list_topics(timeout=_REACH_S)
    found = {
        logical: metadata.topics[prefix + topic.name]
        for logical, topic in topics().items()
        if prefix + topic.name in metadata.topics
    }
    configs = _configs(admin, [prefix + topics()[logical].name for logical in found])
    states = {
        logical: TopicState(
            name=str(live.topic),
            partitions=len(live.partitions),
            replicas=min((len(p.replicas) for p in live.partitions.values()), default=0),
            config=configs.get(str(live.topic)) or {},
        )
        for logical, live in found.items()
    }
    unreadable = [logical for logical, live in states.items() if configs.get(live.name) is None]
    return ClusterState(len(metadata.brokers), states, prefix=prefix, unreadable=unreadable)


def _configs(admin: AdminClient, names: list[str]) -> dict[str, dict[str, str] | None]:
    """Effective settings by topic; None where the cluster does not tell."""
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    if not resources:
        return {}
    answers = admin.describe_configs(resources, request_timeout=_ADMIN_S)
    return {resource.name: _settings(answer) for resource, answer in answers.items()}


def _settings(answer: "Future[Any]") -> dict[str, str] | None:
    try:
        entries: Mapping[str, Any] = answer.result(_ADMIN_S)
    except KafkaException as error:
        if error.args[0].code() in _FORBIDDEN:
            return None
        raise
    return {name: entry.value for name, entry in entries.items() if entry.value is not None}


_FORBIDDEN = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.UNSUPPORTED_VERSION,
}


def _refuse_other_counts(state: ClusterState, partitions: int) -> None:
    others = [
        f"{live.name} has {live.partitions}"
        for live in state.topics.values()
        if live.partitions != partitions
    ]
    if others:
        more = f" and {len(others) - _NAMED_MAX} more" if len(others) > _NAMED_MAX else ""
        raise TopicError(
            f"asked for {partitions} partitions, but {', '.join(others[:_NAMED_MAX])}{more}; nothing was "
            "changed. The count is fixed when an installation is made: set WAYBILL_KAFKA__PARTITIONS to it"
        )


def _create_missing(
    admin: AdminClient, state: ClusterState, partitions: int, replication: int
) -> list[str]:
    wanted = [
        NewTopic(
            state.prefix + topic.name,
            num_partitions=partitions,
            replication_factor=replication,
            config=wanted_config(topic, replication),
        )
        for logical, topic in topics().items()
        if logical not in state.topics
    ]
    if not wanted:
        return []
    answers = admin.create_topics(
        wanted, operation_timeout=_ADMIN_S, request_timeout=_ADMIN_S + _VISIBLE_S
    )
    return _done(answers, also_fine=KafkaError.TOPIC_ALREADY_EXISTS)


def _done(answers: Mapping[str, "Future[Any]"], also_fine: int | None = None) -> list[str]:
    """The names that succeeded; raises TopicError naming all that failed."""
    done, failed = [], []
    for name, answer in answers.items():
        try:
            answer.result(_ADMIN_S + _VISIBLE_S)
            done.append(name)
        except KafkaException as error:
            if error.args[0].code() != also_fine:
                failed.append(f"{name}: {error.args[0].str()}")
    if failed:
        raise TopicError(f"the cluster refused {'; '.join(failed)}")
    return sorted(done)


def _wait_visible(admin: AdminClient, names: list[str]) -> None:
    def visible() -> bool:
        live = admin.list_topics(timeout=_ADMIN_S).topics
        return all(name in live and live[name].partitions for name in names)

    if not _within(_VISIBLE_S, visible):
        raise TopicError(f"{', '.join(names)}: made, but not visible after {_VISIBLE_S:.0f} s")


def _within(time_s: float, condition: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + time_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(_POLL_S)
    return True


def _alter(admin: AdminClient, state: ClusterState) -> dict[str, dict[str, str]]:
    changes = {
        live.name: changed
        for logical, live in state.topics.items()
        if logical not in state.unreadable and (changed := config_changes(topics()[logical], live))
    }
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
                for setting, value in changed.items()
            ],
        )
        for name, changed in changes.items()
    ]
    if resources:
        answers = admin.incremental_alter_configs(resources, request_timeout=_ADMIN_S)
        _done({resource.name: answer for resource, answer in answers.items()})
    return changes


def _request_bytes_max(admin: AdminClient) -> int | None:
    brokers = admin.list_topics(timeout=_ADMIN_S).brokers
    resources = [ConfigResource(ResourceType.BROKER, str(number)) for number in brokers]
    answers = admin.describe_configs(resources, request_timeout=_ADMIN_S)
    limits = [
        int(settings["socket.request.max.bytes"])
        for answer in answers.values()
        if (settings := _settings(answer)) and "socket.request.max.bytes" in settings
    ]
    return min(limits, default=None)
