"""What must never be told: secrets, and whatever says who a buyer is."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import httpx
import psutil

from tests.integration.pipeline.shop import Shop
from waybill.contracts import Order
from waybill.contracts.base import Address

LENGTH_MIN = 6
"""Shorter texts, a house number or a surname of two letters, stand in places by chance."""
_SECRET_SETTING = re.compile(
    r"(?:SEAL_KEYS?|SIGNING_KEYS?|SECRET)[A-Z_]*='?([^'\n]+)|\"app_secret\":\s*\"([^\"]+)\""
)
_JOURNAL_FIELDS = ("access_token", "refresh_token", "code")


def secrets_of(folder: Path) -> set[str]:
    """Of an installation: keys in its settings, every token and authorisation code its site ever gave."""
    settings = (folder / "waybill.env").read_text("utf-8")
    found = {text for pair in _SECRET_SETTING.findall(settings) for text in pair if text}
    for line in (folder / "sandbox" / "journal.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["kind"] == "tokens_issued":
            found |= {entry[name] for name in _JOURNAL_FIELDS if entry.get(name)}
    assert len(found) >= 5, (
        "an app secret, seal key, signing key, and the tokens of at least one store"
    )
    return found


def persons_of(orders: Iterable[Order]) -> set[str]:
    """Names, addresses, telephone numbers, e-mail addresses and notes of the buyers."""
    texts = (text for order in orders for text in _personal(order))
    return {text for text in texts if text is not None and len(text) >= LENGTH_MIN}


def _personal(order: Order) -> Iterator[str | None]:
    if order.buyer:
        yield from (order.buyer.name, order.buyer.email, order.buyer.phone)
    for address in (order.ship_to, order.bill_to):
        yield from _parts(address) if address else ()
    if order.gift:
        yield order.gift.message
    if order.notes:
        yield order.notes.to_buyer
        yield from (note.text for note in (*order.notes.internal, *order.notes.customer))


def _parts(address: Address) -> tuple[str | None, ...]:
    own = (address.name, address.company, address.phone, address.email)
    return (*own, *address.lines, *address.latin)


def leaks(told: Mapping[str, str], secrets: Iterable[str], persons: Iterable[str]) -> list[str]:
    """Where any of them stands, in words that do not repeat it."""
    wanted = [*(("a secret", text) for text in secrets), *(("a person", text) for text in persons)]
    return [
        f"{what} in {where}"
        for where, text in told.items()
        for what, secret in wanted
        if secret in text or json.dumps(secret)[1:-1] in text
    ]


def logs_of(folder: Path) -> dict[str, str]:
    """What the services of an installation, and everything else of ours that ran there, have logged."""
    return {
        file.name: file.read_text("utf-8", errors="replace")
        for file in sorted(folder.glob("*.log"))
    }


def processes_of(shop: Shop) -> dict[str, str]:
    """The command lines of a shop's processes and their workers, which any user of the machine may read."""
    return {
        f"the command line of {running.name}, process {process.pid}": " ".join(process.cmdline())
        for running in shop.installation.processes
        for process in _family(running.pid)
    }


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def pages_of(shop: Shop, services: Iterable[str]) -> dict[str, str]:
    """What the services tell to whoever asks their port."""
    return {
        f"{path} of {service}": httpx.get(
            shop.installation.service_url(service) + path, timeout=10
        ).text
        for service in services
        for path in ("/metrics", "/readyz", "/livez")
    }


def assert_nothing_leaked(shop: Shop, told: Mapping[str, str] | None = None) -> None:
    """Logs, command lines and what else is `told` hold no secret and no person."""
    folder = shop.installation.folder
    everything = logs_of(folder) | processes_of(shop) | dict(told or {})
    found = leaks(everything, secrets_of(folder), persons_of(shop.orders().values()))
    assert not found, "; ".join(sorted(set(found)))
