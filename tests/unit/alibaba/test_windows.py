"""What the date parameters say never leaves out a moment of the window."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from waybill.alibaba.models import OrderWindow
from waybill.alibaba.scalars import moments
from waybill.alibaba.windows import edges

START = datetime(2025, 8, 1, 4, 9, 36, tzinfo=UTC)


def test_modified_window_in_milliseconds() -> None:
    window = OrderWindow(START, START + timedelta(minutes=5))

    assert edges(window, "date_timestamp") == {
        "modified_date_start": {"date_timestamp": 1754021376000},
        "modified_date_end": {"date_timestamp": 1754021676000},
    }


def test_a_window_in_milliseconds_under_their_other_name() -> None:
    window = OrderWindow(START, START + timedelta(minutes=5))

    assert edges(window, "time")["modified_date_start"] == {"time": 1754021376000}


def test_created_window_in_pacific_text() -> None:
    window = OrderWindow(START, START + timedelta(minutes=5), by="created")

    assert edges(window, "date_str") == {
        "create_date_start": {"date_str": "2025-07-31 21:09:36"},
        "create_date_end": {"date_str": "2025-07-31 21:14:36"},
    }


def test_parts_of_a_unit_widen_the_window() -> None:
    window = OrderWindow(START.replace(microsecond=1999), START.replace(microsecond=500_001))

    assert edges(window, "date_timestamp") == {
        "modified_date_start": {"date_timestamp": 1754021376001},
        "modified_date_end": {"date_timestamp": 1754021376501},
    }
    assert edges(window, "date_str") == {
        "modified_date_start": {"date_str": "2025-07-31 21:09:36"},
        "modified_date_end": {"date_str": "2025-07-31 21:09:37"},
    }


@pytest.mark.parametrize("form", ["date_str", "date_timestamp"])
@given(
    # bounds without zone, as hypothesis wants them
    st.datetimes(datetime(2010, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(0), timedelta(hours=3)),
)
@example(datetime(2026, 11, 1, 8, 30, tzinfo=UTC), timedelta(0))
@example(datetime(2026, 11, 1, 9, 30, tzinfo=UTC), timedelta(0))
@example(datetime(2026, 11, 1, 8, 59, 59, 999_999, tzinfo=UTC), timedelta(microseconds=1))
@example(datetime(2026, 3, 8, 9, 59, 59, 1, tzinfo=UTC), timedelta(0))
def test_no_reading_of_the_edges_misses_a_moment_of_the_window(
    form: Literal["date_str", "date_timestamp"], start: datetime, length: timedelta
) -> None:
    window = OrderWindow(start, start + length)

    told = edges(window, form)
    starts = moments(told["modified_date_start"])
    ends = moments(told["modified_date_end"])

    assert starts[-1] <= window.start
    assert ends[0] >= window.end - timedelta(0)
    assert window.start - starts[0] <= timedelta(hours=2)
    assert ends[-1] - window.end <= timedelta(hours=2)
