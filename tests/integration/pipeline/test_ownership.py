"""Two owners at once: one that sleeps and wakes, and two groups on the same topics."""

import httpx
import pytest

from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.waiting import wait_until
from waybill.broker.ports import free_port
from waybill.demo import processes
from waybill.demo.processes import Running

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]


def _second_notifier(shop: Shop, group: str | None = None) -> tuple[Running, int]:
    installation = shop.installation
    port = free_port()
    env = dict(installation.program("notifier").env)
    env["WAYBILL_HTTP__PORT"] = str(port)
    if group is not None:
        env["WAYBILL_GROUP"] = group
    program = processes.service("notifier", installation.env_file, port, env)
    renamed = processes.Program("notifier-2", program.command, program.ready_url, program.env)
    return installation.processes.start(renamed), port


def _running_partitions(port: int) -> int:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    (line,) = [x for x in text.splitlines() if x.startswith('waybill_partitions{phase="running"}')]
    return int(float(line.rsplit(" ", 1)[1]))


@with_orders(40)
def test_a_notifier_that_wakes_without_its_partitions_writes_and_calls_nothing(shop: Shop) -> None:
    keys = shop.wait_imported()
    first = shop.installation.processes.find("notifier")
    assert first is not None
    second, port = _second_notifier(shop)
    second.wait_ready()
    wait_until(lambda: 0 < _running_partitions(port) < 12, SETTLE_S, every_s=0.2)
    shop.admin.add_faults([{"kind": "latency", "ms": 300, "path": "/alibaba/*"}])
    shop.publish(shop.shipment(key) for key in keys)
    shop.wait_confirmed(5)

    first.suspend()
    wait_until(lambda: _running_partitions(port) == 12, SETTLE_S, every_s=0.2)
    shop.wait_outcomes({"confirmed": len(keys)})
    written, calls = len(shop.ledger()), shop.admin.totals()["shipping_calls_received"]
    first.resume()
    wait_until(lambda: first.ready and _running_partitions(port) < 12, SETTLE_S, every_s=0.2)

    assert len(shop.ledger()) == written
    assert shop.admin.totals()["shipping_calls_received"] == calls
    shop.assert_one_shipment_each()


@with_orders(10)
def test_a_second_group_on_the_same_topics_ends_with_a_clear_message(shop: Shop) -> None:
    keys = shop.wait_imported()
    first = shop.installation.processes.find("notifier")
    assert first is not None

    second, _ = _second_notifier(shop, group="another-group")
    second.wait_ready()
    shop.publish(shop.shipment(key) for key in keys)  # whoever is shut out notices when it writes

    wait_until(lambda: not (first.alive and second.alive), SETTLE_S, every_s=0.2)
    ended = second if first.alive else first
    assert "another group writes" in ended.log.read_text()
    shop.wait_outcomes({"confirmed": len(keys)})
    shop.assert_one_shipment_each()
