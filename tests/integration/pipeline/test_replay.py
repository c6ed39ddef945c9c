"""The whole `shipments` topic a second time: no call and no notification, voids and corrections included."""

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.integration.pipeline.conftest import OpenShop
from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.waiting import wait_until
from waybill.contracts.shipment import Action

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]


def _rewind(shop: Shop) -> None:
    kafka = shop.installation.kafka
    admin = AdminClient(dict(kafka.client_config()))
    topic = kafka.physical("waybill.shipments.v1")
    name = f"{kafka.topic_prefix}waybill-notifier"
    there = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(name)])[name]
    # with their notes: without them the past would count as unknown, and be looked up first
    start = [
        TopicPartition(topic, place.partition, 0, place.metadata)
        for place in there.result(10).topic_partitions
        if place.topic == topic
    ]
    group = ConsumerGroupTopicPartitions(name, start)

    def accepted() -> bool:
        # the broker takes it once the group's last member has gone
        answer = admin.alter_consumer_group_offsets([group])[group.group_id]
        if answer.exception(10) is not None:
            return False
        return all(part.error is None for part in answer.result().topic_partitions)

    wait_until(accepted, 30, every_s=0.5)


def test_replaying_all_shipments_calls_nobody_and_tells_nobody(open_shop: OpenShop) -> None:
    shop = open_shop(orders_per_store=10)
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

    _rewind(shop)
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
