"""Example records with their exact bytes, under `schemas/examples/<record>/v<version>/`.

They are what a publisher in another language checks its own bytes against, what the documentation shows, and
fixtures for tests. The JSON under `value` is written by hand; all else is computed from it.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from waybill.contracts import RECORDS
from waybill.contracts.base import Record
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.files import schemas_dir
from waybill.contracts.identity import partition_key, record_key
from waybill.contracts.keys import murmur2, partition_of

PARTITIONS = 12
"""The partition count that the examples are computed for: the default of an installation."""


class Example(BaseModel):
    """One example file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    record: str = Field(description="Record name.")
    version: int = Field(description="Schema version that wrote the bytes.")
    name: str = Field(description="What it shows: full, minimal …")
    about: str = Field(description="The same in words.")
    key: str = Field(description="Record key.")
    murmur2: int = Field(description="murmur2 of what is partitioned by, a signed 32-bit integer.")
    partition_of_12: int = Field(description="Partition among 12.")
    header: str = Field(description="The 10 header bytes in hex.")
    encoded: str = Field(description="Header and body in hex.")
    value: dict[str, Any] = Field(description="The record as JSON.")

    def model(self) -> Record:
        """The record; raises ValidationError when the model does not take it."""
        return RECORDS[self.record].model_validate_json(json.dumps(self.value))


@cache
def examples() -> tuple[Example, ...]:
    """All examples, by record, version and name."""
    return tuple(Example.model_validate_json(path.read_bytes()) for path in example_files())


def example_files() -> list[Path]:
    """The files, in a fixed order."""
    return sorted((schemas_dir() / "examples").glob("*/v*/*.json"))


def codec_of(record: str, version: int, book: SchemaBook) -> Codec[Any]:
    """Writes one version of a record, and reads all of them."""
    return Codec(RECORDS[record], record, book, write_version=version)


def completed(written: dict[str, Any], path: Path, book: SchemaBook) -> Example:
    """The example of a file, with everything that is computed from `about` and `value` computed anew."""
    record, version = path.parent.parent.name, int(path.parent.name.removeprefix("v"))
    codec = codec_of(record, version, book)
    model = RECORDS[record].model_validate_json(json.dumps(written["value"]))
    partitioned_by = partition_key(model).encode()
    return Example(
        record=record,
        version=version,
        name=path.stem,
        about=written["about"],
        key=record_key(model),
        murmur2=murmur2(partitioned_by),
        partition_of_12=partition_of(partitioned_by, PARTITIONS),
        header=codec.header.hex(),
        encoded=codec.encode(model).hex(),
        value=model.model_dump(mode="json", exclude_unset=True),
    )


def stale_examples() -> Iterator[tuple[Path, str | None]]:
    """Files that are not what they should be, with the text that they should have.

    None in its place means that the model does not take the value: a person has to edit it.
    """
    book = SchemaBook()
    for path in example_files():
        text = path.read_text()
        wanted = _wanted(path, text, book)
        if wanted != text:
            yield path, wanted


def _wanted(path: Path, text: str, book: SchemaBook) -> str | None:
    try:
        return completed(json.loads(text), path, book).model_dump_json(indent=2) + "\n"
    except ValidationError:
        return None
