"""`waybill orders enrich`: publish what the seller knows of orders and articles and Alibaba does not send."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.enrichment_lines import COLUMNS, Line, csv_lines, default_values, json_lines
from waybill.cli.errors import CommandError, InputError
from waybill.cli.store_book import SOURCE, StoreBook
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.enrichment import Enrichment, EnrichmentSource, enrichment_key
from waybill.contracts.headers import event_headers
from waybill.contracts.keys import partition_of
from waybill.streaming.records import Outbound

_PROBLEMS_MAX = 50
_FILE_BYTES_MAX = 256 * 1024 * 1024
_SOURCES = [one.value for one in EnrichmentSource if one is not EnrichmentSource.UNRECOGNISED]


def enrich(
    file: Annotated[
        Path,
        typer.Option("--file", help=f"A .csv or .jsonl file with some of: {', '.join(COLUMNS)}."),
    ],
    store: Annotated[
        str | None, typer.Option("--store", help="Store id of the lines that name none.")
    ] = None,
    source: Annotated[
        str, typer.Option("--source", help=f"Where the facts are from: {', '.join(_SOURCES)}.")
    ] = EnrichmentSource.OPERATOR.value,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the facts about these orders and SKUs back.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check; publish nothing.")] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Weights, places in the warehouse, e-mail addresses, gifts and notes for orders and SKUs.

    All lines are checked first; when one is bad nothing is published, and the exit code is 2. The facts of a
    line replace all earlier ones about its order or SKU. Open orders with these facts are read again
    at once, and published if they look different now.
    """
    if source not in _SOURCES:
        raise InputError(f"--source {source!r}: want one of {', '.join(_SOURCES)}")
    found = _checked(file, default_values(store, source, datetime.now(UTC)))
    if check:
        typer.echo(f"{len(found)} good lines")
        return
    cluster = Cluster(kafka(bootstrap, topic_prefix))
    _check_stores(cluster, found)
    written = cluster.publish(_records(found, cluster.partitions("enrichments"), remove=remove))
    what = "took back facts of" if remove else "published facts of"
    orders = sum(one.trade_id is not None for one in found)
    typer.echo(f"{what} {orders} orders and {written - orders} SKUs")


def _checked(file: Path, defaults: dict[str, object]) -> list[Enrichment]:
    good: list[Enrichment] = []
    bad = 0
    for line in _lines(file, defaults):
        if line.facts is not None:
            good.append(line.facts)
            continue
        bad += 1
        if bad <= _PROBLEMS_MAX:
            typer.secho(f"line {line.number}: {line.problem}", fg="red", err=True)
    if bad:
        raise InputError(f"{bad} bad lines, {len(good)} good ones; nothing was published")
    if not good:
        raise InputError(f"{file}: there is no line with facts in it")
    return good


def _lines(file: Path, defaults: dict[str, object]) -> Iterator[Line]:
    readers = {".csv": csv_lines, ".jsonl": json_lines}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise InputError(f"{file}: want a file that ends in .csv or .jsonl")
    try:
        if file.stat().st_size > _FILE_BYTES_MAX:
            raise InputError(f"{file}: longer than {_FILE_BYTES_MAX} bytes; split it")
        with file.open(encoding="utf-8-sig", newline="") as text:
            yield from reader(text, defaults)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    except ValueError as error:  # a heading, or a file that is not UTF-8
        raise InputError(f"{file}: {error}") from error


def _check_stores(cluster: Cluster, found: list[Enrichment]) -> None:
    known = StoreBook(cluster).stores()
    missing = sorted({one.store_id for one in found} - set(known))
    if missing:
        raise CommandError(f"there is no store {', '.join(missing)}: see `waybill stores list`")


def _records(found: list[Enrichment], partitions: int, *, remove: bool) -> Iterator[Outbound]:
    codec = Codec(Enrichment, "enrichment", SchemaBook())
    for one in found:
        key, at_ms = enrichment_key(one), millis(one.given_at)
        yield Outbound(
            "enrichments",
            partition_of(one.store_id, partitions),
            key.encode(),
            None if remove else codec.encode(one),
            event_headers("enrichment", f"{key}@{at_ms}", SOURCE, at_ms),
        )
