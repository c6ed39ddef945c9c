"""Records that nobody can read, and records that lie on the wrong partition.

Both leave in the transaction that carries the reading position, so none is ever lost or doubled.
"""

from waybill.contracts.codec import DeadReason
from waybill.contracts.keys import partition_of
from waybill.streaming.records import Header, Inbound, Outbound

REROUTED = "wb-rerouted"
"""Header of a record that its reader forwarded to the partition that its key belongs to."""
_ERROR_CHARS_MAX = 500


def dead_letter(
    record: Inbound, reason: DeadReason, detail: str, *, group: str, version: str
) -> Outbound:
    """The record byte for byte, with where it lay and why it could not be read."""
    told: list[Header] = [
        ("dlq.origin-topic", record.topic.encode()),
        ("dlq.origin-partition", str(record.partition).encode()),
        ("dlq.origin-offset", str(record.offset).encode()),
        ("dlq.origin-timestamp", str(record.timestamp_ms).encode()),
        ("dlq.group", group.encode()),
        ("dlq.reason", reason.value.encode()),
        ("dlq.error", detail[:_ERROR_CHARS_MAX].encode()),
        ("dlq.service-version", version.encode()),
    ]
    headers = [*record.headers, *told]
    return Outbound("dead-letters", record.partition, record.key or b"", record.value, headers)


def misplaced(record: Inbound, partitions: int) -> int | None:
    """The partition that the record's key belongs to, when it lies on another one."""
    if record.key is None:
        return None
    right = partition_of(record.key, partitions)
    return None if right == record.partition else right


def forwarded(record: Inbound, right: int) -> Outbound:
    """The record for the right partition; marked, since a second time it is a dead letter."""
    headers = [*record.headers, (REROUTED, str(record.partition).encode())]
    return Outbound(record.topic, right, record.key or b"", record.value, headers)
