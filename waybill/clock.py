"""Time: a wall clock that never jumps, and seconds since boot for leases.

Wall time is read once at the start and carried on with CLOCK_BOOTTIME, which also counts the time that
a suspended machine slept; so a clock that is set while the process runs moves no deadline.
"""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """One per process."""

    def __init__(self) -> None:
        self._started_s = boot_s()
        self._started_at = datetime.now(UTC)

    def now(self) -> datetime:
        """Wall time in UTC, to the millisecond."""
        passed = timedelta(seconds=boot_s() - self._started_s)
        now = self._started_at + passed
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def boot_s(self) -> float:
        """Seconds since boot, sleep included."""
        return boot_s()


def boot_s() -> float:
    """Seconds since boot, sleep included; where the system has no such clock, the monotonic one."""
    return time.clock_gettime(_BOOTTIME)


_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
