"""Packing slips of orders that lie on a real cluster."""

import json
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from services.proofgen.pdf import encode
from services.proofgen.slip.document import RenderedSlip
from services.proofgen.slip.picking import slip_of, with_pictures
from services.proofgen.slip.render import render_slip
from tests.integration.cli.command import Command
from tests.kafka import TopicSpace
from waybill.cli.cluster import Cluster
from waybill.contracts import RECORDS, Order, Shipment, Store
from waybill.contracts.base import Record
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.keys import partition_of
from waybill.contracts.shipment import ShipmentItem
from waybill.settings import KafkaSettings
from waybill.streaming.records import Outbound

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"


def example(record: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((EXAMPLES / record / "v1" / "full.json").read_text())[
        "value"
    ]
    return value


ORDER = Order.model_validate(example("order"))
STORE = Store.model_validate(example("store"))
SHIPMENT = Shipment.model_validate(example("shipment")).model_copy(
    update={"items": (ShipmentItem(sku="LAMP-RED-L", quantity=Decimal(7)),)}
)


def numbered(number: int) -> Order:
    trade_id = f"{ORDER.trade_id[:-3]}{number:03}"
    return ORDER.model_copy(update={"key": f"alibaba:{trade_id}", "trade_id": trade_id})


class Shelf:
    """Records put onto the topics of one test."""

    def __init__(self, space: TopicSpace) -> None:
        kafka = KafkaSettings(bootstrap_servers=space.bootstrap, topic_prefix=space.prefix)
        self._cluster = Cluster(kafka)

    def put(self, topic: str, key: str, name: str, record: Record | None) -> None:
        value = Codec(RECORDS[name], name, SchemaBook()).encode(record) if record else None
        self._cluster.publish([Outbound(topic, partition_of(key, 4), key.encode(), value, ())])

    def order(self, order: Order) -> None:
        self.put("orders", order.key, "order", order)

    def store(self, store: Store) -> None:
        self.put("stores", store.store_id, "store", store)


@pytest.fixture
def shelf(waybill: Command, topic_space: TopicSpace) -> Shelf:
    return Shelf(topic_space)  # `waybill` has made the topics


def pages(
    order: Order, shipment: Shipment | None = None, store: Store = STORE
) -> tuple[bytes, ...]:
    document = slip_of(order, shipment, store)
    slip = render_slip(with_pictures(document, {}) if store.slip_pictures else document)
    assert isinstance(slip, RenderedSlip)
    return slip.pages


def test_a_slip_is_of_the_order_and_then_of_its_shipment(
    waybill: Command, shelf: Shelf, tmp_path: Path
) -> None:
    plain = STORE.model_copy(update={"slip_pictures": False})
    shelf.store(plain)
    shelf.order(ORDER)
    file = tmp_path / "slips" / "one.png"

    before = waybill("packing-slip", ORDER.key, "--out", str(file))
    assert (before.returncode, before.stdout) == (0, f"saved {file}\n")
    assert [file.read_bytes()] == [*pages(ORDER, None, plain)]
    with Image.open(BytesIO(file.read_bytes()), formats=["PNG"]) as page:
        assert [code.text for code in zxingcpp.read_barcodes(page)] == [ORDER.trade_id]

    shelf.put("shipments", SHIPMENT.order_key, "shipment", SHIPMENT)
    after = waybill("packing-slip", ORDER.key, "--out", str(file))
    assert after.returncode == 0
    assert [file.read_bytes()] == [*pages(ORDER, SHIPMENT, plain)]
    assert pages(ORDER, SHIPMENT, plain) != pages(ORDER, None, plain)


def test_several_slips_are_one_file_in_the_given_order(
    waybill: Command, shelf: Shelf, tmp_path: Path
) -> None:
    orders = [numbered(number) for number in (3, 1, 2)]
    shelf.store(STORE.model_copy(update={"slip_pictures": False}))
    for order in sorted(orders, key=lambda one: one.key):
        shelf.order(order)

    ended = waybill(
        "packing-slip", *(order.key for order in orders), "--pdf", "--out", str(tmp_path)
    )

    assert ended.returncode == 0, ended.stderr
    plain = STORE.model_copy(update={"slip_pictures": False})
    wanted = encode(page for order in orders for page in pages(order, None, plain))
    assert wanted == (tmp_path / "packing-slips.pdf").read_bytes()


def test_a_picture_from_a_host_that_is_not_allowed_is_marked_and_told(
    waybill: Command, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.store(STORE)
    shelf.order(ORDER)

    ended = waybill("packing-slip", ORDER.key, "--out", str(tmp_path / "slip.png"))

    assert ended.returncode == 0
    assert ended.stderr.splitlines()[0] == (
        f"{ORDER.key}: line 1: its picture is left out: its host is not among WAYBILL_PICTURE_HOSTS "
        "(example.com)"
    )
    assert [(tmp_path / "slip.png").read_bytes()] == [*pages(ORDER)]


def test_orders_without_a_slip_say_why(waybill: Command, shelf: Shelf, tmp_path: Path) -> None:
    gone = STORE.model_copy(update={"store_id": "alibaba-gone", "disconnected": True})
    shelf.store(STORE)
    shelf.store(gone)
    shelf.order(numbered(1).model_copy(update={"store_id": "alibaba-nobody"}))
    shelf.order(numbered(2).model_copy(update={"store_id": gone.store_id}))
    shelf.order(numbered(3))
    shelf.put("orders", numbered(3).key, "order", None)

    for number, why in (
        (0, "have no such order"),
        (1, "its store alibaba-nobody is not connected"),
        (2, "`waybill stores connect alibaba-gone` connects it again"),
        (3, "its personal data was erased"),
    ):
        ended = waybill("packing-slip", numbered(number).key, "--out", str(tmp_path))
        assert (ended.returncode, ended.stdout) == (1, "")
        assert numbered(number).key in ended.stderr
        assert why in ended.stderr
        assert "Jana" not in ended.stderr
    assert [*tmp_path.iterdir()] == []
