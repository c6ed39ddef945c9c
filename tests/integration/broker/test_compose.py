"""deploy/compose.yaml, as far as it can be tried without a container.

The official image prepares its settings with a class of Kafka itself, from the mounted file and the
environment. That class runs here, with other ports and folders; the broker then starts from what it
wrote.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from confluent_kafka import Producer

from tests.kafka import TopicSpace
from tests.waiting import wait_until
from waybill.broker import jars, ports, process, readiness
from waybill.broker.launch import java_command

COMPOSE = jars.deploy_dir().parent / "compose.yaml"

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def service() -> dict[str, Any]:
    parsed = yaml.safe_load(COMPOSE.read_text("utf-8"))
    kafka: dict[str, Any] = parsed["services"]["kafka"]
    return kafka


def environment_here(service: dict[str, Any], port: int, data: Path) -> dict[str, str]:
    """The environment of the container, moved to free ports and a folder of this test."""
    moved = {
        "19092": ports.free_port(but=port),
        "9092": port,
        "9093": ports.free_port(but=port),
    }

    def here(value: str) -> str:
        value = re.sub(r":(19092|9092|9093)\b", lambda found: f":{moved[found[1]]}", value)
        return value.replace("//kafka:", "//localhost:").replace("/var/lib/kafka/data", str(data))

    return {name: here(value) for name, value in service["environment"].items()}


@pytest.fixture
def broker_from_compose(service: dict[str, Any], tmp_path: Path) -> Iterator[str]:
    port = ports.free_port()
    environment = os.environ | environment_here(service, port, tmp_path / "data")
    folders = {name: tmp_path / name for name in ("default", "mounted", "final")}
    for folder in folders.values():
        folder.mkdir()
    source, target = service["volumes"][0].split(":")[:2]
    assert target == "/mnt/shared/config/server.properties"
    settings = (COMPOSE.parent / source).read_bytes()
    (folders["mounted"] / "server.properties").write_bytes(settings)
    prepare = ["kafka.docker.KafkaDockerWrapper", "setup"]
    prepare += [f"--{name}-configs-dir={folder}" for name, folder in folders.items()]
    java = java_command(process.marker(tmp_path))
    subprocess.run(  # noqa: S603 - fixed arguments
        [*java, *prepare], env=environment, timeout=60, check=True, capture_output=True
    )
    run = [*java, "kafka.Kafka", str(folders["final"] / "server.properties")]
    running = psutil.Process(process.spawn(run, output=tmp_path / "output"))
    try:
        wait_until(lambda: readiness.check("localhost", port) is None, 60)
        yield f"localhost:{port}"
    finally:
        process.end(running, grace_s=20)


def test_the_images_settings_make_a_broker_with_transactions(broker_from_compose: str) -> None:
    (ledger,) = TopicSpace(broker_from_compose, "").create("ledger")
    producer = Producer({"bootstrap.servers": broker_from_compose, "transactional.id": "ledger-0"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(ledger, b"entry")
    producer.commit_transaction(30)

    assert producer.flush(10) == 0


def test_image_and_jars_are_the_same_kafka(service: dict[str, Any]) -> None:
    pom = (jars.deploy_dir() / "pom.xml").read_text("utf-8")
    version = re.search(r"<kafka.version>(.+)</kafka.version>", pom)

    assert version is not None
    assert service["image"] == f"apache/kafka:{version[1]}"


def test_only_this_machine_reaches_the_container(service: dict[str, Any]) -> None:
    assert service["ports"] == ["127.0.0.1:9092:9092"]
