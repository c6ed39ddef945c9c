"""The runtime's ports on Apache Kafka."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from confluent_kafka import (
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from waybill.settings import KafkaSettings
from waybill.streaming.clients import (
    member_consumer,
    offsets_consumer,
    reader_consumer,
    transactional_producer,
)
from waybill.streaming.errors import FatalError, UnclearError
from waybill.streaming.ports import Opened, Place, ReadBatch, Sources
from waybill.streaming.records import Header, Inbound, Outbound
from waybill.streaming.survey import Survey, UnsettledError, physical_names
from waybill.streaming.transactions import FencedProducer

log = structlog.get_logger()

_OPEN_S = 30.0
"""Longest wait for one step of a takeover: a predecessor's open transaction ends within 15 s."""
SEAL_KEY = b"seal"
"""Key of the tombstone that ends an open transaction; no state topic has such a key of its own."""
_GONE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}  # noqa: SLF001 - local codes are named so


class KafkaReader:
    """`Reader` on a consumer that belongs to no group."""

    def __init__(self, kafka: KafkaSettings, group: str) -> None:
        self._consumer = reader_consumer(kafka, group)
        self._physical = physical_names(kafka)
        self._assigned: dict[tuple[str | None, int | None], Place] = {}
        """By what the client calls them."""

    @property
    def client(self) -> Consumer:
        """The client, for a `Lifeline`."""
        return self._consumer

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
            place = self._assigned.get((message.topic(), message.partition()))
            error = message.error()
            if error is not None:
                self._sort(error, place, message, ends, lost)
            elif place is not None:  # else on the way when the partition was given back
                records.append(inbound(place, message))
        return ReadBatch(records, ends, lost)

    def _sort(
        self,
        error: KafkaError,
        place: Place | None,
        message: Message,
        ends: list[tuple[Place, int]],
        lost: list[Place],
    ) -> None:
        if message.topic() is None and error.fatal():
            raise FatalError(f"the Kafka client gave up: {error.str()}")
        if place is None:
            return  # given back; or the broker is away for a moment: the client reconnects by itself
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - local codes are named so
            ends.append((place, message.offset() or 0))
        elif error.code() in _GONE:
            lost.append(place)
        elif error.fatal():
            raise FatalError(f"the Kafka client gave up on {place}: {error.str()}")

    def assign(self, positions: Mapping[Place, int]) -> None:
        """See `Reader.assign`."""
        self._assigned.update({self._name(place): place for place in positions})
        self._consumer.incremental_assign(
            [
                TopicPartition(self._physical[place.topic], place.partition, offset)
                for place, offset in positions.items()
            ]
        )

    def _name(self, place: Place) -> tuple[str | None, int | None]:
        return self._physical[place.topic], place.partition

    def unassign(self, places: Sequence[Place]) -> None:
        """See `Reader.unassign`."""
        gone = [place for place in places if self._assigned.pop(self._name(place), None)]
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

    @property
    def client(self) -> Consumer:
        """The client, for a `Lifeline`."""
        return self._consumer

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
        self, producer: FencedProducer, physical: Mapping[str, str], partition: int, owned: str
    ) -> None:
        self._producer = producer
        self._physical = physical
        self._partition = partition
        self._owned = owned

    def commit(
        self, outputs: Sequence[Outbound], positions: Mapping[str, int], note: str, metadata: Any
    ) -> Mapping[Place, int]:
        """See `Transactions.commit`."""
        if note and self._owned not in positions:
            raise ValueError(f"a note needs the position of {self._owned} to travel with")
        offsets = [
            TopicPartition(
                self._physical[topic],
                self._partition,
                offset,
                note if topic == self._owned else "",
            )
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
        # a new admin client each time: an old one goes on asking with the leader epoch from before a
        # broker's restart, and is refused for ever
        survey = Survey(self._kafka, self._group, self._sources)
        try:
            standing = survey.look([partition], fenced=True)[partition]
        except UnsettledError as error:
            log.warning("transaction_left_open", partition=partition, detail=str(error))
            self._end_open_transaction(producer, survey, partition)
            standing = survey.look([partition], fenced=True)[partition]
        return Opened(
            KafkaTransactions(producer, self._physical, partition, self._sources.owned),
            ends=standing.ends,
            committed=standing.committed,
            identity=standing.identity,
            note=standing.note,
            state_id=standing.state_id,
            partition_count=standing.partition_count,
            state_start=standing.state_start,
            inputs=standing.inputs,
        )

    def _end_open_transaction(
        self, producer: FencedProducer, survey: Survey, partition: int
    ) -> None:
        """End what a predecessor's fence left open: a marker of the same producer ends all before it.

        A broker that was killed and comes back may call a transaction complete without having written its
        markers: its records stay invisible, though a call may have been made upon them. Ended as committed,
        the state knows at least as much as before; positions go back to the last sure ones, and what is
        read again the state knows already.
        """
        metadata = offsets_consumer(self._kafka, self._group, settled=False)
        try:
            producer.commit(
                [Outbound(name, partition, SEAL_KEY, None) for name in self._sources.state],
                survey.last_positions(partition) if self._sources.inputs else [],
                metadata.consumer_group_metadata(),
            )
        finally:
            metadata.close()


def unwrapped(error: KafkaException) -> KafkaError:
    """The error object inside a client exception."""
    cause: KafkaError = error.args[0]
    return cause
