"""Stand-ins for the runtime's ports: a Kafka of lists, a pool that runs when told, a clock that is set.

`Cluster` keeps the topics as lists, fences by epoch and applies a transaction as a whole, as the real one
does; it is told which commits to lose, and when.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from waybill.contracts import Command
from waybill.contracts.command import CommandKind
from waybill.metrics import Registry
from waybill.streaming.errors import FencedError
from waybill.streaming.metrics import RuntimeMetrics
from waybill.streaming.ports import BEGINNING, Batch, Extent, Opened, Place, ReadBatch, Sources
from waybill.streaming.records import Inbound, Outbound
from waybill.streaming.runtime import Runtime, Surroundings, Timing

SOURCES = Sources(
    owned="work",
    state=("state",),
    views=("facts",),
    inputs=("work", "hints"),
    eager=("work",),
    tables=("table",),
)
WITNESSED = Sources(
    owned="work",
    state=("state",),
    views=("facts",),
    inputs=("work", "hints", "commands"),
    eager=("work", "commands"),
    tables=("table",),
    witnessed=True,
)
TIMING = Timing(
    fence_grace_s=10.0,
    rivalry_s=200.0,
    probe_s=3.0,
    recommit_s=1000.0,
    reopen_pause_s=2.0,
    settle_s=500.0,
)
STARTED_AT = datetime(2026, 11, 1, tzinfo=UTC)


class FakeClock:
    """Seconds that go on when told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += seconds


class Job:
    """A function that waits to be run."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.future: Future[Any] = Future()
        self.name: str = function.__name__
        self._function, self._args = function, args

    def run(self) -> None:
        """As a pool's thread does; a future that was cancelled meanwhile is left alone."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._function(*self._args))
        except Exception as error:  # noqa: BLE001 - as a pool does, whatever it is
            self.future.set_exception(error)


