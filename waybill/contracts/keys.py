"""The order key and the partition it belongs to.

An order is `<site>:<trade_id>` and nothing else, so that a seller who connects twice still has one
ledger entry per order. Kafka's murmur2 decides the partition; librdkafka's default (CRC32) does not.
"""

import re
from typing import NamedTuple

_SITE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TRADE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MASK = 0xFFFFFFFF
_M = 0x5BD1E995
_SEED = 0x9747B28C


class OrderKey(NamedTuple):
    """Where the order was made, and its number there."""

    site: str
    trade_id: str

    def __str__(self) -> str:
        return f"{self.site}:{self.trade_id}"


def order_key(site: str, trade_id: str) -> str:
    """`alibaba:255201166001024316`; raises ValueError when a part has another form."""
    if not _SITE.fullmatch(site):
        raise ValueError(f"site {site!r}: want a lower-case name such as 'alibaba' or 'sandbox'")
    if not _TRADE_ID.fullmatch(trade_id):
        raise ValueError(f"trade id {trade_id!r}: want 1 to 64 letters, digits, '-' or '_'")
    return f"{site}:{trade_id}"


def parse_order_key(text: str) -> OrderKey:
    """Both parts of an order key; raises ValueError with what to write instead."""
    site, colon, trade_id = text.partition(":")
    if not colon:
        raise ValueError(
            f"order key {text!r}: want <site>:<trade_id>, e.g. alibaba:255201166001024316"
        )
    order_key(site, trade_id)
    return OrderKey(site, trade_id)


def shown_key(key: bytes | None) -> str | None:
    """A record key as anybody may see it: a foreign one may be a buyer's name, so only order keys are told."""
    if key is None:
        return None
    text = key.decode(errors="replace")
    try:
        return str(parse_order_key(text))
    except ValueError:
        return f"no order key, {len(key)} bytes"


def murmur2(data: bytes) -> int:
    """Kafka's murmur2 as a signed 32-bit integer (org.apache.kafka.common.utils.Utils)."""
    length = len(data)
    h = _SEED ^ length
    for i in range(0, length - 3, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    if tail := data[length & ~3 :]:
        h = (h ^ int.from_bytes(tail, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    h ^= h >> 15
    return h - 0x100000000 if h & 0x80000000 else h


def partition_of(key: str | bytes, partition_count: int) -> int:
    """The partition that Java's default partitioner gives this key."""
    data = key.encode() if isinstance(key, str) else key
    return (murmur2(data) & 0x7FFFFFFF) % partition_count
