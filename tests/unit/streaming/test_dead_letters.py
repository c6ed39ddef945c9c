"""Dead letters and forwarded records: byte for byte, with where they lay."""

import pytest

from waybill.contracts.codec import DeadReason
from waybill.contracts.keys import partition_of
from waybill.streaming.dead_letters import dead_letter, forwarded, misplaced
from waybill.streaming.records import Header, Inbound, Outbound

KEY = b"alibaba:255201166001024316"
HEADERS: tuple[Header, ...] = (("traceparent", b"00-ab-cd-01"), ("empty", None), ("twice", b"1"))
RECORD = Inbound("shipments", 7, 41, KEY, b"\x00\xffnot avro", HEADERS, 1_795_449_600_000)


def _dead(record: Inbound = RECORD, detail: str = "too short") -> Outbound:
    return dead_letter(record, DeadReason.UNREADABLE, detail, group="wb", now_ms=1_795_449_600_123)


def _headers(output: Outbound) -> dict[str, bytes | None]:
    return dict(output.headers)


def test_a_dead_letter_keeps_key_value_and_headers_as_they_came() -> None:
    letter = _dead()

    assert (letter.topic, letter.partition) == ("dead-letters", 7)
    assert (letter.key, letter.value) == (KEY, RECORD.value)
    assert tuple(letter.headers[: len(HEADERS)]) == HEADERS


def test_a_dead_letter_says_where_it_lay_and_why_it_is_here() -> None:
    told = _headers(_dead())

    assert told["dlq.origin-topic"] == b"shipments"
    assert told["dlq.origin-partition"] == b"7"
    assert told["dlq.origin-offset"] == b"41"
    assert told["dlq.origin-timestamp"] == b"1795449600000"
    assert told["dlq.group"] == b"wb"
    assert told["dlq.reason"] == b"unreadable"
    assert told["dlq.error"] == b"too short"
    assert told["dlq.time"] == b"2026-11-23T16:00:00.123Z"
    assert told["dlq.service-version"]


@pytest.mark.parametrize("value", [None, b""])
@pytest.mark.parametrize("key", [None, b""])
def test_a_record_without_key_or_value_stays_so(key: bytes | None, value: bytes | None) -> None:
    record = Inbound("shipments", 0, 0, key, value, (), 0)

    assert (_dead(record).key, _dead(record).value) == (key, value)


def test_a_long_explanation_is_cut() -> None:
    told = _headers(_dead(detail="é" * 10_000))["dlq.error"]

    assert told is not None
    assert told.decode() == "é" * 500


LIMIT_BYTES = 8 * 1024 * 1024


@pytest.mark.parametrize("header_bytes", [0, 1_000, 300_000])
def test_what_is_larger_than_the_topic_takes_is_cut_and_marked(header_bytes: int) -> None:
    value = bytes(range(256)) * (LIMIT_BYTES // 256)
    record = Inbound("proofs", 0, 0, KEY, value, (("h", b"x" * header_bytes),), 0)

    letter = _dead(record)

    assert letter.value is not None
    assert value.startswith(letter.value)
    assert _headers(letter)["dlq.truncated"] == str(len(value)).encode()
    names = sum(len(name) + len(text or b"") + 10 for name, text in letter.headers)
    assert len(letter.value) + len(KEY) + names + 1_000 <= LIMIT_BYTES
    assert len(letter.value) > LIMIT_BYTES // 2


def test_what_fits_is_not_cut() -> None:
    value = b"x" * (4 * 1024 * 1024)

    letter = _dead(Inbound("claims", 0, 0, KEY, value, (), 0))

    assert letter.value == value
    assert "dlq.truncated" not in _headers(letter)


def test_a_record_is_misplaced_when_its_key_belongs_elsewhere() -> None:
    right = partition_of(KEY, 12)

    for partition in range(12):
        lying = Inbound("shipments", partition, 0, KEY, b"", (), 0)
        assert misplaced(lying, 12) == (None if partition == right else right)
    assert misplaced(Inbound("shipments", 3, 0, None, b"", (), 0), 12) is None


def test_a_forwarded_record_is_the_same_with_a_mark() -> None:
    sent = forwarded(RECORD, 4)

    assert (sent.topic, sent.partition, sent.key, sent.value) == (
        "shipments",
        4,
        KEY,
        RECORD.value,
    )
    assert list(sent.headers) == [*HEADERS, ("wb-rerouted", b"7")]


def test_the_last_header_of_a_name_counts() -> None:
    record = Inbound("shipments", 0, 0, KEY, b"", (("a", b"1"), ("b", b"2"), ("a", b"3")), 0)

    assert record.header("a") == b"3"
    assert record.header("missing") is None
