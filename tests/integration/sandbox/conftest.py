"""A sandbox of its own for each test, on a thread; and as a process where it is to be killed."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import background
from sandbox.settings import Settings
from tests.integration.sandbox.client import Api

Start = Callable[..., Api]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start sandboxes with options of one's own."""
    with ExitStack() as stack:

        def start(**options: Any) -> Api:
            settings = Settings(**{"data_dir": tmp_path / "sandbox", **options})
            api = Api(stack.enter_context(background(settings)))
            stack.callback(api.close)
            return api

        yield start


@pytest.fixture(scope="module")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One sandbox for all tests of a file that leave nothing behind."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("sandbox"), orders_per_store=20)
    with background(settings) as url:
        api = Api(url)
        yield api
        api.close()


@pytest.fixture
def api(start: Start) -> Api:
    """A sandbox as it comes, with fewer orders."""
    return start(orders_per_store=20)


class Process:
    """A sandbox started from the command line."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--data-dir", str(data_dir)]
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ready(self) -> dict[str, Any]:
        """The ready line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.ended()[1]
        return dict(json.loads(line))

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; returns the exit status."""
        self.process.send_signal(number)
        return self.ended()[0]

    def ended(self) -> tuple[int, str]:
        """Wait for the end; exit status and what stands on standard error."""
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors

    def close(self) -> None:
        """End it if it still runs."""
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate(timeout=20)


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start sandboxes from the command line, all with the same data directory."""
    with ExitStack() as stack:

        def spawn(*options: str) -> Process:
            process = Process(tmp_path / "sandbox", *options)
            stack.callback(process.close)
            return process

        yield spawn


@pytest.fixture
def connect() -> Iterator[Callable[[str], Api]]:
    """Callers of sandboxes that run elsewhere."""
    with ExitStack() as stack:

        def connect(url: str) -> Api:
            api = Api(url)
            stack.callback(api.close)
            return api

        yield connect