class ManualPool:
    """Runs at once, or holds jobs back until they are run by hand."""

    def __init__(self) -> None:
        self.holding = False
        self.jobs: deque[Job] = deque()

    def submit(self, function: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        job = Job(function, args)
        if self.holding:
            self.jobs.append(job)
        else:
            job.run()
        return job.future

    def run_next(self) -> None:
        self.jobs.popleft().run()


@dataclass
class Cluster:
    """Topics, committed positions and epochs."""

    logs: dict[Place, list[Inbound | None]] = field(default_factory=dict)
    """None is a commit marker: it takes an offset and is never read."""
    committed: dict[Place, int] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    transactions: list[tuple[list[Outbound], dict[str, int]]] = field(default_factory=list)
    """Outputs and positions of every transaction that counts, in order."""
    failures: deque[tuple[Exception, bool]] = field(default_factory=deque)
    """How the next commits fail, and whether they count nevertheless."""
    notes: dict[int, str] = field(default_factory=dict)
    """The note of each partition's last transaction that had one."""
    starts: dict[Place, int] = field(default_factory=dict)
    """First offsets that are still there, where records were deleted from the beginning."""
    ids: dict[str, str] = field(default_factory=dict)
    """Topic ids, where they differ from the topic's name."""

    def recreate(self, topic: str) -> None:
        """Delete a topic and make it anew."""
        self.ids[topic] = self.topic_id(topic) + "+"
        self.logs = {place: log for place, log in self.logs.items() if place.topic != topic}

    def cut(self, topic: str, end: int, partition: int = 0) -> None:
        """Records from this offset on are gone, as after an unclean election or in an older copy."""
        del self.logs[Place(topic, partition)][end:]

    def delete_before(self, topic: str, start: int, partition: int = 0) -> None:
        """Records before this offset were deleted."""
        self.starts[Place(topic, partition)] = start

    def topic_id(self, topic: str) -> str:
        return self.ids.get(topic, topic)

    def extent(self, place: Place) -> Extent:
        return Extent(self.topic_id(place.topic), self.starts.get(place, 0), self.end(place))

    def append(self, topic: str, value: bytes, *, partition: int = 0, key: bytes = b"k") -> Inbound:
        log = self.logs.setdefault(Place(topic, partition), [])
        record = Inbound(topic, partition, len(log), key, value, (), 0)
        log.append(record)
        return record

    def end(self, place: Place) -> int:
        return len(self.logs.get(place, ()))

    def values(self, topic: str, partition: int = 0) -> list[bytes | None]:
        return [r.value for r in self.logs.get(Place(topic, partition), ()) if r is not None]

    def transact(
        self,
        partition: int,
        outputs: Sequence[Outbound],
        positions: Mapping[str, int],
        note: str = "",
    ) -> dict[Place, int]:
        self.transactions.append((list(outputs), dict(positions)))
        if note:
            self.notes[partition] = note
        ends: dict[Place, int] = {}
        for output in outputs:
            written = self.append(output.topic, output.value or b"", partition=output.partition)
            ends[Place(output.topic, output.partition)] = written.offset
        for place in ends:
            self.logs[place].append(None)
        for topic, offset in positions.items():
            self.committed[Place(topic, partition)] = offset
        return ends


class FakeTransactions:
    """One producer: shut out as soon as a newer one of its partition was opened."""

    def __init__(self, cluster: Cluster, partition: int, epoch: int) -> None:
        self._cluster, self._partition, self._epoch = cluster, partition, epoch

    def commit(
        self, outputs: Sequence[Outbound], positions: Mapping[str, int], note: str, metadata: Any
    ) -> Mapping[Place, int]:
        assert metadata == "member"
        if self._cluster.epochs[self._partition] != self._epoch:
            raise FencedError("a newer producer")
        if self._cluster.failures:
            error, counts = self._cluster.failures.popleft()
            if counts:
                self._cluster.transact(self._partition, outputs, positions, note)
            raise error
        return self._cluster.transact(self._partition, outputs, positions, note)


class FakeOpener:
    """Fences, then looks where reading has to start."""

    def __init__(self, cluster: Cluster, sources: Sources) -> None:
        self._cluster, self._sources = cluster, sources
        self.failures: deque[Exception] = deque()
        self.opened: list[int] = []

    def open(self, partition: int) -> Opened:
        if self.failures:
            raise self.failures.popleft()
        self.opened.append(partition)
        cluster, sources = self._cluster, self._sources
        epoch = cluster.epochs[partition] = cluster.epochs.get(partition, 0) + 1
        committed = {t: cluster.committed.get(Place(t, partition)) for t in sources.inputs}
        return Opened(
            FakeTransactions(cluster, partition, epoch),
            {t: cluster.end(Place(t, partition)) for t in (*sources.state, *sources.views)},
            {topic: offset for topic, offset in committed.items() if offset is not None},
            "identity",
            note=cluster.notes.get(partition),
            state_id=cluster.topic_id(sources.state[0]),
            partition_count=2,
            state_start=cluster.starts.get(Place(sources.state[0], partition), 0),
            inputs={t: cluster.extent(Place(t, partition)) for t in sources.inputs},
        )


class FakeReader:
    """Reads the cluster's lists from the places assigned; `held` places give nothing for now."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.positions: dict[Place, int] = {}
        self.starts: list[dict[Place, int]] = []
        self.held: set[Place] = set()
        self.lost: list[Place] = []
        self.reads = 0
        self._told: dict[Place, int] = {}
        self.closed = False

    def read(self, records_max: int, wait_s: float) -> ReadBatch:  # noqa: ARG002 - never waits
        self.reads += 1
        records: list[Inbound] = []
        ends: list[tuple[Place, int]] = []
        for place, position in self.positions.items():
            if place in self.held:
                continue
            log = self._cluster.logs.get(place, [])
            if not self._cluster.starts.get(place, 0) <= position <= len(log):
                self.lost.append(place)
                continue
            found = [r for r in log[position:][: records_max - len(records)] if r is not None]
            records += found
            new = found[-1].offset + 1 if found else position
            if all(rest is None for rest in log[new:]):
                new = len(log)
                if self._told.get(place) != new:
                    ends.append((place, new))
                    self._told[place] = new
            self.positions[place] = new
        lost, self.lost = self.lost, []
        return ReadBatch(records, ends, lost)

    def assign(self, positions: Mapping[Place, int]) -> None:
        assert not self.positions.keys() & positions.keys(), "assigned twice"
        self.starts.append(dict(positions))
        for place, offset in positions.items():
            start = self._cluster.starts.get(place, 0)
            self.positions[place] = start if offset == BEGINNING else offset
            self._told.pop(place, None)

    def unassign(self, places: Sequence[Place]) -> None:
        for place in places:
            self.positions.pop(place, None)

    def close(self) -> None:
        self.closed = True


class FakeMembership:
    """Owns what it is told to."""

    def __init__(self) -> None:
        self.events: deque[Callable[[], None]] = deque()
        self.closed = 0

    def poll(self) -> None:
        while self.events:
            self.events.popleft()()

    def metadata(self) -> Any:
        return "member"

    def close(self) -> None:
        self.closed += 1


class FakeHandler:
    """Copies each work record to the state topic; its disk outlives it, as a folder does."""

    def __init__(self, number: int, disk: dict[str, int], trace: list[Any]) -> None:
        self.number, self.disk, self.trace = number, disk, trace
        self.results: deque[bytes] = deque()
        self.is_open = True
        self.leads_to_nothing = False
        self.accepted_at: datetime | None = None

    def position(self, topic: str) -> int | None:
        return self.disk.get(topic)

    def absorb(self, records: Sequence[Inbound]) -> None:
        assert self.is_open
        for record in records:
            self.trace.append(("absorb", record.topic, record.value))
            self.disk[record.topic] = record.offset + 1

    def opened(self, accepted_at: datetime | None = None) -> None:
        self.trace.append(("opened", self.number))
        self.accepted_at = accepted_at

    def wants_turn(self) -> bool:
        return bool(self.results)

    def process(self, records: Sequence[Inbound]) -> Batch:
        assert self.is_open
        results, self.results = list(self.results), deque()
        work = [record.value or b"" for record in records if record.topic == "work"]
        self.trace.append(("process", [record.value for record in records], results))
        batch = Batch()
        for value in (*results, *work) if not self.leads_to_nothing else ():
            batch.outputs.append(Outbound("state", self.number, b"k", value))
            batch.effects.append(value)
        return batch

    def committed(self, batch: Batch, positions: Mapping[str, int], sent_at_s: float) -> None:
        assert self.is_open
        self.trace.append(("committed", batch.effects, sent_at_s))
        self.disk.update(positions)

    def close(self) -> None:
        self.is_open = False
        self.trace.append(("close", self.number))


class FakeService:
    """A service whose handlers are fakes."""

    def __init__(self, sources: Sources = SOURCES) -> None:
        self.sources = sources
        self.disks: dict[int, dict[str, int]] = {}
        self.identities: dict[int, str] = {}
        self.handlers: dict[int, FakeHandler] = {}
        self.trace: list[Any] = []
        self.under_way = 0
        self.taking = True

    def open(self, partition: int, identity: str) -> FakeHandler:
        if self.identities.setdefault(partition, identity) != identity:
            self.disks.pop(partition, None)  # as the local store does
        self.identities[partition] = identity
        disk = self.disks.setdefault(partition, {})
        self.handlers[partition] = FakeHandler(partition, disk, self.trace)
        return self.handlers[partition]

    def accepted_loss(self, record: Inbound) -> Command | None:
        """A record `accept <loss_id>` stands for the command."""
        word, _, loss_id = (record.value or b"").decode().partition(" ")
        if word != "accept":
            return None
        return Command(
            command_id="c-1",
            order_key=f"ledger:{record.partition}",
            kind=CommandKind.ACCEPT_LOSS,
            entry_revision=0,
            loss_id=loss_id,
            who="operator",
            why="known",
            issued_at=STARTED_AT,
        )

    def on_table(self, records: Sequence[Inbound]) -> None:
        self.trace += [("table", record.value) for record in records]

    def turn(self) -> bool:
        return self.under_way > 0

    def stop_intake(self) -> None:
        self.taking = False

    def idle(self) -> bool:
        return self.under_way == 0

    def effects(self) -> list[bytes]:
        """Everything that was started."""
        committed = [event for event in self.trace if event[0] == "committed"]
        return [effect for _, effects, _ in committed for effect in effects]

    def batches(self) -> list[list[bytes | None]]:
        """The records of each batch that had some."""
        found = [event[1] for event in self.trace if event[0] == "process"]
        return [records for records in found if records]


@dataclass
class House:
    """A runtime with everything around it."""

    cluster: Cluster = field(default_factory=Cluster)
    sources: Sources = SOURCES
    timing: Timing = TIMING

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.pool = ManualPool()
        self.reader = FakeReader(self.cluster)
        self.opener = FakeOpener(self.cluster, self.sources)
        self.service = FakeService(self.sources)
        self.membership = FakeMembership()
        self.registry = Registry()
        around = Surroundings(
            self.reader, self.opener, self.pool, self.clock, self.clock.pause, self.now
        )
        self.runtime = Runtime(self.service, around, RuntimeMetrics(self.registry), self.timing)

    def now(self) -> datetime:
        return STARTED_AT + timedelta(seconds=self.clock.now_s)

    def join(self, *numbers: int) -> "House":
        """Take part in the group and be given these partitions."""
        self.runtime.join(self.membership, table_partitions=1)
        for number in numbers:
            self.gain(number)
        return self

    def gain(self, number: int) -> None:
        self.membership.events.append(lambda: self.runtime.gained(number))

    def lose(self, number: int) -> None:
        self.membership.events.append(lambda: self.runtime.lost(number))

    def turns(self, count: int = 8) -> "House":
        for _ in range(count):
            self.runtime.turn()
        return self

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.collectors.get_sample_value(name, labels) or 0.0

    def phases(self) -> dict[int, str]:
        return {partition.number: partition.phase.value for partition in self.runtime.partitions}
