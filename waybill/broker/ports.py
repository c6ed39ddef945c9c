"""Where the broker listens."""

import random
import socket

from waybill.broker.errors import BrokerError

HOST = "127.0.0.1"
"""The broker asks for no password, so only this machine may reach it."""

_PORTS = range(20_000, 30_000)
_TRIES_MAX = 200


def free_port(*, but: int = 0) -> int:
    """Return a port, other than `but`, that nobody listens on.

    It lies below the ports that systems hand to outgoing connections (from 32768 on Linux, from
    49152 on macOS). Among those, a client that keeps trying to reach a killed broker may be given
    the broker's own port, connect to itself, and so keep the broker from coming back.

    Raises:
        BrokerError: none of a few hundred was free.
    """
    for port in random.sample(_PORTS, _TRIES_MAX):
        if port != but and is_free(port):
            return port
    raise BrokerError(f"{_TRIES_MAX} ports between {_PORTS.start} and {_PORTS.stop} are all taken.")


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # as Java does it: connections that linger after their end (TIME_WAIT) do not count
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
