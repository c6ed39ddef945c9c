"""What the sandbox's journal and the topics tell at the end; nothing here knows what was done."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from tests.fire.house import House
from tests.fire.stories import BAD
from waybill.contracts import LedgerEntry, Notification, Proof, Shipment
from waybill.contracts.codec import Codec, DecodeError, SchemaBook
from waybill.contracts.headers import (
    DLQ_ERROR,
    DLQ_OFFSET,
    DLQ_PARTITION,
    DLQ_REASON,
    DLQ_TOPIC,
    WB_REROUTED,
    last_text,
)
from waybill.contracts.keys import partition_of
from waybill.demo.sandbox_admin import SiteOrder
from waybill.streaming.records import Inbound

_TOPICS = ("notifications", "ledger", "shipments", "dead-letters", "proofs")

Place = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(frozen=True, slots=True)
class Published:
    """A record of the shipments topic."""

    place: Place
    key: bytes | None
    value: bytes | None
    bad: str | None
    """The reason with which it is to end in the dead letters, if it is a bad one."""
    shipment: Shipment | None
    """None when it cannot be read."""
    misplaced: bool
    rerouted: bool


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead letter."""

    origin: Place
    reason: str
    error: str
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it, each topic in its own order."""

    published: list[Published]
    ledger: list[LedgerEntry]
    notifications: list[Notification]
    dead: list[Dead]
    proofs: dict[str, frozenset[str]]
    """Order key to the hashes of all pages that were ever drawn for it."""
    journal: list[dict[str, Any]]
    site: list[SiteOrder]
    late_acts_pending: int

    def dump(self, folder: Path) -> None:
        """Write all of it as lines of JSON, for whoever looks into a failure."""
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "ledger.jsonl", [_plain(entry) for entry in self.ledger])
        _write(folder / "notifications.jsonl", [_plain(one) for one in self.notifications])
        _write(folder / "shipments.jsonl", [_row(one) for one in self.published])
        _write(folder / "dead-letters.jsonl", [repr(one) for one in self.dead])
        _write(folder / "journal.jsonl", self.journal)


def gather(house: House) -> Evidence:
    """Read everything now. Topics before the journal: what they call confirmed must be in it then."""
    records: dict[str, list[Inbound]] = {topic: [] for topic in _TOPICS}
    for record in house.cluster.read(_TOPICS):
        records[record.topic].append(record)
    book = SchemaBook()
    ledger = Codec(LedgerEntry, "ledger_entry", book)
    notifications = Codec(Notification, "notification", book)
    shipments = Codec(Shipment, "shipment", book)
    totals = house.admin.totals()
    return Evidence(
        published=[_published(house, shipments, record) for record in records["shipments"]],
        ledger=[ledger.decode(record.value) for record in records["ledger"] if record.value],
        notifications=[notifications.decode(record.value) for record in records["notifications"]],
        dead=[_dead(record) for record in records["dead-letters"]],
        proofs=_proofs(Codec(Proof, "proof", book), records["proofs"]),
        journal=list(house.admin.journal(0)),
        site=house.admin.orders(),
        late_acts_pending=totals["late_acts_pending"],
    )


def _published(house: House, codec: Codec[Shipment], record: Inbound) -> Published:
    try:
        shipment = codec.decode(record.value, allow_json=True)
    except DecodeError:
        shipment = None
    key = record.key
    right = record.partition if key is None else partition_of(key, house.kafka.partitions)
    return Published(
        place=(record.topic, record.partition, record.offset),
        key=key,
        value=record.value,
        bad=last_text(record.headers, BAD),
        shipment=shipment,
        misplaced=right != record.partition,
        rerouted=last_text(record.headers, WB_REROUTED) is not None,
    )


def _dead(record: Inbound) -> Dead:
    def told(name: str) -> str:
        return last_text(record.headers, name) or ""

    origin = (told(DLQ_TOPIC), int(told(DLQ_PARTITION)), int(told(DLQ_OFFSET)))
    return Dead(origin, told(DLQ_REASON), told(DLQ_ERROR), record.key, record.value)


def _proofs(codec: Codec[Proof], records: list[Inbound]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for record in records:
        proof = codec.decode(record.value)
        hashes = frozenset(page.sha256 for page in proof.pages)
        found[proof.order_key] = found.get(proof.order_key, frozenset()) | hashes
    return found


def _row(one: Published) -> dict[str, Any]:
    plain = _plain(one.shipment) if one.shipment else None
    marks = {"misplaced": one.misplaced, "rerouted": one.rerouted, "bad": one.bad}
    return {"place": one.place, **marks, "key": (one.key or b"").decode(), "shipment": plain}


def _plain(record: BaseModel) -> dict[str, Any]:
    """Without defaults and without bodies, which stand among the shipments."""
    plain = record.model_dump(exclude_defaults=True)
    return {name: value for name, value in plain.items() if not isinstance(value, bytes)}


def _write(path: Path, rows: list[Any]) -> None:
    path.write_bytes(b"".join(_lines(rows)))


def _lines(rows: list[Any]) -> Iterator[bytes]:
    for row in rows:
        yield orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE)
