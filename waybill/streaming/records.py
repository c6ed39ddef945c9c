"""Records as the runtime hands them around, free of any client library."""

from collections.abc import Sequence
from dataclasses import dataclass

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Inbound:
    """A record read from Kafka; `topic` is the logical name (`orders`), not the physical one."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    timestamp_ms: int

    def header(self, name: str) -> bytes | None:
        """The last header of that name; foreign publishers repeat them and leave them empty."""
        found = None
        for header, value in self.headers:
            if header == name:
                found = value
        return found


@dataclass(frozen=True, slots=True)
class Outbound:
    """A record to write, always to an explicit partition."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()
