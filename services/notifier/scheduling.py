"""Who goes next: bounded work, oldest first, stores in turn, and gates for the condition of a store.

A condition of a store (paused, no valid token, throttled) closes its gate here; its orders stay where
they are in the ledger, however many they are. Nothing here knows Kafka or the clock: times come in.
"""

import heapq
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.notifier.rule import (
    CallEnded,
    Event,
    LookedUp,
    LookupFailed,
    NotSent,
    StartCall,
    Unclear,
    Uploaded,
    UploadFailed,
)
from services.notifier.view import parse_queue_key, queue_prefix
from waybill.contracts.ledger import Attempt
from waybill.streaming.store import LocalStore

_ANY_TIME_MS = 2**63
_WINDOW = 256
"""Places of a queue that are held in memory; the rest stays on disk."""


class Phase(StrEnum):
    """How far an order in the works is."""

    ASKED = "asked"
    UPLOADING = "uploading"
    CALLING = "calling"


@dataclass(slots=True)
class Work:
    """An order in the works: its claim is out, its image in memory, or its call under way."""

    key: str
    partition: int
    store_id: str
    claim_id: str
    since_s: float
    phase: Phase = Phase.ASKED
    call: StartCall | None = None
    """The call under way."""

    def is_calling(self, attempt: Attempt | None) -> bool:
        """Whether the call under way is this very attempt, and not an older one of the order."""
        if self.call is None or attempt is None:
            return False
        told = (attempt.number, attempt.request_sha256)
        return told == (self.call.attempt, self.call.request.sha256())


class Works:
    """All orders in the works of this process, bounded in all and per store."""

    def __init__(self, works_max: int, works_per_store_max: int) -> None:
        self._works_max = works_max
        self._per_store_max = works_per_store_max
        self._by_key: dict[str, Work] = {}
        self._by_store: dict[str, int] = {}
        self._narrowed: dict[str, int] = {}

    def narrow(self, store_id: str, most: int | None) -> None:
        """Take no more orders of the store than this into the works; None for as many as ever."""
        if most is None:
            self._narrowed.pop(store_id, None)
        else:
            self._narrowed[store_id] = most

    def free(self, store_id: str) -> int:
        """How many more orders of the store may be taken into the works."""
        most = self._narrowed.get(store_id, self._per_store_max)
        in_store = most - self._by_store.get(store_id, 0)
        return max(0, min(in_store, self._works_max - len(self._by_key)))

    def add(self, work: Work) -> None:
        """Take an order into the works; it must not be there yet."""
        assert work.key not in self._by_key  # noqa: S101 - a second work could be a second call
        self._by_key[work.key] = work
        self._by_store[work.store_id] = self._by_store.get(work.store_id, 0) + 1

    def get(self, key: str) -> Work | None:
        """The work on an order."""
        return self._by_key.get(key)

    def remove(self, key: str) -> Work | None:
        """Give its place to another order."""
        work = self._by_key.pop(key, None)
        if work is not None:
            self._by_store[work.store_id] -= 1
        return work

    def of_partition(self, partition: int) -> list[Work]:
        """The works on one partition."""
        return [work for work in self._by_key.values() if work.partition == partition]

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Work]:
        return iter(list(self._by_key.values()))


class StoreQueue:
    """The claimed orders of one store on one partition, oldest first: a window onto the index on disk.

    It may name an order that is not claimed any more; whoever takes it checks.
    """

    def __init__(self, store: LocalStore, store_id: str) -> None:
        self._store = store
        self._prefix = queue_prefix(store_id)
        self._window: list[bytes] = []
        self._cursor = b""
        self._exhausted = False

    def head(self, *busy: Container[str]) -> tuple[int, str] | None:
        """When the oldest order was claimed, and its key; orders in the works are passed over."""
        while True:
            while self._window:
                claimed_ms, key = parse_queue_key(self._window[0], self._prefix)
                if not any(key in known for known in busy):
                    return claimed_ms, key
                heapq.heappop(self._window)
            if self._exhausted:
                return None
            self._load()

    def _load(self) -> None:
        found = self._store.scan(self._prefix, _WINDOW, self._cursor)
        self._exhausted = len(found) < _WINDOW
        self._window = [index for index, _ in found]  # in key order, so a heap as it is
        if found:
            self._cursor = found[-1][0]

    def pop(self) -> None:
        """The head was taken."""
        heapq.heappop(self._window)

    def added(self, index: bytes) -> None:
        """A place of this queue was written, or is free again."""
        if index > self._cursor:
            self._exhausted = False
        else:
            heapq.heappush(self._window, index)


@dataclass(slots=True)
class Gate:
    """Why and until when nothing of a store may start."""

    reason: str
    until_s: float | None = None
    """None: until its cause is gone."""


