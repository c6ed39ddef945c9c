"""Lenient in, exact out; absent and unreadable are never confused."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.alibaba.scalars import (
    ScalarError,
    flag,
    link,
    moment,
    moments,
    number,
    text,
    whole,
)

READERS: list[Callable[[object], object]] = [text, number, whole, flag, link, moment]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("nothing", [None, "", "  ", "null", "NULL", " null "])
def test_nothing_in_any_form_is_none(reader: Callable[[object], object], nothing: object) -> None:
    assert reader(nothing) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Berlin ", "Berlin"),
        (255201166001024316, "255201166001024316"),
        (1.0, "1"),
        (12.5, "12.5"),
        (True, "true"),
        (False, "false"),
        ("nullable", "nullable"),
        ("0", "0"),
        (0, "0"),
    ],
)
def test_text(value: object, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize("value", [{}, [], 2.5520116600102432e17, float("nan"), float("inf"), b"x"])
def test_what_is_no_exact_scalar_is_no_text(value: object) -> None:
    with pytest.raises(ScalarError):
        text(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2.0000", Decimal("2.0000")),
        ("-12.30", Decimal("-12.30")),
        (3, Decimal(3)),
        (0.1, Decimal("0.1")),
        ("1E3", Decimal(1000)),
        ("0", Decimal(0)),
    ],
)
def test_number_is_exact(value: object, expected: Decimal) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    "value", ["1,234.50", "12 USD", "NaN", "Infinity", "٣", {}, True, "--1", "1_0x"]
)
def test_number_refuses_what_is_not_plainly_one(value: object) -> None:
    with pytest.raises(ScalarError):
        number(value)


def test_whole_takes_a_decimal_text_of_a_whole_number() -> None:
    assert whole("2.0000") == 2


@pytest.mark.parametrize("value", ["2.5", "1e30", "two"])
def test_whole_refuses_parts_and_absurd_sizes(value: object) -> None:
    with pytest.raises(ScalarError):
        whole(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("TRUE", True), (True, True), (1, True), ("Y", True),
     ("false", False), (False, False), ("0", False), (0, False), ("no", False)],
)  # fmt: skip
def test_flag(value: object, expected: bool) -> None:
    assert flag(value) is expected


@pytest.mark.parametrize("value", ["maybe", "2", []])
def test_flag_does_not_guess(value: object) -> None:
    with pytest.raises(ScalarError):
        flag(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("//sc04.alicdn.com/kf/a.jpg", "https://sc04.alicdn.com/kf/a.jpg"),
        ("https://a.example/b?c=d", "https://a.example/b?c=d"),
        ("http://a.example", "http://a.example"),
    ],
)
def test_link_is_completed(value: str, expected: str) -> None:
    assert link(value) == expected


@pytest.mark.parametrize("value", ["javascript:alert(1)", "///x", "kf/a.jpg", "https://", "//a b"])
def test_link_refuses_other_addresses(value: str) -> None:
    with pytest.raises(ScalarError):
        link(value)


SAMPLE = datetime(2025, 8, 1, 4, 9, 36, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        {"format_date": "Jul. 31, 2025, 21:09:36 PDT.", "timestamp": "1754021376000"},
        {"format_date": "Jul. 31, 2025, 21:09:36 PDT."},
        {"format_date": "null", "timestamp": 1754021376000},
        {"date_str": "2025-07-31 21:09:36"},
        {"time": "1754021376000"},
        "1754021376000",
        1754021376000,
        1754021376000.0,
        1754021376,
        "1754021376",
        "Jul. 31, 2025, 21:09:36 PDT.",
        "Jul 31, 2025, 21:09:36 PDT",
        "July 31, 2025, 21:09:36",
        "jul. 31 2025 21:09:36 PT",
        "2025-07-31 21:09:36",
        "2025-07-31T21:09:36",
        "2025-08-01T04:09:36Z",
        "2025-08-01T12:09:36+08:00",
        "2025-08-01 12:09:36+0800",
    ],
)
def test_every_form_of_a_date_is_the_same_moment(value: object) -> None:
    assert moment(value) == SAMPLE


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("Jan. 5, 2026, 09:00:00 PST.", datetime(2026, 1, 5, 17, tzinfo=UTC)),
        ("Jan. 05, 2026, 9:00:00 PST.", datetime(2026, 1, 5, 17, tzinfo=UTC)),
        ("May 5, 2026, 09:00:00 PDT.", datetime(2026, 5, 5, 16, tzinfo=UTC)),
        ("May. 5, 2026, 09:00:00 PDT.", datetime(2026, 5, 5, 16, tzinfo=UTC)),
        ("Sep. 5, 2026, 09:00:00 PDT.", datetime(2026, 9, 5, 16, tzinfo=UTC)),
        ("Sept. 5, 2026, 09:00:00", datetime(2026, 9, 5, 16, tzinfo=UTC)),
        ("June 5, 2026, 09:00:00", datetime(2026, 6, 5, 16, tzinfo=UTC)),
        ("Dec. 31, 2025, 23:59:59 PST.", datetime(2026, 1, 1, 7, 59, 59, tzinfo=UTC)),
        ("Feb. 29, 2028, 00:00:00 PST.", datetime(2028, 2, 29, 8, tzinfo=UTC)),
    ],
)
def test_months_days_and_dots_in_every_spelling(found: str, expected: datetime) -> None:
    assert moment(found) == expected


EARLY, LATE = datetime(2026, 11, 1, 8, 30, tzinfo=UTC), datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("found", ["2026-11-01 01:30:00", "Nov. 1, 2026, 01:30:00"])
def test_the_hour_that_occurs_twice_has_two_readings_and_the_later_one_wins(found: str) -> None:
    assert moments(found) == (EARLY, LATE)
    assert moment(found) == LATE


def test_a_named_zone_or_a_timestamp_settles_the_hour_that_occurs_twice() -> None:
    assert moments("Nov. 1, 2026, 01:30:00 PDT.") == (EARLY,)
    assert moments("Nov. 1, 2026, 01:30:00 PST.") == (LATE,)
    both = {"format_date": "Nov. 1, 2026, 01:30:00", "timestamp": "1793521800000"}
    assert moments(both) == (EARLY,)


def test_an_hour_that_is_skipped_has_one_reading() -> None:
    assert moments("2026-03-08 02:30:00") == (datetime(2026, 3, 8, 10, 30, tzinfo=UTC),)


def test_an_empty_date_object_is_no_date() -> None:
    assert moments({"format_date": "null", "timestamp": None}) == ()
    assert moments({}) == ()


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "31.07.2025",
        "Feb. 30, 2026, 09:00:00 PST.",
        "Jui. 3, 2026, 09:00:00",
        "2026-13-01 00:00:00",
        "2026-01-01 25:00:00",
        "Jul. 31, 2025, 21:09:36 CET",
        {"day": 3},
        {"timestamp": {"timestamp": 1}, "format_date": "soon"},
        [],
        "99999999999999999999",
        "0001-01-01 00:00:00+14:00",
    ],
)
def test_an_unreadable_date_is_an_error_not_nothing(value: object) -> None:
    with pytest.raises(ScalarError):
        moments(value)


@pytest.mark.parametrize("reader", READERS)
def test_errors_never_repeat_the_value(reader: Callable[[object], object]) -> None:
    with pytest.raises(ScalarError) as caught:
        reader({"name": "Erika Mustermann"})

    assert "Erika" not in str(caught.value)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
dates = st.sampled_from(["timestamp", "format_date", "date_str", "time", "other"])


@given(json | st.dictionaries(dates, json, max_size=3) | st.from_regex(r"\d{1,25}", fullmatch=True))
def test_nothing_but_an_answer_or_a_scalar_error_ever_comes_out(value: object) -> None:
    for reader in READERS:
        with suppress(ScalarError):
            reader(value)


@given(st.datetimes(datetime(2008, 1, 1), datetime(2037, 1, 1)))  # noqa: DTZ001 - local on purpose
def test_every_pacific_text_has_readings_in_order(local: datetime) -> None:
    readings = moments(local.strftime("%Y-%m-%d %H:%M:%S"))

    assert len(readings) in (1, 2)
    assert list(readings) == sorted(readings)
