"""Record headers: CloudEvents-style attributes, W3C trace context, and the `wb-` and `dlq.` ones.

Pure and cheap, since it runs for every record produced. Ids of spans derive from event ids, so that a record
produced twice carries the same headers twice. Foreign publishers repeat headers, leave them empty or
without a value: the readers here take the last usable one and never raise.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

Headers = Sequence[tuple[str, bytes | None]] | None

CE_SPECVERSION = "ce_specversion"
CE_ID = "ce_id"
"""Derived from the business fact, never random: equal when the same fact is published twice."""
CE_SOURCE = "ce_source"
CE_TYPE = "ce_type"
CE_TIME = "ce_time"
CONTENT_TYPE = "content-type"
TRACEPARENT = "traceparent"

SINGLE_OBJECT_TYPE = b"application/avro;encoding=single-object"
"""The value is Avro single-object encoding. Plain application/avro would promise a bare body."""
CONFLUENT_TYPE = b"application/avro;encoding=confluent"
"""The value is in the Confluent wire format."""

WB_REROUTED = "wb-rerouted"
"""Set when a record was forwarded once to the partition where its key belongs; never forwarded again."""
WB_REPLAYED = "wb-replayed"
"""Id of the replay or redrive that wrote the record again. Nothing decides differently because of it."""
WB_REPLAYED_FROM = "wb-replayed-from"
"""Where that record was taken from: `<topic>/<partition>/<offset>`, `dead-letters/…` for a redrive."""

DLQ_PREFIX = "dlq."
DLQ_TOPIC = "dlq.origin-topic"
DLQ_PARTITION = "dlq.origin-partition"
DLQ_OFFSET = "dlq.origin-offset"
DLQ_TIMESTAMP = "dlq.origin-timestamp"
"""Timestamp of the original record, epoch milliseconds."""
DLQ_GROUP = "dlq.group"
DLQ_REASON = "dlq.reason"
"""A `DeadReason`."""
DLQ_ERROR = "dlq.error"
"""What is wrong, in words, without values."""
DLQ_VERSION = "dlq.service-version"
DLQ_TIME = "dlq.time"
"""When it was given up, RFC 3339 UTC."""
DLQ_TRUNCATED = "dlq.truncated"
"""Length of the original value in bytes, when the value was cut to fit."""

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class TraceContext(NamedTuple):
    """Where in a distributed trace a record belongs (W3C Trace Context, level 1)."""

    trace_id: str
    span_id: str
    flags: int

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"


def event_headers(
    record_name: str,
    event_id: str,
    source: str,
    time_ms: int,
    traceparent: str | None = None,
    *,
    content_type: bytes = SINGLE_OBJECT_TYPE,
) -> list[tuple[str, bytes]]:
    """The headers of a record that this product writes; a new list each time, so that more can be added.

    `time_ms` is when the fact became so, epoch milliseconds. A traceparent that is None or broken is left out.
    """
    headers = [
        *_constant(record_name, source, content_type),
        (CE_ID, event_id.encode()),
        (CE_TIME, rfc3339(time_ms).encode()),
    ]
    if traceparent is not None and parse_traceparent(traceparent) is not None:
        headers.append((TRACEPARENT, traceparent.encode()))
    return headers


@lru_cache(maxsize=1_024)
def _constant(record_name: str, source: str, content_type: bytes) -> tuple[tuple[str, bytes], ...]:
    return (
        (CE_SPECVERSION, b"1.0"),
        (CE_TYPE, f"waybill.{record_name}.v1".encode()),
        (CE_SOURCE, source.encode()),
        (CONTENT_TYPE, content_type),
    )


def rfc3339(time_ms: int) -> str:
    """`2026-11-23T15:50:00.123Z` of epoch milliseconds; raises OverflowError outside of the years 1 to 9999."""
    return f"{_second(time_ms // 1_000)}.{time_ms % 1_000:03d}Z"


@lru_cache(maxsize=4_096)
def _second(time_s: int) -> str:
    # records come in bursts: most share their second with the one before
    try:
        return datetime.fromtimestamp(time_s, UTC).isoformat()[:19]
    except ValueError as error:
        raise OverflowError(f"{time_s} s is outside of the years 1 to 9999") from error


def parse_traceparent(value: str | bytes | None) -> TraceContext | None:
    """The trace context of a header; None when it is absent or invalid, as the standard demands."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    match = _TRACEPARENT.fullmatch(text) if text else None
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest is not None):
        return None
    if trace_id.strip("0") == "" or span_id.strip("0") == "":
        return None
    return TraceContext(trace_id, span_id, int(flags, 16))


def new_traceparent(event_id: str, *, sampled: bool = False) -> str:
    """Start a trace with an event; the ids derive from the event's id."""
    mark = blake2b(event_id.encode(), digest_size=24).hexdigest()
    return str(TraceContext(mark[:32], mark[32:], int(sampled)))


def child_traceparent(parent: str | bytes | None, event_id: str) -> str:
    """Continue a trace with an event that the parent's event caused; start one when there is no valid parent."""
    context = parse_traceparent(parent)
    if context is None:
        return new_traceparent(event_id)
    mark = blake2b(f"{context.span_id}{event_id}".encode(), digest_size=8).hexdigest()
    # only the sampled flag has a meaning that may be passed on
    return str(TraceContext(context.trace_id, mark, context.flags & 1))


def last_value(headers: Headers, name: str) -> bytes | None:
    """The value of the last header of that name that has one; None when there is none."""
    for header, value in reversed(headers or ()):
        if header == name and value is not None:
            return value
    return None


def last_text(headers: Headers, name: str) -> str | None:
    """The same as text; None when there is none, when it is empty or no UTF-8."""
    value = last_value(headers, name)
    if not value:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def last_int(headers: Headers, name: str) -> int | None:
    """The same as a whole number of 64 bits in decimal digits; None when there is none."""
    text = last_text(headers, name)
    if text is None or not re.fullmatch(r"-?[0-9]{1,18}", text):
        return None
    return int(text)


def trace_of(headers: Headers) -> str | None:
    """The traceparent to continue; several different ones are none, as the standard demands."""
    found = {value for header, value in headers or () if header == TRACEPARENT and value}
    context = parse_traceparent(found.pop()) if len(found) == 1 else None
    return str(context) if context else None


def without_prefix(headers: Headers, prefix: str = DLQ_PREFIX) -> list[tuple[str, bytes | None]]:
    """All headers but those that start with the prefix: the original ones of a dead letter."""
    return [(name, value) for name, value in headers or () if not name.startswith(prefix)]


ORDER_STATUS = "wb-status"
"""Mapped status of an order record, so that a rebuild decodes only finished orders."""
LEDGER_CARD = "wb-card"
"""State, store, reason, due and claim time of a ledger entry, so that a rebuild decodes nothing."""
LEDGER_ATTENTION = "wb-attention"
"""Why a person should look at a ledger entry whatever its state is; absent when there is nothing to look at."""
SEEN_REREAD = "wb-reread"
"""Store of an import-seen record whose order may have to be read again; absent when it never has."""
