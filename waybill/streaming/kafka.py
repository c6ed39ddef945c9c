"""The runtime's ports on Apache Kafka."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from confluent_kafka import (
    OFFSET_END,
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from waybill.contracts.topics import topics
from waybill.settings import KafkaSettings
from waybill.streaming.clients import (
    admin_client,
    member_consumer,
    reader_consumer,
    transactional_producer,
)
from waybill.streaming.errors import FatalError, UnclearError
from waybill.streaming.ports import Opened, Place, ReadBatch, Sources
from waybill.streaming.records import Header, Inbound, Outbound
from waybill.streaming.transactions import FencedProducer

log = structlog.get_logger()

_OPEN_S = 30.0
"""Longest wait for one step of a takeover: a predecessor's open transaction ends within 15 s."""
_GONE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}  # noqa: SLF001 - local codes are named so


def physical_names(kafka: KafkaSettings) -> dict[str, str]:
    """Logical topic name to the name on the cluster."""
    return {logical: kafka.physical(topic.name) for logical, topic in topics().items()}


class KafkaReader:
    """`Reader` on a consumer that belongs to no group."""

    def __init__(self, kafka: KafkaSettings, group: str) -> None:
        self._consumer = reader_consumer(kafka, group)
        self._physical = physical_names(kafka)
        self._logical = {physical: logical for logical, physical in self._physical.items()}
        self._assigned: set[Place] = set()

    def read(self, records_max: int, wait_s: float) -> ReadBatch:
        """See `Reader.read`. Poll, then consume: consume alone waits its whole time."""
        first = self._consumer.poll(wait_s)
        if first is None:
            return ReadBatch()
        messages = [first, *self._consumer.consume(records_max - 1, 0)]
        records: list[Inbound] = []
        ends: list[tuple[Place, int]] = []
        lost: list[Place] = []
        for message in messages:
            self._sort(message, records, ends, lost)
        return ReadBatch(records, ends, lost)

    def _sort(
        self,
        message: Message,
        records: list[Inbound],
        ends: list[tuple[Place, int]],
        lost: list[Place],
    ) -> None:
        error = message.error()
        if error is not None and message.topic() is None:
            if error.fatal():
                raise FatalError(f"the Kafka client gave up: {error.str()}")
            return  # the broker is away for a moment; the client reconnects by itself
        place = Place(self._logical[message.topic() or ""], message.partition() or 0)
        if place not in self._assigned:
            return  # on the way when the partition was given back
        if error is None:
            records.append(inbound(place, message))
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - local codes are named so
            ends.append((place, message.offset() or 0))
        elif error.code() in _GONE:
            lost.append(place)
        elif error.fatal():
            raise FatalError(f"the Kafka client gave up on {place}: {error.str()}")

    def assign(self, positions: Mapping[Place, int]) -> None:
        """See `Reader.assign`."""
        self._assigned.update(positions)
        self._consumer.incremental_assign(
            [
                TopicPartition(self._physical[place.topic], place.partition, offset)
                for place, offset in positions.items()
            ]
        )

    def unassign(self, places: Sequence[Place]) -> None:
        """See `Reader.unassign`."""
        gone = [place for place in places if place in self._assigned]
        self._assigned.difference_update(gone)
        if gone:
            self._consumer.incremental_unassign(
                [TopicPartition(self._physical[place.topic], place.partition) for place in gone]
            )

    def close(self) -> None:
        """See `Reader.close`."""
        self._consumer.close()


def inbound(place: Place, message: Message) -> Inbound:
    """A client's message as the runtime hands it around."""
    return Inbound(
        place.topic,
        place.partition,
        message.offset() or 0,
        message.key(),
        message.value(),
        _headers(message),
        message.timestamp()[1],
    )


def _headers(message: Message) -> Sequence[Header]:
    """The client cannot give headers whose names are no UTF-8: then none, rather than a stopped stream."""
    try:
        return message.headers() or ()  # type: ignore[return-value]  # bytes, whatever the stubs say
    except SystemError:
        log.warning("headers_unreadable", topic=message.topic(), offset=message.offset())
        return ()


