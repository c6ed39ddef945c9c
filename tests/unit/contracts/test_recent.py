"""Remembering decoded records: the same bytes give the same record, within limits."""

import pytest

from waybill.contracts import Shipment
from waybill.contracts.codec import Codec, DecodeError, SchemaBook
from waybill.contracts.examples import examples
from waybill.contracts.recent import RecentlyDecoded

CODEC = Codec(Shipment, "shipment", SchemaBook())
FRAMED = [bytes.fromhex(e.encoded) for e in examples() if e.record == "shipment"]


def test_equal_bytes_give_the_very_record_that_was_decoded_before() -> None:
    recent = RecentlyDecoded(CODEC)

    first = recent.decode(FRAMED[0])

    assert first == CODEC.decode(FRAMED[0])
    assert recent.decode(bytes(bytearray(FRAMED[0]))) is first


def test_other_bytes_give_their_own_record() -> None:
    recent = RecentlyDecoded(CODEC)

    assert [recent.decode(framed) for framed in FRAMED] == [CODEC.decode(f) for f in FRAMED]


def test_a_record_over_the_limit_is_decoded_each_time() -> None:
    recent = RecentlyDecoded(CODEC, record_bytes_max=len(FRAMED[0]) - 1)

    assert recent.decode(FRAMED[0]) == CODEC.decode(FRAMED[0])
    assert recent.decode(FRAMED[0]) is not recent.decode(FRAMED[0])


def test_no_more_records_than_asked_are_kept() -> None:
    recent = RecentlyDecoded(CODEC, records_max=1)
    first = recent.decode(FRAMED[0])

    recent.decode(FRAMED[1])

    assert recent.decode(FRAMED[0]) is not first


def test_what_could_not_be_decoded_is_tried_again() -> None:
    """Its schema may be learnt in between."""
    book = SchemaBook()
    recent = RecentlyDecoded(Codec(Shipment, "shipment", book))
    newer = dict(CODEC.schema)
    newer["fields"] = [*newer["fields"], {"name": "later", "type": "int", "default": 0}]
    book_of_writer = SchemaBook()
    mark = book_of_writer.learn(newer)
    framed = b"\xc3\x01" + mark + FRAMED[0][10:] + b"\x00"
    with pytest.raises(DecodeError, match="no schema has the fingerprint"):
        recent.decode(framed)

    book.learn(newer)

    assert recent.decode(framed) == CODEC.decode(FRAMED[0])


@pytest.mark.parametrize("value", [None, b"{}"])
def test_tombstones_and_json_are_refused_as_the_codec_does(value: bytes | None) -> None:
    with pytest.raises(DecodeError):
        RecentlyDecoded(CODEC).decode(value)
