"""A client that is cut off from a cluster which answers others ends the process; nothing else does."""

import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from waybill.settings import KafkaSettings
from waybill.streaming import lifeline as lifeline_module
from waybill.streaming.errors import FatalError
from waybill.streaming.lifeline import Lifeline

ROUNDS = lifeline_module._UNANSWERED_MAX


class Told:
    """A client that answers as it is told."""

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.asked = 0

    def list_topics(self, topic: str, timeout: float) -> Any:
        assert topic == "staging-waybill.schemas.v1"
        assert timeout == lifeline_module._ANSWER_S
        self.asked += 1
        if not self.answers:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))


def _lifeline(fresh: Told, **clients: Told) -> Lifeline:
    return Lifeline(KafkaSettings(topic_prefix="staging-"), clients, lambda: fresh)


def _ask(lifeline: Lifeline, times: int) -> None:
    for _ in range(times):
        lifeline.ask()
        lifeline.check()


def test_a_client_that_alone_gets_no_answer_is_lost() -> None:
    lifeline = _lifeline(Told(), reader=Told(), group=Told(answers=False))
    _ask(lifeline, ROUNDS - 1)

    lifeline.ask()

    with pytest.raises(FatalError, match="of the group lost all brokers"):
        lifeline.check()


def test_a_cluster_that_is_away_for_all_is_waited_for() -> None:
    fresh, reader = Told(answers=False), Told(answers=False)
    lifeline = _lifeline(fresh, reader=reader)

    _ask(lifeline, 3 * ROUNDS)
    fresh.answers = reader.answers = True  # it is back, and so is the client

    _ask(lifeline, 3 * ROUNDS)


def test_a_client_that_finds_its_way_back_in_time_is_not_lost() -> None:
    reader = Told()
    lifeline = _lifeline(Told(), reader=reader)
    for _ in range(3):
        reader.answers = False
        _ask(lifeline, ROUNDS - 1)
        reader.answers = True
        _ask(lifeline, 1)


def test_a_watched_loop_ends_before_its_next_turn() -> None:
    turns: list[str] = []
    lifeline = _lifeline(Told(), reader=Told(answers=False))
    turn = lifeline.watching(lambda: turns.append("turn"))
    turn()
    for _ in range(ROUNDS):
        lifeline.ask()

    with pytest.raises(FatalError):
        turn()

    assert turns == ["turn"]


def test_it_asks_by_itself_until_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline_module, "_EVERY_S", 0.001)
    asked = threading.Event()

    class Heard(Told):
        def list_topics(self, topic: str, timeout: float) -> Any:
            super().list_topics(topic, timeout)
            if self.asked == 3:
                asked.set()

    reader = Heard()
    with _lifeline(Told(), reader=reader):
        assert asked.wait(10)

    count = reader.asked
    assert not any(thread.name == "lifeline" for thread in threading.enumerate())
    assert reader.asked == count
