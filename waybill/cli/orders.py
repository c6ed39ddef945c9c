"""`waybill orders`: what became of an order, read from the topics, and what an operator decides about it."""

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.text import Text

from waybill.cli.cluster import READ_S, Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError
from waybill.cli.order_story import (
    TOPICS,
    Story,
    as_json,
    moment,
    order_facts,
    shipment_facts,
    tell,
)
from waybill.cli.orders_commands import ABOUT, command_of
from waybill.cli.orders_enrich import enrich
from waybill.cli.orders_import import import_order
from waybill.cli.orders_list import Timeout, list_orders
from waybill.cli.orders_read import checked_order_key, learnt, newest_orders
from waybill.cli.output import columns, console, facts
from waybill.cli.proof_files import save_pages
from waybill.contracts import Proof
from waybill.contracts.keys import partition_of

app = typer.Typer(
    help="See orders and what became of them; decide about those that need a person.",
    no_args_is_help=True,
)

__all__ = ["app", "learnt", "newest_orders"]


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="Order key <site>:<trade_id>.")],
    proof: Annotated[
        Path | None,
        typer.Option("--proof", metavar="FILE", help="Save the proof's image there."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Also the whole records, with the buyer's data.")
    ] = False,
    timeout: Timeout = READ_S,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """The order, its shipment, and every step with its time."""
    checked_order_key(key)
    cluster = Cluster(kafka(bootstrap, topic_prefix))
    story = _read(cluster, key, timeout)
    if not story.known:
        raise CommandError(f"no topic at {cluster.address} holds a record of {key}")
    if json:
        typer.echo(orjson.dumps(as_json(story, full=full), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(story, full=full)
    if proof is not None:
        _save(story.proof, proof, quiet=json)


def _read(cluster: Cluster, key: str, timeout_s: float) -> Story:
    book = learnt(cluster, timeout_s)
    partition = partition_of(key, cluster.partitions("orders"))
    return tell(key, cluster.read(TOPICS, partition, timeout_s=timeout_s), book)


def _print(story: Story, *, full: bool) -> None:
    out = console()
    out.print(facts("Order", order_facts(story.order) if story.order else {}))
    out.print(facts("Shipment", shipment_facts(story)))
    steps = columns(["time (UTC)", "topic", "what", "detail"], title="Steps")
    for step in story.steps:
        steps.add_row(moment(step.at)[:-1], step.topic, Text(step.what), Text(step.detail))
    out.print(steps)
    if full:
        records = as_json(story, full=True)["records"]
        typer.echo(orjson.dumps(records, option=orjson.OPT_INDENT_2).decode())


def _save(proof: Proof | None, file: Path, *, quiet: bool) -> None:
    if proof is None or not proof.pages:
        raise CommandError("there is no proof of this order (yet)")
    for written in save_pages(proof, file):
        typer.echo(f"saved {written}", err=quiet)


app.command("list")(list_orders)
app.command("import")(import_order)
app.command("enrich")(enrich)
for kind, about in ABOUT.items():
    app.command(kind.value, help=about)(command_of(kind))
