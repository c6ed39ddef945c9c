"""A broker that says for a moment that the cluster has none, as one may that wakes up after a freeze."""

import re
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase

_HOST = "127.0.0.1"
_METADATA, _FIND_COORDINATOR = 3, 10
"""The requests whose answers name brokers."""
_ONE_BROKER = re.compile(rb"\x02.{4}\x0a127\.0\.0\.1.{4}\x00\x00", re.DOTALL)
"""A list of one, as it is written since version 9: length + 1, node id, length + 1 of the host, host, port,
no rack, no tags."""
_NO_BROKER = b"\x01"

Asked = dict[bytes, int]
"""Requests of a connection that wait for their answer, by correlation id."""


class Forgetful(socketserver.ThreadingTCPServer):
    """Stands before the session's broker; its answers name its own address in place of the broker's."""

    daemon_threads = True  # a connection ends with its client, which may be later than the test

    def __init__(self, bootstrap: str) -> None:
        super().__init__((_HOST, 0), _Connection)
        self.forgets = False
        """Whether the cluster has no brokers just now."""
        self.forgot = 0
        """How often it said so."""
        self.broker_port = int(bootstrap.rpartition(":")[2])
        self.port: int = self.server_address[1]

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""
        return f"{_HOST}:{self.port}"

    @contextmanager
    def serving(self) -> Iterator["Forgetful"]:
        """Serve as long as this lasts."""
        with self:
            thread = threading.Thread(target=self.serve_forever)
            thread.start()
            try:
                yield self
            finally:
                self.shutdown()
                thread.join()


class _Connection(socketserver.StreamRequestHandler):
    """One connection until either side ends it."""

    server: Forgetful

    def handle(self) -> None:
        """Requests go to the broker as they are; answers come back on a thread of their own."""
        asked: Asked = {}
        with socket.create_connection((_HOST, self.server.broker_port)) as broker:
            answering = threading.Thread(target=self._answer, args=(broker, asked), daemon=True)
            answering.start()
            with suppress(OSError):  # either side may break off
                for request in _messages(self.rfile):
                    kind = int.from_bytes(request[:2])
                    if kind in {_METADATA, _FIND_COORDINATOR}:
                        asked[request[4:8]] = kind
                    _send(broker, request)
            with suppress(OSError):
                broker.shutdown(socket.SHUT_RDWR)
            answering.join()

    def _answer(self, broker: socket.socket, asked: Asked) -> None:
        with suppress(OSError), broker.makefile("rb") as answers:
            for answer in _messages(answers):
                kind = asked.pop(answer[:4], None)
                _send(self.connection, answer if kind is None else self._renamed(answer, kind))
            self.connection.shutdown(socket.SHUT_RDWR)

    def _renamed(self, answer: bytes, kind: int) -> bytes:
        if kind == _METADATA and self.server.forgets:
            answer, found = _ONE_BROKER.subn(_NO_BROKER, answer, count=1)
            self.server.forgot += found
        return answer.replace(_address(self.server.broker_port), _address(self.server.port))


def _address(port: int) -> bytes:
    return _HOST.encode() + struct.pack(">i", port)


def _messages(stream: BufferedIOBase) -> Iterator[bytes]:
    """Requests or answers without the length before each, until the connection ends."""
    while len(head := stream.read(4)) == 4:
        yield stream.read(int.from_bytes(head))


def _send(connection: socket.socket, message: bytes) -> None:
    connection.sendall(struct.pack(">i", len(message)) + message)
