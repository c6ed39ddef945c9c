"""The rules by which schemas may change: FULL_TRANSITIVE within a major version, and what Avro's own check misses.

Readers on old releases meet new records and new readers replay old ones, so every version has to read
every other one. Apache Avro's checker compares structure alone: it accepts another scale of a decimal,
milliseconds that became microseconds, another namespace. Those are the own rules here.

Pure: schemas in, violations out. Needs the package `avro`, which only development installs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from waybill.contracts.codec import schema_fingerprint
from waybill.contracts.schema import NAMESPACE, Schema

_NAMED = ("record", "enum", "fixed")
_UNKNOWN_SYMBOL = "UNRECOGNISED"


class Violation(NamedTuple):
    """One broken rule: where, and what to do instead."""

    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"


def violations(versions: Mapping[str, Sequence[Schema]]) -> list[Violation]:
    """Every rule over every record's versions, oldest first; an empty list means that all is well."""
    found: list[Violation] = []
    for record, schemas in versions.items():
        for number, schema in enumerate(schemas, 1):
            found += schema_violations(f"{record} v{number}", schema)
        for (a, old), (b, new) in combinations(enumerate(schemas, 1), 2):
            found += pair_violations(f"{record} v{a} to v{b}", old, new)
    return [*found, *_collisions(versions), *_one_definition(versions)]


def schema_violations(where: str, schema: Schema) -> list[Violation]:
    """What one schema has to keep to, whatever came before it."""
    found: list[Violation] = []
    for name, definition in named_types(schema).items():
        here = f"{where}: {name}"
        if not name.startswith(f"{NAMESPACE}."):
            found.append(Violation(here, f"the namespace is not {NAMESPACE}"))
        if not definition.get("doc"):
            found.append(Violation(here, "has no doc"))
        if definition["type"] == "enum":
            found += _enum_violations(here, definition)
        if definition["type"] == "record":
            found += _record_violations(here, definition)
    return found


def _enum_violations(here: str, enum: Schema) -> list[Violation]:
    if enum.get("default") == _UNKNOWN_SYMBOL and _UNKNOWN_SYMBOL in enum["symbols"]:
        return []
    return [Violation(here, f"the enum's default has to be its symbol {_UNKNOWN_SYMBOL}")]


def _record_violations(here: str, record: Schema) -> list[Violation]:
    found: list[Violation] = []
    types = {field["name"]: field["type"] for field in record["fields"]}
    is_money = any(
        kind.get("logicalType") == "decimal" for kind in _leaves(types.get("amount", []))
    )
    if is_money and "currency" not in types:
        found.append(Violation(here, "an amount has no currency beside it"))
    for field in record["fields"]:
        problems = [*_field_problems(field)]
        found += [Violation(f"{here}.{field['name']}", problem) for problem in problems]
    return found


def _field_problems(field: Schema) -> Iterator[str]:
    doc = field.get("doc", "")
    if not doc:
        yield "has no doc"
    kinds = list(_leaves(field["type"]))
    if {"float", "double"} & {kind["type"] for kind in kinds}:
        yield "is a floating-point number; use a decimal"
    for kind in kinds:
        logical = kind.get("logicalType", "")
        if logical.startswith(("timestamp", "local-timestamp")) and logical != "timestamp-millis":
            yield f"is a {logical}; times are timestamp-millis"
        if logical == "timestamp-millis" and "UTC milliseconds" not in doc:
            yield "is a time whose doc does not name its unit, 'UTC milliseconds'"
        if logical == "decimal" and not {"precision", "scale"} <= kind.keys():
            yield "is a decimal without precision or scale"
    if isinstance(field["type"], list) and not _is_optional(field):
        yield "is a union; only null and one type, with default null, is read alike everywhere"


def _is_optional(field: Schema) -> bool:
    kinds = field["type"]
    return len(kinds) == 2 and kinds[0] == "null" and field.get("default", "") is None


