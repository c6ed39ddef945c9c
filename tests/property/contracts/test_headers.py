"""Whatever stands in the headers of a foreign record, reading them never fails."""

from hypothesis import given
from hypothesis import strategies as st

from waybill.contracts.headers import (
    child_traceparent,
    last_int,
    last_text,
    last_value,
    parse_traceparent,
    rfc3339,
    trace_of,
    without_prefix,
)

names = st.sampled_from(["traceparent", "wb-rerouted", "dlq.reason", "x"]) | st.text()
foreign = st.none() | st.lists(st.tuples(names, st.none() | st.binary()))


@given(headers=foreign, name=names)
def test_any_headers_can_be_read(headers: list[tuple[str, bytes | None]] | None, name: str) -> None:
    values = [value for header, value in headers or [] if header == name and value is not None]
    last = last_value(headers, name)
    text = last_text(headers, name)
    number = last_int(headers, name)

    assert last == (values[-1] if values else None)
    assert text is None or text.encode() == last
    assert number is None or number == int(text or "")
    assert all(not header.startswith("dlq.") for header, _ in without_prefix(headers))
    assert trace_of(headers) is None or len(trace_of(headers) or "") == 55


@given(value=st.none() | st.text() | st.binary(), event_id=st.text(st.characters(codec="utf-8")))
def test_a_child_is_always_a_valid_traceparent(value: str | bytes | None, event_id: str) -> None:
    assert parse_traceparent(child_traceparent(value, event_id)) is not None


@given(
    trace=st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    span=st.from_regex(r"[0-9a-f]{16}", fullmatch=True),
    flags=st.integers(0, 255),
)
def test_what_is_read_can_be_written_again(trace: str, span: str, flags: int) -> None:
    context = parse_traceparent(f"00-{trace}-{span}-{flags:02x}")

    if context is None:
        assert int(trace, 16) * int(span, 16) == 0
    else:
        assert str(context) == f"00-{trace}-{span}-{flags:02x}"


@given(time_ms=st.integers(-62135596800000, 253402300799999))
def test_every_time_of_a_record_can_be_written(time_ms: int) -> None:
    assert len(rfc3339(time_ms)) == len("2026-11-20T08:30:00.250Z")
