"""`waybill stores`: connect stores, and see and change their settings."""

import os
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka, settings
from waybill.cli.errors import CommandError, InputError
from waybill.cli.output import columns, console
from waybill.cli.store_book import StoreBook
from waybill.cli.store_carriers import carriers as list_carriers
from waybill.cli.store_changes import (
    carriers,
    changed,
    checked,
    connected,
    known_settings,
    store_id_of,
    switched,
)
from waybill.cli.store_connect import connect
from waybill.cli.store_import import import_store
from waybill.cli.store_views import list_stores, mode_words, show
from waybill.contracts import Store, StoreTokens
from waybill.contracts.store import StoreMode
from waybill.settings import KafkaSettings
from waybill.tokens import SealError, TokenLife, Tokens, TokenSeal, new_key

app = typer.Typer(help="Connect stores, see and change their settings.", no_args_is_help=True)
app.command()(connect)
app.command("list")(list_stores)
app.command()(show)
app.command("carriers")(list_carriers)
app.command("import")(import_store)

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
    typer.echo(f"{store} is at revision {after.revision}: {mode_words(after)}")


StoreId = Annotated[str, typer.Argument(help="Store id.")]


def _switch(store_id: str, kafka: KafkaSettings, **settings: object) -> Store:
    """Write these settings of a store, unless they stand so already."""

    def change(former: Store | None) -> tuple[Store, None]:
        if former is None:
            raise CommandError(f"there is no store {store_id}: see `waybill stores list`")
        if former.disconnected:
            raise CommandError(
                f"{store_id} is disconnected: `waybill stores connect {store_id}` connects it again"
            )
        return switched(former, **settings), None

    after = StoreBook(Cluster(kafka)).change(store_id, change)
    typer.echo(f"{store_id} is at revision {after.revision}: {mode_words(after)}")
    return after


@app.command()
def pause(store: StoreId, bootstrap: Bootstrap = None, topic_prefix: TopicPrefix = None) -> None:
    """Import and send nothing of a store until it is resumed; what comes meanwhile waits."""
    _switch(store, kafka(bootstrap, topic_prefix), paused=True)


@app.command()
def resume(store: StoreId, bootstrap: Bootstrap = None, topic_prefix: TopicPrefix = None) -> None:
    """Go on with a paused store; what waited goes by itself."""
    _switch(store, kafka(bootstrap, topic_prefix), paused=False)


@app.command()
def live(store: StoreId, bootstrap: Bootstrap = None, topic_prefix: TopicPrefix = None) -> None:
    """Declare a store's shipments at Alibaba from now on."""
    _switch(store, kafka(bootstrap, topic_prefix), mode=StoreMode.LIVE)


@app.command("dry-run")
def dry_run(store: StoreId, bootstrap: Bootstrap = None, topic_prefix: TopicPrefix = None) -> None:
    """Show request and proof of a store's shipments, and send nothing."""
    _switch(store, kafka(bootstrap, topic_prefix), mode=StoreMode.DRY_RUN)


@app.command()
def disconnect(
    store: StoreId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Delete a store's tokens; its name, settings and history stay.

    Nothing is imported or sent any more. Connecting it again needs its seller, and goes on with the same
    id and settings. To stop for a while, `pause` it.
    """
    book = StoreBook(Cluster(kafka(bootstrap, topic_prefix)))
    found = book.store(store)
    if not yes:
        typer.confirm(f"Delete the tokens of {store} ({found.name})?", abort=True)

    def change(former: Store | None) -> tuple[Store, None]:
        return switched(former or found, disconnected=True), None

    after = book.change(store, change)
    typer.echo(f"{store} is at revision {after.revision}: {mode_words(after)}")


@app.command("new-key")
def print_new_key() -> None:
    """Print a fresh key for WAYBILL_SEAL_KEY: keep it, without it no token can be read."""
    typer.echo(new_key())


@app.command("keys")
def show_keys(bootstrap: Bootstrap = None, topic_prefix: TopicPrefix = None) -> None:
    """The seal keys that are set, by a digest, and how many stores' tokens each of them sealed.

    While one key follows another: a key whose number is 0 may be taken away. Exit code 1 when tokens are
    sealed with a key that is not set.
    """
    found = settings(bootstrap, topic_prefix)
    seal = _seal(found.seal_key)
    used = Counter(one.key_id for one in StoreBook(Cluster(found.kafka)).all_tokens().values())
    table = columns(["key", "stores", "use"])
    for key_id in seal.key_ids:
        table.add_row(key_id, str(used[key_id]), "seals" if key_id == seal.key_id else "opens")
    unknown = sorted(set(used) - set(seal.key_ids))
    for key_id in unknown:
        table.add_row(key_id, str(used[key_id]), "not set")
    console().print(table)
    if unknown:
        raise CommandError(f"tokens are sealed with a key that is not set: {', '.join(unknown)}")