def _leaves(kind: Any) -> Iterator[Schema]:
    """The types that a field's own type consists of, without looking into named ones."""
    if isinstance(kind, list):
        for branch in kind:
            yield from _leaves(branch)
    elif isinstance(kind, str):
        yield {"type": kind}
    elif kind["type"] in ("array", "map"):
        yield from _leaves(kind["items" if kind["type"] == "array" else "values"])
    else:
        yield kind


def named_types(schema: Schema) -> dict[str, Schema]:
    """Full name to definition of every record, enum and fixed in a schema."""
    found: dict[str, Schema] = {}
    _collect(schema, "", found)
    return found


def _collect(kind: Any, namespace: str, found: dict[str, Schema]) -> None:
    if isinstance(kind, list):
        for branch in kind:
            _collect(branch, namespace, found)
    if not isinstance(kind, dict):
        return
    if kind["type"] in _NAMED:
        name = _full_name(kind["name"], kind.get("namespace", namespace))
        namespace = name.rpartition(".")[0]
        found[name] = kind
    for field in kind.get("fields", ()):
        _collect(field["type"], namespace, found)
    for inner in ("items", "values"):
        _collect(kind.get(inner), namespace, found)


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def pair_violations(where: str, old: Schema, new: Schema) -> list[Violation]:
    """What keeps an old and a new version from reading each other, or from meaning the same."""
    before, after = named_types(old), named_types(new)
    found = [*_renamed(where, before, after)]
    for name in before.keys() & after.keys():
        here = f"{where}: {name}"
        if before[name]["type"] != after[name]["type"]:
            found.append(Violation(here, "is another kind of type now"))
        elif before[name]["type"] == "enum":
            found += _changed_enum(here, before[name], after[name])
        elif before[name]["type"] == "record":
            found += _changed_record(here, before[name], after[name])
        elif before[name]["size"] != after[name]["size"]:
            found.append(Violation(here, "has another size now"))
    found += _unreadable(f"{where}: the new reads the old", reader=new, writer=old)
    return found + _unreadable(f"{where}: the old reads the new", reader=old, writer=new)


def _renamed(
    where: str, before: Mapping[str, Schema], after: Mapping[str, Schema]
) -> Iterator[Violation]:
    aliases = {
        _full_name(alias, name.rpartition(".")[0])
        for name, definition in after.items()
        for alias in definition.get("aliases", ())
    }
    short_names = {name.rpartition(".")[2]: name for name in after}
    for name in before.keys() - after.keys() - aliases:
        # a type that is gone went with its fields, which have rules of their own
        if moved := short_names.get(name.rpartition(".")[2]):
            yield Violation(f"{where}: {name}", f"is called {moved} now, without an alias")


def _changed_enum(here: str, old: Schema, new: Schema) -> list[Violation]:
    if new["symbols"][: len(old["symbols"])] == old["symbols"]:
        return []
    return [Violation(here, "symbols may only be appended: none removed, moved or renamed")]


def _changed_record(here: str, old: Schema, new: Schema) -> list[Violation]:
    before = {field["name"]: field for field in old["fields"]}
    after = {field["name"]: field for field in new["fields"]}
    found = [
        Violation(
            f"{here}.{name}", "was removed, but had no default for old readers to fall back to"
        )
        for name in before.keys() - after.keys()
        if "default" not in before[name]
    ]
    found += [
        Violation(f"{here}.{name}", "was added without a default for old records")
        for name in after.keys() - before.keys()
        if "default" not in after[name]
    ]
    kept = [name for name in before if name in after]
    if [*after][: len(kept)] != kept:
        found.append(Violation(here, "fields may only be appended: their order has changed"))
    for name in kept:
        found += _changed_field(f"{here}.{name}", before[name], after[name])
    return found


def _changed_field(here: str, old: Schema, new: Schema) -> list[Violation]:
    found = []
    was, now = _shape(old["type"]), _shape(new["type"])
    if was != now:
        found.append(Violation(here, f"was {_shown(was)} and is {_shown(now)}"))
    if "default" in old and ("default" not in new or old["default"] != new["default"]):
        found.append(
            Violation(here, "has another default, or none: old records change their meaning")
        )
    return found


