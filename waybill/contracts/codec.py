"""Bytes to records and back: Avro single-object encoding, the Confluent wire format, and JSON where allowed.

Single-object encoding is `C3 01`, the schema's fingerprint (CRC-64-AVRO of the Parsing Canonical Form,
little-endian), then the body; the Confluent wire format is `00`, a registry's schema id, then the same body.
"""

import io
import json
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, Generic, Never, TypeVar

import fastavro
import fastavro.read
from fastavro.read import SchemaResolutionError
from fastavro.schema import fingerprint, to_parsing_canonical_form
from pydantic import ValidationError

from waybill.contracts.base import Record
from waybill.contracts.files import foreign_fingerprints, schema_versions
from waybill.contracts.schema import Schema

SINGLE_OBJECT = b"\xc3\x01"
CONFLUENT = b"\x00"
_HEADER_BYTES = 10
_REGISTERED_MAX = 1_024
"""Schemas of a registry kept parsed; publishers use a handful."""

R = TypeVar("R", bound=Record)


class DeadReason(StrEnum):
    """Why nobody could read a record. A closed list: it is a header, a metric label and a filter of the redrive."""

    UNKNOWN_FORM = "unknown_form"
    UNKNOWN_SCHEMA = "unknown_schema"
    UNREADABLE = "unreadable"
    INVALID = "invalid"
    NO_KEY = "no_key"
    NO_VALUE = "no_value"
    KEY_MISMATCH = "key_mismatch"
    WRONG_PARTITION = "wrong_partition"
    TOO_MANY_SHIPMENTS = "too_many_shipments"
    PROCESSING_FAILED = "processing_failed"


