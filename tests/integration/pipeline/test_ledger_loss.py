"""A ledger that forgot stops the house: provoked on real Kafka, and it ends without a second call.

Everything that was shipped is published again after the loss, to a stand-in that would take it. The
importer is stopped, so that the notifier's orders still say "awaiting shipment" and only its own caution
is left between the replay and a second shipment.
"""

import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not re-exported
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from tests.integration.pipeline.shop import ADMIN_S, SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.integration.pipeline.terminal import run
from tests.waiting import wait_until
from waybill.contracts.keys import partition_of
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason
from waybill.demo.processes import Running
from waybill.streaming import topic_admin
from waybill.streaming.records import Inbound
from waybill.streaming.witness import decode

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]

LEDGER, SHIPMENTS = "waybill.ledger.v1", "waybill.shipments.v1"
Lose = Callable[[Shop, Sequence[Inbound]], set[int]]
"""Gets what lies on the ledger; returns the partitions that have to notice."""


# ------------------------------------------------------------------------------------- the losses


def _admin(shop: Shop) -> AdminClient:
    return AdminClient({**shop.installation.kafka.client_config(), "log_level": 0})


def _delete_records(shop: Shop, topic: str) -> None:
    """All of them, in every partition; positions and ends stay where they are."""
    admin, kafka = _admin(shop), shop.installation.kafka
    places = [TopicPartition(kafka.physical(topic), n) for n in range(kafka.partitions)]
    specs: Any = OffsetSpec  # the client ships no types for it
    ends = admin.list_offsets(dict.fromkeys(places, specs.latest()))
    upto = [
        TopicPartition(at.topic, at.partition, end.result(ADMIN_S).offset)
        for at, end in ends.items()
    ]
    for deleted in admin.delete_records(upto).values():
        deleted.result(ADMIN_S)


