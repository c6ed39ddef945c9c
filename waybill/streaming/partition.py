"""One owned partition: taken over, restored, running; or fenced, stopped, gone.

    OPENING ──▶ RESTORING ──▶ RUNNING ──▶ (given back)
     ▲ │ ▲          │            │
     │ │ └──────────┴─ unclear ──┘        FENCED: nothing is written or started any more
     │ └── something is lost ──▶ STOPPED  nothing but commands is read
     └──── the loss is accepted ────┘

Each transaction of a witnessed partition notes how far its state reaches (see `witness`); what is there
at a takeover is judged by that note before anything else.

Group commit: while a transaction is under way, what arrives waits and is the next one; an idle
partition commits at once. So at most one batch is undecided, and the view never runs ahead of Kafka.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from waybill.streaming.errors import FencedError, StreamingError, UnclearError
from waybill.streaming.ports import BEGINNING, Batch, Handler, Opened, Place, Sources, Submit
from waybill.streaming.records import Inbound
from waybill.streaming.witness import Accepted, Loss, Note, Verdict, judge

_BATCH_RECORDS_MAX = 500
"""Records per transaction: enough to carry a backlog, small enough to be done in tens of milliseconds."""

_COMMIT_S_MAX = 40.0
"""Longer than a commit with all its repetitions takes; then its producer is given up for a new one."""
_OPENING_S_MAX = 60.0
"""A takeover takes less than a second; waiting for a predecessor's transaction, 15 s."""
_COMMIT_SLOW_S = 5.0
"""Far longer than a commit takes on a loaded broker; from then on the partition counts as held up."""


class Phase(StrEnum):
    """Where a partition stands."""

    OPENING = "opening"
    RESTORING = "restoring"
    RUNNING = "running"
    FENCED = "fenced"
    STOPPED = "stopped"


@dataclass(slots=True)
class Commit:
    """A transaction under way."""

    batch: Batch
    positions: dict[str, int]
    sent_at_s: float
    future: Future[Any]
    noted_end: int = 0