class DecodeError(Exception):
    """A record that cannot be read; `reason` is for machines, `detail` says what to change and holds no values."""

    def __init__(self, reason: DeadReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class _NoSchemaError(ValueError):
    """What claims to be an Avro schema is none."""


class _RefusedValueError(ValueError):
    """A value that Avro can carry and this product cannot; its text names no value."""


def _strict_decimal(data: bytes, writer_schema: Any, _reader_schema: Any = None) -> Decimal:
    unscaled = int.from_bytes(data, "big", signed=True)
    precision = writer_schema["precision"]
    if len(str(abs(unscaled))) > precision:
        raise _RefusedValueError(f"a decimal has more than {precision} digits")
    # scaleb would round to the context's precision; the tuple form never does
    digits = tuple(int(digit) for digit in str(abs(unscaled)))
    return Decimal((int(unscaled < 0), digits, -writer_schema.get("scale", 0)))


# fastavro's own reader rounds what exceeds the precision, silently: money has to be refused instead
fastavro.read.LOGICAL_READERS["bytes-decimal"] = _strict_decimal


def schema_fingerprint(schema: Schema) -> bytes:
    """The 8 fingerprint bytes in the order in which they stand in the header."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def _readable(schema: Schema) -> Any:
    """The schema, parsed for reading; raises ValueError when it is none."""
    try:
        parsed = fastavro.parse_schema(schema)
    except Exception as error:  # fastavro raises KeyError, TypeError … for what is no schema
        raise _NoSchemaError(f"not an Avro schema ({type(error).__name__})") from error
    _refuse_negative_symbols(parsed)
    return parsed


def _refuse_negative_symbols(node: Any) -> None:
    # fastavro reads the enum index -1, which an indexOf that found nothing leaves behind, as the last
    # symbol, because a Python list does so; a dict has no such item
    if isinstance(node, list):
        for item in node:
            _refuse_negative_symbols(item)
    elif isinstance(node, dict):
        if isinstance(symbols := node.get("symbols"), list):
            node["symbols"] = dict(enumerate(symbols))
        for value in node.values():
            _refuse_negative_symbols(value)


class SchemaBook:
    """Every writer schema known: those of this release, and those learnt from `waybill.schemas.v1` or a registry."""

    def __init__(self) -> None:
        self._by_fingerprint: dict[bytes, Any] = {}
        self._by_registry_id: Callable[[int], Any] | None = None
        self._of_release = frozenset(
            self.learn(schema) for versions in schema_versions().values() for schema in versions
        )

    def learn(self, schema: Schema) -> bytes:
        """Add a writer schema; returns its fingerprint. Adding one twice changes nothing.

        Raises ValueError when it is no Avro schema.
        """
        parsed = _readable(schema)
        mark = schema_fingerprint(schema)
        self._by_fingerprint.setdefault(mark, parsed)
        return mark

    def is_released(self, data: bytes) -> bool:
        """Whether framed bytes were written with a schema that everyone of this release has from the start."""
        return data[:2] == SINGLE_OBJECT and data[2:_HEADER_BYTES] in self._of_release

    def use_registry(self, schema_by_id: Callable[[int], Schema]) -> None:
        """From now on the Confluent wire format can be read.

        The function raises LookupError for an id that the registry does not have; anything else it raises
        (the registry cannot be reached) goes through `decode`, so that the record is tried again later.
        """
        # what the registry holds is taken as it is, never by fingerprint: two schemas that differ
        # in the scale of a decimal alone have the same one
        self._by_registry_id = lru_cache(_REGISTERED_MAX)(
            lambda schema_id: _readable(schema_by_id(schema_id))
        )

    def writer_of(self, data: bytes) -> tuple[Any, int]:
        """The parsed writer schema of framed bytes and where the body starts; raises DecodeError."""
        if data[:2] == SINGLE_OBJECT and len(data) >= _HEADER_BYTES:
            return self._known(data[2:_HEADER_BYTES]), _HEADER_BYTES
        if data[:1] == CONFLUENT and len(data) >= 5:
            return self._registered(int.from_bytes(data[1:5], "big")), 5
        raise DecodeError(
            DeadReason.UNKNOWN_FORM,
            f"the value starts with {data[:2].hex() or 'nothing'}; want c301 (Avro single-object encoding), "
            "00 (Confluent wire format) or, on shipments, a JSON object",
        )

    def _known(self, mark: bytes) -> Any:
        if schema := self._by_fingerprint.get(mark):
            return schema
        raise DecodeError(DeadReason.UNKNOWN_SCHEMA, _explain_fingerprint(mark))

    def _registered(self, schema_id: int) -> Any:
        if self._by_registry_id is None:
            raise DecodeError(
                DeadReason.UNKNOWN_SCHEMA,
                f"Confluent wire format with schema id {schema_id}, but no schema registry is set",
            )
        try:
            return self._by_registry_id(schema_id)
        except (LookupError, _NoSchemaError) as error:
            raise DecodeError(
                DeadReason.UNKNOWN_SCHEMA, f"schema id {schema_id}: {error}"
            ) from error


def _explain_fingerprint(mark: bytes) -> str:
    found = f"no schema has the fingerprint {mark.hex()}"
    if culprit := foreign_fingerprints().get(mark.hex()):
        return f"{found}; that is what {culprit['library']} computes for {culprit['record']}: paste the header {culprit['header']} instead"
    return f"{found}; the headers of all versions are listed in docs/contracts.md"


class Codec(Generic[R]):
    """Encodes and decodes one record type. Decoding reads every known version.

    Encoding writes the newest version, or `write_version`: the release that brings a version reads it and
    still writes the one before, so that it can be taken back.
    """

    def __init__(
        self, model: type[R], name: str, book: SchemaBook, *, write_version: int | None = None
    ) -> None:
        self.model = model
        self.name = name
        self._book = book
        versions = schema_versions()[name]
        self.schema = versions[write_version - 1 if write_version else -1]
        self.header = SINGLE_OBJECT + schema_fingerprint(self.schema)
        self._writer: Any = fastavro.parse_schema(self.schema)
        self._newest: Any = fastavro.parse_schema(versions[-1])
        self._readable: Any = _readable(self.schema)

    def encode(self, record: R) -> bytes:
        """Single-object encoding of the version written."""
        out = io.BytesIO()
        out.write(self.header)
        fastavro.schemaless_writer(out, self._writer, record.model_dump())
        return out.getvalue()

    def decode(self, data: bytes | None, *, allow_json: bool = False) -> R:
        """The record in framed bytes; raises DecodeError with a reason that tells the publisher what to change."""
        if data is None:
            raise DecodeError(DeadReason.NO_VALUE, "a tombstone: this topic takes no deletions")
        if allow_json and data[:1] == b"{":
            return self._validated(_parse_json(data))
        return self._validated(self._decode_avro(data))

    def _decode_avro(self, data: bytes) -> Any:
        if data[:_HEADER_BYTES] == self.header:
            # the usual case needs no resolution: the model's own defaults fill what an older version lacks
            return _read_body(data, _HEADER_BYTES, self._readable, None)
        writer, start = self._book.writer_of(data)
        if _name(writer) != _name(self._newest):
            raise DecodeError(
                DeadReason.UNREADABLE,
                f"a record {_name(writer)} where {_name(self._newest)} belongs",
            )
        return _read_body(data, start, writer, self._newest)

    def _validated(self, values: Any) -> R:
        try:
            return self.model.model_validate(values)
        except ValidationError as error:
            raise DecodeError(DeadReason.INVALID, describe_errors(error)) from None


def _name(parsed: Any) -> str:
    return str(parsed.get("name", "without a name")) if isinstance(parsed, dict) else str(parsed)


def _parse_json(data: bytes) -> Any:
    # pydantic's own JSON reader makes floats of numbers: an amount of 17 digits would lose some
    try:
        return json.loads(data.decode(), parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise DecodeError(DeadReason.INVALID, f"not valid JSON: {error}") from error


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON value")


_WHAT_BROKE = {
    EOFError: "it ends too early",
    IndexError: "it names a branch of a union or a symbol of an enum that the schema does not have",
    KeyError: "it names a symbol of an enum that the schema does not have",
    OverflowError: "a time lies outside of the years 1 to 9999",
    UnicodeDecodeError: "a text is not UTF-8",
    SchemaResolutionError: "its schema lacks a field that is needed, or has it with another type",
}
"""What fastavro's exceptions mean to a publisher."""


def _read_body(data: bytes, start: int, writer: Any, reader: Any) -> Any:
    body = io.BytesIO(data)
    body.seek(start)
    try:
        values = fastavro.schemaless_reader(body, writer, reader)
    except _RefusedValueError as error:
        raise DecodeError(
            DeadReason.UNREADABLE, f"the Avro body cannot be read: {error}"
        ) from error
    except Exception as error:  # fastavro raises whatever the bytes provoke
        what = _WHAT_BROKE.get(type(error), type(error).__name__)
        raise DecodeError(DeadReason.UNREADABLE, f"the Avro body cannot be read: {what}") from error
    if rest := len(data) - body.tell():
        raise DecodeError(DeadReason.UNREADABLE, f"{rest} bytes after the end of the Avro body")
    return values


def describe_errors(error: ValidationError, errors_max: int = 5) -> str:
    """Field by field what is wrong, without the values: they may be personal."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    lines = [
        f"{'.'.join(map(str, e['loc'])) or 'record'}: {e['msg'].removeprefix('Value error, ')}"
        for e in found[:errors_max]
    ]
    more = len(found) - len(lines)
    return "; ".join(lines) + (f"; and {more} more" if more > 0 else "")


def schema_record(schema: Schema) -> tuple[str, bytes]:
    """Key (fingerprint in hex) and value (the schema as JSON) for `waybill.schemas.v1`."""
    return schema_fingerprint(schema).hex(), json.dumps(schema, ensure_ascii=False).encode()
