"""What the runtime needs from the outside: a reader, a membership, a way to open partitions, a clock.

The Kafka versions stand in `kafka.py`; the simulation brings its own.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from waybill.contracts import Command
from waybill.streaming.records import Inbound, Outbound
from waybill.streaming.store import Changes

BEGINNING = -2
"""Reading position before the first record (Kafka's logical offset)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A partition of a topic, by the topic's logical name."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """What one read brought: records, partitions read to their end, positions that are gone."""

    records: Sequence[Inbound] = ()
    ends: Sequence[tuple[Place, int]] = ()
    lost: Sequence[Place] = ()


class Reader(Protocol):
    """Reads explicit partitions, committed records only, each partition in order."""

    def read(self, records_max: int, wait_s: float) -> ReadBatch:
        """Wait up to `wait_s` for the first record, then take what is there."""

    def assign(self, positions: Mapping[Place, int]) -> None:
        """Start reading these places at these offsets."""

    def unassign(self, places: Sequence[Place]) -> None:
        """Stop reading these places; records already on the way are dropped."""

    def close(self) -> None:
        """Release it."""


class Membership(Protocol):
    """Owning number p of the owned topic is owning number p of everything."""

    def poll(self) -> None:
        """Keep the membership alive; calls back for partitions gained and lost."""

    def metadata(self) -> Any:
        """What a transaction that carries positions has to name."""

    def close(self) -> None:
        """Leave, so that others take over at once."""


class Transactions(Protocol):
    """Commits for one partition; see `FencedProducer`."""

    def commit(
        self, outputs: Sequence[Outbound], positions: Mapping[str, int], note: str, metadata: Any
    ) -> Mapping[Place, int]:
        """All or nothing; returns the highest offset that each place got.

        `note` is kept beside the owned topic's position and comes back as `Opened.note`; "" for none.
        """


@dataclass(frozen=True, slots=True)
class Extent:
    """What a partition of an input holds now."""

    topic_id: str
    """Another one after the topic was deleted and made anew."""
    start: int
    """Offset of its first record."""
    end: int
    """Offset after its last one."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A partition whose predecessor is shut out."""

    transactions: Transactions
    ends: Mapping[str, int]
    """State and view topics: where reading has to get to before anything is acted on."""
    committed: Mapping[str, int]
    """Input topics: where reading goes on; missing means the beginning."""
    identity: str
    """Topic ids and partition count: a local view made for another one is worthless."""
    note: str | None = None
    """What the last transaction noted; None when there was none, or its position has expired."""
    state_id: str = ""
    """Topic id of the state topic."""
    partition_count: int = 0
    """Partitions of the state topic."""
    state_start: int = 0
    """Offset of the state partition's first record."""
    inputs: Mapping[str, Extent] = field(default_factory=dict)
    """What the input topics hold, as far as it was looked at."""


class Opener(Protocol):
    """Shuts out the predecessor and looks where reading has to start; runs on a pool thread."""

    def open(self, partition: int) -> Opened:
        """Raises FencedError, UnclearError."""


Submit = Callable[..., "Future[Any]"]


@dataclass(frozen=True, slots=True)
class Sources:
    """Which topics a service reads, and how."""

    owned: str
    """The group subscribes to this one; it decides who owns which number."""
    state: tuple[str, ...] = ()
    """Written by the owner alone; read to the high watermark before anything else."""
    views: tuple[str, ...] = ()
    """Read to their end before inputs flow, and on from there."""
    inputs: tuple[str, ...] = ()
    """Read from the positions that travel in the transactions."""
    eager: tuple[str, ...] = ()
    """Inputs whose progress alone is worth a transaction; that of others travels with the next one."""
    tables: tuple[str, ...] = ()
    """Small topics that every process reads whole."""
    witnessed: bool = False
    """Whether a first state topic that lost records stops the partition, until an operator's command on
    `commands` accepts the loss. For a state that cannot be made anew from elsewhere."""
    commands: str = "commands"
    """The input on which a stopped partition waits for that command."""


@dataclass(slots=True)
class Batch:
    """What processing some records and results led to; nothing of it counts before its commit."""

    outputs: list[Outbound] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    effects: list[Any] = field(default_factory=list)
    """For the service, after the commit."""


class Handler(Protocol):
    """A service's work on one owned partition; called on the runtime's thread only."""

    def position(self, topic: str) -> int | None:
        """Where the local view of a state or view topic goes on; None for the beginning."""

    def absorb(self, records: Sequence[Inbound]) -> None:
        """Take in state and view records, in order, before `opened`."""

    def opened(self, accepted_at: datetime | None = None) -> None:
        """Everything up to the takeover has been absorbed: from now on the handler acts.

        `accepted_at`: the state may have forgotten what was done before then, UTC; None: it has not.
        """

    def wants_turn(self) -> bool:
        """Whether `process` has something to do even without records."""

    def process(self, records: Sequence[Inbound]) -> Batch:
        """Decide; must not start anything outside. Called again only after the batch's commit."""

    def committed(self, batch: Batch, positions: Mapping[str, int], sent_at_s: float) -> None:
        """The batch counts now: update the view and start the effects.

        `sent_at_s`: the clock before the commit was sent, from which leases are counted.
        """

    def close(self) -> None:
        """The partition is no longer ours: forget it, write nothing, start nothing."""


class Service(Protocol):
    """A service as the runtime sees it."""

    sources: Sources

    def open(self, partition: int, identity: str) -> Handler:
        """Make the handler of a partition that was just taken over."""

    def accepted_loss(self, record: Inbound) -> Command | None:
        """The command by which an operator accepts a loss; None for any other record of `commands`."""

    def on_table(self, records: Sequence[Inbound]) -> None:
        """Take in records of the tables."""

    def turn(self) -> bool:
        """Once per loop: collect results, do what is due. True while something is under way."""

    def stop_intake(self) -> None:
        """Start nothing new; finish what is under way."""

    def idle(self) -> bool:
        """Whether nothing is under way any more."""
