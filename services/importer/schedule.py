"""What to do next: read hinted orders, poll a store, read orders or history again. Pure.

Every store has at most one task at a time, so two readings of an order never overtake each other.
Tasks are small (a batch of orders, or one page of a window), and a store with several kinds of work
takes them in turn: a hint waits for one small task at most, and a flood of hints stops no poll.

Nothing switches itself off. A store that fails is tried again after a growing, bounded pause, for as
long as it is connected; a new authorisation or an un-pause makes it due at once.

All of it lives in memory: after a restart stores are polled from their cursors, and that finds what
hints would have told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import islice
from random import Random
from typing import Final, TypeAlias

from services.importer.settings import ImporterSettings
from waybill.contracts.imports import OrderHint
from waybill.contracts.keys import parse_order_key
from waybill.contracts.store import Store

_DOUBLINGS_MAX: Final = 30
"""Exponents stay small, however long an outage lasts."""


@dataclass(frozen=True, slots=True)
class ReadOrders:
    """Read these orders of the store and deal with them."""

    number: int
    store_id: str
    order_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PollStore:
    """Read one page of the store's current window, with its orders; begin a window if there is none."""

    number: int
    store_id: str
    backfill: bool = False
    """A window of its history, which an operator wants read once more."""


Task: TypeAlias = ReadOrders | PollStore


class HintResult(Enum):
    """What became of a hint; for a metric."""

    QUEUED = auto()
    DUPLICATE = auto()
    """The order waits to be read already."""
    STALE = auto()
    FULL = auto()
    """Too many hints wait; polling will find the order."""
    NO_STORE = auto()
    """No store of this process can have the order."""
    MALFORMED = auto()
    """Its key is no order key."""


class _Work(Enum):
    HINTS = auto()
    POLL = auto()
    REREADS = auto()
    BACKFILL = auto()


_TURN: Final = {
    None: (_Work.HINTS, _Work.POLL, _Work.REREADS, _Work.BACKFILL),
    _Work.HINTS: (_Work.POLL, _Work.REREADS, _Work.BACKFILL, _Work.HINTS),
    _Work.POLL: (_Work.HINTS, _Work.REREADS, _Work.BACKFILL, _Work.POLL),
    _Work.REREADS: (_Work.HINTS, _Work.POLL, _Work.BACKFILL, _Work.REREADS),
    _Work.BACKFILL: (_Work.HINTS, _Work.POLL, _Work.REREADS, _Work.BACKFILL),
}
"""Which work goes first after which."""


@dataclass(slots=True)
class _Turn:
    """A store's place in the schedule."""

    store: Store
    poll_at: datetime
    resting_until: datetime | None = None
    failures: int = 0
    hints: dict[str, int] = field(default_factory=dict)
    """Order key to tries that failed; first in, first out."""
    rereads: dict[str, int] = field(default_factory=dict)
    backfilling: bool = False
    """Whether some of its history is to be read once more."""
    last: _Work | None = None
    task: int = 0
    """Number of the last task."""
    reading: dict[str, int] | None = None
    """Orders of the task under way, with their tries so far; empty for a poll."""

    def work(self, now: datetime) -> _Work | None:
        """What the store would do now, if anything."""
        resting = self.resting_until is not None and now < self.resting_until
        if self.reading is not None or resting or not _active(self.store):
            return None
        possible = {
            _Work.HINTS: bool(self.hints),
            _Work.POLL: now >= self.poll_at,
            _Work.REREADS: bool(self.rereads),
            _Work.BACKFILL: self.backfilling,
        }
        return next((work for work in _TURN[self.last] if possible[work]), None)

    def wakes_at(self, now: datetime) -> datetime | None:
        """From when on it has work; `None` while a task is under way or it is paused."""
        if self.reading is not None or not _active(self.store):
            return None
        busy = self.hints or self.rereads or self.backfilling
        work_at = now if busy else self.poll_at
        return max(work_at, self.resting_until or now)

    def waiting(self) -> dict[str, int]:
        """Where the orders of its last task came from."""
        return self.rereads if self.last is _Work.REREADS else self.hints


def _active(store: Store) -> bool:
    return not (store.paused or store.disconnected)


