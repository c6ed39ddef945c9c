"""Held orders: a hint for each, on the topic that the importer reads."""

import pytest

from tests.integration.cli.command import Command
from tests.kafka import TopicSpace
from tests.unit.reprocessing.records import KEY, OTHER
from tests.unit.reprocessing.test_held import held, state
from waybill.cli.cluster import Cluster
from waybill.contracts import OrderHint
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.imports import HintReason
from waybill.contracts.keys import partition_of
from waybill.settings import KafkaSettings
from waybill.streaming.records import Outbound

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]


def test_held_orders_are_told_and_with_run_a_hint_is_sent_for_each(
    waybill: Command, topic_space: TopicSpace
) -> None:
    cluster = Cluster(
        KafkaSettings(bootstrap_servers=topic_space.bootstrap, topic_prefix=topic_space.prefix)
    )
    cluster.publish(
        Outbound("orders", partition_of(record.key or b"", 4), record.key, record.value)
        for record in (held(KEY), state(OTHER))
    )

    looked = waybill("redrive", "--held")
    assert (looked.returncode, looked.stderr) == (0, "")
    assert "1 held orders would be read again" in looked.stdout
    assert list(cluster.read(["order-hints"])) == []
    other = waybill("redrive", "--held", "--store", "s2", "--run")
    done = waybill("redrive", "--held", "--reason", "no_delivery_address", "--run")

    assert "read 0 held orders again" in other.stdout
    assert "read 1 held orders again" in done.stdout
    (record,) = cluster.read(["order-hints"])
    hint = Codec(OrderHint, "order_hint", SchemaBook()).decode(record.value)
    assert (hint.order_key, hint.store_id) == (KEY.decode(), "s1")
    assert hint.reason is HintReason.OPERATOR
