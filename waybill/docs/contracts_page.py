"""docs/contracts.md, from the models, the schemas and the examples."""

import json
from typing import Any

from waybill.contracts.codec import SINGLE_OBJECT, schema_fingerprint
from waybill.contracts.evolution import named_types
from waybill.contracts.examples import Example, examples
from waybill.contracts.files import schema_versions
from waybill.contracts.keys import murmur2, partition_of
from waybill.contracts.schema import NAMESPACE, Schema
from waybill.contracts.topics import PARTITIONS_DEFAULT, topics
from waybill.docs.markdown import fenced, page, plain, table, wrapped_hex

VECTORS = (
    "alibaba:255201166001024316",
    "alibaba:255201166001024317",
    "sandbox:1001",
    "sandbox:1",
    "a",
    "ab",
    "abc",
    "abcd",
    "købt:1",
    "订单:1",
    "заказ:1",
    "🎁:1",
)
"""Keys to test a partitioner with; all lengths of the last block, and UTF-8 of two, three and four bytes."""

_ORDER = ("shipment", "order", "notification")
_HEX_BYTES_MAX = 400


def render() -> str:
    """The page."""
    names = [*_ORDER, *(name for name in schema_versions() if name not in _ORDER)]
    return page(
        "Contracts",
        _INTRO,
        "## Headers of the values\n\n" + _HEADERS + "\n\n" + _header_table(names),
        "## Keys and partitions\n\n" + _KEYS + "\n\n" + _vector_table(),
        "## Records",
        *(_record(name) for name in names),
        "## Types",
        *_types(),
    )


_INTRO = """\
The Avro schemas are in `schemas/avro/<record>/v<version>.avsc`, complete examples with their bytes in
`schemas/examples/<record>/`. Within a major version every version reads every other one
(FULL_TRANSITIVE): fields and symbols are only appended, with defaults. A symbol that a reader does not
know becomes `UNRECOGNISED`: keep your hands off and look.

Numbers with a fraction are Avro decimals: the unscaled value as a big-endian two's complement integer,
never a float. `12.50` at scale 4 is 125000, `01e848`. Times are `timestamp-millis`: milliseconds since
1970-01-01T00:00:00Z. An optional field is the union of null (branch 0) and its type (branch 1). In JSON,
decimals are texts (`"12.50"`), times ISO 8601 with an offset, bytes hex."""

_HEADERS = """\
A value in single-object encoding starts with 10 bytes: `c301` and the fingerprint of the schema that wrote
it. They are constants: **paste them**. Several libraries compute a wrong fingerprint for schemas with
decimals or times (see [publishing](publishing.md#the-header))."""

_KEYS = f"""\
The key of an order is `<site>:<trade_id>` in UTF-8. The partition is
`(murmur2(key) & 0x7fffffff) % partitions`; below, of {PARTITIONS_DEFAULT}. Keys that are no order keys are
here to test an implementation with."""


def _header_table(names: list[str]) -> str:
    by_record = {topic.record: topic.name for topic in topics().values() if topic.record}
    rows = [
        [
            f"[{name}](#{name})",
            str(number),
            f"`{(SINGLE_OBJECT + schema_fingerprint(schema)).hex()}`",
            by_record.get(name, "–"),
        ]
        for name in names
        for number, schema in enumerate(schema_versions()[name], 1)
    ]
    return table(["record", "version", "header", "topic"], rows)


def _vector_table() -> str:
    rows = [
        [
            f"`{key}`",
            f"`{key.encode().hex()}`",
            str(murmur2(key.encode())),
            str(partition_of(key, PARTITIONS_DEFAULT)),
        ]
        for key in VECTORS
    ]
    return table(["key", "in UTF-8", "murmur2", f"partition of {PARTITIONS_DEFAULT}"], rows)


def _record(name: str) -> str:
    schema = schema_versions()[name][-1]
    blocks = [f"### {name}", plain(schema["doc"]), _fields(schema)]
    example = _smallest(name)
    blocks.append(f"Example `{example.name}` of version {example.version}: {example.about}")
    blocks.append(fenced(json.dumps(example.value, indent=2, ensure_ascii=False), "json"))
    if len(example.encoded) <= 2 * _HEX_BYTES_MAX:
        blocks.append(f"Key `{example.key}`, partition {example.partition_of_12}; value in hex:")
        blocks.append(fenced(wrapped_hex(example.encoded)))
    return "\n\n".join(blocks)


def _smallest(name: str) -> Example:
    """A short one reads best; the folder holds the full ones."""
    versions = len(schema_versions()[name])
    mine = [e for e in examples() if (e.record, e.version, e.name) == (name, versions, "minimal")]
    return mine[0]


def _types() -> list[str]:
    found: dict[str, Schema] = {}
    for schemas in schema_versions().values():
        own = f"{NAMESPACE}.{schemas[-1]['name']}"
        found |= {name: kind for name, kind in named_types(schemas[-1]).items() if name != own}
    return [_type_section(found[name]) for name in sorted(found)]


def _type_section(kind: Schema) -> str:
    body = _fields(kind) if kind["type"] == "record" else _symbols(kind)
    return f"### {kind['name']}\n\n{plain(kind['doc'])}\n\n{body}"


def _symbols(enum: Schema) -> str:
    return "An enum: " + ", ".join(f"`{symbol}`" for symbol in enum["symbols"]) + "."


def _fields(record: Schema) -> str:
    rows = [
        [f"`{field['name']}`", _type_text(field["type"]), _default_text(field), field["doc"]]
        for field in record["fields"]
    ]
    return table(["field", "type", "default", "meaning"], rows)


def _default_text(field: Schema) -> str:
    if "default" not in field:
        return "**required**"
    return f"`{json.dumps(field['default'])}`"


def _type_text(kind: Any) -> str:
    if isinstance(kind, list):
        return f"{_type_text(kind[1])}, or null"
    if isinstance(kind, str):
        return _link(kind.rpartition(".")[2]) if "." in kind else kind
    return _complex_text(kind)


def _complex_text(kind: Schema) -> str:
    match kind:
        case {"type": "array", "items": items}:
            return f"list of {_type_text(items)}"
        case {"type": "map", "values": values}:
            return f"map of {_type_text(values)}"
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            return f"decimal({precision}, {scale})"
        case {"logicalType": logical}:
            return str(logical)
    return _link(kind["name"])


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"
