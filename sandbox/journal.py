"""The journal: one JSON line per event, on disk before the answer goes out.

A line is written with one system call and no buffer, so what was answered survives ``kill -9``. It
is not forced to the platter: a power cut is outside of what a sandbox promises. An incomplete last
line (a full disk, a kill in the middle of the call) is cut off at the next start; damage anywhere
else is an error, because a sandbox that forgets would make its users' tests lie.
"""

from __future__ import annotations

import fcntl
import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from sandbox.events import Event


class JournalError(Exception):
    """The data directory cannot be used; the message says what to do."""


class Journal:
    """The journal file of one data directory, held by one process at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # Released by the system when the process ends, however it ends.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise JournalError(
                f"{path} belongs to a running sandbox; stop it or choose another --data-dir"
            ) from None
        self._starts = array("Q")
        self._end = 0

    @property
    def entries(self) -> int:
        """Number of entries, which is the sequence number of the last one."""
        return len(self._starts)

    def replay(self) -> Iterator[Event]:
        """All events, oldest first. Run through once, before the first :meth:`append`."""
        adapter: TypeAdapter[Event] = TypeAdapter(Event)
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                yield self._decode(adapter, line)
                self._starts.append(self._end)
                self._end += len(line)
        os.truncate(self._file, self._end)

    def _decode(self, adapter: TypeAdapter[Event], line: bytes) -> Event:
        try:
            record = orjson.loads(line)
            sequence = record.pop("seq")
            event = adapter.validate_python(record)
        except (ValueError, KeyError, AttributeError) as error:
            raise JournalError(
                f"{self._path}: entry {self.entries + 1} cannot be read ({type(error).__name__}); "
                "restore the file or start with an empty --data-dir"
            ) from error
        if sequence != self.entries + 1:
            raise JournalError(f"{self._path}: entry {sequence} follows entry {self.entries}")
        return event

    def append(self, event: Event) -> int:
        """Write one event and return its sequence number, counted from 1.

        Raises OSError when the disk does not take the whole line; the journal is then as before.
        """
        line = b'{"seq":%d,%b\n' % (self.entries + 1, orjson.dumps(event)[1:])
        try:
            self._write(line)
        except OSError:
            os.truncate(self._file, self._end)
            raise
        self._starts.append(self._end)
        self._end += len(line)
        return self.entries

    def _write(self, line: bytes) -> None:
        written = os.write(self._file, line)
        if written != len(line):
            raise OSError(f"{self._path} took {written} of {len(line)} bytes; is the disk full?")

    def read(self, after: int, limit: int, kind: str | None = None) -> list[dict[str, Any]]:
        """Up to ``limit`` entries with a sequence number above ``after``, oldest first."""
        found: list[dict[str, Any]] = []
        if after >= self.entries:
            return found
        with self._path.open("rb") as file:
            file.seek(self._starts[after])
            for line in file:
                entry = orjson.loads(line)
                if kind is None or entry["kind"] == kind:
                    found.append(entry)
                if len(found) == limit:
                    break
        return found

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
