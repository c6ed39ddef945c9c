"""Reading a stretch of a topic: from an offset or a time to the end that it had when the reading began.

Unlike `Cluster.read` it may take as long as it needs, since whoever writes at a limited rate reads as slowly;
what is limited is the time without any progress.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from confluent_kafka import (
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from waybill.cli.cluster import Cluster, told
from waybill.cli.errors import CommandError, InputError
from waybill.contracts.base import millis
from waybill.streaming.kafka import inbound
from waybill.streaming.ports import Place
from waybill.streaming.records import Inbound

STALL_S = 30.0
"""Longest wait for the next record; a broker that is alive answers within a second."""
_LOOK_S = 10.0
"""Longest wait for the ends of a partition."""
_BATCH = 200
_POLL_S = 0.2
_QUEUED_KB_MAX = 32 * 1024
"""What the client reads ahead, over all partitions."""
_FETCH_BYTES_MAX = 8 * 1024 * 1024 + 65_536
_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001 - the client names its local codes so


@dataclass(frozen=True, slots=True)
class Segment:
    """Offsets of one partition: from `start` up to, and without, `end`."""

    partition: int
    start: int
    end: int


class TopicReader:
    """Reads one topic, committed records only; belongs to no group and commits nothing."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        """`topic` by its logical name; raises CommandError when it, or the cluster, is away."""
        self._cluster = cluster
        self.topic = topic
        self.partitions = cluster.partitions(topic)
        self._name = cluster.name(topic)

    def from_beginning(self) -> list[Segment]:
        """All that lies on the topic now."""
        consumer = self._consumer()
        try:
            return [self._segment(consumer, number, None) for number in range(self.partitions)]
        finally:
            consumer.close()

    def from_time(self, since: datetime) -> list[Segment]:
        """What has been written since: from the first record of each partition that is not older."""
        asked = [TopicPartition(self._name, n, millis(since)) for n in range(self.partitions)]
        consumer = self._consumer()
        try:
            found = consumer.offsets_for_times(asked, timeout=_LOOK_S)
            starts = {place.partition: place.offset for place in found}
            return [self._segment(consumer, n, start) for n, start in sorted(starts.items())]
        except KafkaException as error:
            raise CommandError(told(error)) from error
        finally:
            consumer.close()

    def from_offsets(self, starts: Mapping[int, int]) -> list[Segment]:
        """From these offsets on, of these partitions alone; raises InputError for records that have gone."""
        consumer = self._consumer()
        try:
            return [self._exact(consumer, number, start) for number, start in starts.items()]
        finally:
            consumer.close()

    def _exact(self, consumer: Consumer, number: int, start: int) -> Segment:
        low, high = self._ends(consumer, number)
        if start < low:
            raise InputError(
                f"--offsets {number}:{start}: partition {number} begins at {low}, what lay before has "
                f"expired; give {number}:{low} to take what is left"
            )
        return Segment(number, start, high)

    def _segment(self, consumer: Consumer, number: int, start: int | None) -> Segment:
        low, high = self._ends(consumer, number)
        if start is None:
            return Segment(number, low, high)
        return Segment(number, high if start in (OFFSET_END, -1) else max(start, low), high)

    def _ends(self, consumer: Consumer, number: int) -> tuple[int, int]:
        try:
            ends: tuple[int, int] = consumer.get_watermark_offsets(
                TopicPartition(self._name, number), timeout=_LOOK_S
            )
        except KafkaException as error:
            raise CommandError(told(error)) from error
        return ends

    def read(self, segments: Sequence[Segment], stall_s: float = STALL_S) -> Iterator[Inbound]:
        """The records of these segments; in order per partition, partitions mixed.

        Raises CommandError when nothing comes for `stall_s` before the end is reached.
        """
        ends = {one.partition: one.end for one in segments if one.start < one.end}
        consumer = self._consumer()
        try:
            consumer.assign(
                [
                    TopicPartition(self._name, one.partition, one.start)
                    for one in segments
                    if one.partition in ends
                ]
            )
            yield from self._until(consumer, ends, stall_s)
        finally:
            consumer.close()

    def _until(self, consumer: Consumer, ends: dict[int, int], stall_s: float) -> Iterator[Inbound]:
        seen_s = monotonic()
        while ends:
            messages = consumer.consume(_BATCH, _POLL_S)
            if not messages and monotonic() - seen_s > stall_s:
                raise CommandError(
                    f"{self._name} at {self._cluster.address}: nothing came for {stall_s:.0f} s; what was "
                    "done so far stays, run it again"
                )
            for message in messages:
                yield from self._one(message, ends)
            if messages:
                seen_s = monotonic()  # after the records were dealt with, which may take its time

    def _one(self, message: Message, ends: dict[int, int]) -> Iterator[Inbound]:
        number, error = message.partition() or 0, message.error()
        if error is not None:
            if error.code() == _EOF:
                ends.pop(number, None)
            elif not error.retriable():
                raise CommandError(told(KafkaException(error)))
            return
        end = ends.get(number)
        offset = message.offset() or 0
        if end is not None and offset < end:
            yield inbound(Place(self.topic, number), message)
        if end is not None and offset >= end - 1:
            del ends[number]

    def _consumer(self) -> Consumer:
        reading: dict[str, Any] = {
            "group.id": "waybill-cli",  # asked for by the client, never joined
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": _FETCH_BYTES_MAX,
            "queued.max.messages.kbytes": _QUEUED_KB_MAX,
            "fetch.wait.max.ms": 100,
        }
        return Consumer(self._cluster.config() | reading)
