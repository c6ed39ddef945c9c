"""Whose store a push message is about: the connected stores, followed on their topic.

Any process may get any store's message, and owns only some stores; so the endpoint reads them all itself.
"""

import threading

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from waybill.contracts import Store
from waybill.contracts.codec import Codec, DecodeError, SchemaBook
from waybill.contracts.topics import topics
from waybill.settings import KafkaSettings
from waybill.streaming.clients import reader_consumer
from waybill.streaming.lifeline import CALL_GAP_S

log = structlog.get_logger()

_BATCH = 500
_POLL_S = 0.5
_STOP_S = 5.0


class Sellers:
    """Store ids by site and seller; follows the topic on a thread of its own until `stop`."""

    def __init__(self, kafka: KafkaSettings, name: str) -> None:
        self._kafka = kafka
        self._topic = kafka.physical(topics()["stores"].name)
        self._codec = Codec(Store, "store", SchemaBook())
        self._by_seller: dict[tuple[str, str], str] = {}
        self._ended: set[int] = set()
        self._stopping = threading.Event()
        self._consumer = reader_consumer(kafka, name)
        self._thread = threading.Thread(target=self._follow, name="push-sellers", daemon=True)

    def start(self) -> None:
        """Start to follow."""
        self._thread.start()

    @property
    def client(self) -> Consumer:
        """The client, for a `Lifeline`."""
        return self._consumer

    @property
    def known(self) -> bool:
        """Whether all stores have been read once; before, nobody can be called unknown."""
        return len(self._ended) == self._kafka.partitions

    def store_id(self, site: str, sellers: tuple[str, ...]) -> str | None:
        """The connected store of a seller, by any of its identities."""
        found = (self._by_seller.get((site, seller)) for seller in sellers)
        return next((store_id for store_id in found if store_id), None)

    def stop(self) -> None:
        """End the thread and close the connection."""
        self._stopping.set()
        self._thread.join(_STOP_S)

    def _follow(self) -> None:
        self._assign()
        while not self._stopping.is_set():
            try:
                for message in self._consumer.consume(_BATCH, _POLL_S):
                    self._take(message)
                self._stopping.wait(CALL_GAP_S)
            except KafkaException as error:
                log.warning("push_sellers", error=error.args[0].name())
                self._stopping.wait(_POLL_S)
        self._consumer.close()

    def _assign(self) -> None:
        numbers = range(self._kafka.partitions)
        self._consumer.assign(
            [TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in numbers]
        )

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is None:
            self._take_store(message)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client names its local codes so
            self._ended.add(message.partition() or 0)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
            self._assign()  # the topic was made anew
        elif not error.retriable():
            log.warning("push_sellers", error=error.name())

    def _take_store(self, message: Message) -> None:
        value = message.value()
        if value is None:
            return
        try:
            store = self._codec.decode(value)
        except (DecodeError, ValueError) as error:  # ValueError: no Avro at all
            log.error(
                "settings_unreadable", topic="stores", offset=message.offset(), reason=str(error)
            )
            return
        who = (store.site, store.seller_id)
        if store.disconnected:
            self._by_seller.pop(who, None)
        else:
            self._by_seller[who] = store.store_id
