"""The local store in a dict: as fast as a property needs it."""

from collections.abc import Sequence
from pathlib import Path

from waybill.streaming.store import Changes


class MemoryStore:
    """`LocalStore` whose folder is forgotten with it."""

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder, self.identity = folder, identity
        self.data: dict[bytes, bytes] = {}
        self.positions: dict[str, int] = {}

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self.data.get(key) for key in keys]

    def apply(self, changes: Changes, positions: dict[str, int]) -> None:
        self.data.update(changes.puts)
        for key in changes.deletes:
            self.data.pop(key, None)
        self.positions.update(positions)

    def scan(self, prefix: bytes, limit: int, after: bytes = b"") -> list[tuple[bytes, bytes]]:
        keys = sorted(key for key in self.data if key.startswith(prefix) and key > after)
        return [(key, self.data[key]) for key in keys[:limit]]

    def position(self, topic: str) -> int | None:
        return self.positions.get(topic)

    def wipe(self) -> None:
        self.data.clear()
        self.positions.clear()

    def close(self) -> None:
        """Nothing is held."""

    def part(self, *prefixes: bytes) -> dict[bytes, bytes]:
        """The pairs with one of the prefixes."""
        return {key: value for key, value in self.data.items() if key.startswith(prefixes)}
