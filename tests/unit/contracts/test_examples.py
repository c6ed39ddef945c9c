"""The examples are what they say: bytes, keys and partitions, for every version and in both directions."""

import io
import json
from typing import Any

import fastavro
import pytest
from confluent_kafka import murmur2 as librdkafka_murmur2

from tests.unit.contracts.builders import codec, example
from waybill.contracts import RECORDS, Claim, LedgerEntry, Order, Shipment
from waybill.contracts.codec import SINGLE_OBJECT, SchemaBook, schema_fingerprint
from waybill.contracts.examples import Example, codec_of, examples
from waybill.contracts.files import schema_versions
from waybill.contracts.identity import partition_key, record_key

ALL = [pytest.param(one, id=f"{one.record}-v{one.version}-{one.name}") for one in examples()]


@pytest.mark.parametrize("one", ALL)
def test_the_bytes_decode_to_the_value(one: Example) -> None:
    assert codec(one.record).decode(bytes.fromhex(one.encoded)) == one.model()


@pytest.mark.parametrize("one", ALL)
def test_the_value_encodes_to_the_bytes(one: Example) -> None:
    writer = codec_of(one.record, one.version, SchemaBook())

    assert writer.encode(one.model()).hex() == one.encoded


@pytest.mark.parametrize("one", ALL)
def test_the_header_is_that_of_its_version(one: Example) -> None:
    schema = schema_versions()[one.record][one.version - 1]

    assert one.header == (SINGLE_OBJECT + schema_fingerprint(schema)).hex()
    assert one.encoded.startswith(one.header)


@pytest.mark.parametrize("one", ALL)
def test_key_and_partition_are_those_of_another_implementation(one: Example) -> None:
    assert one.key == record_key(one.model())
    assert one.partition_of_12 == librdkafka_murmur2(partition_key(one.model()).encode(), 12)


@pytest.mark.parametrize("one", ALL)
def test_every_version_reads_it_and_what_others_make_of_it(one: Example) -> None:
    body = io.BytesIO(bytes.fromhex(one.encoded)[10:])
    writer = schema_versions()[one.record][one.version - 1]
    for reader in schema_versions()[one.record]:
        body.seek(0)
        values: Any = fastavro.schemaless_reader(body, writer, reader)
        assert values.keys() == {field["name"] for field in reader["fields"]}


@pytest.mark.parametrize("record", RECORDS)
def test_the_full_example_sets_every_field(record: str) -> None:
    values = codec(record).decode(bytes.fromhex(example(record, "full").encoded)).model_dump()
    empty = {name for name, value in values.items() if value is None or value == ()}

    # a proof has pages or a refusal, an order that can be shipped has no reason why not, and a command
    # about an order names no loss; facts about an order are none about a SKU
    of_sku = {"sku", "weight", "warehouse_location"} if record == "enrichment" else set()
    assert empty <= {"refusal", "refusal_detail", "not_importable", "loss_id"} | of_sku


@pytest.mark.parametrize("record", RECORDS)
def test_the_minimal_example_names_needed_fields_only(record: str) -> None:
    needed = {name for name, field in RECORDS[record].model_fields.items() if field.is_required()}
    extra = {
        "order": {"not_importable"},
        "shipment": {"shipped_at", "carrier", "tracking_number"},  # needed unless void
        "proof": {"refusal", "refusal_detail"},
        "enrichment": {"sku", "warehouse_location"},
    }

    assert example(record, "minimal").value.keys() == needed | extra.get(record, set())


def test_carried_bytes_are_readable_records() -> None:
    for name in ("full", "minimal"):
        claim = example("claim", name).model()
        assert isinstance(claim, Claim)
        assert isinstance(codec("shipment").decode(claim.shipment), Shipment)
        assert isinstance(codec("order").decode(claim.order), Order)


def test_a_finished_ledger_entry_is_small_and_carries_no_personal_data() -> None:
    finished = example("ledger_entry", "finished")
    entry = finished.model()
    assert isinstance(entry, LedgerEntry)

    assert len(finished.encoded) // 2 <= 400
    assert (entry.shipment, entry.order, entry.parts) == (None, None, ())


def test_no_example_uses_an_enum_symbol_that_means_unknown() -> None:
    assert not [one for one in examples() if "UNRECOGNISED" in json.dumps(one.value)]
