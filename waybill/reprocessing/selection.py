"""Which records a replay takes, and what they amount to.

An order keeps its order: its records lie on one partition, and a replay reads and writes each partition in
turn of offsets. What lies on a wrong partition is left out, since the notifier has forwarded it to the right
one, where its copy is taken.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from waybill.contracts.keys import parse_order_key, shown_key
from waybill.reprocessing.stamps import is_replay
from waybill.streaming.dead_letters import misplaced
from waybill.streaming.records import Inbound

_AGO = re.compile(r"(\d{1,6})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_PLACE = re.compile(r"(\d{1,6}):(\d{1,18})")
_SAMPLE_MAX = 5


def parse_time(text: str, now: datetime) -> datetime:
    """`2026-11-23T15:50Z`, `2026-11-23` (midnight, UTC), or how long ago: `90m`, `2h`, `7d`.

    Raises ValueError with what to write instead; a time without a zone is refused, not guessed.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{text!r}: want a time such as 2026-11-23T15:50Z, a day, or how long ago as 90m, 2h, 7d"
        ) from None
    if found.tzinfo is None:
        if re.fullmatch(r"[\d-]+", text.strip()):
            return found.replace(tzinfo=UTC)
        raise ValueError(f"{text!r}: say in which zone, e.g. {text.strip()}Z for UTC")
    return found.astimezone(UTC)


def parse_offsets(text: str, partitions: int) -> dict[int, int]:
    """`0:1200,3:88` as partition to first offset; raises ValueError. Partitions not named are not read."""
    found: dict[int, int] = {}
    for part in text.split(","):
        place = _PLACE.fullmatch(part.strip())
        if place is None:
            raise ValueError(f"{part.strip()!r}: want PARTITION:OFFSET, several with commas")
        number = int(place[1])
        if number >= partitions:
            raise ValueError(
                f"partition {number}: the topic has {partitions}, 0 to {partitions - 1}"
            )
        if number in found:
            raise ValueError(f"partition {number} is named twice")
        found[number] = int(place[2])
    return found


def as_offsets(positions: Mapping[int, int]) -> str:
    """The same as text, for going on after an interruption."""
    return ",".join(f"{number}:{offset}" for number, offset in sorted(positions.items()))


def order_keys(texts: list[str]) -> frozenset[bytes]:
    """Order keys as record keys; raises ValueError for one that is none."""
    for text in texts:
        parse_order_key(text)
    return frozenset(text.encode() for text in texts)


class Choice(StrEnum):
    """What becomes of a record of the range; everything but TAKEN is left out, and counted."""

    TAKEN = "taken"
    OTHER_ORDER = "of another order"
    AFTER_END = "after --until"
    COPY = "written by an earlier replay"
    MISPLACED = "on a wrong partition; its forwarded copy counts"
    NO_KEY = "without a key; it is a dead letter"
    NO_VALUE = "without a value; it is a dead letter"
    TOO_LARGE = "too large to be written again with its marks"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a replay was asked for; None means no condition."""

    partitions: int
    keys: frozenset[bytes] | None = None
    until_ms: int | None = None
    copies: bool = False
    """Also what an earlier replay wrote, for originals that have expired."""

    def choose(self, record: Inbound) -> Choice:
        """Whether the record is taken, by the first reason that speaks against it."""
        checks = (
            (record.key is None, Choice.NO_KEY),
            (record.value is None, Choice.NO_VALUE),
            (self.keys is not None and record.key not in self.keys, Choice.OTHER_ORDER),
            (
                self.until_ms is not None and record.timestamp_ms > self.until_ms,
                Choice.AFTER_END,
            ),
            (not self.copies and is_replay(record), Choice.COPY),
            (misplaced(record, self.partitions) is not None, Choice.MISPLACED),
        )
        return next((choice for speaks_against, choice in checks if speaks_against), Choice.TAKEN)


@dataclass(slots=True)
class Extent:
    """What was taken of one partition."""

    records: int = 0
    bytes: int = 0
    first_ms: int | None = None
    last_ms: int | None = None

    def add(self, record: Inbound) -> None:
        """Count one."""
        self.records += 1
        self.bytes += len(record.value or b"")
        at = record.timestamp_ms
        self.first_ms = at if self.first_ms is None else min(self.first_ms, at)
        self.last_ms = at if self.last_ms is None else max(self.last_ms, at)


@dataclass(slots=True)
class Tally:
    """What a run takes and leaves, in bounded memory: numbers, and a sample of order keys."""

    extents: dict[int, Extent] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    sample: list[str] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """Records taken in all."""
        return sum(extent.records for extent in self.extents.values())

    def take(self, record: Inbound) -> None:
        """Count one that is taken."""
        self.extents.setdefault(record.partition, Extent()).add(record)
        key = shown_key(record.key)
        if key and len(self.sample) < _SAMPLE_MAX and key not in self.sample:
            self.sample.append(key)

    def leave(self, why: str) -> None:
        """Count one that is left out."""
        self.left[why] += 1
