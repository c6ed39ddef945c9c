"""Whatever a model accepts comes back unchanged from its bytes, and from JSON."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.contracts.strategies import records
from waybill.contracts import RECORDS, Shipment
from waybill.contracts.codec import SINGLE_OBJECT, Codec, SchemaBook, schema_fingerprint

BOOK = SchemaBook()
CODECS: dict[str, Codec[Any]] = {name: Codec(model, name, BOOK) for name, model in RECORDS.items()}
# large records take Hypothesis long to draw; a time limit would only fail on busy machines
SLOW_TO_DRAW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("name", RECORDS)
@SLOW_TO_DRAW
@given(data=st.data())
def test_a_record_comes_back_from_its_bytes(name: str, data: st.DataObject) -> None:
    record = data.draw(records(RECORDS[name]))

    encoded = CODECS[name].encode(record)

    assert encoded[:10] == SINGLE_OBJECT + schema_fingerprint(CODECS[name].schema)
    assert CODECS[name].decode(encoded) == record


@SLOW_TO_DRAW
@given(shipment=records(Shipment))
def test_a_shipment_comes_back_from_json(shipment: Shipment) -> None:
    as_json = shipment.model_dump_json().encode()

    assert CODECS["shipment"].decode(as_json, allow_json=True) == shipment


@SLOW_TO_DRAW
@given(shipment=records(Shipment))
def test_json_and_avro_say_the_same(shipment: Shipment) -> None:
    codec = CODECS["shipment"]

    from_json = codec.decode(shipment.model_dump_json().encode(), allow_json=True)

    assert codec.encode(from_json) == codec.encode(shipment)
