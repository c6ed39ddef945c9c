"""A small HTTP server on the loopback that does as it is told, also what a server should not do.

It reads HTTP by itself, on bare sockets: a framework would repair what the tests want broken.
"""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl


async def until(condition: Callable[[], object], deadline_s: float = 5.0) -> None:
    """Return when ``condition`` holds; fail the test if that takes too long."""
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110 - conditions of many kinds, none an event
            await asyncio.sleep(0.005)


@dataclass(frozen=True)
class Received:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The parameters of a form body."""
        return dict(parse_qsl(self.body.decode("ascii"), strict_parsing=True))

    @property
    def parts(self) -> dict[str, bytes]:
        """The parts of a multipart body, by name."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        found = {}
        for part in message.iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            found[name] = content
        return found


@dataclass
class Connection:
    """One connection of a client, with the things a behaviour may do to it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read_request(self) -> Received | None:
        """The next request, or ``None`` if the client has closed."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            method, target, _ = first.split(" ")
            headers = {
                name.lower(): value for name, value in (line.split(": ", 1) for line in lines)
            }
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return Received(method, target, headers, body)

    async def answer(self, content: object, status: int = 200, **headers: str) -> None:
        """Answer with JSON, or with exactly the given bytes."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        await self.send(self.head(len(body), status, **headers) + body)

    async def answer_gzipped(self, content: object) -> None:
        """Answer with compressed JSON."""
        body = gzip.compress(json.dumps(content).encode())
        await self.send(self.head(len(body), 200, content_encoding="gzip") + body)

    @staticmethod
    def head(length: int, status: int = 200, **headers: str) -> bytes:
        """Status line and headers; underscores in names become hyphens."""
        told = {"content-type": "application/json", "content-length": str(length)}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"HTTP/1.1 {status} Told\r\n{lines}\r\n".encode()

    async def send(self, content: bytes) -> None:
        """Send bytes; a client that has gone is no error."""
        try:
            self.writer.write(content)
            await self.writer.drain()
        except ConnectionError:
            return

    def cut(self) -> None:
        """Break the connection at once (TCP reset), without another byte."""
        transport = self.writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


Behaviour = Callable[[Connection, Received], Awaitable[None]]


class Loopback:
    """The server; an async context manager. ``behaviour`` is run for every request."""

    def __init__(
        self,
        behaviour: Behaviour,
        *,
        on_connect: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        self._behaviour = behaviour
        self._on_connect = on_connect
        self.requests: list[Received] = []
        self.connections = 0
        self.open = 0
        self._serving: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close everything. An error inside a behaviour is the test's error."""
        self._server.close()
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        results = await asyncio.gather(*serving, return_exceptions=True)
        await self._server.wait_closed()
        failures = [result for result in results if isinstance(result, Exception)]
        if failures:
            raise failures[0]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(Connection(reader, writer)))
        self._serving.add(task)

    async def _serve(self, connection: Connection) -> None:
        self.open += 1
        try:
            if self._on_connect is not None:
                await self._on_connect(connection)
            while not connection.writer.is_closing():
                request = await connection.read_request()
                if request is None:
                    break
                self.requests.append(request)
                await self._behaviour(connection, request)
        finally:
            connection.writer.close()
            self.open -= 1


def always(content: object, status: int = 200, **headers: str) -> Behaviour:
    """The same answer to every request."""

    async def behave(connection: Connection, _request: Received) -> None:
        await connection.answer(content, status, **headers)

    return behave


async def stall(connection: Connection, _request: Received) -> None:
    """Read the request and never answer, until the client leaves."""
    await connection.reader.read()


async def cut(connection: Connection, _request: Received) -> None:
    """Read the request and break the connection."""
    connection.cut()


async def close(connection: Connection, _request: Received) -> None:
    """Read the request and close in good order, without an answer."""
    connection.writer.close()
