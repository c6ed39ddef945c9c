"""Bytes of one picture over https, from the very address that was checked.

A name is looked up once for each request, here; every address of the answer has to be public, and the
connection goes to one of them, so nobody can give another answer in between. TLS still checks the name.
httpx's transport is used without its client: no cookies, no credentials, no proxy, no redirect but ours.
"""

import ssl
from collections.abc import Collection, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Self

import httpx

from waybill.pictures.decoding import MEDIA_TYPES
from waybill.pictures.links import Link, next_link
from waybill.pictures.network import Network
from waybill.pictures.reasons import PictureError, Reason

BYTES_MAX = 4 * 1024 * 1024
"""Ten times a product photograph; Alibaba's own limit for one is 5 MB."""
REDIRECTS_MAX = 3
ADDRESSES_TRIED_MAX = 2
"""The second serves machines whose IPv6 leads nowhere."""
CONNECT_S = 3.0
"""For each address: it leaves the second its time."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout)
_HEADERS = {
    "Accept": "image/jpeg, image/png, image/webp",
    "Accept-Encoding": "identity",  # a packed answer could unfold without end
    "User-Agent": "waybill",
}


class Downloads:
    """Downloads pictures; an asynchronous context manager. Whoever calls limits time and number."""

    def __init__(self, hosts: Collection[str], network: Network) -> None:
        self._hosts = hosts
        self._network = network
        # no connection is kept: another host at the same address has to prove its own name
        limits = httpx.Limits(max_keepalive_connections=0)
        self._transport = httpx.AsyncHTTPTransport(
            verify=network.tls(), trust_env=False, limits=limits
        )

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def get(self, link: Link) -> bytes:
        """The file at the link, at most `BYTES_MAX` long; raises PictureError."""
        for _ in range(REDIRECTS_MAX + 1):
            try:
                found = await self._ask(link)
            except PictureError as error:
                raise PictureError(error.reason, error.host or link.host) from error
            if isinstance(found, bytes):
                return found
            link = found
        raise PictureError(Reason.TOO_MANY_REDIRECTS, link.host)

    async def _ask(self, link: Link) -> bytes | Link:
        """One request: the file, or where it is said to be."""
        response = await self._connected(link)
        async with aclosing(response):
            if response.status_code in _REDIRECTS:
                return next_link(link, response.headers.get("Location", ""), self._hosts)
            _check_head(response)
            try:
                return await _body(response)
            except httpx.TransportError as error:
                raise PictureError(Reason.UNREACHABLE) from error

    async def _connected(self, link: Link) -> httpx.Response:
        addresses = await self._addresses(link.host)
        for address in addresses[:ADDRESSES_TRIED_MAX]:
            try:
                return await self._transport.handle_async_request(self._request(link, address))
            except httpx.TransportError as error:
                failure = error
                if not isinstance(error, _NOT_CONNECTED) or _by_tls(error):
                    break
        reason = Reason.TLS_FAILED if _by_tls(failure) else Reason.UNREACHABLE
        raise PictureError(reason) from failure

    async def _addresses(self, host: str) -> Sequence[str]:
        """Where the host is; a single address that is not public refuses all of them."""
        try:
            addresses = list(dict.fromkeys(await self._network.resolve(host)))
        except OSError as error:
            raise PictureError(Reason.UNRESOLVED) from error
        if not addresses:
            raise PictureError(Reason.UNRESOLVED)
        if not all(map(self._network.permits, addresses)):
            raise PictureError(Reason.ADDRESS_NOT_PUBLIC)
        return addresses

    def _request(self, link: Link, address: str) -> httpx.Request:
        """To the address, in the host's name."""
        at = f"[{address}]" if ":" in address else address
        return httpx.Request(
            "GET",
            f"https://{at}:{self._network.port}{link.target}",
            headers=_HEADERS | {"Host": link.host},
            extensions={"sni_hostname": link.host, "timeout": {"connect": CONNECT_S}},
        )


def _check_head(response: httpx.Response) -> None:
    if response.status_code != httpx.codes.OK:
        raise PictureError(Reason.NOT_FOUND)
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    encoded = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    if media_type not in MEDIA_TYPES or encoded:
        raise PictureError(Reason.WRONG_TYPE)
    length = response.headers.get("Content-Length", "0")
    if not length.isdecimal() or int(length) > BYTES_MAX:
        raise PictureError(Reason.TOO_LARGE)


async def _body(response: httpx.Response) -> bytes:
    """All of the body; the length that the server told is not believed."""
    found = bytearray()
    async for chunk in response.aiter_raw():
        found += chunk
        if len(found) > BYTES_MAX:
            raise PictureError(Reason.TOO_LARGE)
    return bytes(found)


def _by_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
