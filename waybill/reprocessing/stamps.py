"""The marks on a record that was written again: by which run, and from where it was taken."""

from collections.abc import Sequence
from datetime import UTC, datetime

from waybill.contracts.headers import (
    DLQ_PREFIX,
    WB_REPLAYED,
    WB_REPLAYED_FROM,
    WB_REROUTED,
    last_text,
)
from waybill.contracts.keys import partition_of
from waybill.streaming.records import Header, Inbound, Outbound

REPLAY = "replay"
REDRIVE = "redrive"


def run_id(kind: str, now: datetime, mark: str) -> str:
    """`replay-20261123T155000Z-3fa2`: names one run of a tool in headers, and when it began."""
    return f"{kind}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{mark}"


def origin(record: Inbound) -> str:
    """`shipments/3/17`: where a record lies."""
    return f"{record.topic}/{record.partition}/{record.offset}"


def taken_from(record: Inbound) -> str | None:
    """Where a record written again was taken from; None for one that nobody wrote again."""
    return last_text(record.headers, WB_REPLAYED_FROM)


def letters_named(record: Inbound) -> list[str]:
    """Positions of the dead letters that a record was made from, however often it was written again since."""
    named = [value for name, value in record.headers if name == WB_REPLAYED_FROM and value]
    texts = [value.decode(errors="replace") for value in named]
    return [text for text in texts if text.startswith("dead-letters/")]


def is_replay(record: Inbound) -> bool:
    """Whether a replay wrote it: a copy of a record of the same topic."""
    return (last_text(record.headers, WB_REPLAYED) or "").startswith(REPLAY)


def replayed(record: Inbound, run: str) -> Outbound:
    """The same record for the end of its partition: key, value and headers untouched, two marks added."""
    marks = _marks(run, origin(record))
    return Outbound(
        record.topic, record.partition, record.key, record.value, [*record.headers, *marks]
    )


def redriven(letter: Inbound, topic: str, partitions: int, run: str) -> Outbound:
    """A dead letter as the record it was, for the partition of its key; raises ValueError without a key.

    What was added on its way goes: the letter's own headers, that it was forwarded once, and the marks of an
    earlier run, so that it starts anew.
    """
    if letter.key is None:
        raise ValueError("a dead letter without a key has no partition")
    kept = _original_headers(letter.headers)
    headers = [*kept, *_marks(run, origin(letter))]
    return Outbound(topic, partition_of(letter.key, partitions), letter.key, letter.value, headers)


def _original_headers(headers: Sequence[Header]) -> list[Header]:
    added = {WB_REROUTED, WB_REPLAYED, WB_REPLAYED_FROM}
    return [
        (name, value)
        for name, value in headers
        if name not in added and not name.startswith(DLQ_PREFIX)
    ]


def _marks(run: str, place: str) -> list[Header]:
    return [(WB_REPLAYED, run.encode()), (WB_REPLAYED_FROM, place.encode())]
