"""Which of a host's processes this is: the first free slot of the data folder.

A restart takes the same slot and finds its local views warm; a second process on the same host, or one
started while the old one is stopped but not dead, takes the next slot.
"""

import fcntl
import os
from pathlib import Path
from typing import IO

_SLOTS_MAX = 64


class InstanceSlot:
    """A locked folder; the lock ends with the process, however it ends."""

    def __init__(self, data_dir: Path, service: str) -> None:
        base = data_dir / service
        for number in range(_SLOTS_MAX):
            folder = base / f"slot-{number}"
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "lock").open("a+")
            if _locked(lock):
                self.folder = folder
                self._lock = lock
                return
            lock.close()
        raise RuntimeError(
            f"{base}: all {_SLOTS_MAX} slots are in use; give this process another data_dir"
        )

    def release(self) -> None:
        """Let another process have the slot."""
        self._lock.close()


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return True
