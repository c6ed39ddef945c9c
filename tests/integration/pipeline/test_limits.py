"""Limits on a real broker: while Alibaba is away shipments are taken in at once, and none is lost."""

import time

import httpx
import pytest

from tests.integration.pipeline.shop import Shop
from tests.integration.pipeline.stock import with_orders
from tests.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]

_INTAKE_S = 5.0
"""A second on an idle machine; the rest is for a loaded one. Calls alone would take minutes."""


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "cut_before", "path": "/alibaba/*"},
        {"kind": "latency", "ms": 60_000, "path": "/alibaba/*"},
    ],
    ids=["cut", "hanging"],
)
@with_orders(25)
def test_intake_never_waits_for_alibaba_and_nothing_is_lost(
    shop: Shop, fault: dict[str, object]
) -> None:
    keys = shop.wait_imported()
    shop.admin.add_faults([fault])

    published_s = time.monotonic()
    shop.publish(shop.shipment(key) for key in keys)
    wait_until(lambda: {entry.key for entry in shop.ledger()} == set(keys), 60, every_s=0.1)
    took_s = time.monotonic() - published_s

    assert took_s < _INTAKE_S
    assert shop.admin.totals()["shipments"] == 0
    httpx.delete(f"{shop.installation.sandbox_url}/admin/faults").raise_for_status()
    shop.wait_outcomes({"confirmed": len(keys)}, 150)
    shop.assert_one_shipment_each()
