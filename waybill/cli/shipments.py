"""`waybill shipments`: check and publish shipments, one JSON object a line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated

import orjson
import typer

from waybill.cli.cluster import Cluster, Delivery
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import InputError
from waybill.cli.shipment_lines import LINE_BYTES_MAX, Line, ShipmentWriter, check_line
from waybill.contracts.keys import parse_order_key

app = typer.Typer(help="Publish shipments.", no_args_is_help=True)

_PROBLEMS_MAX = 50
"""Problems printed; a file in the wrong form has one in every line."""
_SPOOL_BYTES = 16 * 1024 * 1024
"""Standard input is read twice; larger ones go to a temporary file."""
_BAD_INPUT = 2


@app.command()
def publish(
    file: Annotated[str, typer.Argument(help="File with one shipment as JSON a line; - is stdin.")],
    check: Annotated[bool, typer.Option("--check", help="Only check; publish nothing.")] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Publish the good lines although others are bad.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Publish the JSON as it is instead of Avro.")
    ] = False,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Accept fields that the contract lacks.")
    ] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Check every line, then publish them all, or none when one is bad.

    Each goes to its order's partition and counts once however often it is published. Returns when the
    cluster has acknowledged all; the exit code is 2 when a line is bad.
    """
    with _opened(file) as source:
        good, bad = _check(source, allow_unknown)
        if check or (bad and not skip_bad):
            _tell_checked(good, bad, check)
        else:
            source.seek(0)
            cluster = Cluster(kafka(bootstrap, topic_prefix))
            _publish(cluster, _lines(source, allow_unknown), as_json, bad)
    if bad:
        raise typer.Exit(_BAD_INPUT)


def _check(source: IO[bytes], allow_unknown: bool) -> tuple[int, int]:
    good = bad = shown = 0
    for line in _lines(source, allow_unknown):
        good += line.shipment is not None
        bad += line.shipment is None
        for problem in line.problems[: max(0, _PROBLEMS_MAX - shown)]:
            typer.secho(str(problem), fg="red", err=True)
            shown += 1
    if not good and not bad:
        raise InputError("there is no line with a shipment in it")
    return good, bad


def _tell_checked(good: int, bad: int, check: bool) -> None:
    outcome = "" if check else "; nothing was published (--skip-bad publishes the good ones)"
    typer.secho(f"{good} good, {bad} bad{outcome}", fg="red" if bad else None, err=bool(bad))


def _publish(cluster: Cluster, lines: Iterator[Line], as_json: bool, bad: int) -> None:
    writer = ShipmentWriter(cluster.partitions("shipments"))
    delivery = Delivery(cluster.writer(), cluster.name)
    orders: set[str] = set()
    for line in lines:
        if line.shipment is not None:
            delivery.send(writer.record(line.shipment, line.text.strip() if as_json else None))
            orders.add(line.shipment.order_key)
    written = delivery.finish()
    form = "JSON" if as_json else "Avro"
    left = f"; {bad} bad left out" if bad else ""
    topic = cluster.name("shipments")
    typer.echo(f"published {written} shipments of {len(orders)} orders to {topic} as {form}{left}")
    if len(orders) == 1:
        typer.echo(f"follow it: waybill orders show {orders.pop()}")


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    """The input, able to be read twice."""
    if file == "-":
        with SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
            while chunk := sys.stdin.buffer.read(1 << 20):
                spool.write(chunk)
            spool.seek(0)
            yield spool
        return
    try:
        opened = Path(file).open("rb")  # noqa: SIM115 - only opening it may fail here
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    with opened:
        yield opened


def _lines(source: IO[bytes], allow_unknown: bool) -> Iterator[Line]:
    number = 0
    while text := source.readline(LINE_BYTES_MAX + 2):
        number += 1
        if not text.endswith(b"\n") and len(text) > LINE_BYTES_MAX:
            _skip_line(source)
        if text.strip():
            yield check_line(number, text.strip(b"\r\n"), allow_unknown=allow_unknown)


def _skip_line(source: IO[bytes]) -> None:
    while (rest := source.readline(1 << 20)) and not rest.endswith(b"\n"):
        pass


@app.command()
def example(
    order: Annotated[
        str, typer.Option("--order", help="Order key <site>:<trade_id>.")
    ] = "alibaba:255201166001024316",
    tracking_number: Annotated[
        str, typer.Option("--tracking-number", help="The parcel's number.")
    ] = "776705370628",
    carrier: Annotated[
        str, typer.Option("--carrier", help="Carrier code of the shipping system.")
    ] = "fedex",
) -> None:
    """Print one valid line, dated now, that `waybill shipments publish -` takes."""
    try:
        parse_order_key(order)
    except ValueError as error:
        raise InputError(f"--order: {error}") from error
    typer.echo(orjson.dumps(_example(order, tracking_number, carrier)).decode())


def _example(order: str, tracking_number: str, carrier: str) -> dict[str, object]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "order_key": order,
        "shipment_id": f"example-{tracking_number}",
        "occurred_at": now,
        "shipped_at": now,
        "tracking_number": tracking_number,
        "carrier": {"code": carrier},
        "packages": [{"weight": {"value": "2.4", "unit": "kg"}}],
    }
