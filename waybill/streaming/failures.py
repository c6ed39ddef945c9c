"""When the software itself is at fault: a bad deploy stops, a record nobody foresaw does not.

Only exceptions of ours are counted; input that breaks its contract is a dead letter and counts for
nothing. The count is a share of the records of one topic and knows no time, so that a trickle is judged
like a flood. It is kept in a file: a restart of the same version goes on where it stopped, instead of
giving up some more records each time.
"""

import os
from pathlib import Path

import orjson
import structlog

from waybill.streaming.errors import FatalError

log = structlog.get_logger()

FAILURES_MAX = 10
"""So many unforeseen records in a row of a hundred are no accident any more."""
_AMONG = 100


class FailureTally:
    """Counts, per topic, what this version could not process; `failed` raises before the record is given up.

    The caller commits nothing of a batch in which FatalError was raised, so its records stay unread.
    """

    def __init__(self, file: Path | None = None, version: str = "") -> None:
        """Go on with the counts in the file, if they are of this version."""
        self._file = file
        self._version = version
        self._seen: dict[str, int] = {}
        self._failed_at: dict[str, list[int]] = self._kept()

    def _kept(self) -> dict[str, list[int]]:
        """Failures count as the latest records: only good records after the start make up for them."""
        if self._file is None or not self._file.exists():
            return {}
        try:
            kept = orjson.loads(self._file.read_bytes())
            counts = kept["failed"] if kept["version"] == self._version else {}
            return {str(topic): [0] * min(int(n), FAILURES_MAX) for topic, n in counts.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning(
                "failure_tally_unreadable", reason=str(error)
            )  # a lost count costs some records
            return {}

    def succeeded(self, topic: str) -> None:
        """A record of the topic was processed."""
        self._seen[topic] = self._seen.get(topic, 0) + 1

    def failed(self, topic: str, error: Exception) -> None:
        """An exception of ours over a record; raises FatalError when it is one too many."""
        now = self._seen[topic] = self._seen.get(topic, 0) + 1
        recent = [at for at in self._failed_at.get(topic, ()) if at > now - _AMONG]
        self._failed_at[topic] = [*recent, now][-FAILURES_MAX:]
        self._keep()
        if len(self._failed_at[topic]) == FAILURES_MAX:
            raise FatalError(
                f"{FAILURES_MAX} of the last {_AMONG} records of {topic} failed, this one with "
                f"{type(error).__name__}: this version of the software is at fault, not the records. They "
                "stay unread. Go back to the version before, or install a repaired one; removing "
                f"{self._file or 'the count'} lets some more of them become dead letters."
            )

    def _keep(self) -> None:
        if self._file is None:
            return
        counts = {topic: len(failed) for topic, failed in self._failed_at.items()}
        written = self._file.with_suffix(".new")
        written.write_bytes(orjson.dumps({"version": self._version, "failed": counts}))
        os.replace(written, self._file)  # noqa: PTH105 - said as what it is: all or nothing
