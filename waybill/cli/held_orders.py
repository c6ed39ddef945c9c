"""Hints for held orders: the importer reads them from Alibaba again, and publishes them if they changed."""

from collections import Counter
from collections.abc import Iterator

import typer
from rich.text import Text

from waybill.cli.cluster import Cluster
from waybill.cli.errors import InputError
from waybill.cli.orders import learnt
from waybill.cli.output import columns, console
from waybill.cli.rewrite_report import Progress, now
from waybill.cli.rewriting import Rewriter
from waybill.cli.segments import TopicReader
from waybill.contracts import Order, OrderHint
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.headers import event_headers
from waybill.contracts.imports import HintReason
from waybill.contracts.keys import partition_of
from waybill.contracts.order import NotImportable
from waybill.reprocessing.held import Held, held_orders
from waybill.streaming.records import Inbound, Outbound

_SAMPLE_MAX = 5


def redrive_held(
    cluster: Cluster,
    reason: str | None,
    store: str | None,
    keys: frozenset[bytes] | None,
    rate_per_s: float | None,
) -> None:
    """Send a hint for each held order that is meant; without a rate only say for which."""
    reasons = [one.value for one in NotImportable if one is not NotImportable.UNRECOGNISED]
    if reason is not None and reason not in reasons:
        raise InputError(f"--reason {reason!r}: with --held want one of {', '.join(reasons)}")
    reader = TopicReader(cluster, "orders")
    codec = Codec(Order, "order", learnt(cluster))
    every = held_orders(reader.read(reader.from_beginning()), codec)
    meant = [one for one in every.values() if _is_meant(one, reason, store, keys)]
    _print(meant)
    if rate_per_s is None:
        typer.echo(f"{len(meant)} held orders would be read again; --run does it")
        return
    progress = Progress(len(meant))
    rewriter = Rewriter(cluster, rate_per_s)
    partitions = cluster.partitions("order-hints")
    rewriter.write(_hints(meant, partitions), lambda done: progress.add(len(done)))
    typer.echo(f"asked the importer to read {progress.done} held orders again")


def _is_meant(
    one: Held, reason: str | None, store: str | None, keys: frozenset[bytes] | None
) -> bool:
    return (
        (reason is None or reason in one.reasons)
        and (store is None or one.store_id == store)
        and (keys is None or one.key.encode() in keys)
    )


def _print(meant: list[Held]) -> None:
    counts = Counter((one.store_id, reason.value) for one in meant for reason in one.reasons)
    table = columns(["store", "held for", "orders"])
    for (store, reason), count in counts.most_common():
        table.add_row(store, reason, str(count))
    out = console()
    out.print(table)
    if meant:
        out.print(Text(f"orders such as {', '.join(one.key for one in meant[:_SAMPLE_MAX])}"))


def _hints(meant: list[Held], partitions: int) -> Iterator[tuple[Inbound, Outbound]]:
    """Made when they are sent: an old hint is ignored."""
    codec = Codec(OrderHint, "order_hint", SchemaBook())
    for one in meant:
        at = now()
        hint = OrderHint(
            order_key=one.key, store_id=one.store_id, reason=HintReason.OPERATOR, hinted_at=at
        )
        key, number = one.key.encode(), partition_of(one.key, partitions)
        headers = event_headers("order_hint", f"{one.key}@{millis(at)}", "waybill/cli", millis(at))
        yield (
            Inbound("orders", number, 0, key, None, (), millis(at)),
            Outbound("order-hints", number, key, codec.encode(hint), headers),
        )
