"""A broker that says for a moment that the cluster has none, as one may that wakes up after a freeze."""

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

_HOST = "127.0.0.1"
_METADATA, _FIND_COORDINATOR = 3, 10
"""The requests whose answers name brokers."""
_ONE_BROKER = re.compile(rb"\x02.{4}\x0a127\.0\.0\.1.{4}\x00\x00", re.DOTALL)
"""A list of one, as it is written since version 9: length + 1, node id, length + 1 of the host, host, port,
no rack, no tags."""
_NO_BROKER = b"\x01"

Asked = dict[bytes, int]
"""Requests of a connection that wait for their answer, by correlation id."""


class Forgetful:
    """Stands before the session's broker; its answers name its own address in place of the broker's."""

    def __init__(self, bootstrap: str) -> None:
        self.forgets = False
        """Whether the cluster has no brokers just now."""
        self.forgot = 0
        """How often it said so."""
        self._broker_port = int(bootstrap.rpartition(":")[2])
        self._listener = socket.create_server((_HOST, 0))
        self._port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""
        return f"{_HOST}:{self._port}"

    @contextmanager
    def serving(self) -> Iterator["Forgetful"]:
        """Serve as long as this lasts."""
        accepting = threading.Thread(target=self._accept)
        accepting.start()
        try:
            yield self
        finally:
            for one in (self._listener, *self._open):
                with suppress(OSError):  # the other end may have closed it
                    one.shutdown(socket.SHUT_RDWR)
            accepting.join()
            self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                broker = socket.create_connection((_HOST, self._broker_port))
                self._open += [client, broker]
                threading.Thread(target=self._serve, args=(client, broker)).start()

    def _serve(self, client: socket.socket, broker: socket.socket) -> None:
        """One connection until either side ends it."""
        asked: Asked = {}
        answering = threading.Thread(target=self._answers, args=(broker, client, asked))
        with closing(client), closing(broker):
            answering.start()
            with suppress(OSError):
                for request in _messages(client):
                    kind = int.from_bytes(request[:2])
                    if kind in {_METADATA, _FIND_COORDINATOR}:
                        asked[request[4:8]] = kind
                    _send(broker, request)
            for one in (client, broker):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            answering.join()

    def _answers(self, broker: socket.socket, client: socket.socket, asked: Asked) -> None:
        with suppress(OSError):
            for answer in _messages(broker):
                kind = asked.pop(answer[:4], None)
                _send(client, answer if kind is None else self._renamed(answer, kind))
            client.shutdown(socket.SHUT_RDWR)

    def _renamed(self, answer: bytes, kind: int) -> bytes:
        if kind == _METADATA and self.forgets:
            answer, found = _ONE_BROKER.subn(_NO_BROKER, answer, count=1)
            self.forgot += found
        return answer.replace(_address(self._broker_port), _address(self._port))


def _address(port: int) -> bytes:
    return _HOST.encode() + struct.pack(">i", port)


def _messages(connection: socket.socket) -> Iterator[bytes]:
    """Requests or answers without the length before each, until the connection ends."""
    with connection.makefile("rb") as stream:
        while len(head := stream.read(4)) == 4:
            yield stream.read(int.from_bytes(head))


def _send(connection: socket.socket, message: bytes) -> None:
    connection.sendall(struct.pack(">i", len(message)) + message)
