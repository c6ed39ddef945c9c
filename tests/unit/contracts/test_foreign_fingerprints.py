"""The wrong fingerprints of other libraries, as those libraries compute them."""

import json
from typing import Any

import avro.schema
import pytest

from waybill.contracts.codec import schema_fingerprint
from waybill.contracts.files import foreign_fingerprints, schema_versions
from waybill.contracts.foreign import foreign_table
from waybill.contracts.release import public_versions

PUBLIC = public_versions(schema_versions())

# computed once by the libraries themselves: hamba/avro 2.31.0 FingerprintUsing(CRC64AvroLE) and its
# package soe, goavro 2.15.0 Codec.Rabin in little-endian order, as in its SingleFromNative
BY_GO = {
    "order v1": {"Go hamba/avro": "6efd7ae4a50db2fa", "Go goavro": "0f5f7b9752cdb366"},
    "shipment v1": {"Go hamba/avro": "473ae1ca66d953be", "Go goavro": "1052ebdb8b3a0485"},
    "notification v1": {"Go hamba/avro": "003a8507f216b4c6", "Go goavro": "7a387ef85cf979a7"},
}


def by_library(table: dict[str, dict[str, str]], record: str) -> dict[str, str]:
    return {row["library"]: mark for mark, row in table.items() if row["record"] == record}


@pytest.mark.parametrize("record", PUBLIC)
def test_python_avro_computes_what_we_say(record: str) -> None:
    schema = schema_versions()[record][0]
    theirs = avro.schema.parse(json.dumps(schema)).fingerprint().hex()

    assert by_library(foreign_table(PUBLIC), f"{record} v1")["Python avro"] == theirs
    assert theirs != schema_fingerprint(schema).hex()


@pytest.mark.parametrize("record", BY_GO)
def test_the_go_libraries_computed_what_we_say(record: str) -> None:
    found = by_library(foreign_table(PUBLIC), record)

    assert {library: found[library] for library in BY_GO[record]} == BY_GO[record]


def test_the_file_holds_all_of_them() -> None:
    assert foreign_fingerprints() == foreign_table(PUBLIC)


def test_every_header_in_the_table_is_the_right_one() -> None:
    for row in foreign_table(PUBLIC).values():
        record, version = row["record"].split(" v")
        right = schema_fingerprint(schema_versions()[record][int(version) - 1])
        assert row["header"] == "c301" + right.hex()


def test_a_schema_without_decimals_and_times_is_computed_right_by_all() -> None:
    plain: dict[str, Any] = {
        "type": "record",
        "name": "Plain",
        "namespace": "com.waybill.v1",
        "fields": [{"name": "id", "type": "string"}],
    }

    rows = foreign_table({"plain": [plain]})

    assert [row["library"] for row in rows.values()] == [
        "a writer that reverses the fingerprint's bytes"
    ]
