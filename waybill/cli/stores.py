"""`waybill stores`: connect stores, and see and change their settings."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import SecretStr
from rich.text import Text

from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka, settings
from waybill.cli.errors import CommandError, InputError
from waybill.cli.order_story import moment
from waybill.cli.output import columns, console, facts
from waybill.cli.store_book import StoreBook
from waybill.cli.store_changes import (
    carriers,
    changed,
    checked,
    connected,
    known_settings,
    store_id_of,
)
from waybill.contracts import Store, StoreTokens
from waybill.tokens import SealError, TokenLife, Tokens, TokenSeal, new_key

app = typer.Typer(help="Connect stores, see and change their settings.", no_args_is_help=True)

ACCESS_TOKEN = "WAYBILL_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
REFRESH_TOKEN = "WAYBILL_REFRESH_TOKEN"  # noqa: S105 - the name of a variable
_TOKEN_CHARS_MAX = 4_096


@app.command()
def add(  # noqa: PLR0913, PLR0917 - the options of a command line
    site: Annotated[str, typer.Option("--site", help="alibaba, or sandbox.")],
    seller_id: Annotated[str, typer.Option("--seller-id", help="The seller's id at the site.")],
    name: Annotated[str, typer.Option("--name", help="Name that people read.")],
    access_token_file: Annotated[
        str | None,
        typer.Option(help=f"File with the access token; - is stdin; default {ACCESS_TOKEN}."),
    ] = None,
    refresh_token_file: Annotated[
        str | None,
        typer.Option(help=f"File with the refresh token; - is stdin; default {REFRESH_TOKEN}."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Declare shipments; without it the store is in dry run.")
    ] = False,
    carrier: Annotated[
        list[str] | None,
        typer.Option("--carrier", metavar="OURS=THEIRS", help="Map a carrier; may be repeated."),
    ] = None,
    ship_from: Annotated[
        str | None,
        typer.Option(help="Refuse shipments that left earlier, e.g. 2026-11-01T00:00:00Z."),
    ] = None,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Connect a store with tokens at hand, or connect it again with new ones.

    The tokens are sealed with WAYBILL_SEAL_KEY before they are written. Adding a store again keeps its
    settings and replaces its tokens.
    """
    found = settings(bootstrap, topic_prefix)
    options: dict[str, object] = {"carrier_map": carriers(carrier or []), "ship_from": ship_from}
    now = datetime.now(UTC)
    seal = _seal(found.seal_key)
    tokens = _tokens(access_token_file, refresh_token_file)

    def change(former: Store | None) -> tuple[Store, StoreTokens]:
        store = _with_options(connected(site, seller_id, name, now, former), options, live=live)
        life = TokenLife()
        return store, seal.seal(tokens, store.store_id, store.token_generation, life, now)

    store_id = store_id_of(site, seller_id)
    store = StoreBook(Cluster(found.kafka)).change(store_id, change)
    how = "connected" if store.revision == 1 else "connected again"
    typer.echo(f"{store_id} is {how}: {store.mode}, tokens of generation {store.token_generation}")


def _with_options(store: Store, options: dict[str, object], *, live: bool) -> Store:
    values = store.model_dump()
    given = {name: value for name, value in options.items() if value}
    if "carrier_map" in given:
        given["carrier_map"] = store.carrier_map | dict(given["carrier_map"])  # type: ignore[call-overload]  # a map
    if live:
        given["mode"] = "live"
    return checked(values | given)


def _seal(key: SecretStr | None) -> TokenSeal:
    try:
        return TokenSeal(key)
    except SealError as error:
        raise InputError(str(error)) from error


def _tokens(access_file: str | None, refresh_file: str | None) -> Tokens:
    access = _secret(access_file, ACCESS_TOKEN)
    if access is None:
        raise InputError(f"no access token: give --access-token-file, or set {ACCESS_TOKEN}")
    return Tokens(access, _secret(refresh_file, REFRESH_TOKEN))


def _secret(file: str | None, variable: str) -> SecretStr | None:
    """The first line of a file, of standard input, or a variable; never an argument, which others can see."""
    if file is None:
        value = os.environ.get(variable, "")
        return SecretStr(value) if value else None
    try:
        text = (
            sys.stdin.readline(_TOKEN_CHARS_MAX)
            if file == "-"
            else Path(file).read_text("utf-8")[:_TOKEN_CHARS_MAX]
        )
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    token = text.split("\n", 1)[0].strip()
    if not token:
        raise InputError(f"{'standard input' if file == '-' else file}: no token in its first line")
    return SecretStr(token)


@app.command("list")
def list_stores(bootstrap: Bootstrap = None, topic_prefix: TopicPrefix = None) -> None:
    """All stores."""
    found = StoreBook(Cluster(kafka(bootstrap, topic_prefix))).stores()
    table = columns(["store", "site", "mode", "revision", "ships from (UTC)", "name"])
    for store in found.values():
        revision, since = str(store.revision), moment(store.ship_from)[:19]
        row = (store.store_id, store.site, _mode(store), revision, since)
        table.add_row(*row, Text(store.name))
    console().print(table)


def _mode(store: Store) -> str:
    words = [str(store.mode), "paused" if store.paused else ""]
    words.append("disconnected" if store.disconnected else "")
    return ", ".join(word for word in words if word)


@app.command()
def show(
    store: Annotated[str, typer.Argument(help="Store id.")],
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """One store's settings, and what is known of its tokens; never the tokens."""
    book = StoreBook(Cluster(kafka(bootstrap, topic_prefix)))
    found, tokens = book.store(store), book.tokens(store)
    if json:
        answer = {"store": found.model_dump(mode="json"), "tokens": _token_facts(tokens)}
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return
    out = console()
    out.print(facts("Store", _store_facts(found)))
    out.print(facts("Tokens", _token_facts(tokens)))


def _store_facts(store: Store) -> dict[str, str]:
    found = {}
    for name, value in store:
        if isinstance(value, datetime):
            found[name] = moment(value)
        elif isinstance(value, dict):
            found[name] = ", ".join(f"{ours}={theirs}" for ours, theirs in value.items()) or "-"
        elif name == "branding":
            found[name] = store.branding.name or "-"
        else:
            found[name] = "-" if value is None else str(value)
    return found


def _token_facts(tokens: StoreTokens | None) -> dict[str, str]:
    if tokens is None:
        return {}
    return {
        "generation": str(tokens.generation),
        "sealed with key": tokens.key_id,
        "written": moment(tokens.written_at),
        "access ends": moment(tokens.expires_at),
        "refresh ends": moment(tokens.refresh_expires_at),
        "authorised until": moment(tokens.authorised_until),
    }


@app.command(
    "set", help=f"Change settings of a store, as name=value. Settings: {known_settings()}."
)
def set_settings(
    store: Annotated[str, typer.Argument(help="Store id.")],
    assignments: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE…", help="An empty value takes it out.")
    ],
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Write the next revision of the store; all changes or none."""

    def change(former: Store | None) -> tuple[Store, None]:
        if former is None:
            raise CommandError(f"there is no store {store}: see `waybill stores list`")
        return changed(former, assignments), None

    after = StoreBook(Cluster(kafka(bootstrap, topic_prefix))).change(store, change)
    typer.echo(f"{store} is at revision {after.revision}: {_mode(after)}")


@app.command("new-key")
def print_new_key() -> None:
    """Print a fresh key for WAYBILL_SEAL_KEY: keep it, without it no token can be read."""
    typer.echo(new_key())
