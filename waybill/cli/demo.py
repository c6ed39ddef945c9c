"""`waybill demo`, `waybill up` and `waybill down`: the whole product on this machine."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated

import typer
from confluent_kafka import KafkaException
from rich.console import Console
from rich.text import Text

from waybill import broker
from waybill.cli.cluster import told
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError
from waybill.cli.orders import newest_orders
from waybill.cli.output import console, facts
from waybill.demo import play, report
from waybill.demo.installation import SERVICES, Installation, Wish
from waybill.demo.processes import ProcessError
from waybill.settings import KafkaSettings
from waybill.streaming.schema_topic import SchemaTopicError
from waybill.streaming.topic_admin import TopicError

app = typer.Typer()

DEMO_FOLDER = Path(".run/demo")
UP_FOLDER = Path(".run/up")
_FIRST_ORDERS_S = 30.0
"""The first orders are there within two seconds of the importer's start."""
_POLL_S = 0.3

OrdersPerStore = Annotated[
    int, typer.Option(min=1, max=2_000, help="Orders that each of the two stores begins with.")
]


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Option(help="Where it runs; emptied at the start.")
    ] = DEMO_FOLDER,
    orders_per_store: OrdersPerStore = play.ORDERS_PER_STORE,
    rate: Annotated[
        float, typer.Option(min=0.1, max=1_000, help="Shipments published a second.")
    ] = play.RATE_PER_S,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """See it work: Kafka, a stand-in for Alibaba.com, the three services, and a few hundred shipments.

    Every number at the end is read from the topics and from the stand-in's journal. Exit code 1 when they
    are not what they should be. With --bootstrap it uses that cluster, under topics of its own.
    """
    out = console()
    own_topics = topic_prefix or f"demo-{secrets.token_hex(3)}-"
    wanted = play.Play(folder, _existing(bootstrap, own_topics), orders_per_store, rate)
    with _told_failures():
        ended = play.Demo(wanted, out).run()
    _tell(out, ended, folder)


@contextlib.contextmanager
def _told_failures() -> Iterator[None]:
    """Failures of the parts, each a message that says what to do."""
    try:
        yield
    except (broker.BrokerError, ProcessError, SchemaTopicError, TopicError) as error:
        raise CommandError(str(error)) from error
    except KafkaException as error:
        raise CommandError(told(error)) from error


def _existing(bootstrap: str | None, topic_prefix: str) -> KafkaSettings | None:
    """An existing cluster, if one is named."""
    return None if bootstrap is None else kafka(bootstrap, topic_prefix)


def _tell(out: Console, ended: play.Ended, folder: Path) -> None:
    out.print(report.table(ended.observed, ended.totals, ended.elapsed_s))
    out.print()
    for difference in ended.differences:
        out.print(Text(f"not as expected: {difference}", style="red"), soft_wrap=True)
    out.print(
        f"{len(ended.proofs)} proof pages, of one order for each country, lie in {folder / 'proofs'}; "
        f"logs lie in {folder}."
    )
    out.print("To keep it all running: waybill up (in a source tree: make up).")
    if ended.differences:
        raise CommandError(f"{len(ended.differences)} numbers are not what they should be")
    out.print(Text("Everything is as it should be: one shipment per order.", style="green"))


@app.command()
def up(
    folder: Annotated[Path, typer.Option(help="Where everything lies.")] = UP_FOLDER,
    orders_per_store: OrdersPerStore = play.ORDERS_PER_STORE,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Keep it all running in the background: Kafka, the stand-in for Alibaba.com, the three services.

    Started again it starts what does not run. `waybill down` stops it; its data stays.
    """
    installation = Installation(
        Wish(folder, _existing(bootstrap, topic_prefix or ""), orders_per_store)
    )
    with _told_failures():
        installation.start(lambda step: typer.echo(f"{step} …"))
        _wait_for_orders(installation)
    _tell_addresses(installation, folder)


def _wait_for_orders(installation: Installation) -> None:
    """So that there is something to see at once; with trouble at the importer it is told all the same."""
    typer.echo("importing the first orders …")
    deadline_s = monotonic() + _FIRST_ORDERS_S
    while not newest_orders(installation.cluster) and monotonic() < deadline_s:
        sleep(_POLL_S)


def _tell_addresses(installation: Installation, folder: Path) -> None:
    out = console()
    out.print(facts("It runs", _addresses(installation)))
    out.print(f"\nFor other commands:  export WAYBILL_ENV_FILE={folder / 'waybill.env'}")
    out.print("Look around:         waybill orders list --status awaiting_shipment")
    out.print(
        "Ship an order:       waybill shipments example --order KEY | waybill shipments publish -"
    )
    out.print("See what became:     waybill orders show KEY --proof proof.png")
    out.print("Stop it:             waybill down")


def _addresses(installation: Installation) -> dict[str, str]:
    services = {name: f"{installation.service_url(name)}/metrics" for name in SERVICES}
    return {
        "Kafka": installation.kafka.bootstrap_servers,
        "stand-in for Alibaba.com": f"{installation.sandbox_url}/admin/totals",
        **services,
        "logs": str(installation.folder),
    }


@app.command()
def down(
    folder: Annotated[Path, typer.Option(help="The folder that `up` was given.")] = UP_FOLDER,
) -> None:
    """Stop what `waybill up` started; its data stays."""
    processes = Installation(Wish(folder)).processes
    names = [running.name for running in processes]
    killed = processes.stop_all()
    with _told_failures():
        if broker.stop(folder / "kafka"):
            names.append("Kafka")
    typer.echo(f"stopped: {', '.join(names)}" if names else f"nothing runs in {folder}")
    for name in killed:
        typer.echo(f"{name} did not stop in time and was killed", err=True)
