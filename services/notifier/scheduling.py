"""Who goes next: bounded work, oldest first, stores in turn, and gates for the condition of a store.

A condition of a store (paused, no valid token, throttled) closes its gate here; its orders stay where
they are in the ledger, however many they are. Nothing here knows Kafka or the clock: times come in.
"""

import heapq
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.notifier.view import parse_queue_key, queue_prefix
from waybill.streaming.store import LocalStore

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


class Works:
    """All orders in the works of this process, bounded in all and per store."""

    def __init__(self, works_max: int, works_per_store_max: int) -> None:
        self._works_max = works_max
        self._per_store_max = works_per_store_max
        self._by_key: dict[str, Work] = {}
        self._by_store: dict[str, int] = {}

    def free(self, store_id: str) -> int:
        """How many more orders of the store may be taken into the works."""
        in_store = self._per_store_max - self._by_store.get(store_id, 0)
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
        gate = self.closed.get(store_id)
        if gate is None:
            return True
        if gate.until_s is not None and now_s >= gate.until_s:
            del self.closed[store_id]
            return True
        return False


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
    ) -> list[tuple[int, str, str]]:
        """(partition, store, order key) of those who may go; each is taken off its queue."""
        order = sorted(queues)
        start = next((i for i, store in enumerate(order) if store > self.last_store), 0)
        open_stores = [store for store in order[start:] + order[:start] if is_open(store)]
        granted: list[tuple[int, str, str]] = []
        taken: set[str] = set()
        counts = dict.fromkeys(open_stores, 0)
        while open_stores and len(granted) < grants_max:
            for store in list(open_stores):
                grant = self._oldest(queues[store], works, taken)
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
        queues: Sequence[tuple[int, StoreQueue]], works: Works, taken: set[str]
    ) -> tuple[int, StoreQueue, str] | None:
        heads = []
        for partition, queue in queues:
            head = queue.head(works, taken)
            if head is not None:
                heads.append((head[0], partition, head[1], queue))
        if not heads:
            return None
        _, partition, key, queue = min(heads, key=lambda found: found[:3])
        return partition, queue, key
