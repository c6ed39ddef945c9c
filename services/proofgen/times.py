"""Times as the page shows them: ISO dates, Latin digits, always with the offset."""

from datetime import datetime


def day(time: datetime) -> str:
    """2026-11-23."""
    return time.isoformat()[:10]


def clock(time: datetime) -> str:
    """22:05:09 +08:00, or 14:05:09 UTC."""
    offset = time.isoformat()[-6:] if time.utcoffset() else "UTC"
    return f"{time.isoformat()[11:19]} {offset}"


def moment(time: datetime) -> str:
    """2026-11-23 22:05:09 +08:00."""
    return f"{day(time)} {clock(time)}"
