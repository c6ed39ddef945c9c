"""`waybill orders import`: have the importer read one order from Alibaba now, and say what came of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Annotated

import orjson
import typer
from confluent_kafka import Consumer, KafkaException, TopicPartition

from waybill.cli.cluster import READ_S, Cluster, told
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError, InputError
from waybill.cli.order_story import moment
from waybill.cli.orders_list import Timeout
from waybill.cli.orders_read import learnt
from waybill.cli.store_book import SOURCE, StoreBook
from waybill.contracts import ImportSeen, Order, OrderHint
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, DecodeError, SchemaBook
from waybill.contracts.headers import event_headers
from waybill.contracts.imports import HintReason
from waybill.contracts.keys import parse_order_key, partition_of
from waybill.streaming.records import Outbound

WAIT_S = 30.0
"""An importer that runs reads a hinted order within a second, or once its store may call again."""
_POLL_S = 0.2
_BATCH = 500


def import_order(
    key: Annotated[str, typer.Argument(help="Order key <site>:<trade_id>.")],
    store: Annotated[
        str | None,
        typer.Option("--store", help="Store id; without it every store of the site tries."),
    ] = None,
    wait_s: Annotated[
        float, typer.Option("--wait-s", min=0, help="Longest wait for the importer, in seconds.")
    ] = WAIT_S,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    timeout: Timeout = READ_S,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Read one order from Alibaba now; it is published if it changed.

    Goes before all other work of its store. Exit code 1 when the importer does not read it in time.
    """
    try:
        parse_order_key(key)
    except ValueError as error:
        raise InputError(str(error)) from error
    cluster = Cluster(kafka(bootstrap, topic_prefix))
    if store is not None:
        StoreBook(cluster).store(store)
    before = _newest(cluster, key, timeout)
    with _Watch(cluster, key) as watch:
        cluster.publish([_hint(cluster, key, store or (before.store_id if before else None))])
        seen = watch.seen(wait_s) if wait_s else None
    if wait_s and seen is None:
        raise CommandError(_unanswered(key, wait_s))
    _tell(
        key, before, _newest(cluster, key, timeout) if seen else None, asked=seen is None, json=json
    )


def _hint(cluster: Cluster, key: str, store_id: str | None) -> Outbound:
    at = datetime.now(UTC)
    hint = OrderHint(order_key=key, store_id=store_id, reason=HintReason.OPERATOR, hinted_at=at)
    codec = Codec(OrderHint, "order_hint", SchemaBook())
    return Outbound(
        "order-hints",
        partition_of(key, cluster.partitions("order-hints")),
        key.encode(),
        codec.encode(hint),
        event_headers("order_hint", f"{key}@{millis(at)}", SOURCE, millis(at)),
    )


def _newest(cluster: Cluster, key: str, timeout_s: float) -> Order | None:
    partition = partition_of(key, cluster.partitions("orders"))
    value = None
    for record in cluster.read(["orders"], partition, timeout_s=timeout_s):
        if record.key == key.encode():
            value = record.value
    if value is None:
        return None
    try:
        return Codec(Order, "order", learnt(cluster, timeout_s)).decode(value)
    except DecodeError as error:
        raise CommandError(f"the order {key} cannot be read: {error.detail}") from error


class _Watch:
    """What the importer remembers of an order from now on."""

    def __init__(self, cluster: Cluster, key: str) -> None:
        self._cluster = cluster
        self._key = key.encode()
        self._codec = Codec(ImportSeen, "import_seen", learnt(cluster))
        self._consumer: Consumer = cluster.consumer()

    def __enter__(self) -> "_Watch":
        """From the present end on, whichever partition the store is on."""
        name = self._cluster.name("import-seen")
        try:
            self._consumer.assign(
                [
                    TopicPartition(name, number, self._end(name, number))
                    for number in range(self._cluster.partitions("import-seen"))
                ]
            )
        except KafkaException as error:
            raise CommandError(told(error)) from error
        return self

    def _end(self, name: str, number: int) -> int:
        _, end = self._consumer.get_watermark_offsets(TopicPartition(name, number), READ_S)
        return int(end)

    def __exit__(self, *_: object) -> None:
        """Let go of the connections."""
        self._consumer.close()

    def seen(self, wait_s: float) -> ImportSeen | None:
        """The first sign that the order was read for an operator; None when there is none in time."""
        for value in self._values(monotonic() + wait_s):
            seen = self._codec.decode(value)
            if seen.asked_at is not None:
                return seen
        return None

    def _values(self, deadline_s: float) -> Iterator[bytes]:
        try:
            while monotonic() < deadline_s:
                for message in self._consumer.consume(_BATCH, _POLL_S):
                    value = message.value()
                    if message.error() is None and message.key() == self._key and value:
                        yield value
        except KafkaException as error:
            raise CommandError(told(error)) from error


def _unanswered(key: str, wait_s: float) -> str:
    return (
        f"the importer did not read {key} within {wait_s:g} s: see that it runs, that the order's store is "
        "connected and not paused (`waybill stores list`), and that the number is right. A draft that is "
        "only being talked about is not imported. The request stands for ten minutes"
    )


def _tell(key: str, before: Order | None, after: Order | None, *, asked: bool, json: bool) -> None:
    outcome = "asked" if asked else _outcome(before, after)
    if json:
        facts = {"order_key": key, "outcome": outcome}
        if after is not None:
            facts |= {"store_id": after.store_id, "status": after.status.value}
        typer.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode())
        return
    if asked:
        typer.echo(f"asked the importer to read {key}")
        return
    words = {"published": "published", "unchanged": "read again, nothing changed"}[outcome]
    if after is not None:
        words += f": {after.status.value}, changed at Alibaba {moment(after.modified_at)[:19]} UTC"
        words += f"; held: {', '.join(after.not_importable)}" if after.not_importable else ""
    typer.echo(f"{key} {words}")


def _outcome(before: Order | None, after: Order | None) -> str:
    same = before and after and before.content_sha256 == after.content_sha256
    return "unchanged" if same or after is None else "published"
