"""The local store without a database: in memory, and it outlives the process that wrote it.

As on the real one, data and positions of a write belong together, and a crash falls back to an earlier
write, never to half of one.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from waybill.streaming.store import Changes

Write = tuple[dict[bytes, bytes], frozenset[bytes], dict[str, int]]


@dataclass(slots=True)
class Folder:
    """What lies on disk: what was flushed, and the writes since then."""

    identity: str | None = None
    data: dict[bytes, bytes] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    unflushed: list[Write] = field(default_factory=list)

    def write(self, write: Write) -> None:
        puts, deletes, positions = write
        self.data.update(puts)
        for key in deletes:
            self.data.pop(key, None)
        self.positions.update(positions)

    def flush(self, writes_max: int | None = None) -> None:
        """Make the oldest writes lasting, and forget the others."""
        for write in self.unflushed[:writes_max]:
            self.write(write)
        self.unflushed.clear()


class Disk:
    """The folders of one process, by partition."""

    def __init__(self) -> None:
        self._folders: dict[Path, Folder] = {}

    def crash(self, rng: Random) -> None:
        """The process died: some of the latest writes are lost."""
        for folder in self._folders.values():
            folder.flush(rng.randint(0, len(folder.unflushed)))

    def wipe(self) -> None:
        """The disk is lost."""
        self._folders.clear()

    def open(self, path: Path, identity: str, tick: Callable[[], None]) -> "ModelStore":
        """The store in this folder; emptied when it was made for something else."""
        folder = self._folders.setdefault(path, Folder())
        if folder.identity != identity:
            folder = self._folders[path] = Folder(identity)
        return ModelStore(folder, tick)


class ModelStore:
    """`LocalStore` on a folder; `tick` may end the process before or after a write."""

    def __init__(self, folder: Folder, tick: Callable[[], None]) -> None:
        self._folder = folder
        self._tick = tick
        self._data = dict(folder.data)
        self._positions = dict(folder.positions)
        self._keys = sorted(self._data)
        self._is_sorted = True

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self._data.get(key) for key in keys]

    def apply(self, changes: Changes, positions: dict[str, int]) -> None:
        self._tick()
        self._data.update(changes.puts)
        for key in changes.deletes:
            self._data.pop(key, None)
        self._positions.update(positions)
        self._is_sorted = False
        write = dict(changes.puts), frozenset(changes.deletes), dict(positions)
        self._folder.unflushed.append(write)
        self._tick()

    def scan(self, prefix: bytes, limit: int, after: bytes = b"") -> list[tuple[bytes, bytes]]:
        if not self._is_sorted:
            self._keys = sorted(self._data)
            self._is_sorted = True
        keys = self._keys
        start = bisect_left(keys, after + b"\0" if after else prefix)
        found = []
        for key in keys[start : start + limit]:
            if not key.startswith(prefix):
                break
            found.append((key, self._data[key]))
        return found

    def wipe(self) -> None:
        self._data.clear()
        self._positions.clear()
        self._is_sorted = False
        identity = self._folder.identity
        self._folder.data.clear()
        self._folder.positions.clear()
        self._folder.unflushed.clear()
        self._folder.identity = identity

    def position(self, topic: str) -> int | None:
        return self._positions.get(topic)

    def close(self) -> None:
        self._folder.flush()
