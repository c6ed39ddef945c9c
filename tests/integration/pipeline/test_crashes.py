"""kill -9 of any part in the middle of a run changes none of the final numbers."""

import psutil
import pytest

from tests.integration.pipeline.shop import Shop
from tests.integration.pipeline.stock import with_orders
from waybill import broker
from waybill.demo.installation import SERVICES

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]


def _run_until_some_are_confirmed(shop: Shop) -> list[str]:
    keys = shop.wait_imported()
    # slow enough that calls are under way whenever the kill comes
    shop.admin.add_faults([{"kind": "latency", "ms": 300, "path": "/alibaba/*"}])
    shop.publish(shop.shipment(key) for key in keys)
    shop.wait_confirmed(5)
    return keys


@pytest.mark.parametrize("victim", SERVICES)
@with_orders(30)
def test_a_killed_service_starts_again_without_loss_or_double(shop: Shop, victim: str) -> None:
    keys = _run_until_some_are_confirmed(shop)
    running = shop.installation.processes.find(victim)
    assert running is not None

    running.kill()
    shop.installation.start_services(print)

    shop.wait_outcomes({"confirmed": len(keys)})
    shop.assert_one_shipment_each()
    assert shop.admin.totals()["shipments"] == len(keys)


def test_a_killed_broker_starts_again_without_loss_or_double(shop_on_own_broker: Shop) -> None:
    shop = shop_on_own_broker
    keys = _run_until_some_are_confirmed(shop)
    folder = shop.installation.folder / "kafka"
    handle = broker.status(folder)
    assert handle is not None

    killed = psutil.Process(handle.pid)
    killed.kill()
    killed.wait(20)
    shop.installation.start_broker(print)

    shop.wait_outcomes({"confirmed": len(keys)})
    shop.assert_one_shipment_each()
    assert shop.admin.totals()["shipments"] == len(keys)
