"""The codec: which forms are read, what is written, and what a publisher is told when it cannot be read."""

import io
import json
from typing import Any

import fastavro
import pytest

from tests.unit.contracts.builders import JSON, codec, example, shipment
from waybill.contracts.codec import (
    CONFLUENT,
    Codec,
    DecodeError,
    SchemaBook,
    schema_fingerprint,
    schema_record,
)
from waybill.contracts.files import schema_versions
from waybill.contracts.shipment import Action, Shipment

SHIPMENT = schema_versions()["shipment"][0]


def refused(data: bytes | None, *, allow_json: bool = False, book: SchemaBook | None = None) -> str:
    """`reason: detail` of a shipment that must not be read."""
    with pytest.raises(DecodeError) as caught:
        codec("shipment", book).decode(data, allow_json=allow_json)
    return str(caught.value)


def written_with(schema: Any, values: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), values)
    return out.getvalue()


def newer_shipment() -> Any:
    """Version 2 as a later release may have it: a symbol and a field more, both at the end."""
    newer = json.loads(json.dumps(SHIPMENT))
    action = next(field for field in newer["fields"] if field["name"] == "action")
    action["type"]["symbols"].append("handed_over")
    newer["fields"].append(
        {"name": "weather", "type": ["null", "string"], "default": None, "doc": "New."}
    )
    return newer


def test_a_value_starts_with_the_mark_and_the_fingerprint() -> None:
    encoded = codec("shipment").encode(shipment())

    assert encoded[:2] == b"\xc3\x01"
    assert encoded[2:10] == schema_fingerprint(SHIPMENT)


def test_the_fingerprint_is_that_of_the_specification() -> None:
    # the test vector that Apache Avro publishes for the schema "int" (share/test/data/schema-tests.txt)
    assert int.from_bytes(schema_fingerprint("int"), "little") == 0x7275D51A3F395C8F  # type: ignore[arg-type]


def test_json_is_read_only_where_it_is_allowed() -> None:
    data = json.dumps(JSON).encode()

    assert codec("shipment").decode(data, allow_json=True) == shipment()
    assert refused(data).startswith("unknown_form: the value starts with 7b22")


def test_a_newer_writer_is_read_once_its_schema_is_known() -> None:
    newer = newer_shipment()
    values = shipment().model_dump() | {"action": "handed_over", "weather": "snow"}
    data = b"\xc3\x01" + schema_fingerprint(newer) + written_with(newer, values)
    book = SchemaBook()
    assert refused(data, book=book).startswith("unknown_schema: no schema has the fingerprint ")

    book.learn(newer)

    assert codec("shipment", book).decode(data).action is Action.UNRECOGNISED


def test_learning_a_schema_twice_changes_nothing() -> None:
    book = SchemaBook()
    assert book.learn(newer_shipment()) == book.learn(newer_shipment())


def test_what_is_no_schema_cannot_be_learnt() -> None:
    with pytest.raises(ValueError, match="not an Avro schema"):
        SchemaBook().learn({"type": "nonsense"})


def test_learning_leaves_the_schema_as_it_was() -> None:
    newer = newer_shipment()
    SchemaBook().learn(newer)

    assert newer == newer_shipment()


def test_a_record_of_another_type_is_refused_by_name() -> None:
    data = bytes.fromhex(example("order", "minimal").encoded)

    assert refused(data) == (
        "unreadable: a record com.waybill.v1.Order where com.waybill.v1.Shipment belongs"
    )


