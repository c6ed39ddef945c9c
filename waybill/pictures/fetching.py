"""Many pictures at once, within limits of number, time and connections; a missing one has its reason."""

import asyncio
from collections.abc import Collection, Iterable
from typing import NamedTuple

from waybill.pictures.decoding import small_grey
from waybill.pictures.download import Downloads
from waybill.pictures.links import link_of
from waybill.pictures.network import PUBLIC, Network
from waybill.pictures.reasons import PictureError, Reason

PICTURES_MAX = 60
"""Different ones of one call; four pages of a slip."""
TOTAL_S = 20.0
"""A person waits for the page; pictures that did not come by then are left out."""
EACH_S = 8.0
"""One slow host leaves time for the others."""
AT_ONCE_MAX = 6
"""As many connections as a browser opens to a host."""


class Missing(NamedTuple):
    """There is no picture."""

    reason: Reason
    host: str | None
    """Whose picture it is, if the address was good enough to tell; never path or query."""


Fetched = bytes | Missing
"""A small grey PNG, or why there is none."""


class Limits(NamedTuple):
    """What one call may cost."""

    pictures_max: int = PICTURES_MAX
    total_s: float = TOTAL_S
    each_s: float = EACH_S
    at_once_max: int = AT_ONCE_MAX


def fetch_pictures(
    urls: Iterable[str],
    hosts: Collection[str],
    *,
    network: Network = PUBLIC,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> dict[str, Fetched]:
    """Each URL with its picture or the reason why there is none; never raises over one of them.

    `hosts` are the names that may be asked, with all names below them. Ends within `limits.total_s`, but for
    decoding what came last.
    """
    wanted = list(dict.fromkeys(urls))
    found: dict[str, Fetched] = {}
    if asked := wanted[: limits.pictures_max]:
        found |= asyncio.run(_fetch(asked, hosts, network, limits))
    too_many = Missing(Reason.TOO_MANY_PICTURES, None)
    return found | dict.fromkeys(wanted[limits.pictures_max :], too_many)


async def _fetch(
    urls: list[str], hosts: Collection[str], network: Network, limits: Limits
) -> dict[str, Fetched]:
    end_s = asyncio.get_running_loop().time() + limits.total_s
    turns = asyncio.Semaphore(limits.at_once_max)
    async with Downloads(hosts, network) as downloads:

        async def one(url: str) -> Fetched:
            host = None
            try:
                link = link_of(url, hosts)
                host = link.host
                async with asyncio.timeout_at(end_s), turns, asyncio.timeout(limits.each_s):
                    return small_grey(await downloads.get(link))
            except TimeoutError:
                return Missing(Reason.TOO_SLOW, host)
            except PictureError as error:
                return Missing(error.reason, error.host or host)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(url)) for url in urls]
    return {url: task.result() for url, task in zip(urls, tasks, strict=True)}