class KafkaMembership:
    """`Membership` on a consumer that subscribes to the owned topic and keeps it paused."""

    def __init__(
        self,
        kafka: KafkaSettings,
        group: str,
        owned: str,
        gained: Callable[[int], None],
        lost: Callable[[int], None],
    ) -> None:
        self._consumer = member_consumer(kafka, group)
        self._gained = gained
        self._lost = lost
        self._consumer.subscribe(
            [physical_names(kafka)[owned]],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            partition.offset = OFFSET_END
        consumer.incremental_assign(partitions)
        consumer.pause(partitions)  # the reader reads: this consumer only owns
        for partition in partitions:
            self._gained(partition.partition)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            self._lost(partition.partition)
        consumer.incremental_unassign(partitions)

    def poll(self) -> None:
        """See `Membership.poll`."""
        message = self._consumer.poll(0)
        error = message.error() if message is not None else None
        if error is not None and error.fatal():
            raise FatalError(f"the group membership ended: {error.str()}")

    def metadata(self) -> Any:
        """See `Membership.metadata`."""
        return self._consumer.consumer_group_metadata()

    def close(self) -> None:
        """See `Membership.close`."""
        self._consumer.close()


class KafkaTransactions:
    """`Transactions` on one fenced producer."""

    def __init__(
        self, producer: FencedProducer, physical: Mapping[str, str], partition: int
    ) -> None:
        self._producer = producer
        self._physical = physical
        self._partition = partition

    def commit(
        self, outputs: Sequence[Outbound], positions: Mapping[str, int], metadata: Any
    ) -> Mapping[Place, int]:
        """See `Transactions.commit`."""
        offsets = [
            TopicPartition(self._physical[topic], self._partition, offset)
            for topic, offset in positions.items()
        ]
        delivered = self._producer.commit(outputs, offsets, metadata)
        return {Place(topic, number): end for (topic, number), end in delivered.ends.items()}


class KafkaOpener:
    """`Opener`: the transactional id is the state topic and the partition, and nothing else."""

    def __init__(
        self, kafka: KafkaSettings, group: str, sources: Sources, fence_topic: str
    ) -> None:
        self._kafka = kafka
        self._group = group
        self._sources = sources
        self._physical = physical_names(kafka)
        self._fence = self._physical[fence_topic]

    def open(self, partition: int) -> Opened:
        """See `Opener.open`. First the fence, then the ends: what is written before the fence is seen."""
        try:
            return self._open(partition)
        except KafkaException as error:
            if unwrapped(error).code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise FatalError(
                    f"a topic is missing ({self._fence} …): run `waybill topics apply`"
                ) from error
            raise UnclearError(unwrapped(error).str()) from error
        except TimeoutError as error:
            raise UnclearError(f"no answer from the cluster within {_OPEN_S:.0f} s") from error

    def _open(self, partition: int) -> Opened:
        client = transactional_producer(self._kafka, f"{self._fence}-{partition}")
        producer = FencedProducer(client, self._physical)
        producer.fence(_OPEN_S)
        followed = (*self._sources.state, *self._sources.views)
        # a new one each time: an old one goes on asking with the leader epoch from before a broker's
        # restart, and is refused for ever
        admin = admin_client(self._kafka, f"{self._group}-opener")
        return Opened(
            KafkaTransactions(producer, self._physical, partition),
            self._ends(admin, followed, partition),
            self._committed(admin, partition),
            self._identity(admin, followed),
        )

    def _ends(self, admin: AdminClient, names: Sequence[str], partition: int) -> dict[str, int]:
        specs: Any = OffsetSpec  # the client ships no types for it
        asked = {TopicPartition(self._physical[name], partition): specs.latest() for name in names}
        answers = admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_OPEN_S
        )
        ends = {place.topic: answer.result(_OPEN_S).offset for place, answer in answers.items()}
        return {name: ends[self._physical[name]] for name in names}

    def _committed(self, admin: AdminClient, partition: int) -> dict[str, int]:
        wanted = [TopicPartition(self._physical[name], partition) for name in self._sources.inputs]
        if not wanted:
            return {}
        asked = ConsumerGroupTopicPartitions(self._group, wanted)
        answers = admin.list_consumer_group_offsets(
            [asked], require_stable=True, request_timeout=_OPEN_S
        )
        found = answers[self._group].result(_OPEN_S).topic_partitions
        by_topic = {entry.topic: entry.offset for entry in found if entry.offset >= 0}
        logical = {self._physical[name]: name for name in self._sources.inputs}
        return {logical[topic]: offset for topic, offset in by_topic.items()}

    def _identity(self, admin: AdminClient, names: Sequence[str]) -> str:
        wanted = [self._physical[name] for name in names]
        answers = admin.describe_topics(TopicCollection(wanted), request_timeout=_OPEN_S)
        described = [answers[name].result(_OPEN_S) for name in wanted]
        self._check_counts(described)
        return ",".join(
            f"{topic.name}={topic.topic_id}/{len(topic.partitions)}" for topic in described
        )

    def _check_counts(self, described: Sequence[Any]) -> None:
        for topic in described:
            if len(topic.partitions) != self._kafka.partitions:
                raise FatalError(
                    f"{topic.name} has {len(topic.partitions)} partitions, the installation was made "
                    f"with {self._kafka.partitions}: a key would move to a number whose ledger does not "
                    "know it. Set WAYBILL_KAFKA__PARTITIONS to the count the installation was made with."
                )


def unwrapped(error: KafkaException) -> KafkaError:
    """The error object inside a client exception."""
    cause: KafkaError = error.args[0]
    return cause
