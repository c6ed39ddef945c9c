"""A claim over which the renderer itself fails: one is a dead letter, many stop the version."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from services.proofgen.app import Proofgen
from services.proofgen.metrics import ProofgenMetrics
from services.proofgen.proving import Proved
from waybill.metrics import Registry
from waybill.settings import KafkaSettings
from waybill.streaming.errors import FatalError

PROVED = Proved("claim-1", b"proof", None)


class Message:
    """A claim as the client gives it."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def topic(self) -> str:
        return "waybill.claims.v1"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return b"sandbox:1"

    def value(self) -> bytes:
        return b"claim"

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, 0)

    def error(self) -> None:
        return None


class Clients:
    """Consumer and producer in one: gives so many claims one by one, and remembers what is written."""

    def __init__(self, claims: int) -> None:
        self.waiting = [Message(offset) for offset in range(claims)]
        self.written: list[tuple[str, list[tuple[str, bytes]]]] = []
        self.committed = 0

    def subscribe(self, _topics: list[str], **_callbacks: Any) -> None:
        """Nothing to join."""

    def assignment(self) -> list[int]:
        return [0]

    def poll(self, _wait_s: float) -> Message | None:
        return self.waiting.pop(0) if self.waiting else None

    def consume(self, _most: int, _wait_s: float) -> list[Message]:
        return []

    def produce(self, topic: str, headers: list[tuple[str, bytes]], **_rest: Any) -> None:
        self.written.append((topic, headers))

    def flush(self, _wait_s: float) -> int:
        return 0

    def commit(self, offsets: list[Any], **_rest: Any) -> None:
        self.committed = offsets[0].offset


class Workers(Executor):
    """Ends each drawing as told."""

    def __init__(self, *ends: Exception | Proved) -> None:
        self.ends = list(ends)

    def submit(self, _function: Callable[..., Any], /, *_args: Any, **_kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        end = self.ends.pop(0)
        if isinstance(end, Proved):
            future.set_result(end)
        else:
            future.set_exception(end)
        return future


class Producing:
    """The producer's side of the clients: its poll takes no record away."""

    def __init__(self, clients: Clients) -> None:
        self.produce, self.flush = clients.produce, clients.flush

    def poll(self, _wait_s: float) -> int:
        return 0


def _proofgen(clients: Any, workers: Workers) -> Proofgen:
    producer: Any = Producing(clients)
    metrics = ProofgenMetrics(Registry())
    return Proofgen(KafkaSettings(), "g", (clients, producer), workers, metrics, 1)


def test_a_claim_over_which_the_renderer_fails_is_a_dead_letter_and_the_next_is_drawn() -> None:
    clients = Clients(2)
    proofgen = _proofgen(clients, Workers(ZeroDivisionError("secret"), PROVED))

    proofgen.turn()
    proofgen.turn()

    (letters, headers), (proofs, _) = clients.written
    assert (letters, proofs) == ("waybill.dead-letters.v1", "waybill.proofs.v1")
    assert (
        dict(headers)["dlq.reason"],
        dict(headers)["dlq.error"],
    ) == (b"processing_failed", b"ZeroDivisionError")
    assert clients.committed == 2


def test_a_version_that_fails_over_one_claim_in_ten_stops_before_it_gives_up_more() -> None:
    clients = Clients(100)
    proofgen = _proofgen(clients, Workers(*[ZeroDivisionError() for _ in range(100)]))

    for _ in range(9):
        proofgen.turn()

    with pytest.raises(FatalError, match="this version of the software is at fault"):
        proofgen.turn()

    assert len(clients.written) == 9
    assert clients.committed == 9


def test_workers_that_are_gone_end_the_process_and_no_claim() -> None:
    clients = Clients(1)

    with pytest.raises(BrokenProcessPool):
        _proofgen(clients, Workers(BrokenProcessPool("killed"))).turn()

    assert clients.written == []
    assert clients.committed == 0
