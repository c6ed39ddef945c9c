"""Schemas of a Schema Registry by id, for the Confluent wire format on public topics."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import orjson

from waybill.contracts.schema import Schema
from waybill.streaming.errors import FatalError

_TIMEOUT_S = 10.0
"""A registry answers in milliseconds; each id is asked for once per process."""


def schema_lookup(url: str) -> Callable[[int], Schema]:
    """A function for `SchemaBook.use_registry`: the schema of an id; LookupError when there is none.

    A registry that is away ends the process: its records wait on their topic until it is back, where
    dead letters would have to be brought back by hand.
    """
    try:
        registry: Any = import_module("confluent_kafka.schema_registry")
        broken: Any = import_module("confluent_kafka.schema_registry.error").SchemaRegistryError
    except ImportError as error:
        told = (
            "a schema registry is set, but its client is not installed: install waybill[registry]"
        )
        raise FatalError(told) from error
    client = registry.SchemaRegistryClient({"url": url, "timeout": _TIMEOUT_S})

    def by_id(schema_id: int) -> Schema:
        try:
            found = client.get_schema(schema_id)
        except broken as error:
            if error.http_status_code == 404:
                raise LookupError("the registry does not know it") from error
            raise FatalError(f"the schema registry refused: {error}") from error
        except Exception as error:  # whatever its HTTP library raises
            raise FatalError(
                f"the schema registry does not answer: {type(error).__name__}"
            ) from error
        schema: Schema = orjson.loads(found.schema_str)
        return schema

    return by_id
