"""Where partitions stand on the cluster: ends, committed positions with their note, topic ids.

Only asks, and changes nothing: a takeover does it after its fence, the command line at any time.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin._listoffsets import OffsetSpec

from waybill.clock import boot_s
from waybill.contracts.topics import topics
from waybill.settings import KafkaSettings
from waybill.streaming.clients import admin_client, offsets_consumer
from waybill.streaming.errors import FatalError, UnclearError
from waybill.streaming.ports import Extent, Sources
from waybill.streaming.witness import NoteError, decode

_ANSWER_S = 30.0
"""Longest wait for one answer: a predecessor's open transaction ends within 15 s."""

_SETTLED_S = 10.0
"""After a fence nothing is open any more; a loaded broker needs some seconds to see it."""

_COORDINATOR_S = 10.0
"""A group's coordinator is elected and has read its offsets within seconds."""
_PAUSE_S = 0.2
_COMING_UP = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}


def physical_names(kafka: KafkaSettings) -> dict[str, str]:
    """Logical topic name to the name on the cluster."""
    return {logical: kafka.physical(topic.name) for logical, topic in topics().items()}


class UnsettledError(UnclearError):
    """A transaction is still open where the fence should have ended it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One partition; the fields are those of `ports.Opened`."""

    ends: Mapping[str, int]
    committed: Mapping[str, int]
    identity: str
    note: str | None
    state_id: str
    partition_count: int
    state_start: int
    inputs: Mapping[str, Extent]


