"""The whole `shipments` topic a second time: no call and no notification, voids and corrections included."""

import pytest

from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.waiting import wait_until
from waybill.contracts.shipment import Action

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]


@with_orders(10)
def test_replaying_all_shipments_calls_nobody_and_tells_nobody(shop: Shop) -> None:
    keys = shop.wait_imported()
    voided, corrected, waiting, doubled, *plain = keys
    first = [shop.shipment(key) for key in (doubled, *plain)]
    shop.publish([*first, *first])
    shop.publish([shop.shipment(doubled, shipment_id="other", tracking_number="OTHER1")])
    unsent = shop.shipment(voided, tracking_number=None)
    shop.publish([unsent, shop.shipment(voided, action=Action.VOID, revision=2**50)])
    shop.publish([shop.shipment(corrected, tracking_number=None)])
    shop.publish([shop.shipment(corrected, action=Action.CORRECT, revision=2**50)])
    shop.publish([shop.shipment(waiting, tracking_number=None)])
    expected = {"confirmed": len(plain) + 2, "refused": 1, "voided": 1, "waiting": 1}
    shop.wait_outcomes(expected)
    before = shop.admin.totals()
    told, written = len(shop.notifications()), len(shop.ledger())
    running = shop.installation.processes.find("notifier")
    assert running is not None
    assert running.stop()

    shop.rewind("waybill.shipments.v1")
    shop.installation.start_services(print)
    published = len(shop.read("shipments"))
    wait_until(
        lambda: (
            shop.metric("notifier", "waybill_records_consumed_total", topic="shipments")
            >= published
        ),
        SETTLE_S,
    )
    shop.publish([shop.shipment(waiting, revision=2**51)])
    shop.wait_outcomes({**expected, "confirmed": expected["confirmed"] + 1, "waiting": 0})

    after = shop.admin.totals()
    assert after["shipping_calls_received"] == before["shipping_calls_received"] + 1
    assert len(shop.notifications()) == told + 1
    assert len(shop.ledger()) == written + 3  # claimed, dispatched, confirmed: of the new one alone
    shop.assert_one_shipment_each()