class Schedule:
    """The stores of this process and what waits for each. Deterministic but for the given `random`."""

    def __init__(self, settings: ImporterSettings, random: Random) -> None:
        self._settings = settings
        self._random = random
        self._turns: dict[str, _Turn] = {}
        self._tasks = 0

    def put(self, store: Store, now: datetime) -> bool:
        """Take in a store or its changed settings; whether published orders may be out of date by it.

        A new, resumed or newly authorised store is due at once. An older revision is ignored.
        """
        turn = self._turns.get(store.store_id)
        if turn is None:
            self._turns[store.store_id] = _Turn(store, poll_at=now)
            return True
        before, turn.store = turn.store, store
        if store.revision < before.revision:
            turn.store = before
            return False
        renewed = store.token_generation != before.token_generation
        if renewed or (_active(store) and not _active(before)):
            turn.poll_at, turn.resting_until, turn.failures = now, None, 0
        return store.status_map != before.status_map

    def remove(self, store_id: str) -> None:
        """Forget a store that is not this process's any more, with all that waits for it."""
        self._turns.pop(store_id, None)

    def wake(self, store_id: str) -> None:
        """The store's tokens are others now: it rests for the failures of the old ones no longer."""
        turn = self._turns.get(store_id)
        if turn is not None:
            turn.failures, turn.resting_until = 0, None

    def hint(self, hint: OrderHint, now: datetime) -> HintResult:
        """Have an order read as soon as possible; every store of its site tries if none is named."""
        if now - hint.hinted_at > timedelta(seconds=self._settings.hint_age_s_max):
            return HintResult.STALE
        try:
            site = parse_order_key(hint.order_key).site
        except ValueError:
            return HintResult.MALFORMED
        results = [
            self._queue(turn, hint.order_key)
            for turn in self._turns.values()
            if turn.store.site == site and hint.store_id in (None, turn.store.store_id)
        ]
        ranked = (HintResult.QUEUED, HintResult.DUPLICATE, HintResult.FULL)
        return next((result for result in ranked if result in results), HintResult.NO_STORE)

    def _queue(self, turn: _Turn, order_key: str) -> HintResult:
        if order_key in turn.hints:
            return HintResult.DUPLICATE
        if len(turn.hints) >= self._settings.hints_max:
            return HintResult.FULL
        turn.rereads.pop(order_key, None)
        turn.hints[order_key] = 0
        return HintResult.QUEUED

    def reread(self, store_id: str, order_keys: Iterable[str]) -> int:
        """Have orders read again when there is nothing more urgent; how many found no room."""
        turn = self._turns.get(store_id)
        refused = 0
        for key in order_keys:
            if turn is None:
                refused += 1
            elif key not in turn.hints and key not in turn.rereads:
                room = len(turn.rereads) < self._settings.rereads_max
                refused += not room
                turn.rereads |= {key: 0} if room else {}
        return refused

    def backfill(self, store_id: str, *, due: bool) -> None:
        """Whether history of a store is to be read; it goes on page by page, between everything else."""
        turn = self._turns.get(store_id)
        if turn is not None:
            turn.backfilling = due

    def take(self, now: datetime) -> Task | None:
        """The next task; it must end with `finished` or `failed`. `None`: wait until `due_at`.

        Stores with hints go first, then the one whose last turn is longest ago; a store whose hints
        were read last does not go first again.
        """
        ready = [(turn, work) for turn in self._turns.values() if (work := turn.work(now))]
        if not ready:
            return None
        turn, work = min(ready, key=_rank)
        self._tasks += 1
        turn.task, turn.last, turn.reading = self._tasks, work, {}
        store_id = turn.store.store_id
        if work in (_Work.POLL, _Work.BACKFILL):
            return PollStore(self._tasks, store_id, backfill=work is _Work.BACKFILL)
        turn.reading = self._batch(turn.waiting())
        return ReadOrders(self._tasks, store_id, tuple(turn.reading))

    def _batch(self, waiting: dict[str, int]) -> dict[str, int]:
        keys = list(islice(waiting, self._settings.read_batch))
        return {key: waiting.pop(key) for key in keys}

    def due_at(self, now: datetime) -> datetime | None:
        """When `take` has something, `now` or later, if nothing else happens.

        `None`: only a hint, a store or the end of a task can bring work.
        """
        times = (turn.wakes_at(now) for turn in self._turns.values())
        return min((time for time in times if time is not None), default=None)

    def finished(
        self, task: Task, now: datetime, *, more: bool = False, unread: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """A task went well. `more`: the window, or the store's history, goes on: poll again at once.

        `unread`: orders of the task that could not be read although the site answers; they are tried
        again later, and those tried too often are let go and returned: report them. The end of a task
        whose store was removed meanwhile changes nothing.
        """
        turn = self._end(task)
        if turn is None:
            return ()
        turn.failures, turn.resting_until = 0, None
        if isinstance(task, PollStore) and not task.backfill:
            turn.poll_at = now if more else now + self._pause()
        return self._again(turn, dict.fromkeys(unread, 1))

    def failed(
        self, task: Task, now: datetime, *, retry_at: datetime | None = None
    ) -> tuple[str, ...]:
        """The site did not answer, or refused: the store rests, until `retry_at` if that is later.

        The orders of the task wait on; those tried too often are let go and returned. A failure counts
        against them only if the store was well before, so that an outage drops nothing.
        """
        turn = self._end(task)
        if turn is None:
            return ()
        counts = int(turn.failures == 0)
        turn.failures += 1
        rest_until = now + self._backoff(turn.failures)
        turn.resting_until = max(rest_until, retry_at) if retry_at else rest_until
        keys = task.order_keys if isinstance(task, ReadOrders) else ()
        return self._again(turn, dict.fromkeys(keys, counts))

    def _end(self, task: Task) -> _Turn | None:
        turn = self._turns.get(task.store_id)
        return turn if turn and turn.reading is not None and turn.task == task.number else None

    def _again(self, turn: _Turn, unread: dict[str, int]) -> tuple[str, ...]:
        """Put orders of the ended task back at the end of their queue; those that are let go."""
        tries, turn.reading = turn.reading or {}, None
        waiting = turn.waiting()
        dropped = []
        for key, counts in unread.items():
            failed = tries.get(key, 0) + counts
            if failed >= self._settings.read_tries_max:
                dropped.append(key)
            else:
                waiting.setdefault(key, failed)
        return tuple(dropped)

    def _pause(self) -> timedelta:
        stretch = 1 + self._settings.poll_jitter * self._random.random()
        return timedelta(seconds=self._settings.poll_interval_s * stretch)

    def _backoff(self, failures: int) -> timedelta:
        """Doubles with each failure up to its limit, less up to half of it at random."""
        settings = self._settings
        longest = settings.backoff_first_s * 2 ** min(failures - 1, _DOUBLINGS_MAX)
        wait_s = min(longest, settings.backoff_max_s) * (0.5 + 0.5 * self._random.random())
        return timedelta(seconds=wait_s)


def _rank(ready: tuple[_Turn, _Work]) -> tuple[bool, int]:
    turn, work = ready
    urgent = work is _Work.HINTS and turn.last is not _Work.HINTS
    return (not urgent, turn.task)
