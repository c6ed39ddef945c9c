"""Which of the client's errors are tried again, aborted, unclear or the end: with a scripted client."""

from collections import deque
from collections.abc import Callable
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from waybill.streaming.errors import FencedError, StreamingError, UnclearError
from waybill.streaming.records import Outbound
from waybill.streaming.transactions import FencedProducer

RECORDS = [Outbound("state", 0, b"k", b"1"), Outbound("state", 0, b"k", b"2")]
POSITIONS = [TopicPartition("t-work", 0, 5)]


def _error(
    code: int = KafkaError._TIMED_OUT, *, retriable: bool = False, abort: bool = False
) -> KafkaException:
    fatal = not (retriable or abort)
    return KafkaException(KafkaError(code, "scripted", fatal, retriable, abort))


class Delivery:
    """As much of a delivered message as a delivery report looks at."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def offset(self) -> int:
        return self._offset


class ScriptedClient:
    """Fails each step as told, then goes on; a failing step takes its whole time."""

    now_s = 0.0

    def __init__(self, **failures: list[KafkaException]) -> None:
        self.failures = {step: deque(errors) for step, errors in failures.items()}
        self.calls: list[str] = []
        self.offset = 10
        self.undelivered: KafkaError | None = None
        self._reports: list[Callable[[KafkaError | None, Message], None]] = []

    def _step(self, name: str) -> None:
        self.calls.append(name)
        if self.failures.get(name):
            ScriptedClient.now_s += 4
            raise self.failures[name].popleft()

    def init_transactions(self, timeout: float) -> None:
        assert timeout > 0
        self._step("init")

    def begin_transaction(self) -> None:
        self._reports = []
        self._step("begin")

    def produce(self, topic: str, **record: Any) -> None:
        assert topic == "t-state", "the physical name is meant"
        assert record["partition"] == 0
        self._step(f"produce {record['value'].decode()}")
        self._reports.append(record["on_delivery"])

    def send_offsets_to_transaction(
        self, positions: list[TopicPartition], metadata: Any, timeout: float
    ) -> None:
        assert (positions, metadata) == (POSITIONS, "member")
        assert timeout > 0
        self._step("offsets")

    def commit_transaction(self, timeout: float) -> None:
        assert timeout > 0
        self._step("commit")
        for report in self._reports:
            report(self.undelivered, cast("Message", Delivery(self.offset)))
            self.offset += 1

    def abort_transaction(self, timeout: float) -> None:
        assert timeout > 0
        self._step("abort")


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waybill.streaming.transactions.boot_s", lambda: ScriptedClient.now_s)


def _producer(client: ScriptedClient) -> FencedProducer:
    return FencedProducer(cast("Producer", client), {"state": "t-state"})


def _commit(client: ScriptedClient) -> dict[tuple[str, int], int]:
    return _producer(client).commit(RECORDS, POSITIONS, "member").ends


def _fence_or_commit(client: ScriptedClient, step: str) -> None:
    """Do what contains the step."""
    if step == "init":
        _producer(client).fence(30.0)
    else:
        _commit(client)


ATTEMPT = ["begin", "produce 1", "produce 2", "offsets", "commit"]


def test_outputs_and_positions_go_as_one_and_the_highest_offsets_come_back() -> None:
    client = ScriptedClient()

    assert _commit(client) == {("state", 0): 11}
    assert client.calls == ATTEMPT


def test_without_positions_none_are_sent() -> None:
    client = ScriptedClient()

    _producer(client).commit(RECORDS, [], "member")

    assert client.calls == ["begin", "produce 1", "produce 2", "commit"]


@pytest.mark.parametrize("step", ["offsets", "commit"])
def test_a_retriable_step_is_called_again_with_the_same_arguments(step: str) -> None:
    client = ScriptedClient(**{step: [_error(retriable=True), _error(retriable=True)]})

    assert _commit(client) == {("state", 0): 11}
    assert client.calls.count(step) == 3
    assert "abort" not in client.calls


@pytest.mark.parametrize("step", ["produce 2", "offsets", "commit"])
def test_what_must_be_aborted_is_aborted_and_made_again_with_the_same_content(step: str) -> None:
    client = ScriptedClient(**{step: [_error(abort=True)]})

    assert _commit(client) == {("state", 0): 11}
    failed = ATTEMPT[: ATTEMPT.index(step) + 1]
    assert client.calls == [*failed, "abort", *ATTEMPT]


@pytest.mark.parametrize(
    "code", [KafkaError.INVALID_PRODUCER_ID_MAPPING, KafkaError.UNKNOWN_PRODUCER_ID]
)
@pytest.mark.parametrize("step", ["produce 2", "offsets", "commit"])
def test_a_producer_that_the_broker_forgot_does_not_help_itself_to_the_id_again(
    code: int, step: str
) -> None:
    client = ScriptedClient(**{step: [_error(code, abort=True)]})

    with pytest.raises(UnclearError):
        _commit(client)
    assert client.calls == ATTEMPT[: ATTEMPT.index(step) + 1]


def test_aborts_without_end_are_given_up() -> None:
    client = ScriptedClient(commit=[_error(abort=True)] * 99)

    with pytest.raises(UnclearError, match="aborted 5 times"):
        _commit(client)
    assert client.calls.count("begin") == client.calls.count("abort") == 5


def test_a_commit_that_never_answers_is_unclear_and_not_made_again() -> None:
    client = ScriptedClient(commit=[_error(retriable=True)] * 99)

    with pytest.raises(UnclearError):
        _commit(client)
    assert client.calls.count("begin") == 1
    assert "abort" not in client.calls


def test_an_abort_that_does_not_answer_is_unclear() -> None:
    client = ScriptedClient(commit=[_error(abort=True)], abort=[_error()])

    with pytest.raises(UnclearError):
        _commit(client)


FENCED = [KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED]


@pytest.mark.parametrize("code", FENCED)
@pytest.mark.parametrize("step", ["init", "begin", "produce 1", "offsets", "commit", "abort"])
def test_a_newer_owner_is_told_apart_from_every_other_failure(code: int, step: str) -> None:
    failures = {step: [_error(code)]}
    if step == "abort":
        failures["commit"] = [_error(abort=True)]
    client = ScriptedClient(**failures)

    with pytest.raises(FencedError):
        _fence_or_commit(client, step)


@pytest.mark.parametrize(
    "code", [KafkaError._TIMED_OUT, KafkaError.UNKNOWN_PRODUCER_ID, KafkaError.MSG_SIZE_TOO_LARGE]
)
@pytest.mark.parametrize("step", ["init", "begin", "produce 1", "offsets", "commit"])
def test_every_other_failure_is_unclear(code: int, step: str) -> None:
    client = ScriptedClient(**{step: [_error(code)]})

    with pytest.raises(StreamingError) as caught:
        _fence_or_commit(client, step)
    assert type(caught.value) is UnclearError


def test_a_takeover_waits_out_what_is_retriable() -> None:
    client = ScriptedClient(init=[_error(retriable=True), _error(retriable=True)])

    _producer(client).fence(30.0)

    assert client.calls == ["init"] * 3


def test_a_commit_with_an_undelivered_record_is_not_believed() -> None:
    client = ScriptedClient()
    client.undelivered = KafkaError(KafkaError._MSG_TIMED_OUT)

    with pytest.raises(UnclearError, match="not delivered"):
        _commit(client)
