"""Which web addresses of pictures may be followed: https pages of allowed hosts. Pure."""

import re
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from waybill.pictures.reasons import PictureError, Reason

URL_CHARS_MAX = 2_000
"""As the importer takes them."""

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class Link(NamedTuple):
    """A host that may be asked, and what for."""

    host: str
    target: str
    """Path and query as they are sent."""


def is_host(name: str) -> bool:
    """Whether it is a host name of at least two labels in lower-case ASCII; an IP address is none."""
    return len(name) <= 253 and _HOST.fullmatch(name) is not None


def link_of(url: str, hosts: Collection[str]) -> Link:
    """The link of a URL whose host is one of `hosts` or below one; `//host/…` counts as https.

    Raises PictureError: for other schemes, user names, ports, characters that could mislead, other hosts.
    """
    if len(url) > URL_CHARS_MAX or not url.isascii() or not url.isprintable():
        raise PictureError(Reason.BAD_URL)
    try:
        parts = urlsplit(f"https:{url}" if url.startswith("//") else url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise PictureError(Reason.BAD_URL) from None
    wrong = parts.scheme != "https" or "@" in parts.netloc or port not in {None, 443}
    if wrong or not is_host(host) or set(url) & set(" \\"):
        raise PictureError(Reason.BAD_URL)
    labels = host.split(".")
    if not any(".".join(labels[start:]) in hosts for start in range(len(labels))):
        raise PictureError(Reason.HOST_NOT_ALLOWED, host)
    return Link(host, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def next_link(link: Link, location: str, hosts: Collection[str]) -> Link:
    """Where a redirect of a link leads, checked as the link was."""
    try:
        url = urljoin(f"https://{link.host}{link.target}", location)
    except ValueError:
        raise PictureError(Reason.BAD_URL, link.host) from None
    return link_of(url, hosts)
