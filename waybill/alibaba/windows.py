"""Edges of an order window in the forms Alibaba reads. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from waybill.alibaba.models import OrderWindow
from waybill.alibaba.scalars import PACIFIC, pacific

WindowFormat = Literal["date_timestamp", "time", "date_str"]


def edges(window: OrderWindow, form: WindowFormat) -> dict[str, dict[str, int | str]]:
    """The two date parameters of the order list, as objects.

    What they say never starts later or ends earlier than ``window``.
    """
    prefix = "modified_date" if window.by == "modified" else "create_date"
    start, end = window.start.astimezone(UTC), window.end.astimezone(UTC)
    told: tuple[int | str, int | str]
    if form != "date_str":
        told = (_ms(start), _ms(end + timedelta(microseconds=999)))
    else:
        told = (_earliest_text(start), _latest_text(end))
    names = (f"{prefix}_start", f"{prefix}_end")
    return {names[0]: {form: told[0]}, names[1]: {form: told[1]}}


def _ms(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _earliest_text(instant: datetime) -> str:
    """Pacific text of which no reading lies after ``instant``."""
    return _text(instant, instant - timedelta(hours=1), late=False)


def _latest_text(instant: datetime) -> str:
    """Pacific text of which no reading lies before ``instant``."""
    whole = instant if instant.microsecond == 0 else instant + timedelta(seconds=1)
    return _text(whole, whole + timedelta(hours=1), late=True)


def _text(instant: datetime, beyond: datetime, *, late: bool) -> str:
    """Text of ``instant``; of ``beyond`` if it could be taken for the wrong of two equal hours."""
    instant = instant.replace(microsecond=0)
    local = instant.astimezone(PACIFIC).replace(tzinfo=None)
    readings = pacific(local)
    wrong = readings[0] < instant if late else readings[-1] > instant
    if wrong:
        local = beyond.astimezone(PACIFIC).replace(tzinfo=None)
    return local.strftime("%Y-%m-%d %H:%M:%S")
