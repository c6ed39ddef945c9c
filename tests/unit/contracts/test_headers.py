"""Record headers: what is written, and how patiently foreign ones are read."""

import pytest

from waybill.contracts.headers import (
    CONFLUENT_TYPE,
    DLQ_OFFSET,
    DLQ_REASON,
    TRACEPARENT,
    WB_REROUTED,
    child_traceparent,
    event_headers,
    last_int,
    last_text,
    last_value,
    new_traceparent,
    parse_traceparent,
    rfc3339,
    trace_of,
    without_prefix,
)

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_an_event_carries_cloudevents_attributes() -> None:
    headers = event_headers("order", "id-1", "/waybill/importer", 1795163400250, PARENT)

    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_type": b"waybill.order.v1",
        "ce_source": b"/waybill/importer",
        "content-type": b"application/avro;encoding=single-object",
        "ce_id": b"id-1",
        "ce_time": b"2026-11-20T08:30:00.250Z",
        "traceparent": PARENT.encode(),
    }


def test_the_framing_of_a_registry_is_named() -> None:
    headers = event_headers("order", "id-1", "s", 0, content_type=CONFLUENT_TYPE)

    assert dict(headers)["content-type"] == b"application/avro;encoding=confluent"


@pytest.mark.parametrize("traceparent", [None, "", "nonsense"])
def test_a_trace_that_is_none_is_left_out(traceparent: str | None) -> None:
    assert TRACEPARENT not in dict(event_headers("order", "id-1", "s", 0, traceparent))


def test_headers_may_be_added_to_without_harming_the_next_record() -> None:
    event_headers("order", "id-1", "s", 0).append((WB_REROUTED, b"3"))

    assert WB_REROUTED not in dict(event_headers("order", "id-1", "s", 0))


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1795163400250, "2026-11-20T08:30:00.250Z"),
        (-62135596800000, "0001-01-01T00:00:00.000Z"),
        (253402300799999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_rfc_3339_in_utc(time_ms: int, text: str) -> None:
    assert rfc3339(time_ms) == text


def test_a_time_beyond_the_calendar() -> None:
    with pytest.raises(OverflowError):
        rfc3339(253402300800000)


class TestTraceparent:
    """W3C Trace Context: what is invalid is ignored, never passed on."""

    @pytest.mark.parametrize(
        "value",
        [
            PARENT,
            PARENT.encode(),
            PARENT.replace("00-", "01-", 1),  # a later version
            PARENT.replace("00-", "cc-", 1) + "-what-comes-later",
        ],
    )
    def test_a_valid_one_is_read(self, value: str | bytes) -> None:
        context = parse_traceparent(value)

        assert context is not None
        assert str(context) == PARENT

    @pytest.mark.parametrize(
        "value",
        [
            None,
            "",
            b"",
            b"\xff\xfe",
            PARENT[:-1],
            PARENT + "0",
            PARENT + "-more",  # version 00 ends here
            PARENT.upper(),
            PARENT.replace("00-", "ff-", 1),  # forbidden version
            PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
            PARENT.replace("00f067aa0ba902b7", "0" * 16),
            PARENT.replace("4", "g"),
            " " + PARENT,
            PARENT + "\n",
        ],
    )
    def test_an_invalid_one_is_none(self, value: str | bytes | None) -> None:
        assert parse_traceparent(value) is None

    def test_a_child_stays_in_the_trace_with_a_span_of_its_own(self) -> None:
        parent, child = (
            parse_traceparent(PARENT),
            parse_traceparent(child_traceparent(PARENT, "e1")),
        )

        assert parent is not None
        assert child is not None
        assert (child.trace_id, child.flags) == (parent.trace_id, parent.flags)
        assert child.span_id != parent.span_id

    def test_the_same_event_has_the_same_span_when_it_is_written_again(self) -> None:
        assert child_traceparent(PARENT, "e1") == child_traceparent(PARENT, "e1")
        assert child_traceparent(PARENT, "e1") != child_traceparent(PARENT, "e2")

    def test_without_a_valid_parent_the_event_starts_a_trace(self) -> None:
        assert child_traceparent("nonsense", "e1") == new_traceparent("e1")
        assert parse_traceparent(new_traceparent("e1")) is not None

    def test_unknown_flags_are_not_passed_on(self) -> None:
        assert child_traceparent(PARENT[:-2] + "ff", "e1").endswith("-01")

    def test_a_new_trace_is_sampled_if_asked(self) -> None:
        assert new_traceparent("e1").endswith("-00")
        assert new_traceparent("e1", sampled=True).endswith("-01")

    def test_a_record_with_two_different_ones_has_none(self) -> None:
        other = child_traceparent(PARENT, "e1").encode()

        assert trace_of([(TRACEPARENT, PARENT.encode())]) == PARENT
        assert trace_of([(TRACEPARENT, PARENT.encode())] * 2) == PARENT
        assert trace_of([(TRACEPARENT, PARENT.encode()), (TRACEPARENT, other)]) is None
        assert trace_of([(TRACEPARENT, None)]) is None
        assert trace_of(None) is None


class TestForeignHeaders:
    """kafkajs and others repeat headers, leave them empty, or without a value."""

    HEADERS = (
        ("a", b"1"),
        ("b", None),
        ("a", b"2"),
        ("a", None),
        ("c", b""),
        ("d", b"\xff"),
        ("n", b"12"),
        ("m", b"12x"),
    )

    def test_the_last_usable_one_counts(self) -> None:
        assert last_value(self.HEADERS, "a") == b"2"
        assert last_text(self.HEADERS, "a") == "2"

    @pytest.mark.parametrize("name", ["b", "c", "d", "missing"])
    def test_what_is_no_text_is_none(self, name: str) -> None:
        assert last_text(self.HEADERS, name) is None

    def test_an_empty_one_is_there(self) -> None:
        assert last_value(self.HEADERS, "c") == b""
        assert last_value(self.HEADERS, "b") is None

    def test_numbers(self) -> None:
        assert last_int(self.HEADERS, "n") == 12
        assert last_int([("n", b"-5")], "n") == -5
        assert last_int(self.HEADERS, "m") is None
        assert last_int([("n", b"9" * 40)], "n") is None
        assert last_int([("n", "１２".encode())], "n") is None

    def test_no_headers_at_all(self) -> None:
        assert last_value(None, "a") is None
        assert last_text([], "a") is None

    def test_a_dead_letter_gives_its_original_headers_back(self) -> None:
        original = [("a", b"1"), ("b", None)]
        told = [(DLQ_REASON, b"invalid"), (DLQ_OFFSET, b"7")]

        assert without_prefix([*original, *told]) == original
