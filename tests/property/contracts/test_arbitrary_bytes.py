"""Whatever lies on a topic, decoding answers with a record or a DecodeError: nothing else ends a stream."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from waybill.contracts import RECORDS
from waybill.contracts.base import Record
from waybill.contracts.codec import Codec, DecodeError, SchemaBook
from waybill.contracts.examples import examples

BOOK = SchemaBook()
CODECS: dict[str, Codec[Any]] = {name: Codec(model, name, BOOK) for name, model in RECORDS.items()}
FULL = {e.record: bytes.fromhex(e.encoded) for e in examples() if e.name == "full"}
BUSY_MACHINE = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def decode(name: str, data: bytes) -> None:
    """Fails the test when anything but a record or a DecodeError comes out."""
    with contextlib.suppress(DecodeError):
        assert isinstance(CODECS[name].decode(data, allow_json=True), Record)


@pytest.mark.parametrize("name", RECORDS)
@BUSY_MACHINE
@given(data=st.binary(max_size=200))
def test_any_bytes(name: str, data: bytes) -> None:
    decode(name, data)


@pytest.mark.parametrize("name", RECORDS)
@BUSY_MACHINE
@given(body=st.binary(max_size=400))
def test_any_body_behind_the_right_header(name: str, body: bytes) -> None:
    decode(name, CODECS[name].header + body)


@pytest.mark.parametrize("name", RECORDS)
@BUSY_MACHINE
@given(data=st.data())
def test_a_good_record_with_some_bytes_changed(name: str, data: st.DataObject) -> None:
    broken = bytearray(FULL[name])
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))

    decode(name, bytes(broken))


@pytest.mark.parametrize("name", RECORDS)
@BUSY_MACHINE
@given(data=st.data())
def test_every_beginning_of_a_good_record_is_refused(name: str, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, len(FULL[name]) - 1))

    with pytest.raises(DecodeError):
        CODECS[name].decode(FULL[name][:length])


@BUSY_MACHINE
@given(rest=st.text())
@example(rest='"revision":1e400}')
@example(rest='"revision":' + "9" * 5_000 + "}")
@example(rest='"cost":{"amount":1e99999999999999999999,"currency":"USD"}}')
@example(rest='"occurred_at":"9999-12-31T23:59:59-23:59"}')
@example(rest='"occurred_at":1e300}')
@example(rest='"occurred_at":-99999999999999999999}')
@example(rest='"note_to_buyer":"\\ud800"}')
@example(rest='"items":' + "[" * 100_000)
def test_anything_that_begins_like_json(rest: str) -> None:
    decode("shipment", b"{" + rest.encode("utf-8", "surrogatepass"))


@BUSY_MACHINE
@given(values=st.dictionaries(st.sampled_from([*RECORDS["shipment"].model_fields]), json_values))
def test_any_json_under_the_right_names(values: dict[str, Any]) -> None:
    decode("shipment", json.dumps(values).encode())


@BUSY_MACHINE
@given(changed=st.sampled_from([*RECORDS["shipment"].model_fields]), value=json_values)
def test_a_good_shipment_with_one_field_changed(changed: str, value: Any) -> None:
    good = next(e for e in examples() if (e.record, e.name) == ("shipment", "minimal"))

    decode("shipment", json.dumps({**good.value, changed: value}).encode())
