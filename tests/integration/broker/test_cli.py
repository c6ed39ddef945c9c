"""`waybill kafka` across several processes, as shells use it."""

import subprocess
import sys
from pathlib import Path

import pytest

from waybill.broker.cli import NOT_RUNNING

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]


def kafka(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from waybill.broker.cli import app; app(prog_name='waybill kafka')"
    return subprocess.run(  # noqa: S603 - this Python, with the arguments of the tests below
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_start_status_tool_and_stop_work_from_separate_processes(tmp_path: Path) -> None:
    data = ["--data", str(tmp_path)]
    try:
        started = kafka("start", *data)
        again = kafka("start", *data)
        told = kafka("status", *data)
        topics = kafka("tool", *data, "topics", "--list")
    finally:
        stopped = kafka("stop", *data)

    assert started.returncode == 0, started.stderr
    assert started.stdout == again.stdout
    assert told.stdout.replace("runs at", "is ready at") == started.stdout
    assert topics.stdout.splitlines() == ["__waybill_ready"]
    assert stopped.stdout == "Kafka has stopped.\n"

    assert kafka("stop", *data).stdout == "Kafka was not running.\n"
    assert kafka("status", *data).returncode == NOT_RUNNING
