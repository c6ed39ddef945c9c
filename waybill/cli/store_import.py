"""`waybill stores import`: have a store's history read once more, or see how far its import is."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Annotated

import orjson
import typer

from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError, InputError
from waybill.cli.order_story import moment
from waybill.cli.orders_read import learnt
from waybill.cli.output import console, facts
from waybill.cli.store_book import StoreBook
from waybill.contracts import ImportCursor, Store
from waybill.contracts.codec import Codec
from waybill.contracts.keys import partition_of
from waybill.reprocessing.selection import parse_time

_LOOK_S = 1.0


def import_store(
    store: Annotated[str, typer.Argument(help="Store id.")],
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Read all orders changed since then, e.g. 2026-01-01, 90d.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Read all orders that Alibaba lists.")
    ] = False,
    wait_s: Annotated[
        float, typer.Option("--wait-s", min=0, help="Wait so long for its end, in seconds.")
    ] = 0.0,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Read a store's history once more; without --from and --all: how far its import is.

    What is missing or different is published, what is as it was is not. New orders go first: history is read
    page by page between everything else, goes on after a restart, and two requests are one.
    """
    if since is not None and everything:
        raise InputError("--from and --all: want one of them")
    cluster = Cluster(kafka(bootstrap, topic_prefix))
    book = StoreBook(cluster)
    if since is None and not everything:
        found = book.store(store)
    else:
        found = book.change(store, _request(store, None if everything else _time(since or "")))
        if not json:
            start = moment(found.backfill_from)[:19] if found.backfill_from else "the beginning"
            typer.echo(
                f"asked for all orders of {store} from {start} on (request {found.backfill})"
            )
    cursor = _waited(cluster, found, wait_s)
    _tell(found, cursor, json=json)
    if wait_s and not _is_done(found, cursor):
        raise CommandError(f"not finished within {wait_s:g} s; it goes on: see the importer's log")


def _time(text: str) -> datetime:
    now = datetime.now(UTC)
    try:
        found = parse_time(text, now)
    except ValueError as error:
        raise InputError(f"--from {error}") from error
    if found > now:
        raise InputError(f"--from {text}: that is in the future")
    return found


def _request(store_id: str, start: datetime | None) -> Callable[[Store | None], tuple[Store, None]]:
    def change(former: Store | None) -> tuple[Store, None]:
        if former is None:
            raise CommandError(f"there is no store {store_id}: see `waybill stores list`")
        if former.disconnected:
            raise CommandError(f"{store_id} is disconnected: connect it first")
        asked = {
            "revision": former.revision + 1,
            "backfill": former.backfill + 1,
            "backfill_from": start,
        }
        return Store.model_validate(former.model_dump() | asked), None

    return change


def _waited(cluster: Cluster, store: Store, wait_s: float) -> ImportCursor | None:
    deadline_s = monotonic() + wait_s
    cursor = _cursor(cluster, store.store_id)
    while not _is_done(store, cursor) and monotonic() < deadline_s:
        sleep(_LOOK_S)
        cursor = _cursor(cluster, store.store_id)
    return cursor


def _cursor(cluster: Cluster, store_id: str) -> ImportCursor | None:
    codec = Codec(ImportCursor, "import_cursor", learnt(cluster))
    partition = partition_of(store_id, cluster.partitions("import-cursors"))
    found = None
    for record in cluster.read(["import-cursors"], partition):
        if record.key == store_id.encode() and record.value is not None:
            found = codec.decode(record.value)
    return found


def _is_done(store: Store, cursor: ImportCursor | None) -> bool:
    if cursor is None:
        return False
    return cursor.backfill >= store.backfill and cursor.backfill_until is None


def _tell(store: Store, cursor: ImportCursor | None, *, json: bool) -> None:
    if json:
        answer = {
            "store_id": store.store_id,
            "request": store.backfill,
            "done": _is_done(store, cursor),
            "cursor": cursor.model_dump(mode="json") if cursor else None,
        }
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return
    console().print(facts("Import", _facts(store, cursor)))


def _facts(store: Store, cursor: ImportCursor | None) -> dict[str, str]:
    if cursor is None:
        return {"usual import": "its first window is not finished yet"}
    found = {
        "all changes are published up to": moment(cursor.modified_until),
        "last window finished": moment(cursor.finished_at),
        "orders published": str(cursor.orders_total),
        "history": _history(store, cursor),
    }
    if cursor.backfill:
        found["orders published by it"] = str(cursor.backfill_orders)
    return found


def _history(store: Store, cursor: ImportCursor) -> str:
    if store.backfill > cursor.backfill:
        return f"request {store.backfill} waits for its turn"
    if cursor.backfill_until is not None:
        until, end = moment(cursor.backfill_until)[:19], moment(cursor.backfill_end)[:19]
        return f"request {cursor.backfill}: read up to {until}, ends at {end}"
    return f"request {cursor.backfill} is finished" if cursor.backfill else "not asked for"
