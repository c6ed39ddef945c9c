"""A store connected by its seller, an importer beside it: pushed orders come at once, keys may change."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from sandbox.server import background
from sandbox.settings import Settings as SandboxSettings
from tests.integration.cli.desk import Desk
from tests.kafka import TopicSpace
from tests.waiting import wait_until
from waybill.broker.ports import free_port
from waybill.tokens import TokenSeal, new_key

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

PARTITIONS = 4
WAIT_S = 150.0
"""A process on a loaded machine starts in tens of seconds."""


@pytest.fixture
def desk(topic_space: TopicSpace, tmp_path: Path) -> Iterator[Desk]:
    topic_space.create_declared(partitions=PARTITIONS)
    settings = SandboxSettings(data_dir=tmp_path / "sandbox", orders_per_store=0, stores=1)
    with background(settings) as url:
        desk = Desk(topic_space, url, tmp_path)
        yield desk
        desk.close()


@contextmanager
def importer(desk: Desk, log: Path, **env: str) -> Iterator[int]:
    """An importer that polls once an hour; its push port."""
    port = free_port()
    own = {
        "WAYBILL_KAFKA__PARTITIONS": str(PARTITIONS),
        "WAYBILL_DATA_DIR": str(desk.folder / "data"),
        "WAYBILL_GROUP": f"{desk.env['WAYBILL_KAFKA__TOPIC_PREFIX']}importer",
        "WAYBILL_IMPORTER__POLL_INTERVAL_S": "3600",
        "WAYBILL_PUSH__PORT": str(port),
        # a message is repeated: on a loaded machine the first may find Kafka slow
        "WAYBILL_PUSH__ACK_S": "2",
    }
    with log.open("a") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.importer"], env=desk.env | own | env, stderr=lines
        )
        try:
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            sys.stdout.write(log.read_text("utf-8"))  # shown when the test fails
    assert process.returncode == 0, log.read_text("utf-8")


def imported(desk: Desk) -> set[str]:
    return {(record.key or b"").decode() for record in desk.cluster.read(["orders"])}


def test_a_connected_stores_orders_come_by_push_and_its_key_changes_under_way(
    desk: Desk, tmp_path: Path
) -> None:
    seller = desk.api.stores[0].id
    store_id, old, new = f"sandbox-{seller}", desk.seal_key, new_key()
    before = desk.api.order(seller=seller)
    desk.connect(seller, "3", "--site", "sandbox")
    code = next(row["code"] for row in desk.api.journal("tokens_issued") if row["code"])
    clear = TokenSeal(SecretStr(old)).open(desk.tokens(store_id))
    log = tmp_path / "importer.log"

    with importer(desk, log) as port:
        wait_until(lambda: f"sandbox:{before}" in imported(desk), WAIT_S, every_s=0.5)
        desk.api.admin("PUT", "/push", {"url": f"http://127.0.0.1:{port}/push/sandbox"})
        pushed = desk.api.order(seller=seller)
        wait_until(lambda: f"sandbox:{pushed}" in imported(desk), WAIT_S, every_s=0.5)
        refused = httpx.post(
            f"http://127.0.0.1:{port}/push/sandbox", content=b"{}", trust_env=False
        )
        desk.api.admin("PUT", "/push", {"url": None})

    both, alone = f"{new},{old}", TokenSeal(SecretStr(new))
    with importer(desk, log, WAYBILL_SEAL_KEY=both):
        wait_until(lambda: alone.is_current(desk.tokens(store_id)), WAIT_S, every_s=0.5)
    keys = desk.run("keys", WAYBILL_SEAL_KEY=both).printed.splitlines()

    assert refused.status_code == 401
    assert alone.open(desk.tokens(store_id)) == clear
    assert desk.tokens(store_id).authorisation == "3m"
    facts = {line.split()[0]: line.split()[1:] for line in keys}
    assert facts[alone.key_id] == ["1", "seals"]
    assert facts[TokenSeal(SecretStr(old)).key_id] == ["0", "opens"]
    told = log.read_text("utf-8")
    assert "push_listening" in told
    refresh = clear.refresh.get_secret_value() if clear.refresh else "-" * 9
    for secret in (code, clear.access.get_secret_value(), refresh, desk.api.secret, old, new):
        assert secret not in told
