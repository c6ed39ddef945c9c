"""The data folder of a broker, and what it remembers between two starts."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from waybill.broker.errors import BrokerError

_LOCK_POLL_S = 0.1


class BrokerState(BaseModel):
    """The content of `broker.json`.

    The ports stay the same for good: clients find a restarted broker where it was, and the data
    itself names the controller's port.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int
    controller_port: int
    pid: int | None = None


class BrokerFiles:
    """Where the files of one broker are. Making one touches nothing.

    Raises:
        BrokerError: a comma in the path; Kafka reads `log.dirs` as a list with commas.
    """

    def __init__(self, data_dir: Path | str) -> None:
        self.root = Path(data_dir).resolve()
        if "," in str(self.root):
            raise BrokerError(f"Kafka cannot use a folder with a comma in its path: {self.root}")
        self.state = self.root / "broker.json"
        self.lock = self.root / "broker.lock"
        self.properties = self.root / "server.properties"
        self.data = self.root / "data"
        self.log = self.root / "broker.log"
        self.console = self.root / "console.log"

    def read_state(self) -> BrokerState | None:
        """Return what the last start wrote, or None in a fresh folder.

        Raises:
            BrokerError: the file is there, but it is not what a start writes.
        """
        try:
            return BrokerState.model_validate_json(self.state.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise BrokerError(
                f"{self.state} is damaged. End its broker, if one runs, then delete {self.root}, "
                "or keep the data and write both ports into it again, from server.properties: "
                '{"port": ..., "controller_port": ...}'
            ) from error

    def write_state(self, state: BrokerState) -> None:
        """Replace the state in one step: a crash leaves the old one or the new one."""
        fresh = self.state.with_suffix(".tmp")
        fresh.write_text(state.model_dump_json() + "\n", encoding="utf-8")
        fresh.replace(self.state)

    @contextlib.contextmanager
    def locked(self, timeout_s: float) -> Iterator[None]:
        """Keep other starts and stops off this folder; a process that dies lets go of it.

        Raises:
            BrokerError: another process held it for `timeout_s`.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._wait_for_lock(handle, timeout_s)
            yield
        finally:
            os.close(handle)

    def _wait_for_lock(self, handle: int, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    message = f"Another start or stop has held {self.lock} for {timeout_s:.0f} s."
                    raise BrokerError(message) from error
                time.sleep(_LOCK_POLL_S)
            else:
                return

    def log_tail(self, lines_max: int = 15) -> str:
        """Return the last lines of what Java and Kafka had to say, for an error message."""
        tail = [
            line
            for path in (self.console, self.log)
            if path.is_file()
            for line in path.read_text("utf-8", errors="replace").splitlines()[-lines_max:]
        ]
        return "\n".join([f"The end of {self.log}:", *(tail or ["(nothing was logged)"])])
