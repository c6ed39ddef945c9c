"""Records that nobody can read, and records that lie on the wrong partition.

Both leave in the transaction that carries the reading position, so none is ever lost or doubled.
"""

from waybill import __version__
from waybill.contracts.codec import DeadReason
from waybill.contracts.headers import (
    DLQ_ERROR,
    DLQ_GROUP,
    DLQ_OFFSET,
    DLQ_PARTITION,
    DLQ_REASON,
    DLQ_TIME,
    DLQ_TIMESTAMP,
    DLQ_TOPIC,
    DLQ_TRUNCATED,
    DLQ_VERSION,
    WB_REROUTED,
    rfc3339,
)
from waybill.contracts.keys import partition_of
from waybill.streaming.records import Inbound, Outbound

_ERROR_CHARS_MAX = 500
_BATCH_BYTES = 128
"""More than Kafka writes around the only record of a batch."""
_BYTES_MAX = 8 * 1024 * 1024 - 65_536
"""The topic takes 8 MiB. A proof comes near it, and so does what its publisher had compressed."""


def dead_letter(
    record: Inbound, reason: DeadReason, detail: str, *, group: str, now_ms: int
) -> Outbound:
    """The record byte for byte, with where it lay and why it could not be read."""
    told = {
        DLQ_TOPIC: record.topic,
        DLQ_PARTITION: str(record.partition),
        DLQ_OFFSET: str(record.offset),
        DLQ_TIMESTAMP: str(record.timestamp_ms),
        DLQ_GROUP: group,
        DLQ_REASON: reason.value,
        DLQ_ERROR: detail[:_ERROR_CHARS_MAX],
        DLQ_VERSION: __version__,
        DLQ_TIME: rfc3339(now_ms),
    }
    value = record.value
    room = _BYTES_MAX - _bytes_beside_value(record)
    if value is not None and len(value) > room:
        told[DLQ_TRUNCATED] = str(len(value))
        value = value[: max(0, room)]
    headers = [*record.headers, *((name, text.encode()) for name, text in told.items())]
    return Outbound("dead-letters", record.partition, record.key, value, headers)


def fits(output: Outbound, bytes_max: int) -> bool:
    """Whether a topic of that limit surely takes the record, uncompressed as it will be written."""
    return _bytes_beside_value(output) + len(output.value or b"") + _BATCH_BYTES <= bytes_max


def _bytes_beside_value(record: Inbound | Outbound) -> int:
    headers = sum(len(name) + len(value or b"") + 10 for name, value in record.headers)
    return len(record.key or b"") + headers


def misplaced(record: Inbound, partitions: int) -> int | None:
    """The partition that the record's key belongs to, when it lies on another one."""
    if record.key is None:
        return None
    right = partition_of(record.key, partitions)
    return None if right == record.partition else right


def forwarded(record: Inbound, right: int) -> Outbound:
    """The record for the right partition; marked, since a second time it is a dead letter."""
    headers = [*record.headers, (WB_REROUTED, str(record.partition).encode())]
    return Outbound(record.topic, right, record.key, record.value, headers)
