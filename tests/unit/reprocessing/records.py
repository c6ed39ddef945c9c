"""Records as they lie on topics, for these tests."""

from datetime import UTC, datetime

from waybill.contracts.keys import partition_of
from waybill.streaming.records import Header, Inbound

T0 = datetime(2026, 11, 23, 15, tzinfo=UTC)
T0_MS = 1_795_446_000_000
KEY = b"sandbox:255201166001024316"
OTHER = b"sandbox:255201166001024317"
PARTITIONS = 12


def shipment_record(
    key: bytes | None = KEY,
    value: bytes | None = b"{}",
    *,
    offset: int = 7,
    headers: tuple[Header, ...] = (),
    at_ms: int = T0_MS,
    partition: int | None = None,
) -> Inbound:
    """A record of `shipments`, on the partition of its key unless another one is named."""
    right = partition_of(key, PARTITIONS) if key else 0
    number = right if partition is None else partition
    return Inbound("shipments", number, offset, key, value, headers, at_ms)


def letter(
    topic: bytes = b"shipments",
    *,
    key: bytes | None = KEY,
    value: bytes | None = b"{}",
    reason: bytes = b"unknown_schema",
    headers: tuple[Header, ...] = (),
) -> Inbound:
    """A dead letter at dead-letters/3/17."""
    told = (
        ("dlq.origin-topic", topic),
        ("dlq.origin-partition", b"3"),
        ("dlq.origin-offset", b"99"),
        ("dlq.reason", reason),
        ("dlq.error", b"no schema has the fingerprint"),
    )
    return Inbound("dead-letters", 3, 17, key, value, (*headers, *told), T0_MS)
