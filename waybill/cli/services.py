"""`waybill run` and `waybill sandbox`: what runs until it is stopped, in this very process."""

import runpy
import sys
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import ValidationError

from waybill.cli.connection import Bootstrap, TopicPrefix, put_into_environment, settings_error
from waybill.cli.errors import InputError

app = typer.Typer()

HttpPort = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=0,
        max=65_535,
        help="Where /metrics, /livez and /readyz answer; default WAYBILL_HTTP__PORT, else a free one.",
    ),
]


class Service(StrEnum):
    """What can be run; each is a package under `services`."""

    IMPORTER = "importer"
    NOTIFIER = "notifier"
    PROOFGEN = "proofgen"


@app.command()
def run(
    service: Annotated[Service, typer.Argument(help="Which service.")],
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
    port: HttpPort = None,
) -> None:
    """Run a service in this process until SIGTERM or Ctrl-C.

    All its settings are environment variables WAYBILL_…, or lines of the file that WAYBILL_ENV_FILE names.
    """
    put_into_environment(bootstrap, topic_prefix, port)
    try:
        runpy.run_module(f"services.{service}", run_name="__main__", alter_sys=True)
    except ValidationError as error:
        raise InputError(settings_error(error)) from error


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    },
    help="Run the stand-in for Alibaba.com; its options follow (`waybill sandbox --help`).",
)
def sandbox(context: typer.Context) -> None:
    """Run the stand-in in this process with the options given."""
    from sandbox.__main__ import main  # noqa: PLC0415 - a web server that no other command needs

    sys.exit(main(context.args))
