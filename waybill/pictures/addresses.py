"""Which IP addresses belong to the public internet. Pure.

`is_global` of the standard library is the start, not the answer: to it a multicast group is global, and
so are IPv6 addresses that carry an IPv4 one, through which a translator or tunnel reaches 127.0.0.1.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_UNICAST = IPv6Network("2000::/3")
"""All that was ever given out; mapped, translated (64:ff9b::/96) and local ones lie elsewhere."""
_REFUSED = (
    IPv6Network("2001::/23"),  # protocol assignments, with Teredo's tunnels
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4 tunnels
    IPv6Network("3fff::/20"),  # documentation
)
_REFUSED_4 = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments; Python's releases differ over them
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv4Network("224.0.0.0/3"),  # multicast, reserved, broadcast
)


def is_public(address: str) -> bool:
    """Whether the address is one of the public internet; False for what is no IP address."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return _is_public_4(found) if isinstance(found, IPv4Address) else _is_public_6(found)


def _is_public_4(address: IPv4Address) -> bool:
    return address.is_global and not any(address in network for network in _REFUSED_4)


def _is_public_6(address: IPv6Address) -> bool:
    if address not in _UNICAST or address.scope_id is not None:
        return False
    return address.is_global and not any(address in network for network in _REFUSED)