@dataclass(slots=True)
class Gates:
    """The closed gates; a store without one is open."""

    closed: dict[str, Gate] = field(default_factory=dict)

    def close(self, store_id: str, reason: str, until_s: float | None = None) -> bool:
        """Close a gate; True when it was open before or closed for another reason.

        A pause of known length never takes the place of a cause that lasts: its end would open the gate.
        """
        before = self.closed.get(store_id)
        if before is not None and before.until_s is None and until_s is not None:
            return False
        self.closed[store_id] = Gate(reason, until_s)
        return before is None or before.reason != reason

    def open(self, store_id: str) -> bool:
        """Open a gate; True when it was closed."""
        return self.closed.pop(store_id, None) is not None

    def is_open(self, store_id: str, now_s: float) -> bool:
        """Whether orders of the store may go."""
        if self.is_shut(store_id, now_s):
            return False
        self.closed.pop(store_id, None)
        return True

    def is_shut(self, store_id: str, now_s: float) -> bool:
        """Whether they may not; forgets no gate whose time is over."""
        gate = self.closed.get(store_id)
        return gate is not None and (gate.until_s is None or now_s < gate.until_s)


_UNANSWERED_MAX = 10
"""In a row: when half of the calls fail, a row of ten is one in a thousand."""
_PAUSE_FIRST_S, _PAUSE_MAX_S = 2.0, 30.0
"""Short, since the end of an outage is noticed by the first call after it; doubles up to half a minute."""


@dataclass(slots=True)
class Breaker:
    """Stores whose calls get no answer, one after another: they pause, and then one order goes and tries.

    Without it an outage would take every waiting order in turn through the works, each with its writes.
    """

    row_max: int = _UNANSWERED_MAX
    first_s: float = _PAUSE_FIRST_S
    max_s: float = _PAUSE_MAX_S
    _rows: dict[str, int] = field(default_factory=dict)
    _pauses: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Until when, and how long that was."""

    def answered(self, store_id: str) -> None:
        """A call got an answer, of whatever kind."""
        self._rows.pop(store_id, None)
        self._pauses.pop(store_id, None)

    def unanswered(self, store_id: str, now_s: float) -> float | None:
        """A call got none; how long to pause now, None to go on or when it pauses already."""
        row = self._rows[store_id] = self._rows.get(store_id, 0) + 1
        until_s, before_s = self._pauses.get(store_id, (now_s, self.first_s / 2))
        if row < self.row_max or now_s < until_s:
            return None
        pause_s = min(before_s * 2, self.max_s)
        self._pauses[store_id] = (now_s + pause_s, pause_s)
        return pause_s

    def rest_s(self, store_id: str, now_s: float) -> float:
        """How long the store still pauses."""
        until_s, _ = self._pauses.get(store_id, (now_s, 0.0))
        return max(0.0, until_s - now_s)

    def room(self, store_id: str) -> int | None:
        """How many orders may try at once; None without a limit."""
        return 1 if store_id in self._pauses else None


def refusals() -> Breaker:
    """The same for stores whose token is refused, from the first time on.

    The store's importer gets new tokens or finds that they have ended, and both end the pause or make it
    last. Pauses, and no closed door, because a single odd answer would else stop the store until its next
    refresh, which may be weeks away.
    """
    return Breaker(row_max=1, first_s=60.0, max_s=900.0)


def was_answered(event: Event) -> bool | None:
    """Whether a call that ended so had an answer of Alibaba; None when it was never made."""
    match event:
        case UploadFailed(failure=NotSent()) | LookedUp(answer=LookupFailed()):
            return False
        case CallEnded(outcome=NotSent() | Unclear()):
            return False
        case Uploaded() | UploadFailed() | LookedUp() | CallEnded():
            return True
        case _:
            return None


@dataclass(slots=True)
class Turns:
    """Grants free slots: stores in turn, and within a store the oldest order of all partitions."""

    last_store: str = ""

    def grants(
        self,
        queues: Mapping[str, Sequence[tuple[int, StoreQueue]]],
        works: Works,
        is_open: Callable[[str], bool],
        grants_max: int,
        claimed_by_ms: Callable[[str], int] = lambda _: _ANY_TIME_MS,
    ) -> list[tuple[int, str, str]]:
        """(partition, store, order key) of those who may go; each is taken off its queue.

        `claimed_by_ms`: what joined the line of a store later has not waited long enough.
        """
        order = sorted(queues)
        start = next((i for i, store in enumerate(order) if store > self.last_store), 0)
        open_stores = [store for store in order[start:] + order[:start] if is_open(store)]
        granted: list[tuple[int, str, str]] = []
        taken: set[str] = set()
        counts = dict.fromkeys(open_stores, 0)
        while open_stores and len(granted) < grants_max:
            for store in list(open_stores):
                grant = self._oldest(queues[store], works, taken, claimed_by_ms(store))
                if grant is None or counts[store] >= works.free(store):
                    open_stores.remove(store)
                    continue
                partition, queue, key = grant
                queue.pop()
                taken.add(key)
                counts[store] += 1
                granted.append((partition, store, key))
                self.last_store = store
        return granted

    @staticmethod
    def _oldest(
        queues: Sequence[tuple[int, StoreQueue]], works: Works, taken: set[str], claimed_by_ms: int
    ) -> tuple[int, StoreQueue, str] | None:
        heads = []
        for partition, queue in queues:
            head = queue.head(works, taken)
            if head is not None and head[0] <= claimed_by_ms:
                heads.append((head[0], partition, head[1], queue))
        if not heads:
            return None
        _, partition, key, queue = min(heads, key=lambda found: found[:3])
        return partition, queue, key
