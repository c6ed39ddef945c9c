"""`waybill stores carriers` against the stand-in for Alibaba: what it lists, and what the store maps."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.server import background
from sandbox.settings import Settings as SandboxSettings
from tests.integration.cli.desk import Desk
from tests.kafka import TopicSpace
from waybill.cli.store_changes import changed
from waybill.contracts import Store

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def desk(topic_space: TopicSpace, tmp_path: Path) -> Iterator[Desk]:
    topic_space.create_declared(partitions=4)
    settings = SandboxSettings(data_dir=tmp_path / "sandbox", orders_per_store=1, stores=1)
    with background(settings) as url:
        desk = Desk(topic_space, url, tmp_path)
        yield desk
        desk.close()


def test_the_carriers_of_alibaba_with_what_the_store_maps_to_them(desk: Desk) -> None:
    seller = desk.api.stores[0].id
    desk.connect(seller, "1", "--site", "sandbox")
    store = f"sandbox-{seller}"
    change(desk, store, "carrier.fedex=FEDEX", "carrier.fed ex=FEDEX")

    ended = desk.run("carriers", store, "--json")

    assert ended.errors == ""
    lines = {line["code"]: line for line in json.loads(ended.printed)}
    assert lines["FEDEX"]["mapped"] == ["fed ex", "fedex"]
    assert all(line["is_known"] for line in lines.values())
    assert any(not line["mapped"] for line in lines.values())

    change(desk, store, "carrier.gls=NO_SUCH_CARRIER")
    refused = desk.run("carriers", store)

    assert refused.process.returncode == 1
    assert "NO_SUCH_CARRIER (gls)" in refused.errors
    assert f"waybill stores set {store} carrier.<ours>=<code>" in refused.errors


def change(desk: Desk, store_id: str, *assignments: str) -> None:
    def changes(former: Store | None) -> tuple[Store, None]:
        assert former is not None
        return changed(former, assignments), None

    desk.book.change(store_id, changes)
