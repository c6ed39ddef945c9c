"""Dead letters: what they say of themselves, and which of them may go back to where they came from.

What was redriven is remembered by the record that was written: it names the letter it was made from. So
nothing has to be kept anywhere else, and a run that broke off goes on by being run again.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from enum import StrEnum

from waybill.contracts import headers as names
from waybill.contracts.headers import last_int, last_text
from waybill.contracts.keys import shown_key
from waybill.contracts.topics import topics
from waybill.reprocessing.stamps import origin, redriven, taken_from
from waybill.reprocessing.topics import why_not
from waybill.streaming.dead_letters import fits
from waybill.streaming.records import Inbound, Outbound

NO_REASON = "no_reason"
"""Stands for a dead letter whose header is lost: somebody else wrote it."""

Unreadable = Callable[[Inbound], str | None]
"""Why this release still cannot read a record; None when it can."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter without its payload: what may be shown to anybody."""

    position: str
    """`dead-letters/3/17`; also what a redriven record names."""
    topic: str
    """Where it came from, by the logical name; empty when its header is lost."""
    partition: int | None
    offset: int | None
    key: str | None
    """See `keys.shown_key`."""
    reason: str
    error: str
    group: str
    version: str
    given_up_at: str
    written_ms: int
    """Timestamp of the letter, epoch milliseconds."""
    value_bytes: int
    truncated_from: int | None
    """Length of the original value in bytes, when the letter holds only its beginning."""
    redriven_from: str | None
    """The letter from which this record had been redriven before it was given up again."""


def letter_of(record: Inbound) -> Letter:
    """Read the headers of a dead letter; what is missing is empty, nothing raises."""
    found = record.headers

    def text(name: str) -> str:
        return last_text(found, name) or ""

    return Letter(
        position=origin(record),
        topic=text(names.DLQ_TOPIC),
        partition=last_int(found, names.DLQ_PARTITION),
        offset=last_int(found, names.DLQ_OFFSET),
        key=shown_key(record.key),
        reason=text(names.DLQ_REASON) or NO_REASON,
        error=text(names.DLQ_ERROR),
        group=text(names.DLQ_GROUP),
        version=text(names.DLQ_VERSION),
        given_up_at=text(names.DLQ_TIME),
        written_ms=record.timestamp_ms,
        value_bytes=len(record.value or b""),
        truncated_from=last_int(found, names.DLQ_TRUNCATED),
        redriven_from=taken_from(record),
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant; None means all."""

    reasons: frozenset[str] | None = None
    topics: frozenset[str] | None = None
    keys: frozenset[bytes] | None = None

    def matches(self, record: Inbound, letter: Letter) -> bool:
        """Whether this one is."""
        return (
            (self.reasons is None or letter.reason in self.reasons)
            and (self.topics is None or letter.topic in self.topics)
            and (self.keys is None or record.key in self.keys)
        )


class Fate(StrEnum):
    """What becomes of a letter that is meant."""

    SEND = "goes back"
    SENT_BEFORE = "was redriven before"
    TRUNCATED = "is truncated"
    NO_KEY = "has no key"
    STILL_UNREADABLE = "still cannot be read"
    TOPIC_TAKES_NONE = "its topic takes nothing back"
    TOO_LARGE = "is too large"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A letter's fate, and why, with what to do."""

    fate: Fate
    why: str = ""


def judge(record: Inbound, unreadable: Unreadable, sent: Container[str] = ()) -> Judgement:
    """Whether a letter goes back; `sent` are the positions of letters that did before."""
    letter = letter_of(record)
    refused = why_not(letter.topic) if letter.topic else "no header says where it came from"
    if refused is not None:
        return Judgement(Fate.TOPIC_TAKES_NONE, f"{letter.topic or 'unknown topic'}: {refused}")
    if letter.position in sent:
        return Judgement(Fate.SENT_BEFORE)
    return _broken(record, letter) or _judge_whole(record, letter, unreadable)


def _broken(record: Inbound, letter: Letter) -> Judgement | None:
    if letter.truncated_from is not None:
        why = f"{letter.value_bytes} of {letter.truncated_from} bytes are left: publish it anew"
        return Judgement(Fate.TRUNCATED, why)
    if record.key is None:
        return Judgement(Fate.NO_KEY, "its key is its partition: publish it anew with its key")
    return None


def _judge_whole(record: Inbound, letter: Letter, unreadable: Unreadable) -> Judgement:
    why = unreadable(record)
    if why is not None:
        return Judgement(Fate.STILL_UNREADABLE, why)
    # the largest it can become: longer than any run's id
    probe = redriven(record, letter.topic, 1, "x" * 64)
    if not fits(probe, topics()[letter.topic].bytes_max):
        return Judgement(Fate.TOO_LARGE, "with its marks it exceeds the topic's limit")
    return Judgement(Fate.SEND)


def record_of(letter: Inbound, partitions: int, run: str) -> Outbound:
    """The record that a letter becomes; for letters whose fate is to go back."""
    return redriven(letter, letter_of(letter).topic, partitions, run)
