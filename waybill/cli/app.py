"""All sub-commands together, and what becomes of their failures."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from confluent_kafka import KafkaException
from rich.console import Console
from rich.text import Text

from waybill import __version__
from waybill.broker import BrokerError
from waybill.broker.cli import app as kafka_app
from waybill.cli import demo, docs, orders, schemas, services, shipments, stores, topics
from waybill.cli.cluster import told
from waybill.cli.errors import CommandError

app = typer.Typer(
    name="waybill",
    help="Alibaba.com orders to Apache Kafka, shipments back to Alibaba.com: one per order, with its proof.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(services.app)
app.add_typer(demo.app)
app.add_typer(shipments.app, name="shipments")
app.add_typer(orders.app, name="orders")
app.add_typer(stores.app, name="stores")
app.add_typer(topics.app, name="topics")
app.add_typer(schemas.app, name="schemas")
app.add_typer(docs.app, name="docs")
app.add_typer(kafka_app, name="kafka")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"waybill {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """What stands before the sub-command."""


def execute(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code. Expected failures become one red line."""
    command = typer.main.get_command(app)
    try:
        result: Any = command.main(args=list(arguments), prog_name="waybill", standalone_mode=False)
    except CommandError as error:
        return _failed(str(error), error.exit_code)
    except BrokerError as error:
        return _failed(str(error), 1)
    except KafkaException as error:
        return _failed(told(error), 1)
    except typer.TyperException as error:
        return _misused(error)
    except typer.Abort:
        return _failed("stopped", 1)
    return result if isinstance(result, int) else 0


def _misused(error: typer.TyperException) -> int:
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.format_message(), err=True)
        return error.exit_code
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    return _failed(error.format_message() + hint, error.exit_code)


def _failed(message: str, exit_code: int) -> int:
    console = Console(stderr=True)
    console.print(Text(f"error: {message}", style="red"), soft_wrap=True)
    return exit_code
