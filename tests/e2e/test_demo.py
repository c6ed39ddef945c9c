"""The demo from an empty folder to its end, and what is left behind when it is disturbed."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from tests.waiting import wait_until
from waybill import broker
from waybill.demo.installation import SERVICES
from waybill.demo.play import Demo, Play
from waybill.demo.processes import Processes

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(400)]

ORDERS_PER_STORE = 40
"""Few, so that the tests stay short; every case of the scenario is there all the same."""
WAYBILL = (sys.executable, "-c", "from waybill.cli import main; main()")
DEMO_S = 180


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder; whatever a failed test leaves running in it is ended."""
    run = tmp_path / "run"
    yield run
    for running in Processes(run):
        running.kill()
    broker.stop(run / "kafka")


def pids(folder: Path) -> set[int]:
    """Everything that runs in the folder, the broker too."""
    handle = broker.status(folder / "kafka")
    found = {running.pid for running in Processes(folder)}
    return found | ({handle.pid} if handle else set())


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_the_demo_ends_with_one_shipment_per_order_and_leaves_nothing_running(folder: Path) -> None:
    started_s = time.monotonic()

    ended = subprocess.run(  # noqa: S603 - our own command
        [*WAYBILL, "demo", "--folder", str(folder), "--orders-per-store", str(ORDERS_PER_STORE)],
        capture_output=True,
        text=True,
        timeout=DEMO_S,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Everything is as it should be" in ended.stdout
    assert re.search(r"largest number of shipments +1 ", ended.stdout)
    assert time.monotonic() - started_s < DEMO_S
    assert pids(folder) == set()
    images = list((folder / "proofs").glob("*.png"))
    assert len(images) > 10
    assert all(image.read_bytes().startswith(b"\x89PNG") for image in images)


def test_ctrl_c_stops_everything_that_was_started(folder: Path) -> None:
    demo = subprocess.Popen(  # noqa: S603 - our own command
        [*WAYBILL, "demo", "--folder", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with demo:
        wait_until(lambda: len(pids(folder)) == len(SERVICES) + 2, 120)
        started = pids(folder)
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)

    assert demo.returncode == 130
    assert not any(alive(pid) for pid in started)


@pytest.mark.parametrize("victim", ["importer", "proofgen", "notifier", "kafka"])
def test_kill_9_in_the_middle_changes_none_of_the_final_numbers(folder: Path, victim: str) -> None:
    killed: list[int] = []

    def disturb(demo: Demo) -> None:
        if killed or demo.observed.shipments_accepted < 5:
            return
        installation = demo.installation
        if victim == "kafka":
            handle = broker.status(installation.folder / "kafka")
            assert handle is not None
            process = psutil.Process(handle.pid)
            process.kill()
            process.wait(20)
            killed.append(handle.pid)
            installation.start_broker(print)
            return
        running = installation.processes.find(victim)
        assert running is not None
        running.kill()
        killed.append(running.pid)
        installation.processes.start(installation.program(victim))

    console = Console(file=StringIO())

    ended = Demo(Play(folder, orders_per_store=ORDERS_PER_STORE), console, disturb).run()

    assert killed
    assert ended.differences == []
    assert max(map(len, ended.observed.accepted.values())) == 1


def test_up_goes_on_where_it_was_and_down_stops_it(folder: Path) -> None:
    def waybill(*arguments: str) -> str:
        ended = subprocess.run(  # noqa: S603 - our own command
            [*WAYBILL, *arguments, "--folder", str(folder)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    waybill("up", "--orders-per-store", "5")
    first = pids(folder)
    assert len(first) == len(SERVICES) + 2
    notifier = Processes(folder).find("notifier")
    assert notifier is not None
    notifier.kill()

    told = waybill("up", "--orders-per-store", "5")

    assert (folder / "waybill.env").stat().st_mode & 0o077 == 0
    assert f"{folder}/waybill.env" in told
    assert len(pids(folder)) == len(first)
    assert pids(folder) >= first - {notifier.pid}
    assert "Kafka" in waybill("down")
    assert pids(folder) == set()
    assert "nothing runs" in waybill("down")