def _noted(shop: Shop) -> set[int]:
    """Partitions that wrote a note, if only to keep their positions: another ledger stops these."""
    group = shop.installation.program("notifier").env["WAYBILL_GROUP"]
    admin = _admin(shop)  # its answers end with it
    (answer,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    places = answer.result(ADMIN_S).topic_partitions or []
    return {place.partition for place in places if decode(place.metadata)}


def truncated(shop: Shop, records: Sequence[Inbound]) -> set[int]:
    """Somebody set a retention on the ledger: its records are deleted, its end is the same."""
    name = shop.installation.kafka.physical(LEDGER)
    entry = ConfigEntry(
        "cleanup.policy", "compact,delete", incremental_operation=AlterConfigOpType.SET
    )
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    admin = _admin(shop)
    for altered in admin.incremental_alter_configs([resource]).values():
        altered.result(ADMIN_S)
    _delete_records(shop, LEDGER)
    return {record.partition for record in records}


def recreated(shop: Shop, records: Sequence[Inbound]) -> set[int]:
    """The ledger was deleted and made anew."""
    kafka = shop.installation.kafka
    name, admin = kafka.physical(LEDGER), _admin(shop)
    for deleted in admin.delete_topics([name]).values():
        deleted.result(ADMIN_S)
    wait_until(lambda: name not in admin.list_topics(timeout=ADMIN_S).topics, ADMIN_S)
    topic_admin.apply(
        {**kafka.client_config(), "log_level": 0}, kafka.topic_prefix, kafka.partitions, 1
    )
    return _noted(shop)


def older_backup(shop: Shop, records: Sequence[Inbound]) -> set[int]:
    """The ledger was brought back from a copy that knows claims and no calls."""
    hit = recreated(shop, records)
    seen: set[bytes] = set()
    producer = Producer({**shop.installation.kafka.client_config(), "log_level": 0})
    for record in records:
        assert record.key is not None
        if record.key in seen:
            continue
        seen.add(record.key)
        producer.produce(
            shop.installation.kafka.physical(LEDGER),
            value=record.value,
            key=record.key,
            partition=record.partition,
            headers=list(record.headers),
        )
    assert producer.flush(ADMIN_S) == 0
    return hit


def shipments_expired(shop: Shop, records: Sequence[Inbound]) -> set[int]:
    """Shipments came while the notifier was away, for longer than they are kept."""
    shop.publish(shop.shipment(entry.key) for entry in shop.ledger() if entry.revision == 1)
    _delete_records(shop, SHIPMENTS)
    return {record.partition for record in records}


# ------------------------------------------------------------------------------------- the course


def _shipped(shop: Shop) -> tuple[list[str], list[str]]:
    """Orders that Alibaba has shipments of, and two that it has none of; importer and notifier stopped.

    One of the two shares its partition with an order that was shipped.
    """
    keys = shop.wait_imported()
    _stop(shop, "importer")
    crowded = Counter(_partition(shop, key) for key in keys).most_common(1)[0][0]
    neighbour = next(key for key in keys if _partition(shop, key) == crowded)
    unsent = [neighbour, next(key for key in keys if _partition(shop, key) != crowded)]
    sent = [key for key in keys if key not in unsent]
    assert crowded in {_partition(shop, key) for key in sent}
    shop.publish(shop.shipment(key) for key in sent)
    shop.wait_outcomes({"confirmed": len(sent)})
    _stop(shop, "notifier")
    return sent, unsent


def _partition(shop: Shop, key: str) -> int:
    return partition_of(key, shop.installation.kafka.partitions)


def _stop(shop: Shop, name: str) -> None:
    running = shop.installation.processes.find(name)
    assert running is not None
    assert running.stop()


def _start_notifier(shop: Shop) -> Running:
    return shop.installation.processes.start(shop.installation.program("notifier"))


def _waybill(shop: Shop, *arguments: str) -> "subprocess.CompletedProcess[str]":
    group = shop.installation.program("notifier").env["WAYBILL_GROUP"]
    return run(shop, *arguments, env={"WAYBILL_GROUP": group})


def _in_phase(shop: Shop, phase: str) -> int:
    try:
        return int(shop.metric("notifier", "waybill_partitions", phase=phase))
    except httpx.HTTPError:  # not up yet
        return 0


def _wait_phases(shop: Shop, stopped: int) -> None:
    count = shop.installation.kafka.partitions
    wait_until(
        lambda: (
            (_in_phase(shop, "stopped"), _in_phase(shop, "running")) == (stopped, count - stopped)
        ),
        SETTLE_S,
        every_s=0.3,
    )


def _states(shop: Shop, key: str) -> list[State]:
    return [entry.state for entry in shop.ledger() if entry.key == key]


@pytest.mark.parametrize("lose", [truncated, recreated, older_backup, shipments_expired])
@with_orders(6)
def test_a_loss_stops_its_partitions_until_it_is_accepted_and_sends_nothing_twice(
    shop: Shop, lose: Lose
) -> None:
    sent, unsent = _shipped(shop)
    calls = shop.admin.totals()["shipping_calls_received"]
    hit = lose(shop, shop.read("ledger"))
    assert hit >= {_partition(shop, key) for key in sent}

    running = _start_notifier(shop)
    shop.publish(shop.shipment(key) for key in [*sent, *unsent])
    _wait_phases(shop, stopped=len(hit))
    assert not running.ready
    assert "partition_stopped" in running.log.read_text()
    seen = _waybill(shop, "ledger", "status")
    assert seen.returncode == 1, seen.stderr
    assert seen.stdout.count(" lost ") == len(hit)
    in_hit = [key for key in unsent if partition_of(key, shop.installation.kafka.partitions) in hit]
    wait_until(
        lambda: shop.admin.totals()["shipping_calls_received"] == calls + len(unsent) - len(in_hit),
        SETTLE_S,
        every_s=0.3,
    )

    running.kill()  # being stopped outlives the process, and so does the acceptance
    accepted = _waybill(shop, "ledger", "accept-loss", "--all", "--reason", "drill", "--who", "ops")
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.count("accepted that") == len(hit)
    _start_notifier(shop).wait_ready()
    _wait_phases(shop, stopped=0)
    again = _waybill(shop, "ledger", "status")
    assert again.returncode == 0, again.stdout
    shop.publish(shop.shipment(key) for key in [*sent, *unsent])

    shop.wait_outcomes({"confirmed": len(sent) + len(unsent)})
    wait_until(
        lambda: (
            {entry.key: entry.state for entry in shop.ledger()}
            == dict.fromkeys([*sent, *unsent], State.CONFIRMED)
        ),
        SETTLE_S,
        every_s=0.3,
    )
    assert shop.admin.totals()["shipping_calls_received"] == calls + len(unsent)
    for key in in_hit:
        states = _states(shop, key)
        assert State.IN_DOUBT in states, "looked up before its first call"
        assert states.index(State.IN_DOUBT) < states.index(State.DISPATCHED)
    shop.assert_one_shipment_each()
    refused = _waybill(shop, "ledger", "accept-loss", "--all", "--reason", "once more")
    assert refused.returncode == 1
    assert "lost nothing" in refused.stderr


@with_orders(6)
def test_expired_offsets_make_every_order_of_the_past_be_looked_up_first(shop: Shop) -> None:
    sent, unsent = _shipped(shop)
    calls = shop.admin.totals()["shipping_calls_received"]
    group = shop.installation.program("notifier").env["WAYBILL_GROUP"]

    admin = _admin(shop)

    def forgotten() -> bool:  # the broker takes it once the last member has gone
        (deleted,) = admin.delete_consumer_groups([group]).values()
        return deleted.exception(ADMIN_S) is None

    wait_until(forgotten, 30, every_s=0.3)

    _start_notifier(shop).wait_ready()
    shop.publish(shop.shipment(key) for key in [*sent, *unsent])

    shop.wait_outcomes({"confirmed": len(sent) + len(unsent)})
    assert shop.admin.totals()["shipping_calls_received"] == calls + len(unsent)
    past = {_partition(shop, key) for key in sent}
    for key in unsent:
        if _partition(shop, key) in past:
            states = _states(shop, key)
            assert states.index(State.IN_DOUBT) < states.index(State.DISPATCHED)
    shop.assert_one_shipment_each()


@with_orders(6)
def test_an_unreadable_entry_is_answered_and_never_called(shop: Shop) -> None:
    sent, unsent = _shipped(shop)
    calls = shop.admin.totals()["shipping_calls_received"]
    broken = sent[0]
    kafka = shop.installation.kafka
    producer = Producer({**kafka.client_config(), "log_level": 0})
    number = partition_of(broken, kafka.partitions)
    producer.produce(kafka.physical(LEDGER), b"\xc3\x01 nobody's", broken.encode(), number)
    assert producer.flush(ADMIN_S) == 0

    _start_notifier(shop).wait_ready()
    shop.publish(shop.shipment(key) for key in [*sent, *unsent])

    # the broken one was confirmed before: that was told, and stays told
    shop.wait_outcomes({"confirmed": len(sent) + len(unsent), "parked": 1})
    told = [one for one in shop.notifications() if one.order_key == broken][-1]
    assert told.reason is Reason.LEDGER_UNREADABLE
    assert told.needs_operator
    assert shop.admin.totals()["shipping_calls_received"] == calls + len(unsent)
    assert shop.admin.totals()["shipments_per_order_max"] == 1
