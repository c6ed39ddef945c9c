"""What publishers in other languages were seen to send, byte for byte, and what becomes of it.

A value is put together from the parts below, one for each field, so that it can be followed by hand.
"""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.contracts.builders import JSON, KEY, codec, example, shipment
from waybill.contracts import Shipment
from waybill.contracts.codec import DeadReason, DecodeError
from waybill.contracts.identity import check_key
from waybill.contracts.shipment import Action

HEADER = bytes.fromhex("c301dd17e58e96fcb9aa")
ORDER_KEY = bytes.fromhex("34616c69626162613a323535323031313636303031303234333136")
SHIPMENT_ID = bytes.fromhex("0873652d31")  # se-1
CREATE = bytes.fromhex("02")
NO_REVISION = bytes.fromhex("00")
OCCURRED_AT = bytes.fromhex("809d9d81bf68")
NOTHING = bytes.fromhex("00")
FALSE = bytes.fromhex("00")
SHIPPED_AT = bytes.fromhex("02c0aeaf80bf68")
CARRIER = bytes.fromhex("02020a666564657800")  # code fedex, no name
NO_ITEMS = bytes.fromhex("00")
UNKNOWN_COVERAGE = bytes.fromhex("02")


def value(
    *,
    header: bytes = HEADER,
    order_key: bytes = ORDER_KEY,
    action: bytes = CREATE,
    occurred_at: bytes = OCCURRED_AT,
    tracking_number: bytes = NOTHING,
    cost: bytes = NOTHING,
    items: bytes = NO_ITEMS,
    tail: bytes = b"",
) -> bytes:
    """A shipment put together field by field, in the order of the schema."""
    return b"".join(
        [
            header,
            order_key,
            SHIPMENT_ID,
            action,
            NO_REVISION,
            occurred_at,
            NOTHING,  # store_id
            NOTHING,  # source
            FALSE,  # is_return
            SHIPPED_AT,
            NOTHING,  # shipped_at_zone
            NOTHING,  # label_created_at
            tracking_number,
            NOTHING,  # tracking_url
            CARRIER,
            NOTHING,  # logistics_type
            NOTHING,  # contact_mobile
            NOTHING,  # service
            cost,
            NOTHING,  # insurance_cost
            NOTHING,  # note_to_buyer
            NOTHING,  # notify_buyer_by_email
            items,
            UNKNOWN_COVERAGE,
            NOTHING,  # part
            NO_ITEMS,  # packages
            NOTHING,  # ship_from
            NOTHING,  # ship_to
            NOTHING,  # return_to
            FALSE,  # test
            tail,
        ]
    )


def read(data: bytes | None) -> Shipment:
    found: Shipment = codec("shipment").decode(data, allow_json=True)
    return found


def refused(data: bytes | None) -> tuple[DeadReason, str]:
    with pytest.raises(DecodeError) as caught:
        read(data)
    return caught.value.reason, caught.value.detail


def test_the_parts_above_make_a_good_shipment() -> None:
    assert read(value()) == shipment()
    assert codec("shipment").encode(shipment()) == value()


