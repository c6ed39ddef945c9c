"""Alibaba's scalars: lenient in, exact out. Pure.

In its answers any scalar may be a string, including ``"true"``, ``"2.0000"``, epoch milliseconds
and the literal ``"null"``; dates may be objects, epoch numbers or texts in Pacific time; image
addresses may start with ``//``. Each function answers ``None`` for "the source holds nothing here"
and raises ``ScalarError`` for something it cannot read, so that the two are never confused.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
"""The zone of Alibaba's text dates."""

_TEXT_MAX: Final = 100_000
_EXACT_FLOAT_MAX: Final = 2**53
_TRUE: Final = frozenset({"true", "1", "y", "yes"})
_FALSE: Final = frozenset({"false", "0", "n", "no"})


class ScalarError(ValueError):
    """A value that cannot be read. Tells what was expected and the kind found, never the value."""

    def __init__(self, expected: str, found: object) -> None:
        super().__init__(f"expected {expected}, found an unreadable {type(found).__name__}")


def text(value: object) -> str | None:
    """Text without surrounding white space; ``None`` for nothing, blank text and ``"null"``.

    A whole number too large to have survived as a float raises, since an id would be silently
    wrong.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return str(value)
    if isinstance(value, float):
        if abs(value) >= _EXACT_FLOAT_MAX or math.isnan(value):
            raise ScalarError("text or an exact number", value)
        return str(int(value)) if value.is_integer() else repr(value)
    if not isinstance(value, str) or len(value) > _TEXT_MAX:
        raise ScalarError(f"text of at most {_TEXT_MAX} characters", value)
    stripped = value.strip()
    return None if not stripped or stripped.lower() == "null" else stripped


def number(value: object) -> Decimal | None:
    """An exact decimal: an amount, a quantity. No thousands separators: they are ambiguous."""
    found = None if isinstance(value, bool) else text(value)
    if isinstance(value, bool):
        raise ScalarError("a decimal number", value)
    if found is None:
        return None
    try:
        result = Decimal(found) if found.isascii() else None
    except InvalidOperation:
        result = None
    if result is None or not result.is_finite():
        raise ScalarError("a decimal number", value)
    return result


def whole(value: object) -> int | None:
    """A whole number; ``"2.0000"`` is one."""
    found = number(value)
    if found is None:
        return None
    if abs(found) >= 10**18 or found != found.to_integral_value():
        raise ScalarError("a whole number", value)
    return int(found)


def flag(value: object) -> bool | None:
    """A truth value, also as text or as 0 and 1."""
    found = text(value)
    if found is None:
        return None
    if found.lower() in _TRUE:
        return True
    if found.lower() in _FALSE:
        return False
    raise ScalarError("true or false", value)


def link(value: object) -> str | None:
    """A web address; ``//host/…`` is completed with ``https:``."""
    found = text(value)
    if found is None:
        return None
    if found.startswith("//"):
        found = f"https:{found}"
    if not re.fullmatch(r"https?://[^\s/?#]+\S*", found, re.IGNORECASE):
        raise ScalarError("a web address", value)
    return found


_MONTHS: Final = {
    name: index + 1
    for index, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    )
}
_MONTH_NAMES: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "sept",
    "october", "november", "december",
)  # fmt: skip
# "Jul. 31, 2025, 21:09:36 PDT.", days padded or not, with or without the dots
_AMERICAN: Final = re.compile(
    r"([A-Za-z]{3,9})\.?\s+(\d{1,2}),?\s+(\d{4}),?\s+(\d{1,2}):(\d{2}):(\d{2})"
    r"(?:\s+(P[DS]?T)\.?)?\.?"
)
# "2025-04-19 23:18:56", with a zone only in the ISO form
_SORTABLE: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)(Z|[+-]\d{2}:?\d{2})?"
)
_DATE_NAMES: Final = ("timestamp", "date_timestamp", "time", "format_date", "date_str")
_OFFSETS: Final = {"PDT": timedelta(hours=-7), "PST": timedelta(hours=-8)}
_MS_FROM: Final = 10**11
"""Epoch numbers from here on (1973) are milliseconds, those below (the year 5138) seconds."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(value: object) -> datetime | None:
    """A date of any of Alibaba's forms, in UTC; of two possible readings the later one."""
    readings = moments(value)
    return max(readings) if readings else None


def moments(value: object) -> tuple[datetime, ...]:
    """All readings of a date, in UTC, earliest first: none, one, or two.

    Two only for a Pacific text without a zone in the hour that is repeated when summer time ends.
    Of an object ``{"format_date": …, "timestamp": …}`` the timestamp is read, which is never
    ambiguous.
    """
    if isinstance(value, dict):
        return _of_object(value)
    found = text(value)
    if found is None:
        return ()
    try:
        if re.fullmatch(r"\d{1,15}(\.0+)?", found):
            return (_of_epoch(int(found.partition(".")[0])),)
        return _of_text(found)
    except (ValueError, OverflowError):
        raise ScalarError("a date", value) from None


def _of_object(value: dict[object, object]) -> tuple[datetime, ...]:
    told = [value[name] for name in _DATE_NAMES if name in value]
    if not told and any(found is not None for found in value.values()):
        raise ScalarError("a date object with timestamp or format_date", value)
    for found in told:
        if isinstance(found, dict):
            raise ScalarError("a date", found)
        readings = moments(found)
        if readings:
            return readings
    return ()


def _of_epoch(count: int) -> datetime:
    return _EPOCH + (
        timedelta(milliseconds=count) if count >= _MS_FROM else timedelta(seconds=count)
    )


def _of_text(found: str) -> tuple[datetime, ...]:
    if match := _SORTABLE.fullmatch(found):
        day, clock, zone = match.groups()
        if zone:
            return (datetime.fromisoformat(f"{day}T{clock}{zone}").astimezone(UTC),)
        return pacific(datetime.fromisoformat(f"{day}T{clock}"))
    match = _AMERICAN.fullmatch(found)
    if match is None:
        raise ScalarError("a date", found)
    month, day, year, hour, minute, second, zone = match.groups()
    name = month.lower()
    if name not in _MONTHS and name not in _MONTH_NAMES:
        raise ScalarError("a date", found)
    local = datetime(  # noqa: DTZ001 - its zone is decided in the next line
        int(year), _MONTHS[name[:3]], int(day), int(hour), int(minute), int(second)
    )
    if zone in _OFFSETS:
        return ((local - _OFFSETS[zone]).replace(tzinfo=UTC),)
    return pacific(local)


def pacific(local: datetime) -> tuple[datetime, ...]:
    """The instants, in UTC, at which Pacific clocks show ``local`` (which has no zone): one or two.

    A time that is skipped in spring is read as if the clock had been put forward late.
    """
    first, second = (local.replace(tzinfo=PACIFIC, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first < second:
        return (first, second)
    return (first,)
