"""Options that say which cluster is meant, over what the environment says."""

import os
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from waybill.cli.errors import InputError
from waybill.settings import KafkaSettings, Settings

Bootstrap = Annotated[
    str | None,
    typer.Option(
        "--bootstrap",
        metavar="HOST:PORT",
        help="The cluster; default WAYBILL_KAFKA__BOOTSTRAP_SERVERS.",
    ),
]
TopicPrefix = Annotated[
    str | None,
    typer.Option(
        "--topic-prefix",
        metavar="TEXT",
        help="Put before every topic name; default WAYBILL_KAFKA__TOPIC_PREFIX.",
    ),
]


def settings(bootstrap: str | None = None, topic_prefix: str | None = None) -> Settings:
    """The settings of the environment, with these options over them; raises InputError."""
    try:
        found = Settings()
    except ValidationError as error:
        raise InputError(settings_error(error)) from error
    given = {"bootstrap_servers": bootstrap, "topic_prefix": topic_prefix}
    changes = {name: value for name, value in given.items() if value is not None}
    return found.model_copy(update={"kafka": found.kafka.model_copy(update=changes)})


def kafka(bootstrap: str | None, topic_prefix: str | None) -> KafkaSettings:
    """How to reach the cluster that is meant."""
    return settings(bootstrap, topic_prefix).kafka


def put_into_environment(
    bootstrap: str | None, topic_prefix: str | None, http_port: int | None = None
) -> None:
    """For a service that is started in this process and reads the environment itself."""
    given = {
        "WAYBILL_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "WAYBILL_KAFKA__TOPIC_PREFIX": topic_prefix,
        "WAYBILL_HTTP__PORT": http_port,
    }
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})


def settings_error(error: ValidationError) -> str:
    """Which variable is wrong, and why; never its value, which may be a secret."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{_variable(one['loc'])}: {one['msg']}" for one in found)


def _variable(place: tuple[Any, ...]) -> str:
    return "WAYBILL_" + "__".join(str(part).upper() for part in place)
