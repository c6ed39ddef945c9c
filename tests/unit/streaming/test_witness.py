"""The judgement of what is there by what was noted."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.streaming.fakes import Cluster, FakeTransactions
from waybill.streaming.ports import Extent, Opened
from waybill.streaming.witness import Accepted, Note, NoteError, Verdict, decode, judge

NOTE = Note("ledger-id", 0, 40, 12, {"shipments": "s-id"})
AT = datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)


def _seen(note: Note | str | None = NOTE, **changes: Any) -> Opened:
    opened = Opened(
        FakeTransactions(Cluster(), 0, 0),
        ends={"ledger": 40, "orders": 7},
        committed={"shipments": 20},
        identity="",
        note=note.encode() if isinstance(note, Note) else note,
        state_id="ledger-id",
        partition_count=12,
        inputs={"shipments": Extent("s-id", 5, 30)},
    )
    return replace(opened, **changes)


def test_what_was_noted_is_there() -> None:
    found = judge(3, "ledger", _seen())

    assert (found.verdict, found.loss, found.note) == (Verdict.OK, None, NOTE)


def test_more_than_was_noted_is_fine() -> None:
    """A transaction cannot note its own end."""
    assert judge(3, "ledger", _seen(ends={"ledger": 44})).verdict is Verdict.OK


UNTOUCHED = {"shipments": Extent("s-id", 0, 0)}


@pytest.mark.parametrize(
    ("ledger_end", "inputs", "verdict"),
    [
        (0, UNTOUCHED, Verdict.NEW),
        (1, UNTOUCHED, Verdict.UNKNOWN),
        (40, UNTOUCHED, Verdict.UNKNOWN),
        # ledger and positions may have been lost together
        (0, {"shipments": Extent("s-id", 0, 1)}, Verdict.UNKNOWN),
        (0, {"shipments": Extent("s-id", 30, 30)}, Verdict.UNKNOWN),
    ],
)
def test_without_a_note_only_untouched_topics_are_new(
    ledger_end: int, inputs: dict[str, Extent], verdict: Verdict
) -> None:
    seen = _seen(None, ends={"ledger": ledger_end}, inputs=inputs, committed={})
    assert judge(3, "ledger", seen).verdict is verdict


@pytest.mark.parametrize("note", ["{}", '{"v":2}', "nonsense", "[]", '{"v":1}'])
def test_a_note_that_cannot_be_read_tells_that_there_was_a_past(note: str) -> None:
    seen = _seen(note, ends={"ledger": 0}, inputs=UNTOUCHED, committed={})
    assert judge(3, "ledger", seen).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state_id": "other"}, "ledger is another topic than the one that was written"),
        ({"ends": {"ledger": 37}}, "ledger ends at offset 37 and was written up to 40: up to 3"),
        ({"state_start": 9}, "up to 9 records were deleted from its beginning"),
        (
            {"inputs": {"shipments": Extent("s-id", 25, 30)}},
            "up to 5 records of shipments were deleted before they were read (offsets 20 to 24)",
        ),
        (
            {"inputs": {"shipments": Extent("s-id", 0, 12)}},
            "shipments ends at offset 12 and was read up to 20",
        ),
        ({"inputs": {"shipments": Extent("new", 5, 30)}}, "shipments was deleted and made anew"),
    ],
)
def test_a_loss_says_what_is_gone(changes: dict[str, Any], words: str) -> None:
    found = judge(3, "ledger", _seen(**changes))

    assert found.verdict is Verdict.LOST
    assert found.loss is not None
    assert words in found.loss.reason
    assert found.gone == ({"shipments"} if "inputs" in changes else set())


def test_several_losses_are_one_and_all_of_them_are_named() -> None:
    inputs = {"shipments": Extent("s-id", 25, 30)}
    found = judge(3, "ledger", _seen(ends={"ledger": 37}, inputs=inputs))
    other = judge(3, "ledger", _seen(ends={"ledger": 37}))

    assert found.loss is not None
    assert other.loss is not None
    assert other.loss.reason in found.loss.reason
    assert found.loss.loss_id != other.loss.loss_id


def test_a_lost_position_is_a_loss_without_a_note_too() -> None:
    found = judge(3, "ledger", _seen(None, inputs={"shipments": Extent("s-id", 25, 30)}))

    assert found.verdict is Verdict.LOST


def test_a_loss_stays_the_same_while_more_is_deleted_and_published() -> None:
    """An operator reads about it, decides, and writes: meanwhile retention and publishers go on."""
    first = judge(3, "ledger", _seen(inputs={"shipments": Extent("s-id", 25, 30)}))
    later = judge(3, "ledger", _seen(inputs={"shipments": Extent("s-id", 29, 90)}))
    elsewhere = judge(4, "ledger", _seen(inputs={"shipments": Extent("s-id", 25, 30)}))

    assert first.loss is not None
    assert later.loss is not None
    assert elsewhere.loss is not None
    assert first.loss.loss_id == later.loss.loss_id
    assert first.loss.loss_id != elsewhere.loss.loss_id


def test_the_same_offsets_lost_once_more_after_an_acceptance_are_another_loss() -> None:
    """Or the command that accepted the first one, written again, would accept the second."""
    first = judge(3, "ledger", _seen(ends={"ledger": 37}))
    assert first.loss is not None
    accepted = Accepted(datetime(2026, 11, 23, tzinfo=UTC), first.loss.loss_id)
    second = judge(3, "ledger", _seen(replace(NOTE, accepted=accepted), ends={"ledger": 37}))

    assert second.loss is not None
    assert second.loss.loss_id != first.loss.loss_id


def test_a_note_carries_what_was_accepted() -> None:
    note = replace(NOTE, accepted=Accepted(AT, "a1b2"))

    assert decode(note.encode()) == note
    assert decode(replace(NOTE, accepted=Accepted(AT)).encode()) != note


@pytest.mark.parametrize("text", [None, ""])
def test_no_text_is_no_note(text: str | None) -> None:
    assert decode(text) is None


def test_a_note_of_another_version_is_not_guessed_at() -> None:
    with pytest.raises(NoteError, match="version 2"):
        decode(NOTE.encode().replace('"v":1', '"v":2'))
