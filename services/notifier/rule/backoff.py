"""Times: pauses that double up to a limit, with a spread that is the same at every replay."""

from datetime import UTC, datetime, timedelta
from zlib import crc32

from services.notifier.rule.types import Facts
from waybill.contracts import LedgerEntry

_SPREAD = 0.25
"""Up to a quarter longer, so that what failed together does not come back together."""
_DOUBLINGS_MAX = 32
"""Beyond it every limit is reached; keeps the power small."""


def to_millis(moment: datetime) -> datetime:
    """In UTC and cut to milliseconds, as the contracts keep times."""
    if moment.tzinfo is UTC and not moment.microsecond % 1000:
        return moment
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def after_pause(
    entry: LedgerEntry, facts: Facts, count: int, first_s: float, max_s: float
) -> datetime:
    """When to go on after the `count`-th time in a row; never earlier than the doubled pause."""
    pause_s = min(first_s * 2.0 ** min(max(count, 1) - 1, _DOUBLINGS_MAX), max_s)
    share = crc32(f"{entry.key}:{entry.revision}".encode()) / 2**32
    milliseconds = round(pause_s * (1 + _SPREAD * share) * 1000)
    return facts.now + timedelta(milliseconds=milliseconds)
