"""The development broker, as a real process."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.cimpl import TopicPartition

from tests.kafka import KillableBroker, TopicSpace
from tests.waiting import wait_until
from waybill import broker
from waybill.broker import process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    for value in values:
        producer.produce(
            topic, value, on_delivery=lambda error, _: failures.append(error) if error else None
        )
    assert producer.flush(30) == 0
    assert failures == []


def read(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        messages = consumer.consume(count, 30)
    finally:
        consumer.close()
    assert all(message.error() is None for message in messages)
    return [message.value() for message in messages]


def test_a_started_broker_takes_records_and_a_stopped_one_is_gone(
    killable_broker: KillableBroker,
) -> None:
    space = TopicSpace(killable_broker.bootstrap, "")
    space.create("orders")
    produce(killable_broker.bootstrap, "orders", [b"one", b"two"])

    assert read(killable_broker.bootstrap, "orders", 2) == [b"one", b"two"]
    assert broker.stop(killable_broker.data_dir) is True
    assert broker.status(killable_broker.data_dir) is None
    assert not psutil.pid_exists(killable_broker.handle.pid)
    assert broker.stop(killable_broker.data_dir) is False


def test_after_kill_9_it_comes_back_at_the_same_address_with_its_data(
    killable_broker: KillableBroker,
) -> None:
    former = killable_broker.handle
    TopicSpace(former.bootstrap, "").create("orders")
    produce(former.bootstrap, "orders", [b"kept"])
    killable_broker.kill()

    assert broker.status(killable_broker.data_dir) is None

    killable_broker.start()

    assert killable_broker.handle.bootstrap == former.bootstrap
    assert killable_broker.handle.pid != former.pid
    assert read(former.bootstrap, "orders", 1) == [b"kept"]
    produce(former.bootstrap, "orders", [b"more"])
    assert read(former.bootstrap, "orders", 2) == [b"kept", b"more"]


def test_starts_at_the_same_time_and_later_all_find_the_one_broker(tmp_path: Path) -> None:
    handles: list[broker.BrokerHandle] = []
    threads = [
        threading.Thread(target=lambda: handles.append(broker.start(tmp_path))) for _ in range(3)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        handles.append(broker.start(tmp_path))
        handles.append(broker.start(tmp_path, port=int(handles[0].bootstrap.split(":")[1])))
        with pytest.raises(broker.BrokerError, match="already running, on port"):
            broker.start(tmp_path, port=19999)
        still = broker.status(tmp_path)
    finally:
        broker.stop(tmp_path)

    assert len(handles) == 5
    assert set(handles) == {still}


def test_a_start_that_fails_shows_the_log_and_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=7\n")

    with pytest.raises(broker.BrokerError, match="ended while it was starting") as raised:
        broker.start(tmp_path)

    assert "Stored node id 7 doesn't match previous node id 1" in str(raised.value)
    assert_no_process(tmp_path)


def test_a_start_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with pytest.raises(broker.BrokerError, match="not ready within 0 s: nobody listens"):
        broker.start(tmp_path, ready_s=0)

    assert_no_process(tmp_path)


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(broker.BrokerError, match="taken by another program"),
    ):
        broker.start(tmp_path, port=other.getsockname()[1])

    assert not (tmp_path / "data").exists()


def assert_no_process(data_dir: Path) -> None:
    state = json.loads((data_dir / "broker.json").read_text())
    assert not psutil.pid_exists(state["pid"])
    assert broker.status(data_dir) is None


@pytest.fixture
def bystander() -> Iterator[psutil.Popen]:
    with psutil.Popen(["sleep", "600"]) as other:
        yield other
        other.kill()


def test_a_process_that_got_the_brokers_former_id_is_neither_found_nor_stopped(
    tmp_path: Path, bystander: psutil.Popen
) -> None:
    state = {"port": 20001, "controller_port": 20002, "pid": bystander.pid}
    (tmp_path / "broker.json").write_text(json.dumps(state))

    assert broker.status(tmp_path) is None
    assert broker.stop(tmp_path) is False
    assert bystander.poll() is None


def test_a_process_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(600)"
    output = tmp_path / "out"
    running = psutil.Process(process.spawn([sys.executable, "-uc", deaf], output=output))
    wait_until(lambda: output.read_text() == "up\n")

    process.end(running, grace_s=0.2)

    assert not running.is_running()


def test_a_process_counts_as_alive_from_its_first_moment_until_its_last(tmp_path: Path) -> None:
    for _ in range(200):
        running = psutil.Process(process.spawn(["/bin/sleep", "600"], output=tmp_path / "out"))
        assert process.is_alive(running)
        running.kill()
        wait_until(lambda: not process.is_alive(running), every_s=0)  # noqa: B023 - asked at once
        running.wait(10)
