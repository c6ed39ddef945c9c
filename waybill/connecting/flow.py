"""The two steps of connecting: the link that the seller follows, and what comes back from it.

The authorisation code is exchanged once and tokens are written with the store in one transaction: a crash
before it leaves the store as it was, and the seller authorises again. Nothing here logs or shows a code, a
token or a state.
"""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from pydantic import SecretStr

from waybill.alibaba import errors
from waybill.alibaba.authorisation import authorise_url, service_time_url
from waybill.alibaba.models import TokenGrant
from waybill.cli.errors import CommandError
from waybill.cli.store_changes import connected, store_id_of
from waybill.connecting.length import Authorisation, authorised_until
from waybill.contracts import Store, StoreTokens
from waybill.settings import SiteSettings
from waybill.tokens import TokenLife, Tokens, TokenSeal

PENDING: Final = timedelta(minutes=30)
"""As long as Alibaba's code is good; a forgotten page opens nothing afterwards."""
_STATE_BYTES: Final = 32
_TRIES: Final = 3
_PAUSE_S: Final = 1.0
"""A code is good once: what is surely not done is done again rather than bothering the seller."""

Exchange = Callable[[SecretStr], Awaitable[TokenGrant]]
"""Tokens for an authorisation code: `AlibabaClient.create_token`."""


class ConnectError(CommandError):
    """The store was not connected; the message says why and what to do, and holds no secret."""


class ForeignReplyError(ConnectError):
    """The reply does not belong to this authorisation, which goes on waiting for its own."""


class Book(Protocol):
    """Where stores are kept: `waybill.cli.store_book.StoreBook`."""

    def change(
        self, store_id: str, change: Callable[[Store | None], tuple[Store, StoreTokens | None]]
    ) -> Store:
        """Write what `change` makes of the store, with its tokens, or nothing at all."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of the store, besides tokens."""

    length: Authorisation
    """The length that the seller is asked to choose."""
    name: str | None = None
    """Name that people read; a store connected again keeps its own."""
    live: bool = False
    """Declare shipments; without it a new store is in dry run, and another one stays as it is."""
    store: Store | None = None
    """Connect this one again, and no other."""


@dataclass(slots=True)
class Pending:
    """An authorisation that is waited for. Keep it in memory, out of reach of anybody but its asker."""

    url: str = field(repr=False)
    """Where to send the seller's browser; the state is in it."""
    state: SecretStr
    site: str
    wish: Wish
    ends_at: datetime
    length_url: str | None = None
    """Where the seller chooses the length before, on the older platform."""
    answered: bool = False
    """A reply counts once."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A store that is connected now."""

    store: Store
    tokens: StoreTokens

    @property
    def again(self) -> bool:
        """Whether it was known before."""
        return self.store.revision > 1


def begin(
    site: str, settings: SiteSettings, wish: Wish, *, redirect_uri: str, now: datetime
) -> Pending:
    """Ask for an authorisation. `redirect_uri` is the application's registered callback, byte for byte."""
    state = secrets.token_urlsafe(_STATE_BYTES)
    api, app_key = settings.api, settings.app.app_key
    url = authorise_url(
        api, app_key=app_key, redirect_uri=redirect_uri, state=state, length=wish.length.value
    )
    first = service_time_url(api, app_key=app_key)
    return Pending(url, SecretStr(state), site, wish, now + PENDING, first)


async def finish(
    pending: Pending,
    *,
    code: SecretStr | None,
    state: str,
    exchange: Exchange,
    book: Book,
    seal: TokenSeal,
    now: Callable[[], datetime],
) -> Connected:
    """Take what the callback was called with; exchange the code and write store and tokens.

    Raises ForeignReplyError when the state is not that of `pending`, and ConnectError when there is no
    store of it; then begin anew. A second reply with the right state finds it answered.
    """
    at = now()
    _accept(pending, state, at)
    if code is None:
        raise ConnectError(f"{pending.site} sent no code: the seller did not authorise")
    grant = await _exchanged(pending, exchange, code)
    seller_id = _seller_of(pending, grant)
    written: list[StoreTokens] = []

    def change(former: Store | None) -> tuple[Store, StoreTokens]:
        wish = pending.wish
        store = connected(pending.site, seller_id, wish.name, at, former, live=wish.live)
        tokens = _sealed(seal, store, grant, wish.length, at)
        written.append(tokens)
        return store, tokens

    store = await _written(book, store_id_of(pending.site, seller_id), change)
    return Connected(store, written[-1])


def _accept(pending: Pending, state: str, at: datetime) -> None:
    """The state is compared in constant time and counts once: nobody else's reply connects anything."""
    expected = pending.state.get_secret_value()
    if not hmac.compare_digest(state.encode(), expected.encode()):
        raise ForeignReplyError(
            "this reply belongs to another authorisation: follow the newest link"
        )
    if pending.answered:
        raise ForeignReplyError("this authorisation was answered already")
    pending.answered = True
    if at > pending.ends_at:
        raise ConnectError("the link is older than 30 minutes: begin again")


async def _exchanged(pending: Pending, exchange: Exchange, code: SecretStr) -> TokenGrant:
    for tries_left in reversed(range(_TRIES)):
        try:
            return await exchange(code)
        except errors.NotSent as error:  # the code is unused
            if not tries_left:
                raise ConnectError(f"{pending.site} cannot be reached: {error}") from None
            await asyncio.sleep(_PAUSE_S)
        except errors.AlibabaError as error:
            raise ConnectError(
                f"{pending.site} gave no tokens: {error}; begin again, a code is good once"
            ) from None
    raise AssertionError("the last try returns or raises")


def _seller_of(pending: Pending, grant: TokenGrant) -> str:
    if grant.seller_id is None:
        raise ConnectError(
            f"{pending.site} does not tell whose account this is: nothing was connected"
        )
    store = pending.wish.store
    if store is not None and store.seller_id != grant.seller_id:
        raise ConnectError(
            f"{store.store_id} belongs to seller {store.seller_id}, and this is the account of seller "
            f"{grant.seller_id}: sign in with the account of {store.seller_id}; to connect "
            f"{grant.seller_id} as a store of its own, leave the store id out"
        )
    return grant.seller_id


def _sealed(
    seal: TokenSeal, store: Store, grant: TokenGrant, length: Authorisation, at: datetime
) -> StoreTokens:
    life = TokenLife(
        expires_at=_after(at, grant.expires_in_s),
        refresh_expires_at=_after(at, grant.refresh_expires_in_s),
        authorised_until=authorised_until(at, length),
        authorisation=length.value,
    )
    tokens = Tokens(grant.access_token, grant.refresh_token)
    return seal.seal(tokens, store.store_id, store.token_generation, life, at)


def _after(at: datetime, seconds: int | None) -> datetime | None:
    """0 s is a time as well: a refresh token that ends now refreshes nothing."""
    return None if seconds is None else at + timedelta(seconds=seconds)


async def _written(
    book: Book,
    store_id: str,
    change: Callable[[Store | None], tuple[Store, StoreTokens | None]],
) -> Store:
    """Again when somebody else was faster: the tokens would be lost, and the seller asked once more."""
    for tries_left in reversed(range(_TRIES)):
        try:
            return await asyncio.to_thread(book.change, store_id, change)
        except CommandError:
            if not tries_left:
                raise
            await asyncio.sleep(_PAUSE_S)
    raise AssertionError("the last try returns or raises")
