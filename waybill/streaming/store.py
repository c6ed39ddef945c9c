"""The local view of one partition: a cache on disk of what the topics say, never the truth.

Losing it costs a re-read. Data and position go in one write, so after a crash it is older but
consistent; it belongs to one topic id and one format, and anything else wipes it.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol, cast

import structlog
from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
    WriteOptions,
)

log = structlog.get_logger()

_POSITION = b"\x00position/"
IDENTITY = b"\x00identity"
"""Where a view keeps what it was made for."""
_CACHE_BYTES_MAX = 64 * 1024 * 1024
_MEMTABLE_BYTES_MAX = 4 * 1024 * 1024
_MEMTABLES_BYTES_MAX = 32 * 1024 * 1024
"""Of all stores of the process together: with it and the cache the memory does not grow with the data."""
_BLOCK_BYTES = 16 * 1024
"""Four times the default: a quarter of the index, which is kept in the cache."""


@dataclass(slots=True)
class Changes:
    """Writes that belong together: all or none of them are there after a crash."""

    puts: dict[bytes, bytes] = field(default_factory=dict)
    deletes: set[bytes] = field(default_factory=set)

    def put(self, key: bytes, value: bytes) -> None:
        """Set a key; the latest change of a key counts."""
        self.deletes.discard(key)
        self.puts[key] = value

    def delete(self, key: bytes) -> None:
        """Remove a key; the latest change of a key counts."""
        self.puts.pop(key, None)
        self.deletes.add(key)


class LocalStore(Protocol):
    """The port: four methods for data, and the positions that belong to it."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of the keys, in their order; None where there is none."""

    def apply(self, changes: Changes, positions: dict[str, int]) -> None:
        """Write changes and reading positions as one."""

    def scan(self, prefix: bytes, limit: int, after: bytes = b"") -> list[tuple[bytes, bytes]]:
        """Up to `limit` pairs whose key has the prefix, in key order, behind the key `after`."""

    def wipe(self) -> None:
        """Forget everything."""

    def position(self, topic: str) -> int | None:
        """Where reading of the topic goes on; None at the very beginning."""

    def close(self) -> None:
        """Flush and release; the folder can then be opened by another process."""


@cache
def _shared_cache() -> Cache:
    return Cache(_CACHE_BYTES_MAX)


@cache
def _shared_memtables() -> WriteBufferManager:
    return WriteBufferManager.new_write_buffer_manager_with_cache(
        _MEMTABLES_BYTES_MAX, False, _shared_cache()
    )


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(_MEMTABLE_BYTES_MAX)
    options.set_write_buffer_manager(_shared_memtables())
    options.set_max_background_jobs(1)
    options.set_compression_type(DBCompressionType.lz4())
    blocks = BlockBasedOptions()
    blocks.set_block_cache(_shared_cache())
    blocks.set_block_size(_BLOCK_BYTES)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    blocks.set_bloom_filter(10, False)
    options.set_block_based_table_factory(blocks)
    return options


class RocksStore:
    """`LocalStore` on RocksDB, one folder per partition, one block cache for all of them.

    The write-ahead log is off: a crash falls back to the last flush, and the topics fill the gap.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        """Open the folder, wiping it first when it is damaged or was made for another topic id or format."""
        self._folder = folder
        self._identity = identity.encode()
        self._write_options = WriteOptions()
        # a property at run time, a method in the stubs
        self._write_options.disable_wal = True  # type: ignore[method-assign,assignment]
        self._db = self._opened_or_anew()
        found = self._db.get(IDENTITY)
        if found is None:
            self._mark()
        elif found != self._identity:
            self.wipe()

    def _opened_or_anew(self) -> Rdict:
        try:
            return self._open()
        except Exception as error:  # the library raises nothing more precise
            if not str(error).startswith("Corruption"):
                raise  # another process has it open, say, or may not be written
            log.error("view_damaged", folder=self._folder.name, detail=str(error))
            shutil.rmtree(self._folder)
            return self._open()

    def _open(self) -> Rdict:
        self._folder.mkdir(parents=True, exist_ok=True)
        # options given as `options` are ignored when the folder exists: they have to come as column families
        return Rdict(str(self._folder), _options(), column_families={"default": _options()})

    def _mark(self) -> None:
        batch = WriteBatch(raw_mode=True)
        batch.put(IDENTITY, self._identity)
        self._db.write(batch, self._write_options)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `LocalStore.get_many`."""
        return cast("list[bytes | None]", self._db.get(list(keys)))

    def apply(self, changes: Changes, positions: dict[str, int]) -> None:
        """See `LocalStore.apply`."""
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.puts.items():
            batch.put(key, value)
        for key in changes.deletes:
            batch.delete(key)
        for topic, position in positions.items():
            batch.put(_POSITION + topic.encode(), position.to_bytes(8, "big"))
        self._db.write(batch, self._write_options)

    def scan(self, prefix: bytes, limit: int, after: bytes = b"") -> list[tuple[bytes, bytes]]:
        """See `LocalStore.scan`."""
        return list(self._walk(prefix, limit, after))

    def _walk(self, prefix: bytes, limit: int, after: bytes) -> Iterator[tuple[bytes, bytes]]:
        start = after + b"\x00" if after else prefix
        pairs = cast("Iterator[tuple[bytes, bytes]]", self._db.items(from_key=start))
        for count, (key, value) in enumerate(pairs):
            if count >= limit or not key.startswith(prefix):
                return
            yield key, value

    def position(self, topic: str) -> int | None:
        """See `LocalStore.position`."""
        stored: bytes | None = self._db.get(_POSITION + topic.encode())
        return None if stored is None else int.from_bytes(stored, "big")

    def wipe(self) -> None:
        """See `LocalStore.wipe`."""
        self._db.close()
        shutil.rmtree(self._folder)
        self._db = self._open()
        self._mark()

    def close(self) -> None:
        """See `LocalStore.close`."""
        self._db.flush()
        self._db.close()
