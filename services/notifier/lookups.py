"""The line of orders that Alibaba is to be asked about: a bounded number at once.

Asking twice is harmless, so nothing here outlives the process: what was not asked comes back when it is due.
"""

from collections.abc import Callable, Set


class Lookups:
    """See the module. Used on the runtime's thread only."""

    def __init__(
        self,
        at_once_max: int,
        may_ask: Callable[[str], bool],
        ask: Callable[[str, int, str], bool],
    ) -> None:
        """`may_ask(store_id)`; `ask(store_id, partition, key)` starts one, or returns False."""
        self._at_once_max = at_once_max
        self._may_ask = may_ask
        self._ask = ask
        self._asking: set[str] = set()
        self._waiting: dict[str, int] = {}
        self._silent: dict[str, dict[str, int]] = {}
        """Look-ups of stores that may not even ask; they go when the store may."""

    @property
    def under_way(self) -> Set[str]:
        """The orders whose answers are awaited."""
        return self._asking

    def add(self, partition: int, key: str) -> None:
        """Ask about this order as soon as there is room; once, while its answer is awaited."""
        if key not in self._asking:
            self._waiting[key] = partition

    def start(self, store_of: Callable[[int, str], str | None]) -> None:
        """Start those that wait, as far as there is room."""
        for silent in [store_id for store_id in self._silent if self._may_ask(store_id)]:
            self._waiting |= self._silent.pop(silent)
        room = self._at_once_max - len(self._asking)
        for key in list(self._waiting)[: max(0, room)]:
            partition = self._waiting.pop(key)
            if store_id := store_of(partition, key):
                self._start(store_id, partition, key)

    def _start(self, store_id: str, partition: int, key: str) -> None:
        if not self._may_ask(store_id):
            self._silent.setdefault(store_id, {})[key] = partition
        elif self._ask(store_id, partition, key):  # else its due time brings it back
            self._asking.add(key)

    def ended(self, key: str) -> None:
        """The answer about this order came, or never will."""
        self._asking.discard(key)
