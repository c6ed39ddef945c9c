"""The note and its judgement, for whatever is written and whatever is lost."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.streaming.fakes import Cluster, FakeTransactions
from waybill.streaming.ports import Extent, Opened
from waybill.streaming.witness import Accepted, Note, NoteError, Verdict, decode, judge

BROKER_BYTES_MAX = 4096
OFFSETS = st.integers(0, 2**53)
IDS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", max_size=22)
TIMES = st.integers(0, 2**42).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
NOTES = st.builds(
    Note,
    state_id=IDS,
    start=OFFSETS,
    end=OFFSETS,
    partition_count=st.integers(1, 10_000),
    input_ids=st.dictionaries(st.sampled_from(["shipments", "proofs", "commands"]), IDS),
    accepted=st.none() | st.builds(Accepted, at=TIMES, loss_id=st.none() | IDS),
)


@given(NOTES)
def test_a_note_comes_back_as_it_was_written(note: Note) -> None:
    assert decode(note.encode()) == note
    assert len(note.encode().encode()) < BROKER_BYTES_MAX


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(NOTES, st.sampled_from(sorted(orjson.loads(Note("", 0, 0, 1).encode()))), JSON)
def test_a_spoilt_note_is_refused_or_means_what_it_says(
    note: Note, field: str, instead: object
) -> None:
    spoilt = orjson.loads(note.encode()) | {field: instead}

    try:
        found = decode(orjson.dumps(spoilt).decode())
    except NoteError:
        return
    assert found is not None
    assert orjson.loads(found.encode()) == spoilt


@given(st.text(max_size=40))
def test_any_text_is_no_note(text: str) -> None:
    with suppress(NoteError):
        assert decode(text) is None


@given(
    note=NOTES,
    behind=st.integers(-5, 5),
    moved=st.integers(-5, 5),
    same_topic=st.booleans(),
    number=st.integers(0, 20),
)
def test_a_ledger_is_lost_exactly_when_it_holds_less_than_was_noted(
    note: Note, behind: int, moved: int, same_topic: bool, number: int
) -> None:
    end, start = max(0, note.end - behind), max(0, note.start + moved)
    opened = Opened(
        FakeTransactions(Cluster(), 0, 0),
        ends={"ledger": end},
        committed={},
        identity="",
        note=note.encode(),
        state_id=note.state_id if same_topic else note.state_id + "+",
        partition_count=note.partition_count,
        state_start=start,
    )

    found = judge(number, "ledger", opened)

    is_lost = not same_topic or end < note.end or start > note.start
    assert found.verdict is (Verdict.LOST if is_lost else Verdict.OK)
    assert (found.loss is not None) is is_lost
    assert judge(number, "ledger", opened) == found
    if is_lost:
        # written again by the owner that was told to go on, it is whole
        renewed = replace(note, state_id=opened.state_id, start=start, end=end)
        assert judge(number, "ledger", replace(opened, note=renewed.encode())).loss is None


@given(
    offset=OFFSETS, start=OFFSETS, length=st.integers(0, 100), note=st.none() | NOTES, more=OFFSETS
)
def test_a_position_is_lost_exactly_when_it_is_out_of_range(
    offset: int, start: int, length: int, note: Note | None, more: int
) -> None:
    if note is not None:
        note = replace(note, input_ids={"shipments": "s"})
    opened = Opened(
        FakeTransactions(Cluster(), 0, 0),
        ends={"ledger": note.end + more if note else 0},
        committed={"shipments": offset},
        identity="",
        note=note.encode() if note else None,
        state_id=note.state_id if note else "",
        state_start=note.start if note else 0,
        inputs={"shipments": Extent("s", start, start + length)},
    )

    found = judge(0, "ledger", opened)

    assert (found.loss is not None) is not (start <= offset <= start + length)
    assert found.gone == ({"shipments"} if found.loss else set())
