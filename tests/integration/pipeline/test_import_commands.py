"""What operators ask of the importer, on a real cluster: one order, history, facts that nobody sends."""

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.integration.pipeline.terminal import run
from tests.waiting import wait_until
from waybill.contracts import Enrichment
from waybill.contracts.base import from_millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.enrichment import enrichment_key
from waybill.contracts.keys import partition_of
from waybill.contracts.order import Order
from waybill.streaming.records import Outbound

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]


def stop_polling(shop: Shop) -> None:
    """From now on no store is polled by itself, so that whatever is read was asked for."""
    importer = shop.installation.processes.find("importer")
    assert importer is not None
    importer.stop()
    program = shop.installation.program("importer")
    quiet = {**program.env, "WAYBILL_IMPORTER__POLL_INTERVAL_S": "3600"}
    shop.installation.processes.start(replace(program, env=quiet)).wait_ready()
    wait_until(
        lambda: shop.metric("importer", "waybill_import_windows_total") >= 2, SETTLE_S, every_s=0.2
    )


@with_orders(12)
def test_what_operators_ask_of_the_importer_is_done_and_told(shop: Shop, tmp_path: Path) -> None:
    shop.wait_imported()
    stop_polling(shop)

    has_one_order_read(shop)
    has_history_read(shop)
    has_facts_told(shop, tmp_path)


def has_one_order_read(shop: Shop) -> None:
    """Now, and whoever asks is told what came of it."""
    key = shop.shippable()[0]
    shop.admin.set_status(key.split(":")[1], "frozen")

    first = run(shop, "orders", "import", key)
    again = run(shop, "orders", "import", key, "--json")
    missing = run(shop, "orders", "import", "sandbox:4711", "--wait-s", "2")

    assert (first.returncode, first.stderr) == (0, "")
    assert f"{key} published: on_hold" in first.stdout
    assert json.loads(again.stdout)["outcome"] == "unchanged"
    assert missing.returncode == 1
    assert "did not read sandbox:4711 within 2 s" in missing.stderr


def has_history_read(shop: Shop) -> None:
    """What was missing is published, and nothing else."""
    store_id = next(iter(shop.orders().values())).store_id
    new = [shop.admin.create_order(store_id.split("-")[1]) for _ in range(3)]
    published = len(shop.read("orders"))

    ended = run(shop, "stores", "import", store_id, "--from", "1h", "--wait-s", "60")
    shown = run(shop, "stores", "import", store_id, "--json")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert {f"sandbox:{trade_id}" for trade_id in new} <= set(shop.orders())
    assert len(shop.read("orders")) == published + 3, "what was as it was is not published again"
    told = json.loads(shown.stdout)
    assert told["done"]
    assert told["cursor"]["backfill_orders"] == 3


def has_facts_told(shop: Shop, tmp_path: Path) -> None:
    """They reach open orders, whichever partition they were published to."""
    noted, placed = (shop.orders()[key] for key in shop.shippable()[:2])
    sku = placed.items[0].sku
    assert sku is not None
    file = tmp_path / "facts.csv"
    file.write_text(
        f"trade_id,internal_note,weight_total\n{noted.key},Call first,2.5 kg\n", encoding="utf-8"
    )

    ended = run(shop, "orders", "enrich", "--file", str(file), "--store", noted.store_id)
    publish_misplaced(shop, placed.store_id, sku)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "published facts of 1 orders and 0 SKUs" in ended.stdout

    def both_told() -> bool:
        return is_told(shop.orders()[noted.key]) and is_placed(shop.orders()[placed.key])

    wait_until(both_told, SETTLE_S, every_s=0.5)
    text = httpx.get(f"{shop.installation.service_url('importer')}/metrics", timeout=5).text
    assert "Call first" not in text


def publish_misplaced(shop: Shop, store_id: str, sku: str) -> None:
    """As a client with another partitioner does."""
    facts = Enrichment(
        store_id=store_id, sku=sku, given_at=from_millis(1_700_000_000_000), warehouse_location="A7"
    )
    partitions = shop.installation.kafka.partitions
    wrong = (partition_of(store_id, partitions) + 1) % partitions
    value = Codec(Enrichment, "enrichment", SchemaBook()).encode(facts)
    shop.publish_raw([Outbound("enrichments", wrong, enrichment_key(facts).encode(), value)])


def is_told(order: Order) -> bool:
    """Whether the order shows the facts of the file."""
    notes = [note.text for note in order.notes.internal] if order.notes else []
    return "Call first" in notes and order.provenance.get("weight_total") == "operator"


def is_placed(order: Order) -> bool:
    """Whether the order's first item shows where it lies."""
    return order.items[0].warehouse_location == "A7"
