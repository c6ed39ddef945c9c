"""Replay, redrive and reconcile beside running services: nothing is sent or told twice; differences show."""

import json
from typing import Any

import httpx
import orjson
import pytest

from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.integration.pipeline.terminal import waybill
from tests.waiting import wait_until
from waybill.cli.shipment_lines import ShipmentWriter
from waybill.contracts.codec import SINGLE_OBJECT, schema_fingerprint
from waybill.contracts.files import schema_versions
from waybill.contracts.keys import partition_of
from waybill.contracts.shipment import Action
from waybill.streaming.records import Outbound

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]


def wait_consumed(shop: Shop) -> None:
    """Until the notifier has read all that lies on shipments."""
    published = len(shop.read("shipments"))
    name, metric = "notifier", "waybill_records_consumed_total"
    wait_until(lambda: shop.metric(name, metric, topic="shipments") >= published, SETTLE_S)


@with_orders(5)
def test_a_replay_of_all_shipments_calls_nobody_and_tells_nobody(shop: Shop) -> None:
    voided, corrected, doubled, *plain = shop.wait_imported()
    shop.publish([shop.shipment(key) for key in (doubled, *plain)])
    shop.publish([shop.shipment(doubled, shipment_id="other", tracking_number="OTHER1")])
    shop.publish([shop.shipment(voided, tracking_number=None)])
    shop.publish([shop.shipment(voided, action=Action.VOID, revision=2**50)])
    shop.publish([shop.shipment(corrected, tracking_number=None)])
    shop.publish([shop.shipment(corrected, action=Action.CORRECT, revision=2**50)])
    expected = {"confirmed": len(plain) + 2, "refused": 1, "voided": 1}
    shop.wait_outcomes(expected)
    before, told, written = shop.admin.totals(), len(shop.notifications()), len(shop.ledger())
    first = len(shop.read("shipments"))

    looked = waybill(shop, "replay", "shipments", "--from", "1d")
    assert f"{first} records would be written again" in looked
    assert len(shop.read("shipments")) == first
    waybill(shop, "replay", "shipments", "--from", "1d", "--run")
    again = waybill(shop, "replay", "shipments", "--from", "1d", "--order", voided, "--run")

    assert "2 records were written again" in again
    assert len(shop.read("shipments")) == 2 * first + 2
    wait_consumed(shop)
    fresh = shop.admin.create_order(shop.admin.sellers()[0].id)
    shop.publish([shop.shipment(f"sandbox:{fresh}")])
    shop.wait_outcomes({**expected, "confirmed": expected["confirmed"] + 1})
    after = shop.admin.totals()
    assert after["shipping_calls_received"] == before["shipping_calls_received"] + 1
    assert len([one for one in shop.notifications() if one.trade_id != fresh]) == told
    assert len([one for one in shop.ledger() if one.key != f"sandbox:{fresh}"]) == written
    shop.assert_one_shipment_each()


@with_orders(5)
def test_dead_letters_go_back_once_when_they_can_be_read(shop: Shop) -> None:
    astray, newer, broken, cut, *_ = shop.wait_imported()
    wrong = (partition_of(astray, 12) + 1) % 12
    body = ShipmentWriter(12).record(shop.shipment(astray)).value
    schema = _newer_schema()
    mark = schema_fingerprint(schema)
    plain = ShipmentWriter(12).record(shop.shipment(newer)).value or b""
    shop.publish_raw(
        [
            Outbound("shipments", wrong, astray.encode(), body, [("wb-rerouted", b"1")]),
            _to(newer, SINGLE_OBJECT + mark + plain[10:]),
            _to(broken, b"\xff\xfenothing"),
            Outbound(
                "dead-letters",
                0,
                cut.encode(),
                b"{",
                [("dlq.origin-topic", b"shipments"), ("dlq.truncated", b"9000000")],
            ),
        ]
    )
    wait_until(lambda: len(shop.read("dead-letters")) == 4, SETTLE_S, every_s=0.5)

    looked = waybill(shop, "redrive")
    assert "1 dead letters would go back" in looked
    assert all(why in looked for why in ("is truncated", "still cannot be read"))
    text = orjson.dumps(schema)
    shop.publish_raw([Outbound("schemas", 0, mark.hex().encode(), text)])
    out = waybill(shop, "redrive", "--run")
    twice = waybill(shop, "redrive", "--run")

    assert "2 dead letters went back" in out
    assert "0 dead letters went back" in twice
    assert "2 was redriven before" in twice
    shop.wait_outcomes({"confirmed": 2})
    assert len(shop.read("dead-letters")) == 4
    listed = waybill(shop, "dead-letters", "list")
    assert all(reason in listed for reason in ("wrong_partition", "unknown_schema", "unknown_form"))
    letter = next(one for one in shop.read("dead-letters") if one.key == broken.encode())
    place = f"{letter.partition}:{letter.offset}"
    assert letter.value is not None
    assert letter.value.hex() not in waybill(shop, "dead-letters", "show", place)
    assert letter.value.hex() in waybill(shop, "dead-letters", "show", place, "--show-payload")
    shop.assert_one_shipment_each()


def _to(key: str, value: bytes) -> Outbound:
    return Outbound("shipments", partition_of(key, 12), key.encode(), value)


def _newer_schema() -> dict[str, Any]:
    """The shipment's schema under a fingerprint that this release has never seen."""
    schema: dict[str, Any] = json.loads(json.dumps(schema_versions()["shipment"][-1]))
    assert schema["fields"][-1]["name"] == "test"
    schema["fields"][-1]["name"] = "test_of_tomorrow"
    return schema


@with_orders(5)
def test_reconcile_finds_what_was_made_to_differ(shop: Shop) -> None:
    shipped, other, elsewhere, undone, *_ = shop.wait_imported()
    shop.publish([shop.shipment(key) for key in (shipped, other, undone)])
    shop.wait_outcomes({"confirmed": 3})
    command = ("reconcile", "--since", "60d", "--grace-min", "0", "--json", "--rate-per-s", "50")
    agreed = _found(waybill(shop, *command, code=0))
    assert agreed == set()

    importer = shop.installation.processes.find("importer")
    assert importer is not None
    importer.stop()  # so that a new order is not imported
    url = f"{shop.installation.sandbox_url}/admin/orders"
    parcel = {"service_provider": "DHL", "tracking_number": "X1", "logistics_type": "EXPRESS"}
    answer = httpx.patch(
        f"{url}/{elsewhere.split(':')[1]}", json={"shipped_elsewhere": parcel}, timeout=10
    )
    assert answer.is_success
    shop.admin.set_status(undone.split(":")[1], "undeliver")
    missing = f"sandbox:{shop.admin.create_order(shop.admin.sellers()[0].id)}"

    found = _found(waybill(shop, *command, code=1))

    assert found == {
        (elsewhere, "shipped_elsewhere"),
        (missing, "not_imported"),
        (undone, "not_shipped_at_alibaba"),
    }
    offline = _found(waybill(shop, *command, "--offline", code=0))
    assert offline == set()
    untold = waybill(shop, "reconcile", "--since", "1d", "--store", "nobody", code=2)
    assert untold == ""


def _found(answer: str) -> set[tuple[str, str]]:
    return {(one["key"], one["kind"]) for one in json.loads(answer)["differences"]}
