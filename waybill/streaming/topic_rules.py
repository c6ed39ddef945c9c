"""What a cluster has to offer, and what is wrong with the one at hand: pure rules over a description.

`schemas/topics/*.yaml` declares the topics; `topic_admin` describes and changes the cluster.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from waybill.contracts.topics import Topic, topics

_LEDGER = "ledger"
_REPLICAS_WANTED = 3
_IN_SYNC_WANTED = 2


class Problem(NamedTuple):
    """One thing that is wrong. With an `error` the services must not run; a `warning` is to be known."""

    level: Literal["error", "warning"]
    subject: str
    """Topic name on the cluster, or `cluster`."""
    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.level}: {self.subject}: {self.what}. {self.todo}"


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as the cluster describes it."""

    name: str
    partitions: int
    replicas: int
    """The least over its partitions."""
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClusterState:
    """What the rules look at; topics by logical name, missing ones left out."""

    brokers: int
    topics: Mapping[str, TopicState]
    request_bytes_max: int | None = None
    """The brokers' `socket.request.max.bytes`; None when they do not tell."""
    schemas_missing: Sequence[str] = ()
    """Schemas of this release that `waybill.schemas.v1` does not hold."""
    transactions_error: str | None = None
    """Why a transaction could not be opened; None when it could."""
    prefix: str = ""
    unreadable: Sequence[str] = field(default_factory=tuple)
    """Topics whose settings the cluster does not tell, by logical name."""


def wanted_config(topic: Topic, replication: int) -> dict[str, str]:
    """The settings that a topic gets; with several replicas, a write is acknowledged by two."""
    in_sync = {"min.insync.replicas": str(_IN_SYNC_WANTED)} if replication > 1 else {}
    return {**topic.kafka_config(), **in_sync}


def config_changes(topic: Topic, state: TopicState) -> dict[str, str]:
    """The settings of an existing topic that have to be altered, with the values wanted."""
    wanted = wanted_config(topic, state.replicas)
    return {
        name: value for name, value in wanted.items() if not _same(state.config.get(name), value)
    }


def _same(found: str | None, wanted: str) -> bool:
    if found is None:
        return False
    # Kafka returns a list in its own order, and numbers as it was given them
    return _normal(found) == _normal(wanted)


def _normal(value: str) -> object:
    try:
        return float(value)
    except ValueError:
        return frozenset(part.strip() for part in value.split(","))


def problems(state: ClusterState, partitions: int) -> list[Problem]:
    """Everything that is wrong, errors first. `partitions` is the count the installation was made with."""
    found = [*_topic_problems(state, partitions), *_cluster_problems(state)]
    return sorted(found, key=lambda problem: (problem.level, problem.subject, problem.what))


def _topic_problems(state: ClusterState, partitions: int) -> Iterator[Problem]:
    for logical, topic in topics().items():
        live = state.topics.get(logical)
        if live is None:
            name = state.prefix + topic.name
            yield Problem("error", name, "is missing", "Run `waybill topics apply`")
            continue
        yield from _count_problems(live, partitions)
        if logical in state.unreadable:
            yield Problem(
                "warning",
                live.name,
                "its settings cannot be read",
                "Allow DescribeConfigs, or compare them with docs/topics.md by hand",
            )
        else:
            yield from _config_problems(topic, live)
            yield from _replica_problems(topic, live, state.brokers)


def _count_problems(live: TopicState, partitions: int) -> Iterator[Problem]:
    if live.partitions != partitions:
        yield Problem(
            "error",
            live.name,
            f"has {live.partitions} partitions, the installation {partitions}",
            "Keys would move to a partition whose ledger does not know them: set "
            "WAYBILL_KAFKA__PARTITIONS to the count the installation was made with; a topic that is "
            "still empty can be deleted and made again by `waybill topics apply`",
        )


def _config_problems(topic: Topic, live: TopicState) -> Iterator[Problem]:
    for name, wanted in config_changes(topic, live).items():
        found = live.config.get(name)
        if name == "max.message.bytes" and found is not None and int(found) > int(wanted):
            continue  # more room than needed harms nobody
        if name == "max.message.bytes" and found is not None:
            yield Problem(
                "error",
                live.name,
                f"takes records of {found} bytes, {wanted} are needed",
                "Run `waybill topics apply`; if the value stays, the service caps it, and a record "
                "that can be read could not be dead-lettered: use another cluster or plan",
            )
        else:
            yield Problem(
                "error" if name in ("cleanup.policy", "min.insync.replicas") else "warning",
                live.name,
                f"{name} is {'not set' if found is None else found}, not {wanted}",
                "Run `waybill topics apply`",
            )


def _replica_problems(topic: Topic, live: TopicState, brokers: int) -> Iterator[Problem]:
    if brokers == 1:
        return
    wanted = min(_REPLICAS_WANTED, brokers)
    if live.replicas < wanted:
        yield Problem(
            "error" if topic.logical == _LEDGER else "warning",
            live.name,
            f"has {live.replicas} replicas on {brokers} brokers, {wanted} are wanted",
            "Raise it with kafka-reassign-partitions; a ledger that loses acknowledged records "
            "lets an order be shipped twice",
        )
    if topic.logical == _LEDGER:
        yield from _ledger_problems(live)


def _ledger_problems(live: TopicState) -> Iterator[Problem]:
    in_sync = int(live.config.get("min.insync.replicas", "1"))
    if in_sync < _IN_SYNC_WANTED:
        yield Problem(
            "error",
            live.name,
            f"min.insync.replicas is {in_sync}: one broker alone may acknowledge and then fail",
            f"Set it to {_IN_SYNC_WANTED}",
        )
    if in_sync >= live.replicas:
        yield Problem(
            "warning",
            live.name,
            f"every one of its {live.replicas} replicas has to acknowledge: one broker down stops all",
            "Add a replica",
        )
    if live.config.get("unclean.leader.election.enable") == "true":
        yield Problem(
            "error",
            live.name,
            "unclean leader election may drop acknowledged records",
            "Run `waybill topics apply`, or set unclean.leader.election.enable=false",
        )


def _cluster_problems(state: ClusterState) -> Iterator[Problem]:
    largest = max(topic.bytes_max for topic in topics().values())
    if state.request_bytes_max is not None and state.request_bytes_max <= largest:
        yield Problem(
            "error",
            "cluster",
            f"the brokers take requests of {state.request_bytes_max} bytes; records have up to {largest}",
            "Raise socket.request.max.bytes",
        )
    if state.transactions_error is not None:
        yield Problem(
            "error",
            "cluster",
            f"no transactions: {state.transactions_error}",
            "The one-shipment rule rests on them: use Apache Kafka 2.5 or later, or a service that "
            "offers transactions, and allow Write on TransactionalId",
        )
    if state.schemas_missing:
        yield Problem(
            "error",
            state.prefix + topics()["schemas"].name,
            f"lacks {', '.join(state.schemas_missing)}",
            "Run `waybill topics apply` before the services of this release",
        )
