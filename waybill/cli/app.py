"""All sub-commands together, and what becomes of their failures."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from waybill import __version__
from waybill.cli.errors import CommandError

COMMANDS: Mapping[str, str] = {
    "run": "waybill.cli.services",
    "sandbox": "waybill.cli.services",
    "demo": "waybill.cli.demo",
    "up": "waybill.cli.demo",
    "down": "waybill.cli.demo",
    "shipments": "waybill.cli.shipments",
    "orders": "waybill.cli.orders",
    "proof": "waybill.cli.proof",
    "packing-slip": "waybill.cli.packing_slip",
    "stores": "waybill.cli.stores",
    "dead-letters": "waybill.cli.dead_letters",
    "redrive": "waybill.cli.redrive",
    "replay": "waybill.cli.replay",
    "reconcile": "waybill.cli.reconcile",
    "ledger": "waybill.cli.ledger",
    "topics": "waybill.cli.topics",
    "schemas": "waybill.cli.schemas",
    "docs": "waybill.cli.docs",
    "kafka": "waybill.broker.cli",
}
"""Each command and the module whose `app` holds it: as one of its commands, or all of it under that name."""
_SINGLE = frozenset(
    {"run", "sandbox", "demo", "up", "down", "packing-slip", "redrive", "replay", "reconcile"}
)


class _Lazy(TyperGroup):
    """Loads the module of a command when it is asked for: all of them take a second."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base class's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        group: Any = typer.main.get_group(import_module(COMMANDS[cmd_name]).app)
        if cmd_name in _SINGLE:
            return group.get_command(ctx, cmd_name)
        group.name = cmd_name
        return group


app = typer.Typer(
    name="waybill",
    cls=_Lazy,
    help="Alibaba.com orders to Apache Kafka, shipments back to Alibaba.com: one per order, with its proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