class TestFingerprints:
    """Wrong headers are recognised by the library that computes them."""

    @pytest.mark.parametrize(
        ("header", "culprit"),
        [
            ("c301b0c88e62659d2a96", "Python avro"),
            ("c301473ae1ca66d953be", "Go hamba/avro"),
            ("c301be53d966cae13a47", "Go hamba/avro, with its bytes reversed,"),
            ("c3011052ebdb8b3a0485", "Go goavro"),
            ("c301aab9fc968ee517dd", "a writer that reverses the fingerprint's bytes"),
        ],
    )
    def test_a_library_that_computes_it_wrong_is_named(self, header: str, culprit: str) -> None:
        reason, detail = refused(value(header=bytes.fromhex(header)))

        assert reason is DeadReason.UNKNOWN_SCHEMA
        assert detail == (
            f"no schema has the fingerprint {header[4:]}; that is what {culprit} computes for "
            "shipment v1: paste the header c301dd17e58e96fcb9aa instead"
        )

    def test_any_other_one_is_named_with_the_page_that_lists_all(self) -> None:
        reason, detail = refused(value(header=bytes.fromhex("c3010102030405060708")))

        assert reason is DeadReason.UNKNOWN_SCHEMA
        assert detail == (
            "no schema has the fingerprint 0102030405060708; the headers of all versions are listed in "
            "docs/contracts.md"
        )

    def test_a_body_without_a_header(self) -> None:
        reason, detail = refused(value(header=b""))

        assert reason is DeadReason.UNKNOWN_FORM
        assert detail.startswith("the value starts with 3461; want c301")

    def test_an_object_container_file(self) -> None:
        assert refused(b"Obj\x01\x04\x16avro.schema")[0] is DeadReason.UNKNOWN_FORM

    def test_confluent_framing_without_a_registry(self) -> None:
        reason, detail = refused(value(header=bytes.fromhex("0000000007")))

        assert reason is DeadReason.UNKNOWN_SCHEMA
        assert detail == "Confluent wire format with schema id 7, but no schema registry is set"


class TestDecimals:
    """Big-endian two's complement of the unscaled value; scale 4, at most 18 digits."""

    @pytest.mark.parametrize(
        ("unscaled", "amount"),
        [
            ("095894", "61.25"),
            ("00095894", "61.25"),  # sign padding
            ("0000000000095894", "61.25"),
            ("80", "-0.0128"),
            ("ff80", "-0.0128"),
            ("ffffffffffffff80", "-0.0128"),
            ("", "0"),  # some writers have no byte for zero
            ("00", "0"),
            ("0de0b6b3a763ffff", "99999999999999.9999"),  # 18 digits
            ("f21f494c589c0001", "-99999999999999.9999"),
        ],
    )
    def test_equal_values_in_other_bytes_are_equal(self, unscaled: str, amount: str) -> None:
        raw = bytes.fromhex(unscaled)
        money = b"\x02" + bytes([2 * len(raw)]) + raw + bytes.fromhex("06555344")

        cost = read(value(cost=money)).cost

        assert cost is not None
        assert cost.amount == Decimal(amount)

    @pytest.mark.parametrize(
        "unscaled", ["0de0b6b3a7640000", "f21f494c589c0000", "7fffffffffffffff"]
    )
    def test_more_digits_than_the_precision_are_refused_not_rounded(self, unscaled: str) -> None:
        money = bytes.fromhex("0210" + unscaled + "06555344")

        assert refused(value(cost=money)) == (
            DeadReason.UNREADABLE,
            "the Avro body cannot be read: a decimal has more than 18 digits",
        )

    def test_a_decimal_of_thousands_of_bytes_is_refused(self) -> None:
        money = b"\x02" + bytes.fromhex("80fa01") + b"\x7f" * 16_000 + bytes.fromhex("06555344")

        assert refused(value(cost=money))[0] is DeadReason.UNREADABLE


