"""`waybill kafka`: the development broker from the command line."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from waybill import broker
from waybill.broker.jars import ensure_jars, jars_dir
from waybill.broker.launch import java_command

DEFAULT_DATA_DIR = Path(".run/kafka")
"""Where the broker of a working folder keeps its data, unless told otherwise."""

NOT_RUNNING = 3
"""Exit status of `status` and `tool` when no broker runs, as `systemctl status` has it."""

TOOLS = {
    "configs": "kafka.admin.ConfigCommand",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "topics": "org.apache.kafka.tools.TopicCommand",
    "transactions": "org.apache.kafka.tools.TransactionsCommand",
}
"""Kafka's own command line tools, by the name of their script without `kafka-` and `.sh`."""

app = typer.Typer(
    name="kafka",
    no_args_is_help=True,
    help="A real single-node Kafka for development, tests and the demo. Never for production.",
)

DataDir = Annotated[
    Path, typer.Option("--data", help="The broker's data folder; one folder is one broker.")
]


@app.command()
def start(
    data: DataDir = DEFAULT_DATA_DIR,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0: the former port, or any free one.")
    ] = 0,
) -> None:
    """Start the broker, or find it running; ready when this returns."""
    with _told_errors():
        fetch()
        handle = broker.start(data, port)
    typer.echo(f"Kafka is ready at {handle.bootstrap} (process {handle.pid}, log {handle.log})")


@app.command()
def stop(data: DataDir = DEFAULT_DATA_DIR) -> None:
    """Stop the broker; its data stays."""
    with _told_errors():
        stopped = broker.stop(data)
    typer.echo("Kafka has stopped." if stopped else "Kafka was not running.")


@app.command()
def status(data: DataDir = DEFAULT_DATA_DIR) -> None:
    """Tell where the broker runs; exit status 3 when it does not."""
    handle = _running(data)
    typer.echo(f"Kafka runs at {handle.bootstrap} (process {handle.pid}, log {handle.log})")


@app.command()
def fetch() -> None:
    """Fetch Kafka's jars with Maven, if they are not there yet; a start then needs no network."""
    with _told_errors():
        if not jars_dir().is_dir():
            typer.echo("Fetching Kafka's jars with Maven: about 54 MB, once.", err=True)
        ensure_jars()


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    help=f"Run one of Kafka's own tools against the broker: {', '.join(TOOLS)}.",
)
def tool(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The tool; its own options follow.")],
    data: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Replace this process by the tool, with the broker's address filled in."""
    if name not in TOOLS:
        raise typer.BadParameter(f"{name} is not one of: {', '.join(TOOLS)}")
    handle = _running(data)
    with _told_errors():
        command = java_command()
    address = ["--bootstrap-server", handle.bootstrap]
    os.execv(command[0], [*command, TOOLS[name], *address, *context.args])  # noqa: S606 - no shell


def _running(data: Path) -> broker.BrokerHandle:
    with _told_errors():
        handle = broker.status(data)
    if handle is None:
        hint = f"start it with `waybill kafka start --data {data}`"
        typer.echo(f"Kafka is not running in {data}: {hint}", err=True)
        raise typer.Exit(NOT_RUNNING)
    return handle


@contextlib.contextmanager
def _told_errors() -> Iterator[None]:
    """Turn an error that says what to do into its text and exit status 1."""
    try:
        yield
    except broker.BrokerError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
