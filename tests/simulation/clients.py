"""The runtime's ports over the model broker: reader, transactions, opener.

Transactions and takeovers are generators underneath, so that a scheduler can switch, kill or pause
between any two requests to the broker; called plainly they run to their end.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from tests.simulation.broker import Abortable, ModelBroker
from tests.simulation.group import Member
from waybill.streaming.errors import UnclearError
from waybill.streaming.ports import BEGINNING, Extent, Opened, Place, ReadBatch, Sources
from waybill.streaming.records import Inbound, Outbound

T = TypeVar("T")
Steps = Generator[None, None, T]

_TRIES_MAX = 5
"""As `waybill.streaming.transactions` has it."""


def run(steps: Steps[T]) -> T:
    """Run to the end without a switch."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


class SilenceError(Exception):
    """The client waits for ever: whoever steps it never goes on."""


class Trouble(StrEnum):
    """What may go wrong with a transaction."""

    NONE = "none"
    ABORTED = "aborted"
    """A request fails in a way that asks for an abort; then it is made again."""
    LOST_BEFORE = "lost before"
    """The commit does not reach the broker, and nobody knows: the transaction stays open."""
    LOST_AFTER = "lost after"
    """The commit counts, its answer is lost."""
    SILENT_BEFORE = "silent before"
    """As `LOST_BEFORE`, and the client waits for ever."""
    SILENT_AFTER = "silent after"
    """As `LOST_AFTER`, and the client waits for ever."""


def _no_trouble() -> Trouble:
    return Trouble.NONE


@dataclass(slots=True)
class ModelTransactions:
    """`Transactions` of one partition under one epoch of its transactional id."""

    broker: ModelBroker
    transactional_id: str
    epoch: int
    partition: int
    owned: str
    trouble: Callable[[], Trouble] = _no_trouble

    def commit(
        self, outputs: Sequence[Outbound], positions: Mapping[str, int], note: str, metadata: Any
    ) -> Mapping[Place, int]:
        """See `Transactions.commit`."""
        return run(self.commit_steps(outputs, positions, note, metadata))

    def commit_steps(
        self, outputs: Sequence[Outbound], positions: Mapping[str, int], note: str, metadata: Member
    ) -> Steps[Mapping[Place, int]]:
        """The same, with a switch between any two requests."""
        places = {
            Place(topic, self.partition): (offset, note if topic == self.owned else "")
            for topic, offset in positions.items()
        }
        for _ in range(_TRIES_MAX):
            trouble = self.trouble()
            try:
                ends = yield from self._attempt(outputs, places, metadata, trouble)
            except Abortable:
                yield
                self.broker.end(self.transactional_id, self.epoch, commit=False)
                yield
            else:
                return ends
        raise UnclearError(f"aborted {_TRIES_MAX} times in a row")

    def _attempt(
        self,
        outputs: Sequence[Outbound],
        places: Mapping[Place, tuple[int, str]],
        member: Member,
        trouble: Trouble,
    ) -> Steps[Mapping[Place, int]]:
        broker, name, epoch = self.broker, self.transactional_id, self.epoch
        broker.begin(name, epoch)
        ends: dict[Place, int] = {}
        for output in outputs:
            ends[Place(output.topic, output.partition)] = broker.produce(name, epoch, output)
        yield
        if trouble is Trouble.ABORTED:
            raise Abortable("the broker asks for an abort")
        member.check()
        broker.send_offsets(name, epoch, member.group_name, places)
        yield
        yield from self._commit(trouble)
        return ends

    def _commit(self, trouble: Trouble) -> Steps[None]:
        if trouble not in (Trouble.LOST_BEFORE, Trouble.SILENT_BEFORE):
            self.broker.end(self.transactional_id, self.epoch, commit=True)
        yield
        if trouble in (Trouble.LOST_BEFORE, Trouble.LOST_AFTER):
            raise UnclearError("no answer to a commit")
        if trouble in (Trouble.SILENT_BEFORE, Trouble.SILENT_AFTER):
            raise SilenceError