class TestBrokenBodies:
    """Each raises another exception in the Avro library; all have to end as dead letters."""

    @pytest.mark.parametrize(
        ("data", "detail"),
        [
            (value()[:-1], "the Avro body cannot be read: it ends too early"),
            (HEADER, "the Avro body cannot be read: it ends too early"),
            (value(tail=b"\x00"), "1 bytes after the end of the Avro body"),
            (value(tail=b"\r\n"), "2 bytes after the end of the Avro body"),
            (
                value(action=bytes.fromhex("08")),  # symbol 4 of 4
                "the Avro body cannot be read: it names a symbol of an enum that the schema does not have",
            ),
            (
                value(action=bytes.fromhex("01")),  # symbol -1: an indexOf that found nothing
                "the Avro body cannot be read: it names a symbol of an enum that the schema does not have",
            ),
            (
                value(action=bytes.fromhex("07")),  # symbol -4
                "the Avro body cannot be read: it names a symbol of an enum that the schema does not have",
            ),
            (
                value(cost=bytes.fromhex("04")),  # branch 2 of a union of two
                (
                    "the Avro body cannot be read: it names a branch of a union or a symbol of an enum "
                    "that the schema does not have"
                ),
            ),
            (
                value(tracking_number=bytes.fromhex("0208ff31fe32")),
                "the Avro body cannot be read: a text is not UTF-8",
            ),
            (
                value(
                    tracking_number=bytes.fromhex("0206eda080")
                ),  # a lone surrogate, as avsc writes it
                "the Avro body cannot be read: a text is not UTF-8",
            ),
            (
                value(occurred_at=bytes.fromhex("80f0fea1fa9d73")),  # year 10000
                "the Avro body cannot be read: a time lies outside of the years 1 to 9999",
            ),
            (
                value(occurred_at=bytes.fromhex("feffffffffffffffff01")),  # 2^63 - 1 ms
                "the Avro body cannot be read: a time lies outside of the years 1 to 9999",
            ),
            (
                value(order_key=bytes.fromhex("feffffffffffffffff01")),  # a text of 2^63 - 1 bytes
                "the Avro body cannot be read: it ends too early",
            ),
        ],
    )
    def test_a_broken_body_is_a_dead_letter_that_says_why(self, data: bytes, detail: str) -> None:
        assert refused(data) == (DeadReason.UNREADABLE, detail)

    def test_an_unknown_action_stays_unrecognised(self) -> None:
        assert read(value(action=bytes.fromhex("00"))).action is Action.UNRECOGNISED


class TestBlocks:
    """Arrays and maps may come in several blocks, with or without their length in bytes."""

    ITEM = bytes.fromhex("00" + "00" + "020241" + "044e20" + "00" + "00")  # name A, quantity 2

    @pytest.mark.parametrize(
        "items",
        [
            "02 {item} 02 {item} 00",  # two blocks of one
            "04 {item} {item} 00",  # one block of two
            "03 {two} {item} {item} 00",  # one block of two, with its length
            "01 {one} {item} 01 {one} {item} 00",  # two blocks of one, with their lengths
        ],
    )
    def test_all_ways_to_write_two_items_are_equal(self, items: str) -> None:
        length = 2 * len(self.ITEM)
        raw = bytes.fromhex(
            items.format(
                item=self.ITEM.hex(), one=f"{length:02x}", two=f"{2 * length:02x}"
            ).replace(" ", "")
        )

        found = read(value(items=raw)).items

        assert [(item.name, item.quantity) for item in found] == [
            ("A", Decimal(2)),
            ("A", Decimal(2)),
        ]

    def test_maps_are_equal_in_any_order(self) -> None:
        orders = codec("order")
        one, other = ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
        bare = orders.decode(bytes.fromhex(example("order", "minimal").encoded))

        encoded = [orders.encode(bare.model_copy(update={"tags": tags})) for tags in (one, other)]

        assert encoded[0] != encoded[1]
        assert orders.decode(encoded[0]) == orders.decode(encoded[1])


