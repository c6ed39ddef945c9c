"""Topics as they are declared, two partitions each, and a way to read what really lies on them."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from tests.kafka import TopicSpace
from waybill.settings import KafkaSettings
from waybill.streaming.clients import transactional_producer
from waybill.streaming.survey import physical_names
from waybill.streaming.transactions import FencedProducer

PARTITIONS = 2
WAIT_S = 40.0
"""For a busy machine; what is waited for usually takes a second."""
TOPICS = ("ledger", "shipments", "notifications")


@dataclass
class Topics:
    """The topics of one test."""

    space: TopicSpace
    kafka: KafkaSettings
    physical: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.physical = physical_names(self.kafka)
        self.admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap_servers})
        self.group = f"{self.space.prefix}group"

    def read(self, topic: str, partition: int = 0, *, committed: bool = True) -> list[bytes | None]:
        """The values that lie on a partition now, as a reader of that isolation sees them."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap_servers,
                "group.id": f"{self.space.prefix}spectator",
                "isolation.level": "read_committed" if committed else "read_uncommitted",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([TopicPartition(self.physical[topic], partition, 0)])
        values: list[bytes | None] = []
        try:
            while True:
                message = consumer.poll(WAIT_S)
                assert message is not None, "the broker did not answer"
                error = message.error()
                if error is None:
                    values.append(message.value())
                elif error.code() == KafkaError._PARTITION_EOF:
                    return values
        finally:
            consumer.close()

    def end(self, topic: str, partition: int = 0) -> int:
        """The high watermark."""
        specs: Any = OffsetSpec  # the client ships no types for it
        asked = {TopicPartition(self.physical[topic], partition): specs.latest()}
        (answer,) = self.admin.list_offsets(asked).values()
        return int(answer.result(WAIT_S).offset)

    def publish(self, topic: str, *values: bytes, partition: int = 0, key: bytes = b"k") -> None:
        """As anybody does, without a transaction."""
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap_servers, "linger.ms": 0})
        for value in values:
            producer.produce(self.physical[topic], value, key, partition=partition)
        assert producer.flush(WAIT_S) == 0

    def client(self, partition: int = 0) -> Producer:
        """A client with the transactional id of a partition."""
        return transactional_producer(self.kafka, f"{self.physical['ledger']}-{partition}")

    def producer(self, client: Producer | None = None) -> FencedProducer:
        """A producer that has shut out its predecessor."""
        fenced = FencedProducer(client or self.client(), self.physical)
        fenced.fence(WAIT_S)
        return fenced

    def delete_before(self, topic: str, offset: int, partition: int = 0) -> None:
        """What retention does."""
        place = TopicPartition(self.physical[topic], partition, offset)
        for answer in self.admin.delete_records([place]).values():
            answer.result(WAIT_S)


@pytest.fixture
def topics(topic_space: TopicSpace) -> Topics:
    topic_space.create_declared(*TOPICS, partitions=PARTITIONS)
    kafka = KafkaSettings(
        bootstrap_servers=topic_space.bootstrap,
        topic_prefix=topic_space.prefix,
        partitions=PARTITIONS,
        session_timeout_ms=3_000,
        transaction_timeout_ms=10_000,
    )
    return Topics(topic_space, kafka)
