"""The stores as they stand on their topics, and the one way to change them from outside of a service.

A change is a transaction whose transactional id belongs to the store: whoever reads the store after
`init_transactions` sees every change before it, and of two who change it at once the first is shut out.
So no change is lost, and settings and tokens of one connection appear together or not at all. New tokens
put an end to those of earlier connections, and disconnecting to all: their records become tombstones.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from confluent_kafka import KafkaException, Producer

from waybill.cli.cluster import Cluster, told
from waybill.cli.errors import CommandError
from waybill.contracts import Store, StoreTokens
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.headers import event_headers
from waybill.contracts.identity import record_key
from waybill.contracts.keys import partition_of
from waybill.contracts.topics import topics
from waybill.tokens import KnownTokens

SOURCE = "waybill/cli"
_TRANSACTION_S = 20.0
"""A fresh cluster elects its transaction coordinator first, which takes some seconds."""

Change = Callable[[Store | None], tuple[Store, StoreTokens | None]]


class StoreBook:
    """Reads all stores, changes one."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        book = SchemaBook()
        self._stores = Codec(Store, "store", book)
        self._tokens = Codec(StoreTokens, "store_tokens", book)

    def stores(self) -> dict[str, Store]:
        """The newest settings of every store, by id."""
        found: dict[str, Store] = {}
        for record in self._cluster.read(["stores"]):
            if record.value is not None:
                store = self._stores.decode(record.value)
                found[store.store_id] = store
        return dict(sorted(found.items()))

    def store(self, store_id: str) -> Store:
        """One store; raises CommandError when it is not there."""
        found = self.stores().get(store_id)
        if found is None:
            raise CommandError(f"there is no store {store_id}: see `waybill stores list`")
        return found

    def tokens(self, store_id: str) -> StoreTokens | None:
        """The newest sealed tokens of a store."""
        return self.all_tokens().get(store_id)

    def all_tokens(self) -> dict[str, StoreTokens]:
        """The newest sealed tokens of every store that has any, by store."""
        known = KnownTokens()
        for value in self._token_values().values():
            known.take(self._tokens.decode(value))
        return known.by_store

    def _token_values(self, partition: int | None = None) -> dict[bytes, bytes]:
        """What was not taken back, by key `store_id:generation`."""
        found: dict[bytes, bytes] = {}
        for record in self._cluster.read(["store-tokens"], partition):
            if record.key is None or record.value is None:
                found.pop(record.key or b"", None)
            else:
                found[record.key] = record.value
        return found

    def change(self, store_id: str, change: Change) -> Store:
        """Write what `change` makes of the store as it stands (None: there is none); returns it.

        A store that comes back as it was is not written. Raises CommandError when somebody else changed
        it at the same moment; then nothing was written.
        """
        partition = partition_of(store_id, self._cluster.partitions("stores"))
        producer = self._fenced(store_id)
        former = self._newest(store_id, partition)
        store, tokens = change(former)
        ended = self._ended(store, tokens, partition)
        if store == former and tokens is None and not ended:
            return store
        try:
            producer.begin_transaction()
            self._produce(
                producer, "stores", partition, record_key(store), self._stores.encode(store)
            )
            if tokens is not None:
                sealed = self._tokens.encode(tokens)
                self._produce(producer, "store-tokens", partition, record_key(tokens), sealed)
            for key in ended:
                self._produce(producer, "store-tokens", partition, key, None)
            producer.commit_transaction(_TRANSACTION_S)
        except KafkaException as error:
            raise CommandError(
                f"{store_id} was not changed ({error.args[0].str()}): look at it and try again"
            ) from error
        return store

    def _ended(self, store: Store, tokens: StoreTokens | None, partition: int) -> list[str]:
        """Keys of the tokens that this change puts an end to."""
        if tokens is None and not store.disconnected:
            return []
        kept = record_key(tokens) if tokens is not None else None
        there = [key.decode() for key in self._token_values(partition)]
        mine = [key for key in there if key.rpartition(":")[0] == store.store_id]
        return [key for key in mine if key != kept]

    def _fenced(self, store_id: str) -> Producer:
        identity = f"{self._cluster.name('stores')}-writer-{store_id}"
        producer = self._cluster.writer(transactional_id=identity)
        try:
            producer.init_transactions(_TRANSACTION_S)
        except KafkaException as error:
            raise CommandError(told(error)) from error
        return producer

    def _newest(self, store_id: str, partition: int) -> Store | None:
        newest = None
        for record in self._cluster.read(["stores"], partition):
            if record.key == store_id.encode() and record.value is not None:
                newest = self._stores.decode(record.value)
        return newest

    def _produce(
        self, producer: Producer, topic: str, partition: int, key: str, value: bytes | None
    ) -> None:
        now_ms = millis(datetime.now(UTC))
        name = topics()[topic].record or topic
        producer.produce(
            self._cluster.name(topic),
            value=value,
            key=key,
            partition=partition,
            headers=list(event_headers(name, f"{key}@{now_ms}", SOURCE, now_ms)),
        )