class TestConfluentWireFormat:
    """`00`, four bytes of schema id, body; read only where a registry is set."""

    def framed(self, schema: Any, values: Any, schema_id: int = 7) -> bytes:
        return CONFLUENT + schema_id.to_bytes(4, "big") + written_with(schema, values)

    def book(self, schema: Any, schema_id: int = 7) -> SchemaBook:
        book = SchemaBook()
        book.use_registry({schema_id: schema}.__getitem__)
        return book

    def test_without_a_registry_it_says_so(self) -> None:
        data = self.framed(SHIPMENT, shipment().model_dump())

        assert refused(data) == (
            "unknown_schema: Confluent wire format with schema id 7, but no schema registry is set"
        )

    def test_our_schema_in_a_registry_is_read(self) -> None:
        data = self.framed(SHIPMENT, shipment().model_dump())

        assert codec("shipment", self.book(SHIPMENT)).decode(data) == shipment()

    def test_an_id_that_the_registry_does_not_have(self) -> None:
        data = self.framed(SHIPMENT, shipment().model_dump(), schema_id=8)

        assert refused(data, book=self.book(SHIPMENT)).startswith("unknown_schema: schema id 8")

    def test_a_registry_that_is_away_is_no_dead_letter(self) -> None:
        def away(_schema_id: int) -> Any:
            raise ConnectionError("the registry is away")

        book = SchemaBook()
        book.use_registry(away)
        with pytest.raises(ConnectionError):
            codec("shipment", book).decode(self.framed(SHIPMENT, shipment().model_dump()))

    def test_a_registry_is_asked_once_per_schema(self) -> None:
        asked: list[int] = []

        def registry(schema_id: int) -> Any:
            asked.append(schema_id)
            return SHIPMENT

        book = SchemaBook()
        book.use_registry(registry)
        for _ in range(3):
            codec("shipment", book).decode(self.framed(SHIPMENT, shipment().model_dump()))

        assert asked == [7]

    def test_the_scale_of_the_registered_schema_counts_although_the_fingerprint_is_ours(
        self,
    ) -> None:
        coarse = json.loads(json.dumps(SHIPMENT).replace('"scale": 4', '"scale": 2'))
        values = shipment(cost={"amount": "12.50", "currency": "USD"}).model_dump()
        assert schema_fingerprint(coarse) == schema_fingerprint(SHIPMENT)

        read = codec("shipment", self.book(coarse)).decode(self.framed(coarse, values))

        assert str(read.cost.amount) == "12.50"

    @pytest.mark.parametrize("schema", ["string", ["null", "string"], {"type": "int"}])
    def test_a_registered_schema_that_is_no_record(self, schema: Any) -> None:
        data = CONFLUENT + (7).to_bytes(4, "big") + b"\x00"

        assert "where com.waybill.v1.Shipment belongs" in refused(data, book=self.book(schema))

    def test_a_registered_schema_that_is_none(self) -> None:
        data = CONFLUENT + (7).to_bytes(4, "big") + b"\x00"

        assert "schema id 7: not an Avro schema" in refused(
            data, book=self.book({"type": "nonsense"})
        )

    def test_a_registered_schema_that_lacks_a_needed_field(self) -> None:
        small = {**SHIPMENT, "fields": SHIPMENT["fields"][:1]}
        data = self.framed(small, {"order_key": JSON["order_key"]})

        assert refused(data, book=self.book(small)) == (
            "unreadable: the Avro body cannot be read: its schema lacks a field that is needed, or has it "
            "with another type"
        )


class TestTwoStepUpgrade:
    """A release that brings version 2 reads it and still writes version 1, so that it can be taken back."""

    @pytest.fixture
    def versions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        both = {**schema_versions(), "shipment": [SHIPMENT, newer_shipment()]}
        monkeypatch.setattr("waybill.contracts.codec.schema_versions", lambda: both)

    @pytest.mark.usefixtures("versions")
    def test_the_older_version_can_be_written(self) -> None:
        older = Codec(Shipment, "shipment", SchemaBook(), write_version=1)
        newest = Codec(Shipment, "shipment", SchemaBook())

        assert older.header[2:] == schema_fingerprint(SHIPMENT)
        assert newest.header[2:] == schema_fingerprint(newer_shipment())
        assert newest.decode(older.encode(shipment())) == shipment()
        assert older.decode(older.encode(shipment())) == shipment()

    @pytest.mark.usefixtures("versions")
    def test_whoever_writes_the_older_version_reads_the_newer_one(self) -> None:
        older = Codec(Shipment, "shipment", SchemaBook(), write_version=1)
        newer = newer_shipment()
        values = shipment().model_dump() | {"weather": "snow"}

        read = older.decode(b"\xc3\x01" + schema_fingerprint(newer) + written_with(newer, values))

        assert read == shipment()


def test_errors_name_the_field_and_no_value() -> None:
    data = json.dumps({**JSON, "contact_mobile": "Jana Kovářová"}).encode()

    message = refused(data, allow_json=True)

    assert message.startswith("invalid: contact_mobile: ")
    assert "Jana" not in message


def test_many_errors_are_cut_short() -> None:
    packages = [{"weight": {"value": "x", "unit": "kg"}}] * 9

    message = refused(json.dumps({**JSON, "packages": packages}).encode(), allow_json=True)

    assert message.count("packages.") == 5
    assert message.endswith("; and 4 more")


def test_a_schema_is_published_under_its_fingerprint() -> None:
    key, value = schema_record(SHIPMENT)

    assert key == schema_fingerprint(SHIPMENT).hex()
    assert json.loads(value) == SHIPMENT
