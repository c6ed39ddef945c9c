"""One call to the gateway, read from HTTP: parameters from query and form, files from multipart."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive, Scope

from sandbox.protocol import GopError
from sandbox.sellers import Seller

FIELDS_MAX = 100
"""Parameters and parts of one call."""
FIELD_OVERHEAD_BYTES = 1_000_000
"""Room for everything in a body that is not the uploaded file."""


@dataclass(frozen=True, slots=True)
class File:
    """A part of a multipart body that carries a file name."""

    file_name: str
    data: bytes


@dataclass(slots=True)
class Call:
    """What an endpoint works on."""

    path: str
    """API path without ``/rest``; on ``/sync`` the dotted method."""
    params: dict[str, str]
    files: dict[str, File]
    request_id: str
    began_s: float
    """When its first byte was seen, on the clock of the event loop."""
    lag_s: float = 0.0
    """Shipments younger than this are not visible to this call (a fault)."""
    late: bool = False
    """Acted on after the caller was answered, or cut off (a fault)."""
    _seller: Seller | None = field(default=None)

    @property
    def seller(self) -> Seller:
        """The store in whose name the call is made. Only on endpoints that need a token."""
        if self._seller is None:
            raise RuntimeError(f"{self.path} has no seller before its token was checked")
        return self._seller

    @seller.setter
    def seller(self, seller: Seller) -> None:
        self._seller = seller

    @property
    def dotted(self) -> bool:
        """Whether the call came through ``/sync``."""
        return not self.path.startswith("/")

    @property
    def access_token(self) -> str:
        """The access token, which ``/sync`` also takes under its older name ``session``."""
        if self.dotted and "session" in self.params:
            return self.required("session")
        return self.required("access_token")

    def required(self, name: str) -> str:
        """A parameter that must be there and not be empty."""
        value = self.params.get(name)
        if not value:
            raise GopError("MissingParameter", f"The input parameter {name} is missing")
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A parameter that is a whole number between ``low`` and ``high``."""
        text = self.params.get(name) or str(default)
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise GopError("InvalidParameter", f"{name} must be a number from {low} to {high}")
        return int(text)


class ClientGoneError(Exception):
    """The connection was closed before the whole request had arrived."""


async def read_body(receive: Receive, bytes_max: int) -> bytes:
    """The whole body of a request. Raises GopError with HTTP 413 above ``bytes_max``."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunks.append(message["body"])
        size += len(chunks[-1])
        if size > bytes_max:
            raise GopError(
                "InvalidParameter", f"body is larger than {bytes_max} bytes", http_status=413
            )
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def parse(scope: Scope, body: bytes) -> tuple[dict[str, str], dict[str, File]]:
    """Parameters and files of a request. Refuses a name given twice: its signature is ambiguous."""
    if scope["method"] not in {"GET", "POST"}:
        raise GopError("InvalidParameter", "method must be GET or POST", http_status=405)
    pairs = _pairs(scope["query_string"])
    files: dict[str, File] = {}
    if body:
        kind, options = parse_options_header(_content_type(scope))
        if kind == b"multipart/form-data" and options.get(b"boundary"):
            fields, files = _multipart(body, options[b"boundary"])
            pairs += fields
        elif kind == b"application/x-www-form-urlencoded":
            pairs += _pairs(body)
        else:
            raise GopError("InvalidParameter", "body must be a form or multipart/form-data")
    params = dict(pairs)
    if len(params) != len(pairs):
        raise GopError("InvalidParameter", "a parameter is given twice")
    return params, files


def _content_type(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-type":
            return bytes(value)
    return b""


def _pairs(text: bytes) -> list[tuple[str, str]]:
    if not text:
        return []
    try:
        return parse_qsl(
            text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise GopError("InvalidParameter", "form or query is not URL-encoded UTF-8") from error


@lru_cache(maxsize=1_024)
def _options(header: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    # The same few headers come with every call. Callers only read the result.
    return parse_options_header(header)


class _Parts:
    """Collects what the multipart parser finds."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []
        self.files: dict[str, File] = {}
        self.complete = False
        """Whether the closing delimiter was seen."""
        self._count = 0
        self._name = b""
        self._headers: dict[bytes, bytes] = {}
        self._header: tuple[list[bytes], list[bytes]] = ([], [])
        self._data: list[bytes] = []

    def begin(self) -> None:
        self._count += 1
        if self._count > FIELDS_MAX:
            raise GopError("InvalidParameter", f"more than {FIELDS_MAX} parts")
        self._headers, self._data = {}, []

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].append(data[start:end])

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].append(data[start:end])

    def header_end(self) -> None:
        name, value = self._header
        self._headers[b"".join(name).lower()] = b"".join(value)
        self._header = ([], [])

    def data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def all_end(self) -> None:
        self.complete = True

    def end(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"")
        _, options = _options(disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        content = self._data[0] if len(self._data) == 1 else b"".join(self._data)
        if b"filename" in options:
            self.files[name] = File(options[b"filename"].decode("utf-8", "replace"), content)
        else:
            self.fields.append((name, content.decode("utf-8")))


def _multipart(body: bytes, boundary: bytes) -> tuple[list[tuple[str, str]], dict[str, File]]:
    parts = _Parts()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": parts.begin,
            "on_header_field": parts.header_field,
            "on_header_value": parts.header_value,
            "on_header_end": parts.header_end,
            "on_part_data": parts.data,
            "on_part_end": parts.end,
            "on_end": parts.all_end,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeDecodeError) as error:
        raise GopError("InvalidParameter", "body is not valid multipart/form-data") from error
    if not parts.complete:
        raise GopError("InvalidParameter", "multipart/form-data has no closing delimiter")
    return parts.fields, parts.files
