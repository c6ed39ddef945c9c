"""How a name is looked up and which addresses may be reached. Production knows one network: `PUBLIC`."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread

import httpx

from waybill.pictures.addresses import is_public

HTTPS_PORT = 443


async def system_addresses(host: str) -> Sequence[str]:
    """The addresses that the system's resolver gives, best first; raises OSError when there are none.

    It cannot be stopped, so it runs in a thread that neither a deadline nor the end of the process waits for.
    """
    answer: Future[list[str]] = Future()
    Thread(target=_look_up, args=(host, answer), name="picture-host", daemon=True).start()
    return await asyncio.wrap_future(answer)


def _look_up(host: str, answer: "Future[list[str]]") -> None:
    if not answer.set_running_or_notify_cancel():
        return
    try:
        found = socket.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        answer.set_exception(OSError(str(error)))
    else:
        answer.set_result([str(address[0]) for *_, address in found])


@dataclass(frozen=True, slots=True)
class Network:
    """What lies between a host's name and its bytes. No setting changes any of it; tests pass their own."""

    resolve: Callable[[str], Awaitable[Sequence[str]]] = system_addresses
    permits: Callable[[str], bool] = is_public
    """Asked for every address before it is reached."""
    tls: Callable[[], ssl.SSLContext] = httpx.create_ssl_context
    """Checks the certificate against the host's name, not its address."""
    port: int = HTTPS_PORT


PUBLIC = Network()
"""The internet as this machine sees it, without what is not public."""
