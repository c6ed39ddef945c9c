"""What a partition's state was when it was last written, noted beside its reading position.

A state topic that was made anew, cut off or brought back from an old copy looks like any other one; only
this note, kept in the group's offsets, knows that there was more. A partition whose topics hold less than
its note says is not served until an operator accepts the loss, by the id of that very loss.

Pure. What it cannot see: records that the last transaction wrote, when they and the local view are lost
together before the next transaction notes them; and a loss whose note expired with the group's offsets,
which is why a state without a note counts as one that may have forgotten.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import orjson

from waybill.streaming.ports import Extent

VERSION = 1
"""Of the note. A reader that does not know a note's version takes the past for unknown."""


class NoteError(ValueError):
    """A text that is no note of a known version."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """From when on the state knows everything again; before, it may have forgotten."""

    at: datetime
    """UTC, to the millisecond."""
    loss_id: str | None = None
    """The loss that an operator accepted; None when the past was unknown at a takeover."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something is gone that was there."""

    loss_id: str
    """The same for as long as nothing changes, whoever looks; another one for another loss."""
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """Travels in every transaction of a witnessed partition, as text."""

    state_id: str
    """Topic id of the state topic."""
    start: int
    """Offset of its first record."""
    end: int
    """It reaches at least to here."""
    partition_count: int
    input_ids: Mapping[str, str] = field(default_factory=dict)
    """Topic ids of the inputs, by logical name."""
    accepted: Accepted | None = None

    def encode(self) -> str:
        """As it is kept: JSON, far below the 4096 bytes that a broker takes."""
        content: dict[str, Any] = {
            "v": VERSION,
            "state_id": self.state_id,
            "start": self.start,
            "end": self.end,
            "partitions": self.partition_count,
            "inputs": dict(self.input_ids),
        }
        if self.accepted is not None:
            at_ms = round(self.accepted.at.timestamp() * 1000)
            content["accepted"] = {"at_ms": at_ms, "loss_id": self.accepted.loss_id}
        return orjson.dumps(content).decode()


def decode(text: str | None) -> Note | None:
    """The note; None when there is none. Raises NoteError for what this version cannot read."""
    if not text:
        return None
    try:
        return _note(orjson.loads(text))
    except NoteError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise NoteError(f"no note that this version can read: {type(error).__name__}") from error


def _note(content: dict[str, Any]) -> Note:
    if content["v"] != VERSION:
        raise NoteError(f"a note of version {content['v']}")
    accepted = content.get("accepted")
    return Note(
        state_id=_text(content["state_id"]),
        start=_count(content["start"]),
        end=_count(content["end"]),
        partition_count=_count(content["partitions"]),
        input_ids={_text(name): _text(found) for name, found in content["inputs"].items()},
        accepted=_accepted(accepted) if accepted is not None else None,
    )


def _accepted(content: dict[str, Any]) -> Accepted:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=_count(content["at_ms"]))
    loss_id = content["loss_id"]
    return Accepted(at, None if loss_id is None else _text(loss_id))


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise NoteError("a field is no text")
    return found


def _count(found: object) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise NoteError("a field is no count")
    return found


# ------------------------------------------------------------------------------------------ judgement


class Observed(Protocol):
    """What is there now; `ports.Opened` is one."""

    @property
    def note(self) -> str | None:
        """What the last transaction noted."""

    @property
    def state_id(self) -> str:
        """Topic id of the state topic."""

    @property
    def state_start(self) -> int:
        """Offset of its first record."""

    @property
    def ends(self) -> Mapping[str, int]:
        """Offsets after the last record, by logical name."""

    @property
    def committed(self) -> Mapping[str, int]:
        """Next offsets to read of the inputs."""

    @property
    def inputs(self) -> Mapping[str, Extent]:
        """What the inputs hold."""


