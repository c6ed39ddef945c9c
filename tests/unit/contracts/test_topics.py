"""The topic files: complete, and consistent with each other."""

import pytest

from waybill.contracts import RECORDS
from waybill.contracts.topics import Topic, topics

ALL = [pytest.param(topic, id=name) for name, topic in topics().items()]
_MIB = 1_048_576


def test_every_record_has_one_topic() -> None:
    records = [topic.record for topic in topics().values() if topic.record]

    assert sorted(records) == sorted(RECORDS)


@pytest.mark.parametrize("topic", ALL)
def test_names_say_product_subject_and_version(topic: Topic) -> None:
    assert topic.name == f"waybill.{topic.logical}.v1"
    assert "_" not in topic.name  # Kafka's own metric names cannot tell `_` from `.`


def test_what_can_be_consumed_can_be_dead_lettered() -> None:
    dead_letters = topics()["dead-letters"].bytes_max
    for topic in topics().values():
        if topic.visibility == "public":
            assert topic.bytes_max < dead_letters
    assert topics()["shipments"].bytes_max < topics()["claims"].bytes_max
    assert topics()["orders"].bytes_max < topics()["ledger"].bytes_max
    assert topics()["claims"].bytes_max < topics()["proofs"].bytes_max == dead_letters == 8 * _MIB


def test_only_shipments_take_json() -> None:
    assert [name for name, topic in topics().items() if topic.json_allowed] == ["shipments"]


def test_the_public_topics() -> None:
    public = {name for name, topic in topics().items() if topic.visibility == "public"}

    assert public == {"orders", "shipments", "notifications", "enrichments"}


def test_personal_data_does_not_stay_behind_compaction() -> None:
    for name in ("orders", "proofs", "enrichments"):
        config = topics()[name].kafka_config()
        assert int(config["max.compaction.lag.ms"]) == 7 * 86_400_000
        assert int(config["segment.ms"]) == 86_400_000
        assert int(config["delete.retention.ms"]) == 14 * 86_400_000


def test_the_ledger_never_loses_what_was_acknowledged() -> None:
    config = topics()["ledger"].kafka_config()

    assert config["unclean.leader.election.enable"] == "false"
    assert config["cleanup.policy"] == "compact"
    assert config["retention.ms"] == "-1"