@dataclass(slots=True)
class ModelOpener:
    """`Opener` on the model broker."""

    broker: ModelBroker
    group: str
    sources: Sources
    fence_topic: str
    trouble: Callable[[], Trouble] = _no_trouble

    def open(self, partition: int) -> Opened:
        """See `Opener.open`."""
        return run(self.open_steps(partition))

    def open_steps(self, partition: int) -> Steps[Opened]:
        """The same, with a switch between any two requests."""
        broker, sources = self.broker, self.sources
        transactional_id = f"{self.fence_topic}-{partition}"
        yield
        epoch = broker.initialise(transactional_id)
        yield
        followed = (*sources.state, *sources.views)
        ends = {topic: broker.log(Place(topic, partition)).last_stable for topic in followed}
        yield
        found = broker.committed.get(self.group, {})
        committed = {
            t: found[place] for t in sources.inputs if (place := Place(t, partition)) in found
        }
        owned = committed.get(sources.owned)
        return Opened(
            ModelTransactions(
                broker, transactional_id, epoch, partition, sources.owned, self.trouble
            ),
            ends=ends,
            committed={topic: position.offset for topic, position in committed.items()},
            identity=",".join(f"{t}={broker.topic_id(t)}/{broker.partitions}" for t in followed),
            note=owned.note or None if owned else None,
            state_id=broker.topic_id(sources.state[0]),
            partition_count=broker.partitions,
            state_start=broker.log(Place(sources.state[0], partition)).start,
            inputs={topic: self._extent(Place(topic, partition)) for topic in sources.inputs},
        )

    def _extent(self, place: Place) -> Extent:
        log = self.broker.log(place)
        return Extent(self.broker.topic_id(place.topic), log.start, log.high_watermark)


@dataclass(slots=True)
class ModelReader:
    """`Reader` on the model broker; `some` may hold records back for a while, as a slow network does."""

    broker: ModelBroker
    some: Callable[[int], int] = lambda available: available
    """Given how many records there are, how many come now."""
    positions: dict[Place, int] = field(default_factory=dict)
    _told: dict[Place, int] = field(default_factory=dict)
    _lost: list[Place] = field(default_factory=list)
    _dull_at: int = -1
    """Version of the broker at which there was nothing new."""

    def read(self, records_max: int, wait_s: float) -> ReadBatch:  # noqa: ARG002 - never waits
        """See `Reader.read`."""
        records: list[Inbound] = []
        ends: list[tuple[Place, int]] = []
        for place, position in self.positions.items():
            self._read(place, position, records_max - len(records), records, ends)
        lost, self._lost = self._lost, []
        for place in lost:
            self.positions.pop(place, None)
        return ReadBatch(records, ends, lost)

    def _read(
        self,
        place: Place,
        position: int,
        records_max: int,
        records: list[Inbound],
        ends: list[tuple[Place, int]],
    ) -> None:
        log = self.broker.log(place)
        if not log.start <= position <= log.high_watermark:
            self._lost.append(place)
            return
        stable = log.last_stable
        if position >= stable:
            self._tell_end(place, position, ends)
            return
        found = list(log.committed(position, stable))
        taken = found[: min(records_max, self.some(len(found)))] if found else []
        records += taken
        is_all = len(taken) == len(found)
        new = stable if is_all else taken[-1].offset + 1 if taken else position
        self.positions[place] = new
        if is_all:
            self._tell_end(place, new, ends)

    def _tell_end(self, place: Place, position: int, ends: list[tuple[Place, int]]) -> None:
        if self._told.get(place) != position:
            self._told[place] = position
            ends.append((place, position))

    def has_news(self) -> bool:
        """Whether a read would bring anything."""
        if self._dull_at == self.broker.version:
            return False
        for place, position in self.positions.items():
            log = self.broker.log(place)
            if self._told.get(place) != position or position < log.last_stable:
                return True
        self._dull_at = self.broker.version
        return False

    def assign(self, positions: Mapping[Place, int]) -> None:
        """See `Reader.assign`."""
        assert not self.positions.keys() & positions.keys(), "assigned twice"
        self._dull_at = -1
        for place, offset in positions.items():
            self.positions[place] = self.broker.log(place).start if offset == BEGINNING else offset
            self._told.pop(place, None)

    def unassign(self, places: Sequence[Place]) -> None:
        """See `Reader.unassign`."""
        for place in places:
            self.positions.pop(place, None)

    def close(self) -> None:
        """See `Reader.close`."""
        self.positions.clear()