def _shape(kind: Any) -> Any:
    """A type without what may change; named types by name alone, since they are compared on their own."""
    if isinstance(kind, list):
        return [_shape(branch) for branch in kind]
    if isinstance(kind, str):
        return kind
    if kind["type"] in _NAMED:
        return _full_name(kind["name"], kind.get("namespace", NAMESPACE))
    if kind.keys() == {"type"}:
        return kind["type"]
    return {
        name: _shape(value) if name in ("items", "values") else value
        for name, value in kind.items()
        if name != "doc"
    }


def _shown(shape: Any) -> str:
    return json.dumps(shape, separators=(",", ":"))


def _unreadable(where: str, *, reader: Schema, writer: Schema) -> list[Violation]:
    import avro.schema  # noqa: PLC0415 - a development dependency
    from avro.compatibility import (  # noqa: PLC0415
        ReaderWriterCompatibilityChecker,
        SchemaCompatibilityType,
    )

    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call] # avro types a part
    result = checker.get_compatibility(
        avro.schema.parse(json.dumps(reader)), avro.schema.parse(json.dumps(writer))
    )
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    return [Violation(where, f"Apache Avro refuses: {message}") for message in result.messages]


def _collisions(versions: Mapping[str, Sequence[Schema]]) -> Iterator[Violation]:
    seen: dict[bytes, str] = {}
    for record, schemas in versions.items():
        for number, schema in enumerate(schemas, 1):
            mark, here = schema_fingerprint(schema), f"{record} v{number}"
            if other := seen.get(mark):
                yield Violation(
                    here,
                    f"has the fingerprint of {other}, so readers cannot tell them apart: they differ in "
                    "nothing, or in what the fingerprint does not see (logical types, defaults, docs)",
                )
            seen.setdefault(mark, here)


def _one_definition(versions: Mapping[str, Sequence[Schema]]) -> Iterator[Violation]:
    """Code generators of other languages make one class per full name."""
    seen: dict[str, tuple[str, Any]] = {}
    for record, schemas in versions.items():
        for name, definition in named_types(schemas[-1]).items() if schemas else ():
            first, shape = seen.setdefault(name, (record, _definition_shape(definition)))
            if shape != _definition_shape(definition):
                yield Violation(f"{record}: {name}", f"is defined otherwise in {first}")


def _definition_shape(definition: Schema) -> Any:
    fields = [
        (field["name"], _shape(field["type"]), field.get("default", "none"))
        for field in definition.get("fields", ())
    ]
    return definition["type"], fields, definition.get("symbols"), definition.get("size")


def schema_hashes(versions: Mapping[str, Sequence[Schema]]) -> dict[str, str]:
    """`order/v1` to the SHA-256 of the schema without its docs, as in `schemas/avro/published.json`.

    Docs are left out so that a sentence can be improved: all that readers rely on is in.
    """
    return {
        f"{record}/v{number}": hashlib.sha256(
            json.dumps(_without_docs(schema), sort_keys=True).encode()
        ).hexdigest()
        for record, schemas in versions.items()
        for number, schema in enumerate(schemas, 1)
    }


def _without_docs(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_docs(item) for item in node]
    if isinstance(node, dict):
        return {name: _without_docs(value) for name, value in node.items() if name != "doc"}
    return node


def published_violations(
    hashes: Mapping[str, str], published: Mapping[str, str]
) -> list[Violation]:
    """What was published never changes and never goes; what is there has been published."""
    gone = [
        Violation(name, "was published and is gone") for name in published.keys() - hashes.keys()
    ]
    changed = [
        Violation(name, "was published and has changed; make a new version instead")
        for name in published.keys() & hashes.keys()
        if published[name] != hashes[name]
    ]
    new = [
        Violation(name, "is not published yet; run `waybill schemas publish`")
        for name in hashes.keys() - published.keys()
    ]
    return sorted(gone + changed + new)