@dataclass(slots=True)
class OwnedPartition:
    """State of one partition between the turns of the runtime; used by its thread alone."""

    number: int
    sources: Sources
    submit: Submit
    clock: Callable[[], float]
    on_commit: Callable[[float], None] = lambda _: None
    """Told how long each transaction took, in seconds."""
    phase: Phase = Phase.OPENING
    since_s: float = 0.0
    opening: Future[Opened] | None = None
    opened: Opened | None = None
    handler: Handler | None = None
    commit: Commit | None = None
    inbox: deque[Inbound] = field(default_factory=deque)
    positions: dict[str, int] = field(default_factory=dict)
    """Next offset to read of each followed topic, as far as it has been processed."""
    committed_positions: dict[str, int] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    committed_at_s: float = 0.0
    starts: dict[str, int] = field(default_factory=dict)
    """Where the inputs are read from; missing means the beginning."""
    accepted: Accepted | None = None
    """Since when the state knows everything again; None: it never lost anything."""
    loss: Loss | None = None
    """Why it is stopped."""
    report: Future[Any] | None = None
    """The transaction that notes a loss which only the local view could tell."""
    wiped_for: str = ""
    """Made part of the view's identity when the view is no longer good, so that it is made anew."""
    _noted_end: int = 0
    _note_is_due: bool = False

    def enter(self, phase: Phase) -> None:
        """Change the phase."""
        self.phase = phase
        self.since_s = self.clock()

    def check_opening(self) -> None:
        """After a broker's restart the client library was seen to wait for ever, whatever its timeout.

        Raises UnclearError when a takeover takes too long. What was given up may still shut out the next
        one when it wakes up, which is safe.
        """
        if self.clock() - self.since_s > _OPENING_S_MAX:
            raise UnclearError(f"a takeover did not end within {_OPENING_S_MAX:.0f} s")

    def examine(self, opened: Opened, now: datetime) -> Loss | None:
        """Judge what is there by what was noted; a loss that nobody accepted keeps it from being served."""
        state = self.sources.state[0] if self.sources.state else ""
        found = judge(self.number, state, opened)
        self.starts = {t: o for t, o in opened.committed.items() if t not in found.gone}
        for topic, extent in opened.inputs.items():
            self.starts.setdefault(topic, extent.start)
        self.loss = None
        if not self.sources.witnessed:
            return None
        if found.loss is not None and not self._is_accepted(found.loss):
            self.loss = found.loss
        elif found.verdict is Verdict.UNKNOWN:
            self.accepted = Accepted(now)
        elif found.verdict is not Verdict.LOST:
            self.accepted = found.note.accepted if found.note else None
        # until it is noted, a restart would ask for it again, or count from a later time
        self._note_is_due = found.verdict in (Verdict.LOST, Verdict.UNKNOWN)
        self._noted_end = found.note.end if found.note else 0
        return self.loss

    def _is_accepted(self, loss: Loss) -> bool:
        return self.accepted is not None and self.accepted.loss_id == loss.loss_id

    def view_identity(self, opened: Opened) -> str:
        """A view from before an accepted loss knows what the topics no longer know: it is made anew."""
        loss_id = self.accepted.loss_id if self.accepted else None
        return ";".join(part for part in (opened.identity, loss_id, self.wiped_for) if part)

    def stop(self) -> dict[Place, int]:
        """Wait for an operator; returns where to read the commands from."""
        self.enter(Phase.STOPPED)
        commands = self.sources.commands
        return {Place(commands, self.number): self.starts.get(commands, BEGINNING)}

    def restored(self, opened: Opened, handler: Handler) -> dict[Place, int]:
        """Start restoring; returns where to read state and views from."""
        self.opened, self.handler = opened, handler
        self.enter(Phase.RESTORING)
        starts = {topic: handler.position(topic) for topic in opened.ends}
        self.positions = {topic: start for topic, start in starts.items() if start is not None}
        self.reached = {topic: start or 0 for topic, start in starts.items()}
        return {
            Place(topic, self.number): BEGINNING if start is None else start
            for topic, start in starts.items()
        }

    def report_loss(self, metadata: Any) -> None:
        """Note how far the state once reached, so that the loss is known without this machine's disk."""
        opened, _ = self._ready()
        self.report = self.submit(
            opened.transactions.commit, [], self.starts, self._note(), metadata
        )

    def _note(self) -> str:
        opened, _ = self._ready()
        if not self.sources.witnessed:
            return ""
        inputs = {topic: extent.topic_id for topic, extent in opened.inputs.items()}
        return Note(
            state_id=opened.state_id,
            start=opened.state_start,
            end=self._state_end(),
            partition_count=opened.partition_count,
            input_ids=inputs,
            accepted=self.accepted,
        ).encode()

    def _state_end(self) -> int:
        """How far the first state topic reaches for sure."""
        opened, _ = self._ready()
        state = self.sources.state[0] if self.sources.state else ""
        return max(opened.ends.get(state, 0), self.positions.get(state, 0))

    def missing(self) -> list[str]:
        """State and view topics that have not been read to the end seen at the takeover."""
        ends = self.opened.ends if self.opened else {}
        return [topic for topic, end in ends.items() if self.reached[topic] < end]

    def fallen_behind(self) -> list[str]:
        """State and view topics that end before the view's own position: they lost records."""
        ends = self.opened.ends if self.opened else {}
        return [topic for topic, end in ends.items() if self.reached[topic] > end]

    def run(self) -> dict[Place, int]:
        """Everything is restored: act from now on; returns where to read the inputs from."""
        _, handler = self._ready()
        self.enter(Phase.RUNNING)
        self.committed_at_s = self.clock()
        self.positions.update(self.starts)
        self.committed_positions = dict(self.starts)
        handler.opened(self.accepted.at if self.accepted else None)
        return {
            Place(topic, self.number): self.starts.get(topic, BEGINNING)
            for topic in self.sources.inputs
        }

    def take(self, records: Sequence[Inbound]) -> None:
        """Records of the followed topics, each topic in order."""
        if self.phase is Phase.RUNNING:
            self.inbox.extend(records)
        elif self.phase is Phase.RESTORING and self.handler is not None:
            self.handler.absorb(records)
            for record in records:
                self.positions[record.topic] = self.reached[record.topic] = record.offset + 1

    def step(
        self,
        metadata: Callable[[], Any],
        recommit_s: float,
        *,
        intake: bool = True,
        settle_s: float = float("inf"),
    ) -> bool:
        """Finish the transaction under way if it is done, and start the next one if there is work.

        Without intake only results are worked on: what was read and not processed is read again later.
        A transaction cannot note its own end; when none follows within `settle_s`, one is made for that.
        True when something happened. Raises FencedError and UnclearError of the finished one.
        """
        if self.commit is not None:
            if not self.commit.future.done():
                self._check_stall(self.commit)
                return False
            self._finish(self.commit)
            return True
        _, handler = self._ready()
        idle_s = self.clock() - self.committed_at_s
        stale = self._note_is_due or idle_s > recommit_s
        stale |= self._note_lags and idle_s > settle_s
        if not ((intake and self.inbox) or handler.wants_turn() or stale):
            return False
        self._begin(metadata, records_max=_BATCH_RECORDS_MAX if intake else 0, force=stale)
        return True

    @property
    def _note_lags(self) -> bool:
        return self.sources.witnessed and self._state_end() > self._noted_end

    def _begin(self, metadata: Callable[[], Any], *, records_max: int, force: bool) -> None:
        opened, handler = self._ready()
        count = min(len(self.inbox), records_max)
        records = [self.inbox.popleft() for _ in range(count)]
        batch = handler.process(records)
        positions = dict(self.positions)
        for record in records:
            positions[record.topic] = record.offset + 1
        sent_at_s = self.clock()
        if not (batch.outputs or force or self._inputs_moved(positions)):
            self._apply(
                batch, positions, sent_at_s
            )  # only the view changed: nothing to make durable
            return
        travelling = {topic: offset for topic, offset in positions.items() if self._travels(topic)}
        future = self.submit(
            opened.transactions.commit, batch.outputs, travelling, self._note(), metadata()
        )
        self.commit = Commit(batch, positions, sent_at_s, future, self._state_end())

    def _check_stall(self, commit: Commit) -> None:
        """After a broker's restart the client library was seen to wait for ever, whatever its timeout."""
        if self.clock() - commit.sent_at_s > _COMMIT_S_MAX:
            self.commit = None
            raise UnclearError(f"no answer to a commit within {_COMMIT_S_MAX:.0f} s")

    @property
    def held_up(self) -> bool:
        """Whether it is not at work: not restored yet, shut out, stopped, or without answer to a commit."""
        commit = self.commit
        slow = commit is not None and self.clock() - commit.sent_at_s > _COMMIT_SLOW_S
        return self.phase is not Phase.RUNNING or slow

    def _travels(self, topic: str) -> bool:
        return topic in self.sources.inputs or topic in self.sources.views

    def _inputs_moved(self, positions: dict[str, int]) -> bool:
        return any(
            positions.get(topic) != self.committed_positions.get(topic)
            for topic in self.sources.eager
        )

    def _finish(self, commit: Commit) -> None:
        self.commit = None
        ends = commit.future.result()
        for place, end in ends.items():
            if place.topic in self.sources.state and place.partition == self.number:
                if end < commit.positions.get(place.topic, 0):
                    raise UnclearError(f"{place.topic} became shorter while it was written")
                commit.positions[place.topic] = end + 1
        self._noted_end = commit.noted_end
        self._note_is_due = False
        self.committed_positions = dict(commit.positions)
        self.committed_at_s = self.clock()
        self.on_commit(self.committed_at_s - commit.sent_at_s)
        self._apply(commit.batch, commit.positions, commit.sent_at_s)

    def _apply(self, batch: Batch, positions: dict[str, int], sent_at_s: float) -> None:
        _, handler = self._ready()
        self.positions = positions
        followed = {t: o for t, o in positions.items() if t not in self.sources.inputs}
        handler.committed(batch, followed, sent_at_s)

    def _ready(self) -> tuple[Opened, Handler]:
        if self.opened is None or self.handler is None:
            raise RuntimeError(f"partition {self.number} is used before it was opened")
        return self.opened, self.handler

    def places(self) -> list[Place]:
        """Everything that is read for this partition."""
        followed = {*self.sources.state, *self.sources.views, *self.sources.inputs}
        return [Place(topic, self.number) for topic in sorted(followed)]

    def close(self) -> None:
        """Given back or reopened: forget it; a transaction under way may still end either way."""
        if self.opening is not None:
            self.opening.cancel()  # one that has not begun must not shut out the next owner
        self.opening = None
        if self.handler is not None:
            self.handler.close()
        self.handler = None
        self.opened = None
        self.commit = None
        self.report = None
        self.inbox.clear()


__all__ = [
    "FencedError",
    "OwnedPartition",
    "Phase",
    "StreamingError",
    "UnclearError",
]
