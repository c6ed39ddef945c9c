"""The contract files of a release: whether they are whole, and writing them anew after a model changed.

Works on the folder `schemas/` of a source tree. `publish` stops before it writes anything that breaks a rule.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from waybill.contracts import RECORDS
from waybill.contracts.evolution import (
    Violation,
    published_violations,
    schema_hashes,
    violations,
)
from waybill.contracts.examples import example_files, stale_examples
from waybill.contracts.files import foreign_fingerprints, schema_versions, schemas_dir
from waybill.contracts.foreign import foreign_table
from waybill.contracts.schema import Schema, avro_schema
from waybill.contracts.topics import topics

_NAMES_WANTED = ("full", "minimal")

Versions = dict[str, list[Schema]]


class PublishError(Exception):
    """The models would break a rule; nothing was written. `found` holds the violations."""

    def __init__(self, found: list[Violation]) -> None:
        super().__init__("\n".join(map(str, found)))
        self.found = found


def release_violations() -> list[Violation]:
    """All that keeps the contracts from being released; empty when they are whole."""
    versions = schema_versions()
    in_schemas = [
        *violations(versions),
        *published_violations(schema_hashes(versions), _published()),
        *_models_ahead(versions),
        *_stale_foreign(versions),
    ]
    # examples are computed from the schemas: those have to be right first
    return in_schemas or [*_missing_examples(versions), *_stale_examples()]


def publish(*, replace: bool = False) -> list[Path]:
    """Write the next version of every record whose model changed, and all that follows from it.

    `replace` rewrites the newest version instead: only as long as nobody has records of it. Returns the files
    written; raises PublishError before writing any.
    """
    versions = {record: _next(record, replace=replace) for record in RECORDS}
    frozen = {} if replace else _published()
    hashes = schema_hashes(versions)
    changed = [name for name in frozen if hashes.get(name) != frozen[name]]
    found = [
        *violations(versions),
        *(Violation(name, "was published and differs") for name in changed),
    ]
    if found:
        raise PublishError(found)
    return [*_write_schemas(versions), *_write_tables(versions, hashes), *refresh_examples()]


def refresh_examples() -> list[Path]:
    """Compute keys, partitions and bytes of the examples anew, from what was written by hand."""
    written = []
    for path, text in stale_examples():
        if text is not None:
            path.write_text(text)
            written.append(path)
    return written


def _next(record: str, *, replace: bool) -> list[Schema]:
    schemas, derived = list(schema_versions().get(record, ())), avro_schema(RECORDS[record])
    if schemas and (replace or _differ_in_docs_alone(schemas[-1], derived)):
        return [*schemas[:-1], derived]
    return [*schemas, derived]


def _differ_in_docs_alone(one: Schema, other: Schema) -> bool:
    return schema_hashes({"it": [one]}) == schema_hashes({"it": [other]})


def _write_schemas(versions: Versions) -> Iterator[Path]:
    for record, schemas in versions.items():
        for number, schema in enumerate(schemas, 1):
            path = schemas_dir() / "avro" / record / f"v{number}.avsc"
            yield from _write(path, schema)
    schema_versions.cache_clear()


def _write_tables(versions: Versions, hashes: dict[str, str]) -> Iterator[Path]:
    yield from _write(_published_path(), hashes)
    yield from _write(
        schemas_dir() / "foreign-fingerprints.json", foreign_table(public_versions(versions))
    )
    foreign_fingerprints.cache_clear()


def _write(path: Path, content: Any) -> Iterator[Path]:
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        yield path


def _published_path() -> Path:
    return schemas_dir() / "avro" / "published.json"


def _published() -> dict[str, str]:
    path = _published_path()
    loaded: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return loaded


def public_versions(versions: Versions) -> Versions:
    """Those records that foreign programs write or read."""
    public = {topic.record for topic in topics().values() if topic.visibility == "public"}
    return {record: schemas for record, schemas in versions.items() if record in public}


def _models_ahead(versions: Versions) -> Iterator[Violation]:
    for record, model in RECORDS.items():
        if versions.get(record, [None])[-1] != avro_schema(model):
            yield Violation(record, "the model has changed; run `waybill schemas publish`")


def _stale_foreign(versions: Versions) -> Iterator[Violation]:
    if foreign_fingerprints() != foreign_table(public_versions(versions)):
        yield Violation("foreign-fingerprints.json", "is stale; run `waybill schemas publish`")


def _missing_examples(versions: Versions) -> Iterator[Violation]:
    there = {(path.parent.parent.name, path.parent.name, path.stem) for path in example_files()}
    for record, schemas in versions.items():
        for number in range(1, len(schemas) + 1):
            for name in _NAMES_WANTED:
                if (record, f"v{number}", name) not in there:
                    yield Violation(f"{record} v{number}", f"has no example {name}.json")


def _stale_examples() -> Iterator[Violation]:
    for path, text in stale_examples():
        refused = "has a value that the model does not take; edit it"
        problem = refused if text is None else "is stale; run `waybill schemas publish`"
        yield Violation(str(path.relative_to(schemas_dir())), problem)
