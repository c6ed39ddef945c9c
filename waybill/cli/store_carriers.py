"""`waybill stores carriers`: Alibaba's carriers, and what the store's carrier map makes of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import orjson
import typer
from pydantic import Field, SecretStr, ValidationError
from rich.text import Text

from waybill.alibaba import errors
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.models import Channel
from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, settings, settings_error
from waybill.cli.errors import CommandError, InputError
from waybill.cli.output import columns, console
from waybill.cli.store_book import StoreBook
from waybill.contracts import Store
from waybill.settings import Settings, SiteSettings
from waybill.tokens import SealError, TokenSeal


class CarrierSettings(Settings):
    """The sites, as the services have them."""

    sites: dict[str, SiteSettings] = Field(
        default_factory=dict, description="Site name to its application and API settings, as JSON."
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One carrier of Alibaba, or a code of the store that is none."""

    code: str
    name: str | None
    mapped: tuple[str, ...]
    """The shipping system's codes and names that lead to it."""
    is_known: bool


def compared(channels: tuple[Channel, ...], carrier_map: Mapping[str, str]) -> list[Line]:
    """Alibaba's carriers by code, and before them the codes of the map that Alibaba does not list. Pure."""
    ours: dict[str, list[str]] = {}
    for name, code in carrier_map.items():
        ours.setdefault(code, []).append(name)
    names = {channel.code: channel.name for channel in channels}
    unknown = [Line(code, None, tuple(sorted(ours[code])), False) for code in ours.keys() - names]
    known = [Line(code, names[code], tuple(sorted(ours.get(code, ()))), True) for code in names]
    return [
        *sorted(unknown, key=lambda line: line.code),
        *sorted(known, key=lambda line: line.code),
    ]


def carriers(
    store: Annotated[str, typer.Argument(help="Store id.")],
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """List the carriers that Alibaba accepts, and what is mapped to them.

    Asks Alibaba with the store's own tokens. Exit code 1 when the store's map leads to a code that
    Alibaba does not list: shipments of that carrier would be refused.
    """
    found = settings(bootstrap, topic_prefix)
    book = StoreBook(Cluster(found.kafka))
    known = book.store(store)
    lines = compared(_channels(known, _token(book, known, found.seal_key)), known.carrier_map)
    if json:
        typer.echo(orjson.dumps(lines, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(lines)
    unknown = [line for line in lines if not line.is_known]
    if unknown:
        told = "; ".join(f"{line.code} ({', '.join(line.mapped)})" for line in unknown)
        raise CommandError(
            f"Alibaba lists no such carrier: {told}. Correct it with "
            f"`waybill stores set {store} carrier.<ours>=<code>`, or take it out with an empty value"
        )


def _print(lines: list[Line]) -> None:
    table = columns(["code", "listed", "mapped from", "name"])
    for line in lines:
        mapped = Text(", ".join(line.mapped) or "-")
        listed = "yes" if line.is_known else "no"
        table.add_row(Text(line.code), listed, mapped, Text(line.name or "-"))
    console().print(table)


def _token(book: StoreBook, store: Store, key: SecretStr | None) -> SecretStr:
    sealed = book.tokens(store.store_id)
    if sealed is None:
        raise CommandError(
            f"{store.store_id} has no tokens: `waybill stores connect {store.store_id}`"
        )
    try:
        return TokenSeal(key).open(sealed).access
    except SealError as error:
        raise InputError(str(error)) from error


def _channels(store: Store, token: SecretStr) -> tuple[Channel, ...]:
    try:
        site = CarrierSettings().sites.get(store.site)
    except ValidationError as error:
        raise InputError(settings_error(error)) from error
    if site is None:
        raise InputError(f"site {store.site} is not set: WAYBILL_SITES, as for the services")

    async def ask() -> tuple[Channel, ...]:
        client = AlibabaClient(site.api, site.app)
        try:
            return await client.list_channels(access_token=token)
        finally:
            await client.aclose()

    try:
        return asyncio.run(ask())
    except errors.AlibabaError as error:
        raise CommandError(f"Alibaba did not tell its carriers: {error}") from error
