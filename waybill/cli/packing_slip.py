"""`waybill packing-slip`: what to pick and pack of an order, to be printed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from services.proofgen.slip.document import SlipDocument, SlipRefusal
from services.proofgen.slip.picking import slip_of, with_pictures
from services.proofgen.slip.render import render_slip
from waybill.cli.cluster import READ_S, Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, settings
from waybill.cli.errors import CommandError, InputError
from waybill.cli.orders_list import Timeout
from waybill.cli.slip_files import check_target, files_of, write
from waybill.cli.slip_orders import Packing, packings
from waybill.contracts import Shipment
from waybill.contracts.shipment import Coverage
from waybill.pictures.fetching import Missing, fetch_pictures

app = typer.Typer()

KEYS_MAX = 100
"""A morning's work for a packer; a page takes about 150 kB of memory until all are written."""


@app.command()
def packing_slip(
    keys: Annotated[
        list[str], typer.Argument(metavar="KEY…", help="Order keys <site>:<trade_id>.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="PATH", help="Folder, or a file ending in .png or .pdf."),
    ] = Path(),
    pdf: Annotated[
        bool, typer.Option("--pdf", help="One PDF file of all slips, in the given order.")
    ] = False,
    shipment: Annotated[
        str | None,
        typer.Option("--shipment", metavar="ID", help="Of this shipment: for orders in parts."),
    ] = None,
    timeout: Timeout = READ_S,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Draw packing slips: a PNG file a page, or one PDF file. All of them or none.

    A shipment that names its items decides what is on the slip, else the whole order is.

    What a slip could not show as given, and each picture that is left out, is told on standard error.
    """
    if len(keys) > KEYS_MAX:
        raise InputError(f"{len(keys)} orders: want at most {KEYS_MAX} at a time")
    if shipment is not None and len(set(keys)) > 1:
        raise InputError("--shipment: belongs to one order, and several are given")
    check_target(out, slips=len(set(keys)), as_pdf=pdf)
    found = settings(bootstrap, topic_prefix)
    hosts = [name for name in found.picture_hosts.split(",") if name]
    slips = {
        packing.key: _drawn(packing, hosts)
        for packing in packings(Cluster(found.kafka), keys, shipment, timeout)
    }
    files = files_of(slips, out, as_pdf=pdf)
    write(files)
    for path in files:
        typer.echo(f"saved {path}")


def _drawn(packing: Packing, hosts: Sequence[str]) -> tuple[bytes, ...]:
    """The pages of one slip."""
    key = packing.key
    document = slip_of(packing.order, packing.shipment, packing.store)
    if document.standing:
        _tell(key, f"the order is {document.standing.value}: its slip says not to ship it")
    if packing.shipment and _is_vague_part(packing.shipment):
        _tell(key, "its shipment is a part that names no items: the slip shows the whole order")
    if packing.store.slip_pictures:
        document = _with_pictures(key, document, hosts)
    slip = render_slip(document)
    if isinstance(slip, SlipRefusal):
        raise CommandError(f"{key}: no slip: {slip.detail}")
    for warning in slip.warnings:
        _tell(key, f"not everything is shown as given: {warning.value}")
    return slip.pages


def _is_vague_part(shipment: Shipment) -> bool:
    partial = shipment.part is not None or shipment.covers_order is Coverage.PARTIAL
    return partial and not shipment.items


def _with_pictures(key: str, document: SlipDocument, hosts: Sequence[str]) -> SlipDocument:
    urls = [line.picture_url for line in document.lines if line.picture_url]
    fetched = fetch_pictures(urls, hosts)
    for number, line in enumerate(document.lines, start=1):
        missing = fetched.get(line.picture_url or "")
        if isinstance(missing, Missing):
            host = f" ({missing.host})" if missing.host else ""
            _tell(key, f"line {number}: its picture is left out: {missing.reason.value}{host}")
    pictures = {url: picture for url, picture in fetched.items() if isinstance(picture, bytes)}
    return with_pictures(document, pictures)


def _tell(key: str, what: str) -> None:
    typer.echo(f"{key}: {what}", err=True)
