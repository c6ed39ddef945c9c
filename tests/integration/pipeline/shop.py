"""What a test sees of an installation: it publishes shipments, and reads topics and the sandbox's journal."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.waiting import wait_until
from waybill.cli.shipment_lines import ShipmentWriter
from waybill.contracts import LedgerEntry, Notification, Order, Shipment
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Carrier
from waybill.demo.installation import Installation
from waybill.demo.sandbox_admin import SandboxAdmin
from waybill.streaming.records import Inbound, Outbound

SETTLE_S = 90.0
"""Longest wait for the end of a run: a killed broker needs some seconds, a loaded machine more."""

ADMIN_S = 20.0
"""Longest wait for the broker's answer to an administrator."""


class Shop:
    """One installation; see the module."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        book = SchemaBook()
        self._notifications = Codec(Notification, "notification", book)
        self._orders = Codec(Order, "order", book)
        self._ledger = Codec(LedgerEntry, "ledger_entry", book)
        self._writer = ShipmentWriter(installation.kafka.partitions)
        self._admin: SandboxAdmin | None = None

    @property
    def admin(self) -> SandboxAdmin:
        """The sandbox behind the installation."""
        if self._admin is None:
            self._admin = SandboxAdmin(self.installation.sandbox_url)
        return self._admin

    def close(self) -> None:
        """Stop everything."""
        if self._admin is not None:
            self._admin.close()
        for running in self.installation.processes:
            running.resume()  # one that was left suspended could not stop
        self.installation.stop()

    # ------------------------------------------------------------------------------------ publishing

    def shipment(self, order_key: str, **changes: Any) -> Shipment:
        """A complete shipment of an order, with these changes."""
        now = datetime.now(UTC)
        facts: dict[str, Any] = {
            "order_key": order_key,
            "shipment_id": f"se-{order_key.split(':')[1]}",
            "occurred_at": now,
            "shipped_at": now,
            "tracking_number": f"7767{order_key[-8:]}",
            "carrier": Carrier(code="fedex", name="FedEx"),
        }
        return Shipment.model_validate({**facts, **changes})

    def publish(self, shipments: Iterable[Shipment]) -> None:
        """As a shipping system does."""
        self.publish_raw(self._writer.record(shipment) for shipment in shipments)

    def publish_raw(self, records: Iterable[Outbound]) -> None:
        """Any bytes, anywhere."""
        self.installation.cluster.publish(records)

    def rewind(self, topic: str) -> None:
        """Put the stopped notifier's group back to the first record of a topic, `waybill.shipments.v1`."""
        kafka = self.installation.kafka
        admin = AdminClient(dict(kafka.client_config()))
        group = f"{kafka.topic_prefix}waybill-notifier"
        there = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]
        # with their notes: without them the past would count as unknown, and be looked up first
        start = [
            TopicPartition(place.topic, place.partition, 0, place.metadata or "")
            for place in there.result(ADMIN_S).topic_partitions
            if place.topic == kafka.physical(topic)
        ]
        assert start, f"the group has no position on {topic}"

        def accepted() -> bool:
            # the broker takes it once the group's last member has gone
            wanted = ConsumerGroupTopicPartitions(group, start)
            answer = admin.alter_consumer_group_offsets([wanted])[group]
            if answer.exception(ADMIN_S) is not None:
                return False
            return all(part.error is None for part in answer.result().topic_partitions)

        wait_until(accepted, 30, every_s=0.5)

    # --------------------------------------------------------------------------------------- reading

    def read(self, topic: str) -> list[Inbound]:
        """Everything that lies on a topic now."""
        return list(self.installation.cluster.read([topic]))

    def notifications(self) -> list[Notification]:
        """All decisions."""
        return [self._notifications.decode(record.value) for record in self.read("notifications")]

    def ledger(self) -> list[LedgerEntry]:
        """Every version of every entry."""
        return [self._ledger.decode(record.value) for record in self.read("ledger") if record.value]

    def orders(self) -> dict[str, Order]:
        """The newest state of each order."""
        decoded = [self._orders.decode(record.value) for record in self.read("orders")]
        return {order.key: order for order in decoded}

    def shippable(self) -> list[str]:
        """Keys of the imported orders that wait for a shipment."""
        return [
            order.key
            for order in self.orders().values()
            if order.importable and order.status is OrderStatus.AWAITING_SHIPMENT
        ]

    def outcomes(self) -> Counter[str]:
        """How the shipments stand: the last decision on each."""
        last = {(one.order_key, one.shipment_id): one.outcome for one in self.notifications()}
        return Counter(outcome.value for outcome in last.values())

    def wait_imported(self) -> list[str]:
        """Until all orders that can be shipped have been imported; their keys."""
        there = self.admin.orders()
        ready = {
            f"sandbox:{o.trade_id}" for o in there if o.status == "undeliver" and o.has_address
        }
        wait_until(lambda: ready <= set(self.shippable()), SETTLE_S, every_s=0.5)
        return sorted(ready)

    def wait_outcomes(self, expected: Mapping[str, int], deadline_s: float = SETTLE_S) -> None:
        """Until the shipments stand exactly so; fails with how they stand instead."""
        wanted = Counter({outcome: count for outcome, count in expected.items() if count})
        deadline = time.monotonic() + deadline_s
        while (found := self.outcomes()) != wanted and time.monotonic() < deadline:
            time.sleep(0.5)
        assert found == wanted, f"{dict(found)} instead of {dict(wanted)}"

    def wait_confirmed(self, at_least: int) -> None:
        """Until so many are confirmed."""
        wait_until(lambda: self.outcomes()["confirmed"] >= at_least, SETTLE_S, every_s=0.1)

    def metric(self, name: str, metric: str, **labels: str) -> float:
        """The sum of a metric's series of a service."""
        text = httpx.get(f"{self.installation.service_url(name)}/metrics", timeout=5).text
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [
            line for line in text.splitlines() if line.startswith((metric + "{", metric + " "))
        ]
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in lines if all(w in line for w in wanted)
        )

    # ---------------------------------------------------------------------------------------- checks

    def assert_one_shipment_each(self) -> None:
        """What the product promises, read from Alibaba's side, and from the ledger's own history."""
        totals = self.admin.totals()
        assert totals["shipments_per_order_max"] <= 1
        assert totals["could_have_acted_per_order_max"] <= 1
        written = [(entry.key, entry.revision) for entry in self.ledger()]
        assert len(written) == len(set(written)), "two owners wrote the same revision of an entry"
