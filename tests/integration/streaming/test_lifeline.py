"""The clients that services use, asked for real."""

import threading

import pytest
from confluent_kafka import Consumer

from tests.integration.streaming.forgetful import Forgetful
from tests.kafka import TopicSpace
from waybill.broker.ports import free_port
from waybill.settings import KafkaSettings
from waybill.streaming import clients
from waybill.streaming import lifeline as lifeline_module
from waybill.streaming.clients import member_consumer, plain_producer, reader_consumer
from waybill.streaming.errors import FatalError
from waybill.streaming.kafka import KafkaReader
from waybill.streaming.lifeline import Lifeline
from waybill.streaming.ports import Place

pytestmark = pytest.mark.kafka


def _kafka(space: TopicSpace) -> KafkaSettings:
    space.create_declared("schemas")
    return KafkaSettings(bootstrap_servers=space.bootstrap, topic_prefix=space.prefix)


def _ask_until_lost(lifeline: Lifeline) -> None:
    """As often as it takes, and no less."""
    for _ in range(lifeline_module._UNANSWERED_MAX):
        lifeline.check()
        lifeline.ask()


def test_clients_that_reach_the_cluster_are_not_lost(topic_space: TopicSpace) -> None:
    kafka = _kafka(topic_space)
    member, reader = member_consumer(kafka, "g"), reader_consumer(kafka, "g")
    lifeline = Lifeline(
        kafka, {"group": member, "reader": reader, "producer": plain_producer(kafka, "p")}
    )

    for _ in range(2 * lifeline_module._UNANSWERED_MAX):
        lifeline.ask()

    lifeline.check()
    member.close()
    reader.close()


def test_a_loop_that_never_rests_leaves_its_client_to_a_question(topic_space: TopicSpace) -> None:
    kafka = _kafka(topic_space)
    reader = KafkaReader(kafka, "g")
    reader.assign({Place("schemas", 0): 0})
    lifeline = Lifeline(kafka, {"reader": reader.client})
    ended = threading.Event()

    def read() -> None:
        reader.read(500, 0.05)

    def loop() -> None:
        turn = lifeline.watching(read)
        while not ended.is_set():
            turn()

    looping = threading.Thread(target=loop)
    asking = threading.Thread(target=lifeline.ask, daemon=True)
    looping.start()
    try:
        asking.start()
        asking.join(20)
        answered = not asking.is_alive()
    finally:
        ended.set()
        looping.join()

    assert answered
    reader.close()


@pytest.mark.slow
def test_a_client_that_was_told_of_a_cluster_without_brokers_is_lost_for_good(
    topic_space: TopicSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one such answer in ten the library does not help itself, as fires have seen; here it may not."""
    monkeypatch.setattr(lifeline_module, "_ANSWER_S", 0.5)
    base = clients._base
    unaided = {"metadata.recovery.strategy": "none"}
    monkeypatch.setattr(clients, "_base", lambda *given: base(*given) | unaided)
    kafka = _kafka(topic_space)
    with Forgetful(topic_space.bootstrap).serving() as broker:
        through = kafka.model_copy(update={"bootstrap_servers": broker.bootstrap})
        reader = reader_consumer(through, "g")
        lifeline = Lifeline(through, {"reader": reader})
        lifeline.ask()

        broker.forgets = True
        lifeline.ask()
        broker.forgets = False
        _ask_until_lost(lifeline)

        assert broker.forgot >= 1
        with pytest.raises(FatalError, match="of the reader lost all brokers"):
            lifeline.check()
        reader.close()


def test_a_client_without_a_broker_is_lost_while_a_new_one_finds_one(
    topic_space: TopicSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifeline_module, "_ANSWER_S", 0.5)
    kafka = _kafka(topic_space)
    nowhere = kafka.model_copy(update={"bootstrap_servers": f"127.0.0.1:{free_port()}"})
    cut_off: Consumer = reader_consumer(nowhere, "g")
    lifeline = Lifeline(kafka, {"reader": cut_off})

    _ask_until_lost(lifeline)

    with pytest.raises(FatalError, match="of the reader"):
        lifeline.check()
    cut_off.close()
