"""Publishing shipments and looking at an order, on a real cluster."""

import json

import pytest

from tests.integration.cli.command import Command
from tests.kafka import TopicSpace
from waybill.cli.cluster import Cluster
from waybill.contracts import Shipment
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.keys import partition_of
from waybill.settings import KafkaSettings
from waybill.streaming.records import Inbound

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]

KEY = "sandbox:255201166001024316"


def published(space: TopicSpace) -> list[Inbound]:
    kafka = KafkaSettings(bootstrap_servers=space.bootstrap, topic_prefix=space.prefix)
    return list(Cluster(kafka).read(["shipments"]))


def decoded(record: Inbound) -> Shipment:
    return Codec(Shipment, "shipment", SchemaBook()).decode(record.value, allow_json=True)


def test_lines_are_published_where_their_orders_belong(
    waybill: Command, topic_space: TopicSpace
) -> None:
    line = waybill("shipments", "example", "--order", KEY).stdout
    lines = "".join(line.replace(KEY, f"sandbox:{number}") for number in range(20))

    ended = waybill("shipments", "publish", "-", stdin=lines)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "published 20 shipments of 20 orders" in ended.stdout
    records = published(topic_space)
    assert {decoded(record).order_key for record in records} == {f"sandbox:{n}" for n in range(20)}
    assert all(record.partition == partition_of(record.key or b"", 4) for record in records)


def test_json_is_published_as_it_is(waybill: Command, topic_space: TopicSpace) -> None:
    line = waybill("shipments", "example", "--order", KEY).stdout

    waybill("shipments", "publish", "--json", "-", stdin=line)

    (record,) = published(topic_space)
    assert record.value == line.strip().encode()


def test_with_a_bad_line_nothing_is_published_unless_it_is_skipped(
    waybill: Command, topic_space: TopicSpace
) -> None:
    lines = waybill("shipments", "example", "--order", KEY).stdout + "{}\n"

    refused = waybill("shipments", "publish", "-", stdin=lines)
    assert (refused.returncode, published(topic_space)) == (2, [])

    skipped = waybill("shipments", "publish", "--skip-bad", "-", stdin=lines)
    assert skipped.returncode == 2
    assert "published 1 shipments of 1 orders" in skipped.stdout
    assert len(published(topic_space)) == 1


def test_an_order_is_shown_with_what_was_published(waybill: Command) -> None:
    line = waybill("shipments", "example", "--order", KEY).stdout
    waybill("shipments", "publish", "-", stdin=line)

    shown = waybill("orders", "show", KEY)
    answer = json.loads(waybill("orders", "show", KEY, "--json").stdout)

    assert shown.returncode == 0
    assert "shipment create" in shown.stdout
    assert answer["key"] == KEY
    assert answer["steps"][0]["topic"] == "shipments"


def test_an_order_that_nobody_knows_is_exit_code_1(waybill: Command) -> None:
    ended = waybill("orders", "show", KEY)

    assert ended.returncode == 1
    assert f"holds a record of {KEY}" in ended.stderr


def test_a_proof_that_is_not_there_is_exit_code_1(waybill: Command) -> None:
    line = waybill("shipments", "example", "--order", KEY).stdout
    waybill("shipments", "publish", "-", stdin=line)

    ended = waybill("orders", "show", KEY, "--proof", "proof.png")

    assert ended.returncode == 1
    assert "there is no proof" in ended.stderr


def test_topics_that_are_missing_are_told_with_the_remedy(
    waybill: Command, topic_space: TopicSpace
) -> None:
    ended = waybill("orders", "list", "--topic-prefix", "nobodys-")

    assert ended.returncode == 1
    assert "nobodys-waybill.schemas.v1: run `waybill topics apply`" in ended.stderr
