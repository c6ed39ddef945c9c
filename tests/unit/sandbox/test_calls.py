"""Requests are read as sent, whatever their encoding; what is ambiguous or broken is refused."""

import asyncio
from typing import Any

import pytest

from sandbox.calls import FIELDS_MAX, Call, ClientGoneError, File, parse, read_body
from sandbox.protocol import GopError

FORM = b"application/x-www-form-urlencoded"
BOUNDARY = b"----boundary42"
MULTIPART = b"multipart/form-data; boundary=" + BOUNDARY


def scope(content_type: bytes = b"", query: bytes = b"", method: str = "POST") -> dict[str, Any]:
    headers = [(b"host", b"x"), (b"content-type", content_type)]
    return {"method": method, "query_string": query, "headers": headers}


def part(name: bytes, value: bytes, file_name: bytes | None = None) -> bytes:
    disposition = b'Content-Disposition: form-data; name="%b"' % name
    if file_name is not None:
        disposition += b'; filename="%b"\r\nContent-Type: image/png' % file_name
    return b"--" + BOUNDARY + b"\r\n" + disposition + b"\r\n\r\n" + value + b"\r\n"


END = b"--" + BOUNDARY + b"--\r\n"


def test_query_and_form_add_up() -> None:
    params, files = parse(scope(FORM, b"a=1&b=x%20y"), b"c=%C3%BC&d=&e=1%2B1+2")
    assert params == {"a": "1", "b": "x y", "c": "ü", "d": "", "e": "1+1 2"}
    assert files == {}


def test_multipart_keeps_bytes_and_tells_files_from_fields() -> None:
    data = bytes(range(256)) * 3 + b"\r\n--" + BOUNDARY[:-1] + b"\r\n"
    body = part(b"file_name", "Zoë.png".encode()) + part(b"data", data, b"p.png") + END
    params, files = parse(scope(MULTIPART), body)
    assert params == {"file_name": "Zoë.png"}
    assert files == {"data": File("p.png", data)}


def test_an_empty_file_is_a_file() -> None:
    _, files = parse(scope(MULTIPART), part(b"data", b"", b"p.png") + END)
    assert files == {"data": File("p.png", b"")}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"a=1&a=2"),
        (FORM, b"a=%FF"),
        (FORM, "a=ü".encode()),
        (FORM, b"&".join(b"p%d=1" % number for number in range(FIELDS_MAX + 1))),
        (MULTIPART, b"no multipart at all"),
        (MULTIPART, part(b"a", b"\xff") + END),
        (MULTIPART, part(b"a", b"1") + part(b"a", b"2") + END),
        (MULTIPART, b"".join(part(b"p%d" % n, b"") for n in range(FIELDS_MAX + 1)) + END),
        (b"multipart/form-data", part(b"a", b"1") + END),
        (b"application/json", b"{}"),
    ],
)
def test_broken_or_ambiguous_bodies_are_refused(kind: bytes, body: bytes) -> None:
    with pytest.raises(GopError) as refused:
        parse(scope(kind), body)
    assert refused.value.code == "InvalidParameter"


def test_a_multipart_body_that_stops_in_the_middle_is_refused() -> None:
    body = part(b"a", b"1") + part(b"data", b"x" * 100, b"p.png")
    with pytest.raises(GopError):
        parse(scope(MULTIPART), body[:-40])


def test_a_body_comes_in_pieces_up_to_its_limit() -> None:
    def read(*chunks: bytes, limit: int = 10, gone: bool = False) -> bytes:
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
        ]
        messages[-1]["more_body"] = gone
        messages.append({"type": "http.disconnect"})

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        return asyncio.run(read_body(receive, limit))

    assert read(b"12345", b"67890") == b"1234567890"
    with pytest.raises(GopError) as refused:
        read(b"12345", b"678901")
    assert refused.value.http_status == 413
    with pytest.raises(ClientGoneError):
        read(b"12345", gone=True)


def test_numbers_are_checked() -> None:
    call = Call("/p", {"a": "5", "b": "x", "c": "101", "d": "٣"}, {}, "r", 0.0)
    assert call.number("a", 1, 0, 100) == 5
    assert call.number("missing", 7, 0, 100) == 7
    for name in "bcd":
        with pytest.raises(GopError, match=name):
            call.number(name, 1, 0, 100)
