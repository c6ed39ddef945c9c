"""One partition's view of the enrichments: newest facts, strays forwarded once, junk given up."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.importer.enrichments import EnrichmentView
from services.importer.metrics import ImporterMetrics
from tests.simulation.disk import Disk, ModelStore
from tests.unit.importer.answers import NOW
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.enrichment import Enrichment, enrichment_key
from waybill.contracts.headers import DLQ_REASON, WB_REROUTED
from waybill.contracts.keys import partition_of
from waybill.metrics import Registry
from waybill.streaming.ports import Batch
from waybill.streaming.records import Inbound, Outbound
from waybill.streaming.store import Changes

PARTITIONS = 3
STORE = "sandbox-1"
MINE = partition_of(STORE, PARTITIONS)
CODEC = Codec(Enrichment, "enrichment", SchemaBook())
SECOND = timedelta(seconds=1)


class Desk:
    """A view whose changes are committed at once."""

    def __init__(self, number: int = MINE) -> None:
        self.number = number
        self.store: ModelStore = Disk().open(Path("p"), "one", lambda: None)
        self.restart()

    def restart(self) -> None:
        metrics = ImporterMetrics(Registry())
        self.view = EnrichmentView(self.number, PARTITIONS, self.store, CODEC, metrics)

    def take(self, *records: Inbound) -> list[str | None]:
        changes = Changes()
        found = [self.view.take(changes, record) for record in records]
        self.store.apply(changes, {})
        return found

    def flush(self) -> list[Outbound]:
        batch = Batch()
        self.view.flush(batch, "group", 0)
        self.store.apply(batch.changes, {})
        return batch.outputs

    def place(self, sku: str = "A") -> str | None:
        facts = self.view.facts(STORE, "1", (sku,)).by_code.get(sku)
        return facts.warehouse_location if facts else None


@pytest.fixture
def desk() -> Desk:
    return Desk()


def facts(place: str, later_s: int = 0, **changes: Any) -> Enrichment:
    given_at = NOW + later_s * SECOND
    values = {"store_id": STORE, "sku": "A", "given_at": given_at, "warehouse_location": place}
    return Enrichment.model_validate(values | changes)


def record(given: Enrichment, number: int = MINE, offset: int = 0, *headers: Any) -> Inbound:
    key = enrichment_key(given).encode()
    return Inbound("enrichments", number, offset, key, CODEC.encode(given), headers, 0)


def test_the_newest_facts_count_whatever_their_order(desk: Desk) -> None:
    key = f"{STORE}/sku/A"
    found = desk.take(record(facts("new", 5)), record(facts("old")), record(facts("newest", 6)))
    assert found == [key, None, key]
    assert desk.place() == "newest"
    assert desk.take(record(facts("old", 1))) == [None]
    assert desk.place() == "newest"


def test_a_tombstone_takes_facts_back(desk: Desk) -> None:
    desk.take(record(facts("A1")))
    gone = record(facts("A1"))._replace(value=None)
    assert desk.take(gone) == [f"{STORE}/sku/A"]
    assert desk.place() is None


def test_facts_about_the_order_and_its_items_come_together(desk: Desk) -> None:
    note = facts("x", sku=None, trade_id="1", warehouse_location=None, internal_note="Call")
    desk.take(record(note), record(facts("A1")), record(facts("B1", sku="B")))
    found = desk.view.facts(STORE, "1", ("A", "C"))
    assert found.order == note
    assert set(found.by_code) == {"A"}
    assert not desk.view.facts(STORE, "2", ("C",))


def test_a_stray_is_forwarded_once_and_taken_away_after_any_restart() -> None:
    wrong = (MINE + 1) % PARTITIONS
    desk = Desk(wrong)
    stray = record(facts("A1"), wrong)
    assert desk.take(stray) == [None]
    desk.restart()
    assert desk.view.waiting
    forwarded, mark = desk.flush()
    assert (forwarded.partition, forwarded.key, forwarded.value) == (MINE, stray.key, stray.value)
    assert (mark.partition, mark.key, mark.value) == (wrong, stray.key, None)
    assert mark.headers[0][0] == WB_REROUTED
    assert desk.flush() == []
    # the view is lost, and the topic read again from its beginning
    again = Desk(wrong)
    read = Inbound("enrichments", wrong, 1, mark.key, None, mark.headers, 0)
    again.take(stray, read)
    assert again.flush() == []


def test_what_is_forwarded_and_wrong_again_is_given_up() -> None:
    wrong = (MINE + 1) % PARTITIONS
    desk = Desk(wrong)
    desk.take(record(facts("A1"), wrong, 0, (WB_REROUTED, b"0")))
    (letter,) = desk.flush()
    assert letter.topic == "dead-letters"
    assert (DLQ_REASON, b"wrong_partition") in letter.headers


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": b"junk"}, b"unknown_form"),
        ({"key": b"junk"}, b"key_mismatch"),
        ({"key": None}, b"key_mismatch"),
        ({"key": f"{STORE}/sku/B".encode()}, b"key_mismatch"),
    ],
)
def test_what_nobody_can_read_is_a_dead_letter_byte_for_byte(
    desk: Desk, change: dict[str, Any], reason: bytes
) -> None:
    bad = record(facts("A1"))._replace(**change)
    assert desk.take(bad) == [None]
    (letter,) = desk.flush()
    assert (letter.key, letter.value) == (bad.key, bad.value)
    assert (DLQ_REASON, reason) in letter.headers