class Survey:
    """Asks about the topics of one service. Raises KafkaException, TimeoutError, FatalError."""

    def __init__(self, kafka: KafkaSettings, group: str, sources: Sources) -> None:
        self._kafka = kafka
        self._group = group
        self._sources = sources
        self._physical = physical_names(kafka)
        self._followed = (*sources.state, *sources.views)
        self._admin = admin_client(kafka, f"{group}-survey")

    def look(self, partitions: Sequence[int], *, fenced: bool = False) -> dict[int, Standing]:
        """How these partitions stand; a partition count that is not the installation's is fatal.

        Fenced: the caller is their only writer, so nothing may be open: raises UnsettledError otherwise.
        """
        ids = self._topic_ids()
        committed = self._committed(partitions, settled=fenced)
        inputs = self._sources.inputs
        specs: Any = OffsetSpec  # the client ships no types for it
        ends = self._offsets((*self._followed, *inputs), partitions, specs.latest())
        if fenced:
            self._check_settled(partitions, ends)
        starts = self._offsets((*self._sources.state, *inputs), partitions, specs.earliest())
        count = self._kafka.partitions
        return {
            number: Standing(
                ends={name: ends[name, number] for name in self._followed},
                committed={
                    name: committed[name, number].offset
                    for name in inputs
                    if (name, number) in committed
                },
                identity=",".join(
                    f"{self._physical[name]}={ids[name]}/{count}" for name in self._followed
                ),
                note=self._note(committed.get((self._sources.owned, number))),
                state_id=ids[self._sources.state[0]],
                partition_count=count,
                state_start=starts[self._sources.state[0], number],
                inputs={
                    name: Extent(ids[name], starts[name, number], ends[name, number])
                    for name in inputs
                },
            )
            for number in partitions
        }

    @staticmethod
    def _note(committed: TopicPartition | None) -> str | None:
        return (committed.metadata or None) if committed is not None else None

    def _offsets(
        self,
        names: Iterable[str],
        partitions: Sequence[int],
        spec: Any,
        isolation: IsolationLevel = IsolationLevel.READ_COMMITTED,
    ) -> dict[tuple[str, int], int]:
        """The latest one as readers of committed records see it, unless asked otherwise."""
        asked = {(n, p): TopicPartition(self._physical[n], p) for n in names for p in partitions}
        if not asked:
            return {}
        answers = self._admin.list_offsets(
            dict.fromkeys(asked.values(), spec),
            isolation_level=isolation,
            request_timeout=_ANSWER_S,
        )
        found = {(at.topic, at.partition): answer for at, answer in answers.items()}
        return {
            place: found[at.topic, at.partition].result(_ANSWER_S).offset
            for place, at in asked.items()
        }

    def _check_settled(
        self, partitions: Sequence[int], ends: Mapping[tuple[str, int], int]
    ) -> None:
        """What lies behind an open transaction of a state topic could not be read, and might be a call."""
        specs: Any = OffsetSpec  # the client ships no types for it
        raw = self._offsets(
            self._sources.state, partitions, specs.latest(), IsolationLevel.READ_UNCOMMITTED
        )
        for (name, number), end in raw.items():
            if ends[name, number] < end:
                raise UnsettledError(
                    f"{name}-{number} is readable to {ends[name, number]} of {end}"
                )

    def last_positions(self, partition: int) -> list[TopicPartition]:
        """Where reading of the inputs goes on, by the last transaction that surely ended."""
        specs: Any = OffsetSpec  # the client ships no types for it
        starts = self._offsets(self._sources.inputs, [partition], specs.earliest())
        asked = [TopicPartition(self._physical[name], partition) for name, _ in starts]
        known = self._ask_committed(asked, _ANSWER_S, settled=False)
        return [
            TopicPartition(one.topic, one.partition, max(one.offset, start), one.metadata or "")
            for one, start in zip(known, starts.values(), strict=True)
        ]

    def _committed(
        self, partitions: Sequence[int], *, settled: bool
    ) -> dict[tuple[str, int], TopicPartition]:
        """Of the inputs in these partitions, and every note of the owned topic for its partition count."""
        owned, inputs = self._sources.owned, self._sources.inputs
        if not inputs:
            return {}
        names = sorted({owned, *inputs})
        own = [TopicPartition(self._physical[n], p) for n in names for p in partitions]
        others = sorted(set(range(self._kafka.partitions)) - set(partitions))
        noted = [TopicPartition(self._physical[owned], number) for number in others]
        # another owner's transaction may be open for as long as it likes
        entries = [
            *(
                self._settled(own)
                if settled
                else self._ask_committed(own, _ANSWER_S, settled=False)
            ),
            *self._ask_committed(noted, _ANSWER_S, settled=False),
        ]
        logical = {self._physical[name]: name for name in (owned, *inputs)}
        found = {(logical[e.topic], e.partition): e for e in entries if e.offset >= 0}
        self._check_noted_counts(e for (name, _), e in found.items() if name == owned)
        return found

    def _settled(self, asked: Sequence[TopicPartition]) -> Sequence[TopicPartition]:
        try:
            return self._ask_committed(asked, _SETTLED_S, settled=True)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._TIMED_OUT:  # noqa: SLF001 - public in C
                raise
            raise UnsettledError(
                f"positions are about to change, for {_SETTLED_S:.0f} s"
            ) from error

    def _ask_committed(
        self, asked: Sequence[TopicPartition], timeout_s: float, *, settled: bool
    ) -> Sequence[TopicPartition]:
        """The admin client's own request crashed the process while the group's coordinator came up."""
        if not asked:
            return []
        consumer = offsets_consumer(self._kafka, self._group, settled=settled)
        deadline_s = boot_s() + _COORDINATOR_S
        try:
            while True:
                try:
                    return _checked(consumer.committed(list(asked), timeout=timeout_s))
                except KafkaException as error:
                    if error.args[0].code() not in _COMING_UP or boot_s() > deadline_s:
                        raise
                    time.sleep(_PAUSE_S)
        finally:
            consumer.close()

    def _check_noted_counts(self, committed: Iterable[TopicPartition]) -> None:
        """New numbers of a larger topic have no note of their own, so that of any other one counts."""
        for entry in committed:
            try:
                note = decode(self._note(entry))
            except NoteError:
                continue  # judged as an unknown past
            if note is not None and note.partition_count != self._kafka.partitions:
                raise FatalError(
                    f"the group {self._group} wrote with {note.partition_count} partitions, the "
                    f"installation is now set to {self._kafka.partitions}: a key would move to a number "
                    "whose ledger does not know it. Set WAYBILL_KAFKA__PARTITIONS, and the topics, to "
                    "the count the installation was made with."
                )

    def _topic_ids(self) -> dict[str, str]:
        names = list(dict.fromkeys((*self._followed, *self._sources.inputs)))
        wanted = [self._physical[name] for name in names]
        answers = self._admin.describe_topics(TopicCollection(wanted), request_timeout=_ANSWER_S)
        described = {name: answers[self._physical[name]].result(_ANSWER_S) for name in names}
        self._check_counts(described.values())
        return {name: str(topic.topic_id) for name, topic in described.items()}

    def _check_counts(self, described: Iterable[Any]) -> None:
        for topic in described:
            if len(topic.partitions) != self._kafka.partitions:
                raise FatalError(
                    f"{topic.name} has {len(topic.partitions)} partitions, the installation was made "
                    f"with {self._kafka.partitions}: a key would move to a number whose ledger does not "
                    "know it. Set WAYBILL_KAFKA__PARTITIONS to the count the installation was made with."
                )


def _checked(found: Sequence[TopicPartition]) -> Sequence[TopicPartition]:
    for one in found:
        if one.error is not None:
            raise KafkaException(one.error)
    return found
