"""Order hints on their way to Kafka: a bounded number, each awaited for a moment.

At least once, in no order: a hint that was not acknowledged in time may still be written, and the repeated
message makes a second one. Reading an order twice is harmless.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from waybill.contracts import OrderHint
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.headers import event_headers
from waybill.contracts.identity import record_key
from waybill.contracts.keys import partition_of
from waybill.contracts.topics import topics
from waybill.settings import KafkaSettings
from waybill.streaming.clients import plain_producer

log = structlog.get_logger()

_SOURCE = "waybill/push"
_POLL_S = 0.2
_STOP_S = 5.0
_TIMEOUT_MS = 5_000
"""A hint that waited longer for Kafka was repeated by Alibaba meanwhile."""

Delivered = Callable[[KafkaError | None, Message], None]


class Hints:
    """Publishes hints, from one event loop."""

    def __init__(self, kafka: KafkaSettings, waiting_max: int, ack_s: float) -> None:
        self._kafka = kafka
        self._waiting_max = waiting_max
        self._ack_s = ack_s
        self._topic = kafka.physical(topics()["order-hints"].name)
        self._codec = Codec(OrderHint, "order_hint", SchemaBook())
        self._producer = self._made()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._deliver, name="push-hints", daemon=True)

    def start(self) -> None:
        """Start the thread that takes acknowledgements."""
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, for a moment, and end."""
        self._producer.flush(1.0)
        self._stopping.set()
        self._thread.join(_STOP_S)

    def list_topics(self, topic: str, timeout: float) -> Any:
        """Asks through the producer of the moment, for a `Lifeline`."""
        return self._producer.list_topics(topic, timeout=timeout)

    async def publish(self, hint: OrderHint) -> bool:
        """Whether all replicas in sync have the hint; False when not, or not soon enough."""
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[bool] = loop.create_future()

        def delivered(error: KafkaError | None, _message: Message) -> None:
            loop.call_soon_threadsafe(_settle, kept, error is None)

        try:
            self._produce(hint, delivered)
            async with asyncio.timeout(self._ack_s):
                return await kept
        except (BufferError, TimeoutError):
            return False
        except KafkaException as error:
            self._renew(error)
            return False

    def _produce(self, hint: OrderHint, delivered: Delivered) -> None:
        key, now_ms = record_key(hint), millis(hint.hinted_at)
        self._producer.produce(
            self._topic,
            value=self._codec.encode(hint),
            key=key,
            partition=partition_of(key, self._kafka.partitions),
            headers=list(event_headers("order_hint", f"{key}@{now_ms}", _SOURCE, now_ms)),
            on_delivery=delivered,
        )

    def _renew(self, error: KafkaException) -> None:
        """A producer that lost its place in the sequence takes nothing more."""
        log.warning("push_hints", error=error.args[0].name())
        if error.args[0].fatal():
            self._producer = self._made()

    def _made(self) -> Producer:
        bounds = {
            "message.timeout.ms": _TIMEOUT_MS,
            "queue.buffering.max.messages": self._waiting_max,
        }
        return plain_producer(self._kafka, "waybill-push", bounds)

    def _deliver(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(_POLL_S)


def _settle(kept: "asyncio.Future[bool]", ok: bool) -> None:
    if not kept.done():  # it may have come too late
        kept.set_result(ok)