class TestJson:
    """JSON is the simple way in: with texts for ids and amounts, and an offset on every time."""

    def sent(self, **changed: Any) -> bytes:
        return json.dumps({**JSON, **changed}).encode()

    def test_a_number_as_an_id_is_refused_since_it_may_have_lost_digits(self) -> None:
        reason, detail = refused(self.sent(shipment_id=255201166001024316))

        assert reason is DeadReason.INVALID
        assert detail == "shipment_id: Input should be a valid string"

    def test_a_time_without_an_offset_is_refused(self) -> None:
        reason, detail = refused(self.sent(occurred_at="2026-11-20T08:30:00"))

        assert reason is DeadReason.INVALID
        assert detail == (
            "occurred_at: a time without an offset; write it like 2026-11-23T15:50:00Z"
        )

    def test_a_time_with_an_offset_is_kept_in_utc(self) -> None:
        assert read(self.sent(occurred_at="2026-11-20T16:30:00+08:00")) == shipment()

    def test_a_time_that_ends_beyond_year_9999_in_utc_is_refused(self) -> None:
        assert refused(self.sent(occurred_at="9999-12-31T23:59:59-23:00"))[0] is DeadReason.INVALID

    def test_an_amount_as_a_number_keeps_its_digits(self) -> None:
        data = self.sent(cost={"amount": 0, "currency": "USD"}).replace(
            b'"amount": 0', b'"amount": 12345678901234.5678'
        )

        cost = read(data).cost

        assert cost is not None
        assert str(cost.amount) == "12345678901234.5678"

    @pytest.mark.parametrize("amount", ["NaN", "Infinity", "1.23456", "123456789012345"])
    def test_an_amount_that_does_not_fit_is_refused(self, amount: str) -> None:
        reason, detail = refused(self.sent(cost={"amount": amount, "currency": "USD"}))

        assert reason is DeadReason.INVALID
        assert detail.startswith("cost.amount: ")

    def test_a_revision_beyond_64_bits_is_refused(self) -> None:
        assert refused(self.sent(revision=2**63))[0] is DeadReason.INVALID
        assert read(self.sent(revision=2**63 - 1)).effective_revision == 2**63 - 1

    @pytest.mark.parametrize(
        "data",
        [
            b'{"note_to_buyer": "\\ud800"}',  # half an emoji
            b"{\xff\xfe",
            b"{",
            b'{"a": 1}{"b": 2}',
            b'{"a": NaN}',
            b'{"a":' + b"[" * 100_000,
        ],
    )
    def test_what_is_no_json_is_a_dead_letter(self, data: bytes) -> None:
        assert refused(data)[0] is DeadReason.INVALID

    def test_a_lone_surrogate_is_refused_by_field(self) -> None:
        reason, detail = refused(self.sent(note_to_buyer="half an emoji \ud83c"))

        assert reason is DeadReason.INVALID
        assert detail.startswith("note_to_buyer: ")

    def test_an_empty_tracking_number_is_one_that_is_not_known_yet(self) -> None:
        assert read(self.sent(tracking_number=" ")) == shipment()

    def test_unknown_fields_are_left_aside(self) -> None:
        assert read(self.sent(trackingNumber="1Z")) == shipment()


class TestKeys:
    """The key is part of the contract: it decides who judges the order."""

    @pytest.mark.parametrize("key", [None, b""])
    def test_a_missing_key(self, key: bytes | None) -> None:
        with pytest.raises(DecodeError) as caught:
            check_key(key, shipment())
        assert caught.value.reason is DeadReason.NO_KEY
        assert caught.value.detail == f"no record key; publish with the key {KEY}"

    @pytest.mark.parametrize(
        "key",
        [b"alibaba:1", b"255201166001024316", f'"{KEY}"'.encode(), b"\xff", b"jana@example.com"],
    )
    def test_a_key_that_contradicts_the_body_is_not_repeated(self, key: bytes) -> None:
        with pytest.raises(DecodeError) as caught:
            check_key(key, shipment())
        assert caught.value.reason is DeadReason.KEY_MISMATCH
        assert caught.value.detail == f"the record key is another one; publish with the key {KEY}"

    def test_the_right_key(self) -> None:
        check_key(KEY.encode(), shipment())

    def test_a_tombstone(self) -> None:
        assert refused(None) == (
            DeadReason.NO_VALUE,
            "a tombstone: this topic takes no deletions",
        )

    def test_an_empty_value(self) -> None:
        reason, detail = refused(b"")

        assert reason is DeadReason.UNKNOWN_FORM
        assert detail.startswith("the value starts with nothing; want c301")