class Verdict(StrEnum):
    """What a comparison with the note comes to."""

    OK = "ok"
    """Everything that was noted is there."""
    NEW = "new"
    """Nothing noted, and neither a state nor inputs: a new installation."""
    UNKNOWN = "unknown_past"
    """Nothing noted, but a state or inputs: offsets expired, topics came from elsewhere or were lost."""
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Judgement:
    """See `judge`."""

    verdict: Verdict
    note: Note | None = None
    loss: Loss | None = None
    """Set when the verdict is LOST."""
    gone: frozenset[str] = frozenset()
    """Inputs whose next record to read is gone: what is left of them is read from its beginning."""


_Finding = tuple[str, str]
"""What identifies a part of a loss, and the words for it."""


def judge(number: int, state: str, seen: Observed) -> Judgement:
    """Compare partition `number` of the state topic and of the inputs with what was noted of them."""
    try:
        note = decode(seen.note)
    except NoteError:
        note = None
    lost_inputs = dict(_lost_inputs(note, seen))
    findings = [*(_lost_state(note, state, seen) if note else ()), *lost_inputs.values()]
    if findings:
        accepted = note.accepted if note else None
        loss_id = _loss_id(number, findings, accepted)
        loss = Loss(loss_id, "; ".join(reason for _, reason in findings))
        return Judgement(Verdict.LOST, note, loss, frozenset(lost_inputs))
    if note is not None:
        return Judgement(Verdict.OK, note)
    return Judgement(Verdict.NEW if _is_new(state, seen) else Verdict.UNKNOWN)


def _is_new(state: str, seen: Observed) -> bool:
    """A note that cannot be read was written by somebody, and inputs that somebody published may have been
    worked on: then there is a past."""
    is_empty = seen.ends.get(state, 0) == 0
    return is_empty and not seen.note and not any(extent.end for extent in seen.inputs.values())


def _lost_state(note: Note, state: str, seen: Observed) -> Iterator[_Finding]:
    start, end = seen.state_start, seen.ends.get(state, 0)
    if note.state_id != seen.state_id:
        reason = (
            f"{state} is another topic than the one that was written (deleted and made anew, or "
            "restored): whatever it knew is gone"
        )
        yield f"{state}:{note.state_id}:{seen.state_id}:{end}", reason
        return
    if end < note.end:
        reason = (
            f"{state} ends at offset {end} and was written up to {note.end}: up to {note.end - end} "
            "records are gone from its end"
        )
        yield f"{state}:{seen.state_id}:{note.end}:{end}", reason
    if start > note.start:
        reason = (
            f"{state} begins at offset {start} and began at {note.start}: up to "
            f"{start - note.start} records were deleted from its beginning"
        )
        yield f"{state}:{seen.state_id}:from:{note.start}", reason


def _lost_inputs(note: Note | None, seen: Observed) -> Iterator[tuple[str, _Finding]]:
    for topic, offset in seen.committed.items():
        extent = seen.inputs.get(topic)
        if extent is None:
            continue
        noted_id = note.input_ids.get(topic, extent.topic_id) if note else extent.topic_id
        if reason := _lost_input(topic, offset, extent, remade=noted_id != extent.topic_id):
            yield topic, (f"{topic}:{noted_id}:{extent.topic_id}:{offset}", reason)


def _lost_input(topic: str, offset: int, extent: Extent, *, remade: bool) -> str | None:
    if remade:
        return f"{topic} was deleted and made anew: how many records were not read by then is not known"
    if offset < extent.start:
        return (
            f"up to {extent.start - offset} records of {topic} were deleted before they were read "
            f"(offsets {offset} to {extent.start - 1})"
        )
    if offset > extent.end:
        return (
            f"{topic} ends at offset {extent.end} and was read up to {offset}: records are gone from "
            "its end"
        )
    return None


def _loss_id(number: int, findings: Iterable[_Finding], accepted: Accepted | None) -> str:
    """The same offsets may be lost once more after a loss was accepted: that is another loss."""
    lines = [str(number), *(identity for identity, _ in findings)]
    if accepted is not None:
        lines.append(f"after:{accepted.loss_id}:{accepted.at.isoformat()}")
    text = "\n".join(lines)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
