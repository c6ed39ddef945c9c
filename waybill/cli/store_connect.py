"""`waybill stores connect`: the seller allows it on Alibaba's page, and the store is connected."""

import asyncio
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import typer
from pydantic import Field, SecretStr, ValidationError

from waybill.alibaba.client import AlibabaClient
from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, settings_error
from waybill.cli.errors import CommandError, InputError
from waybill.cli.order_story import moment
from waybill.cli.store_book import StoreBook
from waybill.connecting import (
    Authorisation,
    Connected,
    ConnectError,
    ForeignReplyError,
    Pending,
    Wish,
    begin,
    finish,
)
from waybill.connecting.callback import Answer, CallbackServer, Reply
from waybill.contracts import Store
from waybill.contracts.store import StoreMode
from waybill.settings import KafkaSettings, Settings, SiteSettings
from waybill.tokens import SealError, TokenSeal

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ADDRESS_CHARS_MAX = 8_192


class ConnectSettings(Settings):
    """What connecting needs beside the common settings."""

    sites: dict[str, SiteSettings] = Field(
        default_factory=dict, description="Site name to its application and API settings, as JSON."
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the steps of one connection need."""

    site: str
    settings: SiteSettings
    seal: TokenSeal
    book: StoreBook


def connect(  # noqa: PLR0913, PLR0917 - the options of a command line
    authorization: Annotated[
        Authorisation,
        typer.Option("--authorization", help="The length that is chosen on Alibaba's page."),
    ],
    store: Annotated[
        str | None, typer.Argument(metavar="STORE", help="Connect this store again.")
    ] = None,
    site: Annotated[str | None, typer.Option("--site", help="alibaba, or sandbox.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name that people read.")] = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Declare shipments; without it a new store is in dry run."),
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the link.")] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Where to listen; default that of --callback, or a free one."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    callback: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The application's registered callback; default http://127.0.0.1:PORT/callback.",
        ),
    ] = None,
    paste: Annotated[
        bool,
        typer.Option(
            "--paste", help="Listen nowhere: ask for the address at which the browser ended."
        ),
    ] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Connect a store, or connect one again with a new authorisation.

    Follow the link, sign in with the store's account, choose the same length there and authorise. A store
    keeps its id and its settings when it is connected again; another seller's account is refused.
    """
    # all that can be wrong is found before the seller is asked: a code is good once
    settings = _settings(bootstrap, topic_prefix)
    seal = _seal(settings.seal_key)
    place = _Place.elsewhere(callback) if paste else _Place.of(callback, host, port)
    if store is None:
        site = _site(site, None, settings)
    book = StoreBook(Cluster(settings.kafka))
    former = _former(book, store)
    chosen = _site(site, former, settings)
    parts = _Parts(chosen, settings.sites[chosen], seal, book)
    wish = Wish(authorization, name, live, former)
    if place.listens:
        _tell(_listened(parts, wish, place, opened=not no_browser))
    else:
        _tell(_pasted(parts, wish, place.address(0)))


def _settings(bootstrap: str | None, topic_prefix: str | None) -> ConnectSettings:
    try:
        found = ConnectSettings()
    except ValidationError as error:
        raise InputError(settings_error(error)) from error
    given = {"bootstrap_servers": bootstrap, "topic_prefix": topic_prefix}
    changes = {name: value for name, value in given.items() if value is not None}
    kafka: KafkaSettings = found.kafka.model_copy(update=changes)
    return found.model_copy(update={"kafka": kafka})


def _seal(keys: SecretStr | None) -> TokenSeal:
    try:
        return TokenSeal(keys)
    except SealError as error:
        raise InputError(str(error)) from error


def _former(book: StoreBook, store_id: str | None) -> Store | None:
    """The store that is to be connected again; the cluster is asked in any case."""
    found = book.stores()
    if store_id is None:
        return None
    if store_id not in found:
        raise CommandError(f"there is no store {store_id}: see `waybill stores list`")
    return found[store_id]


def _site(site: str | None, former: Store | None, settings: ConnectSettings) -> str:
    if former is not None and site not in (None, former.site):
        raise InputError(f"--site {site}: {former.store_id} is at site {former.site}")
    chosen = former.site if former is not None else site
    if chosen is None:
        raise InputError("give --site, or the id of a store that is to be connected again")
    if chosen not in settings.sites:
        there = ", ".join(settings.sites) or "none"
        raise InputError(f"WAYBILL_SITES has no site {chosen}; there are: {there}")
    return chosen


# --------------------------------------------------------------------------- where the browser comes back


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to listen, and how the browser is told of it."""

    host: str
    port: int
    path: str = "/callback"
    callback: str | None = None
    listens: bool = True

    @classmethod
    def elsewhere(cls, callback: str | None) -> "_Place":
        """Where a browser ends that cannot come back here."""
        if callback is None:
            raise InputError("--paste: give --callback, which the application registered")
        _split(callback)
        return cls("", 0, callback=callback, listens=False)

    @classmethod
    def of(cls, callback: str | None, host: str, port: int | None) -> "_Place":
        """From the options; raises InputError when the browser could not find back."""
        if callback is None:
            if host not in _LOOPBACK:
                raise InputError(
                    f"--host {host}: give --callback, the address at which browsers reach it"
                )
            return cls(host, port or 0)
        parts = _split(callback)
        if port is None and (parts.hostname not in _LOOPBACK or parts.scheme != "http"):
            raise InputError("--callback leads elsewhere first: give --port, where it arrives here")
        return cls(host, (parts.port or 80) if port is None else port, parts.path or "/", callback)

    def address(self, port: int) -> str:
        """The redirect address, with the port that was taken."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.callback or f"http://{host}:{port}{self.path}"


def _split(callback: str) -> SplitResult:
    try:
        parts = urlsplit(callback)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise InputError(f"--callback {callback!r}: want http://… or https://…")
    return parts


class _Authorising:
    """One authorisation, from its link to its end; replies come on the server's threads."""

    def __init__(self, parts: _Parts, wish: Wish, redirect_uri: str) -> None:
        self._parts = parts
        self.pending: Pending = begin(
            parts.site, parts.settings, wish, redirect_uri=redirect_uri, now=_now()
        )
        self._done: Connected | None = None
        self._error: CommandError | None = None

    def take(self, reply: Reply) -> Answer:
        """Deal with one reply; what the browser shows."""
        try:
            self._done = asyncio.run(self._finish(reply))
        except ForeignReplyError as error:
            return Answer(400, f"{error}.", last=False)
        except CommandError as error:
            self._error = error
            return Answer(400, f"Not connected: {error}.")
        return Answer(200, f"{self._done.store.store_id} is connected. You can close this page.")

    async def _finish(self, reply: Reply) -> Connected:
        site = self._parts.settings
        async with AlibabaClient(site.api, site.app) as client:
            return await finish(
                self.pending,
                code=reply.code,
                state=reply.state,
                exchange=client.create_token,
                book=self._parts.book,
                seal=self._parts.seal,
                now=_now,
            )

    def result(self) -> Connected:
        """The connected store; raises what went wrong instead."""
        if self._error is not None:
            raise self._error
        if self._done is None:
            raise ConnectError("nobody authorised within 30 minutes: begin again")
        return self._done


def _now() -> datetime:
    return datetime.now(UTC)


def _listened(parts: _Parts, wish: Wish, place: _Place, *, opened: bool) -> Connected:
    try:
        server = CallbackServer(place.host, place.port, place.path)
    except OSError as error:
        raise CommandError(f"{place.host}:{place.port}: {error.strerror}") from error
    authorising = _Authorising(parts, wish, place.address(server.port))
    with (
        server.serving(authorising.take),
        _browser(authorising.pending.url, wanted=opened),
    ):
        _ask(authorising.pending)
        left_s = (authorising.pending.ends_at - _now()).total_seconds()
        server.wait(max(0.0, left_s))
    return authorising.result()


def _pasted(parts: _Parts, wish: Wish, callback: str) -> Connected:
    authorising = _Authorising(parts, wish, callback)
    _ask(authorising.pending)
    typer.echo("The address at which the browser ended:")
    address = sys.stdin.readline(_ADDRESS_CHARS_MAX).strip()
    if not address:
        raise InputError("no address was given")
    answer = authorising.take(Reply.of(urlsplit(address).query))
    if not answer.last:
        raise ConnectError(answer.text.rstrip("."))
    return authorising.result()


def _ask(pending: Pending) -> None:
    months = pending.wish.length.months
    plural = "" if months == 1 else "s"
    again = "" if pending.wish.store is None else f" for {pending.wish.store.store_id}"
    if pending.length_url is not None:
        typer.echo(f"Choose {months} month{plural} here first, then come back:")
        typer.echo(f"  {pending.length_url}")
    typer.echo(
        f"Follow this link{again}, sign in with the store's account, choose {months} month{plural} "
        "there and authorise. It is good for 30 minutes, once:"
    )
    typer.echo(f"  {pending.url}")


@contextmanager
def _browser(url: str, *, wanted: bool) -> Iterator[None]:
    """Open the page by a file that leads to it: a browser's arguments are there for everybody to see."""
    if not wanted:
        yield
        return
    with tempfile.NamedTemporaryFile("w", prefix="waybill-", suffix=".html") as page:
        page.write(f'<meta http-equiv="refresh" content="0; url={escape(url)}">')
        page.flush()
        webbrowser.open(Path(page.name).as_uri())
        yield


def _tell(done: Connected) -> None:
    store, tokens = done.store, done.tokens
    how = "connected again" if done.again else "connected"
    typer.echo(
        f"{store.store_id} is {how}: {store.mode}, tokens of generation {tokens.generation}, "
        f"authorised for {tokens.authorisation} until {moment(tokens.authorised_until)[:16]} UTC"
    )
    if store.paused:
        typer.echo(f"It is paused; go on with: waybill stores resume {store.store_id}")
    if store.mode is not StoreMode.LIVE:
        typer.echo(
            "Its orders are imported, its shipments are shown and not sent. When they look right: "
            f"waybill stores live {store.store_id}"
        )
