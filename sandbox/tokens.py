"""Authorisation codes and tokens: who may call in whose name, and until when.

A code works once. A refresh ends the tokens it replaces and never goes past the end of the
authorisation the store chose (1, 3 or 6 months). How Alibaba treats tokens whose store authorises
again is not documented; here they go on working, up to :data:`GRANTS_MAX` authorisations each.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sandbox.events import CodeIssued, TokensEnded, TokensIssued
from sandbox.protocol import GopError
from sandbox.settings import Settings

GRANTS_MAX = 20
CODES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things last, in seconds."""

    code_s: int
    access_s: int
    refresh_s: int

    @classmethod
    def of(cls, settings: Settings) -> Lifetimes:
        """The lifetimes a sandbox was started with."""
        return cls(settings.code_s, settings.access_token_s, settings.refresh_token_s)


class TokenBook:
    """All codes and tokens of a sandbox. Changes only by applying events."""

    def __init__(self, lifetimes: Lifetimes) -> None:
        self._lifetimes = lifetimes
        self._codes: dict[str, CodeIssued] = {}
        self._grants: dict[str, list[TokensIssued]] = {}
        self._by_access: dict[str, TokensIssued] = {}
        self._by_refresh: dict[str, TokensIssued] = {}

    def apply(self, event: CodeIssued | TokensIssued | TokensEnded) -> None:
        """Take in one event."""
        match event:
            case CodeIssued():
                self._codes[event.code] = event
                if len(self._codes) > CODES_MAX:
                    del self._codes[next(iter(self._codes))]
            case TokensIssued():
                self._issued(event)
            case TokensEnded():
                self._ended(event)

    def _issued(self, event: TokensIssued) -> None:
        if event.code is not None:
            self._codes.pop(event.code, None)
        grants = self._grants.setdefault(event.seller, [])
        for old in [grant for grant in grants if grant.refresh_token == event.replaces]:
            self._forget(old)
        if len(grants) >= GRANTS_MAX:
            self._forget(grants[0])
        self._remember(event)

    def _ended(self, event: TokensEnded) -> None:
        for old in list(self._grants.get(event.seller, ())):
            self._forget(old)
            self._remember(
                replace(
                    old,
                    access_ends_ms=event.at_ms if event.access else old.access_ends_ms,
                    refresh_ends_ms=event.at_ms if event.refresh else old.refresh_ends_ms,
                )
            )

    def _remember(self, grant: TokensIssued) -> None:
        self._grants.setdefault(grant.seller, []).append(grant)
        self._by_access[grant.access_token] = grant
        self._by_refresh[grant.refresh_token] = grant

    def _forget(self, grant: TokensIssued) -> None:
        self._grants[grant.seller].remove(grant)
        del self._by_access[grant.access_token]
        del self._by_refresh[grant.refresh_token]

    def knows(self, seller: str) -> bool:
        """Whether tokens were ever issued for a store."""
        return bool(self._grants.get(seller))

    def newest(self, seller: str) -> TokensIssued:
        """The tokens issued last for a store, whether or not they still work."""
        return self._grants[seller][-1]

    def authorised(self, access_token: str, now_ms: int) -> str:
        """The store an access token speaks for."""
        grant = self._by_access.get(access_token)
        if grant is None or grant.access_ends_ms <= now_ms:
            raise GopError("IllegalAccessToken", "The specified access token is invalid or expired")
        return grant.seller

    def caller(self, params: Mapping[str, str]) -> str | None:
        """The store a call seems to come from, ended tokens included: what faults are aimed at."""
        grant = self._by_access.get(params.get("access_token") or params.get("session", ""))
        grant = grant or self._by_refresh.get(params.get("refresh_token", ""))
        if grant is not None:
            return grant.seller
        code = self._codes.get(params.get("code", ""))
        return code.seller if code is not None else None

    def new_code(self, seller: str, authorisation_s: int, now_ms: int) -> CodeIssued:
        """A code for a store that authorises now."""
        return CodeIssued(
            at_ms=now_ms,
            seller=seller,
            code=f"3_{secrets.token_hex(16)}",
            ends_ms=now_ms + self._lifetimes.code_s * 1000,
            authorisation_ends_ms=now_ms + authorisation_s * 1000,
        )

    def exchange(self, code: str, now_ms: int) -> TokensIssued:
        """The first tokens of an authorisation."""
        issued = self._codes.get(code)
        if issued is None or issued.ends_ms <= now_ms:
            raise GopError("InvalidCode", "Invalid authorization code")
        return self.new_tokens(issued.seller, issued.authorisation_ends_ms, now_ms, code=code)

    def refresh(self, refresh_token: str, now_ms: int) -> TokensIssued:
        """Tokens in place of those that belong to ``refresh_token``."""
        grant = self._by_refresh.get(refresh_token)
        if grant is None or grant.refresh_ends_ms <= now_ms:
            raise GopError(
                "IllegalRefreshToken", "The specified refresh token is invalid or expired"
            )
        return self.new_tokens(
            grant.seller, grant.authorisation_ends_ms, now_ms, replaces=refresh_token
        )

    def new_tokens(
        self,
        seller: str,
        authorisation_ends_ms: int,
        now_ms: int,
        *,
        code: str | None = None,
        replaces: str | None = None,
    ) -> TokensIssued:
        """Tokens that end on time, and no later than the authorisation.

        An access token that lasts to the end of the authorisation comes with a refresh token of no
        use: Alibaba's ``refresh_expires_in`` 0.
        """
        access_ends_ms = min(now_ms + self._lifetimes.access_s * 1000, authorisation_ends_ms)
        refresh_ends_ms = min(now_ms + self._lifetimes.refresh_s * 1000, authorisation_ends_ms)
        return TokensIssued(
            at_ms=now_ms,
            seller=seller,
            access_token=f"5000{secrets.token_hex(24)}",
            access_ends_ms=access_ends_ms,
            refresh_token=f"5001{secrets.token_hex(24)}",
            refresh_ends_ms=now_ms if access_ends_ms == authorisation_ends_ms else refresh_ends_ms,
            authorisation_ends_ms=authorisation_ends_ms,
            code=code,
            replaces=replaces,
        )
