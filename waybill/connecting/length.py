"""For how long a seller authorises: 1, 3 or 6 months of the calendar. Pure."""

from calendar import monthrange
from datetime import datetime
from enum import StrEnum


class Authorisation(StrEnum):
    """The lengths that Alibaba's page offers; the seller chooses there, and tells us the same."""

    ONE_MONTH = "1m"
    THREE_MONTHS = "3m"
    SIX_MONTHS = "6m"

    @property
    def months(self) -> int:
        """As a number."""
        return int(self.value.removesuffix("m"))

    def __str__(self) -> str:
        return self.value


def authorised_until(start: datetime, length: Authorisation) -> datetime:
    """The same day and time so many months later; the last of the month where there is no such day.

    Counted on our own clock from the moment of connecting: what Alibaba counts is not documented, and
    whichever end comes first holds.
    """
    months = start.month - 1 + length.months
    year, month = start.year + months // 12, months % 12 + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
