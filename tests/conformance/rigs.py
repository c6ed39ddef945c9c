"""The same ports twice: over the model broker, and over Apache Kafka."""

from collections.abc import Callable
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from tests.kafka import TopicSpace
from tests.simulation.broker import ModelBroker
from tests.simulation.clients import ModelOpener, ModelReader
from tests.simulation.group import Member, ModelGroup
from tests.waiting import wait_until
from waybill.settings import KafkaSettings
from waybill.streaming.kafka import KafkaMembership, KafkaOpener, KafkaReader
from waybill.streaming.ports import Membership, Opener, Place, Reader, Sources
from waybill.streaming.records import Outbound
from waybill.streaming.survey import physical_names

PARTITIONS = 2
SOURCES = Sources(
    owned="shipments",
    state=("ledger",),
    views=("orders",),
    inputs=("shipments", "commands"),
    eager=("shipments",),
)
WAIT_S = 40.0
"""For a busy machine; what is waited for usually takes a second."""

Told = Callable[[int], None]


class Rig(Protocol):
    """What a test needs of either side."""

    def opener(self) -> Opener:
        """Another process's way to take partitions over."""

    def reader(self) -> Reader:
        """Another reader."""

    def member(self, gained: Told, lost: Told) -> Membership:
        """Another member of the one group."""

    def metadata(self) -> Any:
        """What a commit has to name."""

    def publish(self, topic: str, *values: bytes) -> None:
        """Without a transaction, on partition 0."""

    def leave_open(self, transactional_id: str, topic: str, *values: bytes) -> Any:
        """Begin a transaction with records on partition 0, and leave it; keep the result."""

    def abort(self, left: Any) -> None:
        """End what was left open."""

    def delete_before(self, topic: str, offset: int) -> None:
        """What retention does on partition 0."""

    def fence_id(self, partition: int) -> str:
        """The transactional id of a ledger partition."""

    def expire(self, transactional_id: str) -> None:
        """Leave an id unused until the broker has forgotten it."""

    def pass_time(self) -> None:
        """Let members hear of the group's decisions."""


class ModelRig:
    """The model."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.broker = ModelBroker(lambda: self.now_s, PARTITIONS)
        self.group = ModelGroup("group", lambda: self.now_s, PARTITIONS, 6.0)
        self.members: list[Member] = []

    def opener(self) -> Opener:
        return ModelOpener(self.broker, "group", SOURCES, "ledger")

    def reader(self) -> Reader:
        return ModelReader(self.broker)

    def member(self, gained: Told, lost: Told) -> Membership:
        self.members.append(Member(self.group, gained, lost))
        return self.members[-1]

    def metadata(self) -> Any:
        return Member(self.group, lambda _number: None, lambda _number: None)

    def publish(self, topic: str, *values: bytes) -> None:
        for value in values:
            self.broker.append(Place(topic, 0), b"k", value)

    def leave_open(self, transactional_id: str, topic: str, *values: bytes) -> Any:
        epoch = self.broker.initialise(transactional_id)
        self.broker.begin(transactional_id, epoch)
        for value in values:
            self.broker.produce(transactional_id, epoch, Outbound(topic, 0, b"k", value))
        return transactional_id, epoch

    def abort(self, left: Any) -> None:
        self.broker.end(*left, commit=False)

    def delete_before(self, topic: str, offset: int) -> None:
        self.broker.delete_before(Place(topic, 0), offset)

    def fence_id(self, partition: int) -> str:
        return f"ledger-{partition}"

    def expire(self, transactional_id: str) -> None:
        self.broker.forget(transactional_id)

    def pass_time(self) -> None:
        self.now_s += 0.1
        self.broker.write_markers()
        for member in self.members:
            self.group.alive(member)
            member.beat()


_IDS = "__transaction_state"
"""The broker's own topic: what it knows of each transactional id."""
_NO_COORDINATOR_YET = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}


