"""/livez, /readyz and /metrics, as a supervisor and Prometheus ask for them."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from waybill.health import HealthServer
from waybill.metrics import Registry


@dataclass
class Process:
    """A process as its health server sees it."""

    live: bool = True
    ready: bool = False
    registry: Registry = field(default_factory=Registry)

    def serve(self) -> HealthServer:
        return HealthServer(
            "127.0.0.1", 0, self.registry.collectors, lambda: self.live, lambda: self.ready
        )


@pytest.fixture(scope="module")
def process() -> Process:
    return Process()


@pytest.fixture(scope="module")
def client(process: Process) -> Iterator[httpx.Client]:
    server = process.serve()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=10) as client:
        yield client
    server.stop()


@pytest.mark.parametrize(("path", "name"), [("/livez", "live"), ("/readyz", "ready")])
def test_a_check_answers_as_it_stands_now(
    process: Process, client: httpx.Client, path: str, name: str
) -> None:
    for good, status in ((True, 200), (False, 503), (True, 200)):
        setattr(process, name, good)
        assert client.get(path).status_code == status


def test_live_and_ready_are_two_questions(process: Process, client: httpx.Client) -> None:
    process.live, process.ready = True, False

    assert (client.get("/livez").status_code, client.get("/readyz").status_code) == (200, 503)


def test_metrics_are_in_prometheus_form(process: Process, client: httpx.Client) -> None:
    process.registry.counter("waybill_things_total", "Things.", ("kind",)).labels("a").inc(3)

    answer = client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert 'waybill_things_total{kind="a"} 3.0' in answer.text


def test_other_paths_tell_what_there_is(client: httpx.Client) -> None:
    answer = client.get("/")

    assert answer.status_code == 404
    assert "/readyz" in answer.text


def test_a_slow_reader_does_not_hold_up_the_probes(process: Process) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow() -> bool:
        asked.set()
        return go_on.wait(30)

    server = HealthServer("127.0.0.1", 0, process.registry.collectors, lambda: True, slow)
    address = f"http://127.0.0.1:{server.port}"
    slow_probe = threading.Thread(target=lambda: httpx.get(f"{address}/readyz", timeout=30))
    slow_probe.start()
    assert asked.wait(10)

    assert httpx.get(f"{address}/livez", timeout=10).status_code == 200

    go_on.set()
    slow_probe.join(10)
    server.stop()


def test_the_port_is_free_after_stop(process: Process) -> None:
    server = process.serve()
    port = server.port
    server.stop()

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/livez", timeout=10)
    again = HealthServer("127.0.0.1", port, process.registry.collectors, lambda: True, lambda: True)
    again.stop()


def test_a_port_that_is_taken_is_an_error(process: Process) -> None:
    server = process.serve()

    with pytest.raises(OSError, match="in use"):
        HealthServer(
            "127.0.0.1", server.port, process.registry.collectors, lambda: True, lambda: True
        )
    server.stop()
