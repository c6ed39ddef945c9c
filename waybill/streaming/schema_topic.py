"""`waybill.schemas.v1`: every writer schema, under its fingerprint, so that old readers can read new records.

Compacted; a schema is published once and never changes, since its key is derived from it.
"""

import json
from collections.abc import Iterator, Mapping
from time import monotonic, sleep
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from waybill.contracts.codec import schema_record
from waybill.contracts.files import schema_versions
from waybill.contracts.keys import partition_of
from waybill.contracts.schema import Schema

ClientConfig = Mapping[str, str | int | float | bool]
"""librdkafka's settings for the connection."""

_READ_S = 30.0
"""The topic holds some dozens of records; a cluster that needs longer has another trouble."""
_DELIVERY_S = 30.0
_VISIBLE_S = 3.0
"""A topic that was just made is known to one broker of a cluster before it is to another."""
_POLL_S = 0.05
_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001 - the client names its local codes so


class SchemaTopicError(Exception):
    """The schemas topic could not be read or written; the message says why."""


def release_schemas() -> dict[str, tuple[str, Schema]]:
    """Fingerprint in hex to name and schema, for every version that this release knows."""
    return {
        schema_record(schema)[0]: (f"{record} v{number}", schema)
        for record, schemas in schema_versions().items()
        for number, schema in enumerate(schemas, 1)
    }


def missing(config: ClientConfig, topic: str) -> list[str]:
    """The schemas of this release that the topic does not hold, as `order v1`."""
    there = {key for key, _ in read_all(config, topic)}
    return [name for mark, (name, _) in release_schemas().items() if mark not in there]


def publish_missing(config: ClientConfig, topic: str, partitions: int) -> list[str]:
    """Publish what `missing` names; returns the names. Twice at once does no harm: equal records."""
    wanted = set(missing(config, topic))
    failures: list[str] = []

    def on_delivery(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error.str())

    producer = Producer({**config, "enable.idempotence": True, "compression.type": "none"})
    names = []
    for name, schema in release_schemas().values():
        if name in wanted:
            key, value = schema_record(schema)
            number = partition_of(key, partitions)
            producer.produce(topic, value=value, key=key, partition=number, on_delivery=on_delivery)
            names.append(name)
    unsent = producer.flush(_DELIVERY_S)
    if unsent or failures:
        why = failures[0] if failures else f"no answer within {_DELIVERY_S:.0f} s"
        raise SchemaTopicError(f"{topic}: {unsent + len(failures)} schemas not written: {why}")
    return names


def read_all(config: ClientConfig, topic: str) -> Iterator[tuple[str, Schema]]:
    """Every fingerprint and schema on the topic, up to its end at the time of the call."""
    consumer = Consumer(
        {
            **config,
            "group.id": f"{topic}-reader",  # asked for by the client, never joined
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        for message in _messages(consumer, topic):
            key, value = message.key(), message.value()
            if key and value:
                yield key.decode(), json.loads(value)
    finally:
        consumer.close()


def _partitions(consumer: Consumer, topic: str) -> set[int]:
    deadline_s = monotonic() + _VISIBLE_S
    while True:
        metadata = consumer.list_topics(topic, timeout=_READ_S).topics[topic]
        if metadata.error is None:
            return set(metadata.partitions)
        if monotonic() > deadline_s:
            raise SchemaTopicError(f"{topic}: {metadata.error.str()}")
        sleep(_POLL_S)


def _messages(consumer: Consumer, topic: str) -> Iterator[Message]:
    open_partitions = _partitions(consumer, topic)
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in open_partitions])
    deadline_s = monotonic() + _READ_S
    while open_partitions:
        message = consumer.poll(max(0.0, deadline_s - monotonic()))
        if message is None:
            raise SchemaTopicError(f"{topic}: not read to its end within {_READ_S:.0f} s")
        error: Any = message.error()
        if error is None:
            yield message
        elif error.code() == _EOF:
            open_partitions.discard(message.partition())
        elif not error.retriable():
            raise KafkaException(error)
