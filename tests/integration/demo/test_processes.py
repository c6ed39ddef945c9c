"""Programs as processes: real ones, that are killed, frozen, stopped and found again."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.waiting import wait_until
from waybill.broker.ports import free_port
from waybill.demo.processes import ProcessError, Processes, Program

WEB = """
import http.server, os, signal, sys, time
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[2] == "broken":
    sys.exit("the cluster is not what it was")
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if sys.argv[2] == "never" else 200)
        self.end_headers()
        self.wfile.write(repr(dict(os.environ)).encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    found = Processes(tmp_path / "run")
    yield found
    for running in found:
        running.kill()


def program(name: str = "web", kind: str = "good", **env: str) -> Program:
    port = free_port()
    command = (sys.executable, "-c", WEB, str(port), kind)
    return Program(name, command, f"http://127.0.0.1:{port}/", env)


def test_it_is_ready_when_its_probe_says_so(processes: Processes) -> None:
    running = processes.start(program())

    running.wait_ready()

    assert running.alive
    assert running.ready


def test_one_that_ends_at_once_is_told_with_the_end_of_its_log(processes: Processes) -> None:
    running = processes.start(program(kind="broken"))

    with pytest.raises(ProcessError, match=r"(?s)web ended while it was starting.*not what it was"):
        running.wait_ready()


def test_one_that_is_never_ready_is_told_in_time(processes: Processes) -> None:
    running = processes.start(program(kind="never"))
    wait_until(lambda: running.alive)

    with pytest.raises(ProcessError, match="web was not ready within 1 s"):
        running.wait_ready(1)


def test_it_is_found_by_others_until_it_is_stopped(processes: Processes) -> None:
    started = processes.start(program())
    started.wait_ready()

    found = Processes(processes.folder).find("web")

    assert found is not None
    assert found.pid == started.pid
    assert found.stop()
    assert Processes(processes.folder).find("web") is None
    assert not started.alive


def test_a_second_one_of_the_same_name_is_refused(processes: Processes) -> None:
    processes.start(program())

    with pytest.raises(ProcessError, match="web runs already"):
        processes.start(program())


def test_after_a_kill_it_is_gone_and_may_be_started_again(processes: Processes) -> None:
    wanted = program()
    first = processes.start(wanted)
    first.wait_ready()

    first.kill()

    assert not first.alive
    assert processes.find("web") is None
    second = processes.start(wanted)
    second.wait_ready()
    assert second.pid != first.pid


def test_one_that_does_not_listen_is_killed_after_its_grace(processes: Processes) -> None:
    running = processes.start(program(kind="stubborn"))
    running.wait_ready()

    assert running.stop(grace_s=0.5) is False
    assert not running.alive


def test_all_are_stopped_and_the_stubborn_ones_named(processes: Processes) -> None:
    for name, kind in (("one", "good"), ("two", "stubborn")):
        processes.start(program(name, kind)).wait_ready()
    assert [running.name for running in processes] == ["one", "two"]

    assert processes.stop_all(grace_s=0.5) == ["two"]
    assert list(processes) == []


def test_a_frozen_one_is_alive_and_not_ready(processes: Processes) -> None:
    running = processes.start(program())
    running.wait_ready()

    running.suspend()

    assert running.alive
    assert not running.ready
    running.resume()
    wait_until(lambda: running.ready)


def test_a_process_id_that_belongs_to_another_program_now_is_left_alone(
    processes: Processes,
) -> None:
    running = processes.start(program())
    running.wait_ready()
    file = processes.folder / "web.process.json"
    text = file.read_text("utf-8")
    started_s = str(psutil.Process(running.pid).create_time())
    file.write_text(text.replace(started_s, "1000000000.0"), "utf-8")

    assert processes.find("web") is None
    assert processes.stop_all() == []
    assert running.alive
    file.write_text(text, "utf-8")


def test_settings_of_this_process_do_not_leak_into_it(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYBILL_KAFKA__TOPIC_PREFIX", "production-")
    running = processes.start(program(WAYBILL_GROUP="mine"))
    running.wait_ready()

    environment = httpx.get(running.ready_url, trust_env=False).text

    assert "'WAYBILL_GROUP': 'mine'" in environment
    assert "production-" not in environment


def test_its_log_is_kept_over_restarts(processes: Processes) -> None:
    for _ in range(2):
        running = processes.start(program(kind="broken"))
        wait_until(lambda: not running.alive)  # noqa: B023 - waited for within the turn

    assert running.log.read_text("utf-8").count("not what it was") == 2