class KafkaRig:
    """The real thing."""

    def __init__(self, space: TopicSpace) -> None:
        space.create_declared("ledger", "orders", "shipments", "commands", partitions=PARTITIONS)
        self.kafka = KafkaSettings(
            bootstrap_servers=space.bootstrap, topic_prefix=space.prefix, partitions=PARTITIONS
        )
        self.group = f"{space.prefix}group"
        self.physical = physical_names(self.kafka)
        self.space = space
        self._readers: list[KafkaReader] = []
        wait_until(self._has_leaders, WAIT_S)
        wait_until(self._has_coordinator, WAIT_S)

    def _has_coordinator(self) -> bool:
        """A service joins its group before it takes anything over. On a cluster that never had a group,
        the admin client crashes when it asks for positions before the coordinator is there."""
        consumer = Consumer(
            {"bootstrap.servers": self.kafka.bootstrap_servers, "group.id": self.group}
        )
        try:
            consumer.committed([TopicPartition(self.physical["shipments"], 0)], timeout=WAIT_S)
        except KafkaException as error:
            if not (error.args[0].retriable() or error.args[0].code() in _NO_COORDINATOR_YET):
                raise
            return False
        finally:
            consumer.close()
        return True

    def _has_leaders(self) -> bool:
        """A new topic is there before its partitions have a leader."""
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap_servers})
        specs: Any = OffsetSpec  # the client ships no types for it
        found = admin.list_topics(timeout=WAIT_S).topics
        asked = {
            TopicPartition(name, number): specs.latest()
            for name in self.space.existing()
            for number in found[name].partitions
        }
        answers = list(admin.list_offsets(asked).values())
        return all(answer.exception(WAIT_S) is None for answer in answers)

    def opener(self) -> Opener:
        return KafkaOpener(self.kafka, self.group, SOURCES, "ledger")

    def reader(self) -> Reader:
        self._readers.append(KafkaReader(self.kafka, self.group))
        return self._readers[-1]

    def member(self, gained: Told, lost: Told) -> Membership:
        return KafkaMembership(self.kafka, self.group, "shipments", gained, lost)

    def metadata(self) -> Any:
        consumer = Consumer(
            {"bootstrap.servers": self.kafka.bootstrap_servers, "group.id": self.group}
        )
        metadata = consumer.consumer_group_metadata()
        consumer.close()
        return metadata

    def publish(self, topic: str, *values: bytes) -> None:
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap_servers, "linger.ms": 0})
        for value in values:
            producer.produce(self.physical[topic], value, b"k", partition=0)
        assert producer.flush(WAIT_S) == 0

    def leave_open(self, transactional_id: str, topic: str, *values: bytes) -> Any:
        servers = self.kafka.bootstrap_servers
        producer = Producer({"bootstrap.servers": servers, "transactional.id": transactional_id})
        producer.init_transactions(WAIT_S)
        producer.begin_transaction()
        for value in values:
            producer.produce(self.physical[topic], value, b"k", partition=0)
        assert producer.flush(WAIT_S) == 0
        return producer

    def abort(self, left: Any) -> None:
        left.abort_transaction(WAIT_S)

    def delete_before(self, topic: str, offset: int) -> None:
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap_servers})
        place = TopicPartition(self.physical[topic], 0, offset)
        for answer in admin.delete_records([place]).values():
            answer.result(WAIT_S)

    def fence_id(self, partition: int) -> str:
        return f"{self.physical['ledger']}-{partition}"

    def expire(self, transactional_id: str) -> None:
        wait_until(lambda: self._is_forgotten(transactional_id), WAIT_S, every_s=0.2)

    def _is_forgotten(self, transactional_id: str) -> bool:
        """Whether the newest record about it in the coordinator's own topic is a tombstone."""
        config = {"bootstrap.servers": self.kafka.bootstrap_servers, "group.id": self.group}
        consumer = Consumer({**config, "enable.partition.eof": True, "enable.auto.commit": False})
        found = consumer.list_topics(_IDS, timeout=WAIT_S).topics[_IDS].partitions
        consumer.assign([TopicPartition(_IDS, number, 0) for number in found])
        ends, newest = 0, None
        try:
            while ends < len(found):
                message = consumer.poll(WAIT_S)
                assert message is not None, "the broker did not answer"
                error = message.error()
                if error is not None:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    ends += 1
                elif (message.key() or b"").endswith(transactional_id.encode()):
                    newest = message
        finally:
            consumer.close()
        return newest is not None and newest.value() is None

    def pass_time(self) -> None:
        """It passes by itself."""

    def close(self) -> None:
        for reader in self._readers:
            reader.close()
