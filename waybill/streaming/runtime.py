"""The loop of a service that owns partitions: one thread for membership, reading, deciding and the view.

Commits of different partitions run in parallel on a small pool; calls to the outside run elsewhere and
come back as results that the service collects in its `turn`. There are no tick timers: an idle
partition commits at once, and waiting ends with the first record.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog

from waybill.clock import Clock
from waybill.streaming.errors import FatalError, FencedError, UnclearError
from waybill.streaming.metrics import RuntimeMetrics
from waybill.streaming.partition import OwnedPartition, Phase
from waybill.streaming.ports import BEGINNING, Membership, Opener, Place, Reader, Service
from waybill.streaming.records import Inbound
from waybill.streaming.witness import Accepted

log = structlog.get_logger()

_READ_RECORDS_MAX = 500
_INBOX_RECORDS_MAX = 5_000
"""Records waiting for commits, over all partitions, after which reading pauses."""
_BUSY_WAIT_S = 0.001
"""Results of commits and calls are looked for this often while some are expected."""
_IDLE_WAIT_S = 0.02


class Pool(Protocol):
    """Runs commits and takeovers; a thread pool, or the simulation's."""

    def submit(self, function: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        """Run it elsewhere."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of the runtime, each with its reason."""

    fence_grace_s: float = 12.0
    """A fenced partition that is still assigned after a session timeout is ours to open again."""
    rivalry_s: float = 180.0
    """Shut out twice within this time, it is written by another group. Once is no proof: a member that was
    evicted while it slept may finish its takeover too late, and shut out its rightful successor."""
    probe_s: float = 2.0
    """After such a reopening a partition commits so often until `rivalry_s` is over: a rival is met soon."""
    recommit_s: float = 10.0
    """An idle partition commits so often, to learn that it was shut out; positions and transactional ids
    that are unused for days would expire, too."""
    reopen_pause_s: float = 2.0
    """Between an unclear end and the next takeover. Longer than a heartbeat: a process that was evicted
    while it slept learns of it first, and does not shut out its successor."""
    settle_s: float = 5.0
    """So long after the last transaction its own end is noted too: rare enough to cost nothing, soon
    enough that a lost tail hardly ever goes unseen."""


TIMING = Timing()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that the runtime touches outside of itself; the simulation brings its own."""

    reader: Reader
    opener: Opener
    pool: Pool
    clock: Callable[[], float]
    """Seconds that never go backwards."""
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = field(default_factory=lambda: Clock().now)
    """Wall time, UTC to the millisecond."""


class Runtime:
    """Runs one service until it is stopped; see the module for who does what on which thread."""

    def __init__(
        self,
        service: Service,
        around: Surroundings,
        metrics: RuntimeMetrics,
        timing: Timing = TIMING,
    ) -> None:
        """The membership is set by `join`, since it calls back into the runtime."""
        self._service = service
        self._reader = around.reader
        self._opener = around.opener
        self._pool = around.pool
        self._clock = around.clock
        self._pause = around.pause
        self._now = around.now
        self._metrics = metrics
        self._timing = timing
        self._membership: Membership | None = None
        self._partitions: dict[int, OwnedPartition] = {}
        self._retry_at: dict[int, float] = {}
        self._fenced_at: dict[int, float] = {}
        """When a partition was last shut out while it was ours."""
        self._tables_missing: set[Place] = set()
        self._stopping = False

    @property
    def partitions(self) -> Sequence[OwnedPartition]:
        """The partitions owned now."""
        return list(self._partitions.values())

    @property
    def turned_at_s(self) -> float:
        """When the loop last turned, seconds since boot."""
        return self._metrics.turned_at_s

    @property
    def ready(self) -> bool:
        """Tables read, and every owned partition at work."""
        working = not any(p.held_up for p in self._partitions.values())
        return working and not self._tables_missing and self._membership is not None

    def join(self, membership: Membership, table_partitions: int) -> None:
        """Read the tables from their beginning and take part in the group."""
        tables = [
            Place(t, n) for t in self._service.sources.tables for n in range(table_partitions)
        ]
        self._tables_missing = set(tables)
        if tables:
            self._reader.assign(dict.fromkeys(tables, BEGINNING))
        self._membership = membership

    def gained(self, number: int) -> None:
        """The group gave us a partition: shut out its predecessor."""
        log.info("partition_gained", partition=number)
        partition = OwnedPartition(
            number, self._service.sources, self._pool.submit, self._clock, self._metrics.committed
        )
        self._partitions[number] = partition
        self._open(partition)

    def lost(self, number: int) -> None:
        """The group took a partition back: nothing of it is written or started from here on."""
        log.info("partition_lost", partition=number)
        partition = self._partitions.pop(number, None)
        self._retry_at.pop(number, None)
        self._fenced_at.pop(number, None)
        if partition is not None:
            self._forget(partition)

    def turn(self) -> None:
        """One round: membership, reading, each partition, the service."""
        if self._membership is not None:
            self._membership.poll()
        busy = self._service.turn()
        for partition in list(self._partitions.values()):
            busy |= self._advance(partition)
        self._read(_BUSY_WAIT_S if busy or self._under_way() else _IDLE_WAIT_S)
        self._metrics.turned(self._clock(), self._partitions.values())

    def _under_way(self) -> bool:
        return any(p.commit is not None or p.inbox for p in self._partitions.values())

    def _read(self, wait_s: float) -> None:
        full = sum(len(p.inbox) for p in self._partitions.values()) > _INBOX_RECORDS_MAX
        if full or self._stopping:
            self._pause(wait_s)
            return
        batch = self._reader.read(_READ_RECORDS_MAX, wait_s)
        self._hand_out(batch.records)
        for place, end in batch.ends:
            self._reached(place, end)
        for place in batch.lost:
            self._position_lost(place)

    def _hand_out(self, records: Sequence[Inbound]) -> None:
        tables: list[Inbound] = []
        owned: dict[int, list[Inbound]] = {}
        for record in records:
            if record.topic in self._service.sources.tables:
                tables.append(record)
            else:
                owned.setdefault(record.partition, []).append(record)
        if tables:
            self._service.on_table(tables)
        for number, found in owned.items():
            if partition := self._partitions.get(number):
                self._take(partition, found)
        if records:
            self._metrics.consumed(records)

    def _take(self, partition: OwnedPartition, records: Sequence[Inbound]) -> None:
        if partition.phase is not Phase.STOPPED:
            partition.take(records)
            return
        loss = partition.loss
        for record in records:
            command = self._service.accepted_loss(record)
            if loss is not None and command is not None and command.loss_id == loss.loss_id:
                log.warning(
                    "loss_accepted",
                    partition=partition.number,
                    loss_id=loss.loss_id,
                    command_id=command.command_id,
                )
                partition.accepted = Accepted(self._now(), loss.loss_id)
                self._forget(partition)
                self._open(partition)
                return

    def _reached(self, place: Place, end: int) -> None:
        self._tables_missing.discard(place)
        partition = self._partitions.get(place.partition)
        if partition is not None and place.topic in partition.reached:
            partition.reached[place.topic] = max(partition.reached[place.topic], end)

    def _position_lost(self, place: Place) -> None:
        log.error("position_lost", topic=place.topic, partition=place.partition)
        self._metrics.position_lost(place)
        if (
            place.topic in self._service.sources.tables
        ):  # all of it counts, so all of it is read again
            self._reader.unassign([place])
            self._reader.assign({place: BEGINNING})
        elif partition := self._partitions.get(place.partition):
            if place.topic not in self._service.sources.inputs:  # those are judged at the opening
                partition.wiped_for = f"{place.topic} lost {self._now().isoformat()}"
            self._reopen(partition)

    def _advance(self, partition: OwnedPartition) -> bool:
        try:
            return self._advance_unguarded(partition)
        except FencedError as error:
            log.warning("partition_fenced", partition=partition.number, detail=str(error))
            self._metrics.fenced()
            self._forget(partition)
            partition.enter(Phase.FENCED)
        except UnclearError as error:
            log.warning("partition_unclear", partition=partition.number, detail=str(error))
            self._metrics.rebuilt()
            self._reopen(partition)
        return True

    def _reopen(self, partition: OwnedPartition) -> None:
        self._forget(partition)
        partition.enter(Phase.OPENING)
        self._retry_at[partition.number] = self._clock() + self._timing.reopen_pause_s

    def _advance_unguarded(self, partition: OwnedPartition) -> bool:
        match partition.phase:
            case Phase.OPENING:
                return self._finish_opening(partition)
            case Phase.RESTORING:
                return self._finish_restoring(partition)
            case Phase.RUNNING:
                return partition.step(
                    self._metadata,
                    self._recommit_s(partition.number),
                    intake=not self._stopping,
                    settle_s=self._timing.settle_s,
                )
            case Phase.FENCED:
                self._still_ours(partition)
                return False
            case Phase.STOPPED:
                return False

    def _metadata(self) -> Any:
        assert self._membership is not None  # noqa: S101 - partitions only come from a membership
        return self._membership.metadata()

    def _open(self, partition: OwnedPartition) -> None:
        partition.enter(Phase.OPENING)
        partition.opening = self._pool.submit(self._opener.open, partition.number)

    def _finish_opening(self, partition: OwnedPartition) -> bool:
        if partition.opening is None:
            if self._clock() >= self._retry_at.get(partition.number, 0.0):
                self._open(partition)
            return False
        if not partition.opening.done():
            partition.check_opening()
            return False
        opening, partition.opening = partition.opening, None
        opened = opening.result()
        if partition.examine(opened, self._now()) is not None:
            self._stop(partition)
            return True
        handler = self._service.open(partition.number, partition.view_identity(opened))
        starts = partition.restored(opened, handler)
        behind = partition.fallen_behind()
        if not behind:
            self._reader.assign(starts)
        elif self._service.sources.witnessed and behind[0] in self._service.sources.state:
            log.error("state_fell_behind", topic=behind[0], partition=partition.number)
            partition.report_loss(self._metadata())
        else:
            self._position_lost(Place(behind[0], partition.number))
        return True

    def _stop(self, partition: OwnedPartition) -> None:
        """Nothing is decided or called for its orders until an operator says so."""
        loss = partition.loss
        assert loss is not None  # noqa: S101 - the caller looked
        log.error(
            "partition_stopped",
            partition=partition.number,
            loss_id=loss.loss_id,
            reason=loss.reason,
            todo="see `waybill ledger status`, restore what is gone, or run `waybill ledger accept-loss`",
        )
        self._metrics.stopped(partition.number)
        self._reader.assign(partition.stop())

    def _finish_restoring(self, partition: OwnedPartition) -> bool:
        if partition.report is not None:
            if partition.report.done():
                partition.report.result()
                self._forget(partition)
                self._open(partition)  # now its own note tells of the loss
            return False
        if self._tables_missing or partition.missing():
            return False
        took_s = self._clock() - partition.since_s
        # from here on only this process writes the state: its own records need no reading
        self._reader.unassign([Place(t, partition.number) for t in self._service.sources.state])
        self._reader.assign(partition.run())
        self._metrics.restored(took_s)
        log.info("partition_running", partition=partition.number, restore_s=round(took_s, 3))
        return True

    def _still_ours(self, partition: OwnedPartition) -> None:
        """A fenced partition that the group did not take away in time: open it again, but only once."""
        if self._clock() - partition.since_s <= self._timing.fence_grace_s:
            return
        if self._is_rivalled(partition.number):
            fence = self._service.sources.state[0]
            raise FatalError(
                f"another group writes {fence} partition {partition.number}: this process was shut out "
                "twice while its own group still gives it the partition. Two installations, or two "
                "values of the group setting, work on the same topics. Stop one of them, or give it "
                "another topic prefix."
            )
        self._fenced_at[partition.number] = partition.since_s
        log.warning("partition_reopened", partition=partition.number, reason="it stayed assigned")
        self._open(partition)

    def _is_rivalled(self, number: int) -> bool:
        fenced_at_s = self._fenced_at.get(number)
        return fenced_at_s is not None and self._clock() - fenced_at_s < self._timing.rivalry_s

    def _recommit_s(self, number: int) -> float:
        return self._timing.probe_s if self._is_rivalled(number) else self._timing.recommit_s

    def _forget(self, partition: OwnedPartition) -> None:
        self._reader.unassign(partition.places())
        partition.close()

    def stop(self, deadline_s: float) -> bool:
        """Start nothing new, finish what is under way until the deadline; True when all of it ended."""
        self._stopping = True
        self._service.stop_intake()
        while self._clock() < deadline_s:
            if self._service.idle() and not any(p.commit for p in self._partitions.values()):
                return True
            self.turn()
        return False

    def close(self) -> None:
        """Give everything back; others can take over at once."""
        for number in list(self._partitions):
            self.lost(number)
        if self._membership is not None:
            with contextlib.suppress(RuntimeError):  # closed twice
                self._membership.close()
        self._reader.close()


def commit_pool() -> ThreadPoolExecutor:
    """Commits wait for the broker, so threads are cheap; enough of them that the commits of partitions
    which were lost while the broker was away do not hold up the takeovers after it is back."""
    return ThreadPoolExecutor(max_workers=32, thread_name_prefix="commit")
