"""Programs as processes of their own: started, waited for, killed, stopped, and found again later.

Each process leaves a small file with its process id in the folder, written right after it was started;
so whoever comes later, after a crash too, finds and stops exactly these processes and no others.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

READY_S = 60.0
"""How long a program may take until it is ready: two seconds on an idle machine, more on a loaded one."""
STOP_S = 10.0
"""How long a program may take to stop before it is killed; supervisors give as much."""
_KILL_S = 10.0
"""What a system may need to free a killed process."""
_POLL_S = 0.05
_PROBE_S = 1.0
_SAME_START_S = 2.0
"""A process id with another start time belongs to another program."""
_TAIL_LINES = 12

Environment = Mapping[str, str]


class ProcessError(Exception):
    """A program did not start or did not become ready; the message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `ready_url` answers 200 when the program is at work."""

    name: str
    command: Sequence[str]
    ready_url: str
    env: Environment = field(default_factory=dict)
    """Beside the environment of this process, from which all WAYBILL_ variables are taken out."""


def service(name: str, env_file: Path, http_port: int, env: Environment | None = None) -> Program:
    """A service (`importer`, `notifier`, `proofgen`) with its settings in a file; `env` goes before it."""
    own = {"WAYBILL_ENV_FILE": str(env_file), "WAYBILL_HTTP__PORT": str(http_port)}
    return Program(
        name,
        (sys.executable, "-m", f"services.{name}"),
        f"http://127.0.0.1:{http_port}/readyz",
        own | dict(env or {}),
    )


def sandbox(data_dir: Path, port: int, *options: str) -> Program:
    """The stand-in for Alibaba.com."""
    own = ("--data-dir", str(data_dir), "--port", str(port))
    command = (sys.executable, "-m", "sandbox", *own, *options)
    return Program("sandbox", command, f"http://127.0.0.1:{port}/admin/health")


class _State(BaseModel):
    """The content of a process's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    started_s: float
    ready_url: str
    log: Path


class Running:
    """A process that was started here, or by an earlier command."""

    def __init__(self, name: str, state: _State, file: Path) -> None:
        self.name = name
        self.pid = state.pid
        self.log = state.log
        self.ready_url = state.ready_url
        self._state = state
        self._file = file

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            alive = process.status() != psutil.STATUS_ZOMBIE
            same = abs(process.create_time() - self._state.started_s) < _SAME_START_S
        except psutil.NoSuchProcess:
            return None
        return process if alive and same else None

    @property
    def alive(self) -> bool:
        """Whether the process runs; a suspended one does."""
        return self._process() is not None

    @property
    def ready(self) -> bool:
        """Whether its readiness probe answers yes now."""
        try:
            answer = httpx.get(self.ready_url, timeout=_PROBE_S, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """Return when it is ready; raises ProcessError when it ends first or takes longer."""
        deadline_s = time.monotonic() + timeout_s
        while not self.ready:
            if not self.alive:
                raise ProcessError(f"{self.name} ended while it was starting.\n{self.log_tail()}")
            if time.monotonic() > deadline_s:
                raise ProcessError(
                    f"{self.name} was not ready within {timeout_s:.0f} s.\n{self.log_tail()}"
                )
            time.sleep(_POLL_S)

    def kill(self) -> None:
        """Kill it at once (SIGKILL), as a crash does, and return when it is gone."""
        process = self._process()
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait(_KILL_S)
        self._file.unlink(missing_ok=True)

    def ask_to_stop(self) -> None:
        """Send SIGTERM and do not wait."""
        process = self._process()
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()

    def stop(self, grace_s: float = STOP_S) -> bool:
        """Stop it in good order; False when it had to be killed after `grace_s`."""
        self.ask_to_stop()
        process = self._process()
        in_time = True
        if process is not None:
            try:
                process.wait(grace_s)
            except psutil.TimeoutExpired:
                in_time = False
                self.kill()
        self._file.unlink(missing_ok=True)
        return in_time

    def suspend(self) -> None:
        """Freeze it (SIGSTOP)."""
        if process := self._process():
            process.suspend()

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        if process := self._process():
            process.resume()

    def log_tail(self, lines_max: int = _TAIL_LINES) -> str:
        """The last lines of its log, for an error message."""
        lines = (
            self.log.read_text("utf-8", errors="replace").splitlines() if self.log.exists() else []
        )
        return "\n".join([f"The end of {self.log}:", *(lines[-lines_max:] or ["(nothing)"])])


class Processes:
    """The processes of one folder, by name; their logs lie beside their files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def start(self, program: Program) -> Running:
        """Start a program and return at once; it outlives this process and a Ctrl-C in its terminal.

        Raises ProcessError when one of that name runs already.
        """
        if (former := self.find(program.name)) is not None:
            raise ProcessError(f"{program.name} runs already, as process {former.pid}")
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{program.name}.log"
        pid = _spawn(program, log)
        state = _State(
            pid=pid,
            started_s=psutil.Process(pid).create_time(),
            ready_url=program.ready_url,
            log=log,
        )
        file = self._file(program.name)
        file.write_text(state.model_dump_json() + "\n", encoding="utf-8")
        return Running(program.name, state, file)

    def find(self, name: str) -> Running | None:
        """The running process of that name, whoever started it."""
        file = self._file(name)
        try:
            state = _State.model_validate_json(file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None  # a file cut short: its writer died with the process it had just started
        found = Running(name, state, file)
        return found if found.alive else None

    def __iter__(self) -> Iterator[Running]:
        """All running processes, in the order in which they were started."""
        names = [file.name.removesuffix(".process.json") for file in self._files()]
        return (running for name in names if (running := self.find(name)) is not None)

    def stop_all(self, grace_s: float = STOP_S) -> list[str]:
        """Stop them all at once, the last one first; returns the names of those that had to be killed."""
        running = list(self)[::-1]
        for one in running:
            one.ask_to_stop()
        return [one.name for one in running if not one.stop(grace_s)]

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.process.json"

    def _files(self) -> list[Path]:
        files = self.folder.glob("*.process.json")
        return sorted(files, key=lambda file: file.stat().st_mtime_ns)


def _spawn(program: Program, log: Path) -> int:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WAYBILL_")}
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    environment = kept | dict(program.env)
    return os.posix_spawn(
        program.command[0], list(program.command), environment, file_actions=actions, setsid=True
    )
