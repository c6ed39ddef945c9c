"""Whether the Kafka clients of a process still reach the cluster that others reach.

A broker that wakes up after a freeze, or is being upgraded, may answer that the cluster has no brokers at
all. The client library then forgets the last one and never asks again (librdkafka since 2.12, issue 5301): no
error, no records, for ever. Nothing inside the process can revive such a client, so the process ends with a
message and starts anew, which is what it is made for.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaException

from waybill.settings import KafkaSettings
from waybill.streaming.clients import admin_client
from waybill.streaming.errors import FatalError
from waybill.streaming.survey import physical_names

_EVERY_S = 5.0
_ANSWER_S = 2.0
"""A cluster that can be used answers in milliseconds; stopping waits for a question under way."""
_UNANSWERED_MAX = 6
"""In a row, half a minute at least: longer than a client needs to find its way back by itself. Counted and
not timed, since a process may be frozen itself."""

CALL_GAP_S = 0.005
"""A consumer takes one call at a time, and a thread that waits for it looks every millisecond whether it is
free (confluent-kafka 2.16): a loop that calls it again and again without this gap keeps all others out."""


class Client(Protocol):
    """A consumer or a producer."""

    def list_topics(self, topic: str, timeout: float) -> Any:
        """Ask the cluster; raises KafkaException when nobody answers in time."""


class Lifeline:
    """Asks through each client from a thread of its own, for as long as the context is open."""

    def __init__(
        self,
        kafka: KafkaSettings,
        clients: Mapping[str, Client],
        fresh: Callable[[], Client] | None = None,
    ) -> None:
        """`clients` by what they are for; `fresh` makes one that knows nothing yet."""
        self._clients = clients
        self._fresh = fresh or (lambda: admin_client(kafka, "lifeline"))
        self._topic = physical_names(kafka)["schemas"]
        self._unanswered: Counter[str] = Counter()
        self._lost: str | None = None
        self._asking = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lifeline", daemon=True)

    def __enter__(self) -> "Lifeline":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """No client may be closed while it is asked."""
        self._stopped.set()
        self._thread.join()

    def watching(self, turn: Callable[[], None]) -> Callable[[], None]:
        """The turn of a loop, with a `check` before each, and room for a question that waits."""

        def watched() -> None:
            self.check()
            if self._asking:
                time.sleep(CALL_GAP_S)
            turn()

        return watched

    def check(self) -> None:
        """Raises FatalError when a client is cut off from a cluster that answers others."""
        if self._lost is not None:
            raise FatalError(
                f"the Kafka client of the {self._lost} lost all brokers, though the cluster answers a new "
                "client: this process ends and has to be started again, which loses nothing"
            )

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY_S):
            self.ask()

    def ask(self) -> None:
        """One round of questions; the client's loop waits, for milliseconds if somebody answers."""
        self._asking = True
        for name, client in self._clients.items():
            if self._answers(client):
                self._unanswered[name] = 0
            else:
                self._unanswered[name] += 1
        self._asking = False
        silent = [name for name, count in self._unanswered.items() if count >= _UNANSWERED_MAX]
        if silent and self._answers(self._fresh()):
            self._lost = silent[0]

    def _answers(self, client: Client) -> bool:
        try:
            client.list_topics(self._topic, timeout=_ANSWER_S)
        except KafkaException:
            return False
        return True
