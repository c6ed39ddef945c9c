"""The fixtures that other tests stand on keep their promises."""

from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, not marked as exported
    AdminClient,
    ConfigResource,
)

from tests.kafka import TopicSpace
from waybill.contracts.topics import topics


def test_topics_of_a_test_are_its_own_and_can_be_deleted(topic_space: TopicSpace) -> None:
    names = topic_space.create("orders", "shipments", partitions=3)

    assert names == [topic_space.prefix + "orders", topic_space.prefix + "shipments"]
    assert topic_space.existing() == sorted(names)

    topic_space.delete_all()

    assert topic_space.existing() == []


def test_topics_are_made_as_they_are_declared(topic_space: TopicSpace) -> None:
    made = topic_space.create_declared("ledger", "proofs", partitions=2)

    assert made["ledger"] == f"{topic_space.prefix}waybill.ledger.v1"
    assert sorted(made.values()) == topic_space.existing()

    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in made.values()]
    admin = AdminClient({"bootstrap.servers": topic_space.bootstrap})
    ledger, proofs = (answer.result(10) for answer in admin.describe_configs(resources).values())

    assert ledger["cleanup.policy"].value == "compact"
    assert proofs["max.message.bytes"].value == str(topics()["proofs"].bytes_max)


def test_a_topic_that_nobody_created_is_not_made_by_writing_to_it(topic_space: TopicSpace) -> None:
    errors: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": topic_space.bootstrap, "message.timeout.ms": 1000})
    producer.produce(
        topic_space.name("misspelt"), b"", on_delivery=lambda error, _: errors.append(error)
    )
    producer.flush(10)

    assert len(errors) == 1
    assert errors[0] is not None
    assert topic_space.existing() == []


def test_records_of_eight_mebibytes_fit(topic_space: TopicSpace) -> None:
    largest = 8 * 1024 * 1024
    (proofs,) = topic_space.create("proofs", config={"max.message.bytes": str(largest + 65536)})
    errors: list[object] = []
    producer = Producer(
        {"bootstrap.servers": topic_space.bootstrap, "message.max.bytes": largest + 65536}
    )
    producer.produce(proofs, b"x" * largest, on_delivery=lambda error, _: errors.append(error))
    producer.flush(20)

    assert errors == [None]


def test_transactions_work(topic_space: TopicSpace) -> None:
    (ledger,) = topic_space.create("ledger")
    producer = Producer(
        {
            "bootstrap.servers": topic_space.bootstrap,
            "transactional.id": f"{topic_space.prefix}ledger-0",
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(ledger, b"entry")
    producer.commit_transaction(30)

    assert topic_space.existing() == [ledger]


def test_the_session_has_one_broker_only(kafka_bootstrap: str, topic_space: TopicSpace) -> None:
    metadata = AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(timeout=10)

    assert topic_space.bootstrap == kafka_bootstrap
    assert len(metadata.brokers) == 1
