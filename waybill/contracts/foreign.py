"""Fingerprints that other libraries compute for our schemas, each wrong in its own way.

Right are Apache Avro for Java, avsc (JavaScript) and fastavro. Apache Avro for Python 1.12.2, Go hamba/avro 2.31.0
and Go goavro 2.15.0 derive them from a canonical form that differs from the specification's; a publisher
who uses their call sends a header that nobody knows. Recomputed here, so that the dead letter can say which
library it was and what to write instead. Checked against those libraries, for schemas like
ours: no `fixed`, and decimals of one precision and scale.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastavro.schema import fingerprint

from waybill.contracts.codec import SINGLE_OBJECT, schema_fingerprint
from waybill.contracts.schema import Schema

_LOGICAL = ("logicalType", "precision", "scale")


def foreign_table(versions: Mapping[str, Sequence[Schema]]) -> dict[str, dict[str, str]]:
    """Each wrong fingerprint in hex, to its library, the record and version, and the right header."""
    table: dict[str, dict[str, str]] = {}
    for record, schemas in versions.items():
        for number, schema in enumerate(schemas, 1):
            right = schema_fingerprint(schema)
            for mark, library in _wrong_marks(schema, right).items():
                table[mark.hex()] = {
                    "library": library,
                    "record": f"{record} v{number}",
                    "header": (SINGLE_OBJECT + right).hex(),
                }
    return table


def _wrong_marks(schema: Schema, right: bytes) -> dict[bytes, str]:
    marks = {right[::-1]: "a writer that reverses the fingerprint's bytes"}
    for library, canonical_form in _LIBRARIES.items():
        mark = bytes.fromhex(fingerprint(canonical_form(schema), "CRC-64-AVRO"))
        if mark != right:
            marks[mark] = library
            marks[mark[::-1]] = f"{library}, with its bytes reversed,"
    return marks


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _python_avro(schema: Schema) -> str:
    """Keeps the object around a primitive that had more than a type."""
    return _text(_canonical(schema, lambda kind: {"type": kind["type"]}))


def _hamba(schema: Schema) -> str:
    """Keeps logical types."""
    return _text(
        _canonical(
            schema, lambda kind: {name: kind[name] for name in ("type", *_LOGICAL) if name in kind}
        )
    )


def _canonical(node: Any, primitive: Callable[[Schema], Any]) -> Any:
    if isinstance(node, list):
        return [_canonical(branch, primitive) for branch in node]
    if isinstance(node, str):
        return node
    kind = node["type"]
    if kind == "record":
        fields = [
            {"name": field["name"], "type": _canonical(field["type"], primitive)}
            for field in node["fields"]
        ]
        return {"name": _name(node), "type": kind, "fields": fields}
    if kind == "enum":
        return {"name": _name(node), "type": kind, "symbols": node["symbols"]}
    inner = {"array": "items", "map": "values"}.get(kind)
    return {"type": kind, inner: _canonical(node[inner], primitive)} if inner else primitive(node)


def _name(node: Schema) -> str:
    return f"{node['namespace']}.{node['name']}"


def _goavro(schema: Schema) -> str:
    """Puts the namespaces of all enclosing types before a name, and calls the first decimal `bytes.decimal`."""
    names = iter(["bytes.decimal"])

    def primitive(kind: Schema) -> Any:
        if kind.get("logicalType") == "decimal" and (name := next(names, None)):
            return {"name": name, "type": kind["type"]}
        return {"type": kind["type"]}

    return _text(_canonical(_nested(schema, ""), primitive))


def _nested(node: Any, around: str) -> Any:
    """The schema with goavro's idea of the namespaces."""
    if isinstance(node, list):
        return [_nested(branch, around) for branch in node]
    if not isinstance(node, dict):
        return node
    inside = {**node}
    if "namespace" in node:
        around = f"{around}.{node['namespace']}" if around else node["namespace"]
        inside["namespace"] = around
    if "fields" in node:
        inside["fields"] = [
            {**field, "type": _nested(field["type"], around)} for field in node["fields"]
        ]
    for part in ("items", "values"):
        if part in node:
            inside[part] = _nested(node[part], around)
    return inside


_LIBRARIES: dict[str, Callable[[Schema], str]] = {
    "Python avro": _python_avro,
    "Go hamba/avro": _hamba,
    "Go goavro": _goavro,
}
