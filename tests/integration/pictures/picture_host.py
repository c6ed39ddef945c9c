"""A real HTTPS server on loopback that answers as badly as it is told to, with a CA of its own."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

NAME = "s.alicdn.com"
"""The name that its certificate proves."""

Answer = Callable[[ssl.SSLSocket], None]


def picture(side_px: int = 300, form: str = "PNG", mode: str = "RGB") -> bytes:
    file = BytesIO()
    Image.new(mode, (side_px, side_px), "gray").save(file, form)
    return file.getvalue()


def whole(
    body: bytes = b"", media_type: str = "image/png", status: str = "200 OK", *headers: str
) -> Answer:
    """A well-formed answer; headers given replace the length."""
    given = headers or (f"Content-Length: {len(body)}",)
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Type: {media_type}", *given, "", ""))
    return lambda connection: connection.sendall(head.encode("latin-1") + body)


def moved(location: str) -> Answer:
    return whole(b"", "text/html", "302 Found", f"Location: {location}", "Content-Length: 0")


class Authority:
    """A CA for the test, and a certificate that proves one name."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test CA")])
        root = _certificate(
            root_name, root_name, root_key, root_key, x509.BasicConstraints(True, 0)
        )
        own_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        own = _certificate(own_name, root_name, key, root_key, names)
        self._chain, self._root = folder / "chain.pem", root.public_bytes(_PEM).decode()
        secret = key.private_bytes(
            _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._chain.write_bytes(own.public_bytes(_PEM) + secret)

    def client(self) -> ssl.SSLContext:
        """What trusts this CA alone, and checks names."""
        return ssl.create_default_context(cadata=self._root)

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._chain)
        return context


_PEM = serialization.Encoding.PEM


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )


class PictureHost:
    """Answers each path as `answers` says; keeps what it was asked."""

    def __init__(self, authority: Authority, address: str = "127.0.0.1") -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        """Heads of the requests, as they came."""
        self.at_once = self.at_once_max = 0
        self.keep_alive = False
        """True: the connection takes another request after an answer."""
        self.stopping = threading.Event()
        self._tls = authority.server()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        # a client that refuses, or has had enough, breaks off at any moment
        with (
            suppress(OSError),
            connection,
            self._tls.wrap_socket(connection, server_side=True) as tls,
        ):
            while self._answer(tls) and self.keep_alive:
                pass

    def _answer(self, tls: ssl.SSLSocket) -> bool:
        """One request and its answer; False when nothing is asked any more."""
        head = b""
        while b"\r\n\r\n" not in head and (more := tls.recv(4_096)):
            head += more
        if not head:
            return False
        with self._lock:
            self.requests.append(head.decode("latin-1"))
            self.at_once += 1
            self.at_once_max = max(self.at_once, self.at_once_max)
        try:
            self.answers[head.split(b" ")[1].decode()](tls)
        finally:
            with self._lock:
                self.at_once -= 1
        return True

    def close(self) -> None:
        """Stop at once; every thread has ended afterwards."""
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(15)
