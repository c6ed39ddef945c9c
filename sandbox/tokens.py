"""Authorisation codes and tokens: who may call in whose name, and until when.

A code works once. A refresh ends the tokens it replaces and never goes past the end of the
authorisation the store chose (1, 3 or 6 months). How Alibaba treats tokens whose store authorises
again is not documented; here they go on working, up to :data:`GRANTS_MAX` authorisations each.
Other readings of what is not documented can be chosen (:class:`TokenRules`).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.events import CodeIssued, TokensEnded, TokensIssued
from sandbox.protocol import GopError
from sandbox.settings import Settings

GRANTS_MAX = 20
CODES_MAX = 1_000
FORMER_MAX = 10_000
"""Tokens that work no more and of which it is still known whose they were."""


@dataclass(frozen=True, slots=True)
class TokenRules:
    """How long things last, in seconds, and what a refresh does. Fields as in ``Settings``."""

    code_s: int
    access_s: int
    refresh_s: int
    grace_s: int = 0
    old_access_s: int = 0
    prolongs: bool = False
    reauthorising_ends_older: bool = False
    token_error: str = "IllegalAccessToken"  # noqa: S105 - the code of an error

    @classmethod
    def of(cls, settings: Settings) -> TokenRules:
        """The rules in the settings of a sandbox."""
        return cls(
            code_s=settings.code_s,
            access_s=settings.access_token_s,
            refresh_s=settings.refresh_token_s,
            grace_s=settings.refresh_grace_s,
            old_access_s=settings.old_access_token_s,
            prolongs=settings.refresh_prolongs,
            reauthorising_ends_older=settings.reauthorising_ends_older,
            token_error=settings.token_error,
        )


class TokenBook:
    """All codes and tokens of a sandbox. Changes only by applying events."""

    def __init__(self, rules: TokenRules) -> None:
        self.rules = rules
        """For what is issued from now on; may be replaced at any time."""
        self._codes: dict[str, CodeIssued] = {}
        self._grants: dict[str, list[TokensIssued]] = {}
        self._by_access: dict[str, TokensIssued] = {}
        self._by_refresh: dict[str, TokensIssued] = {}
        self._former: dict[str, _Former] = {}

    def apply(self, event: CodeIssued | TokensIssued | TokensEnded) -> None:
        """Take in one event."""
        match event:
            case CodeIssued():
                self._codes[event.code] = event
                _cut(self._codes, CODES_MAX)
            case TokensIssued():
                self._issued(event)
            case TokensEnded():
                self._ended(event)

    def _issued(self, event: TokensIssued) -> None:
        if event.code is not None:
            self._codes.pop(event.code, None)
        grants = self._grants.setdefault(event.seller, [])
        for old in [grant for grant in grants if grant.refresh_token == event.replaces]:
            self._forget(old, replaced_by=event)
        if event.ends_older:
            self._end_at(event.seller, access_ms=event.at_ms, refresh_ms=event.at_ms)
        if len(grants) >= GRANTS_MAX:
            self._forget(grants[0])
        self._remember(event)

    def _ended(self, event: TokensEnded) -> None:
        ends_ms = event.at_ms if event.ends_ms is None else event.ends_ms
        self._end_at(
            event.seller,
            access_ms=ends_ms if event.access or event.authorisation else None,
            refresh_ms=ends_ms if event.refresh or event.authorisation else None,
            authorisation_ms=ends_ms if event.authorisation else None,
        )

    def _end_at(
        self,
        seller: str,
        *,
        access_ms: int | None,
        refresh_ms: int | None,
        authorisation_ms: int | None = None,
    ) -> None:
        for old in list(self._grants.get(seller, ())):
            self._forget(old)
            self._remember(
                replace(
                    old,
                    access_ends_ms=_earlier(old.access_ends_ms, access_ms),
                    refresh_ends_ms=_earlier(old.refresh_ends_ms, refresh_ms),
                    authorisation_ends_ms=_earlier(old.authorisation_ends_ms, authorisation_ms),
                )
            )
        for token, former in self._former.items():
            if former.seller == seller:
                works_ms = _earlier(former.access_ends_ms, access_ms)
                self._former[token] = replace(former, access_ends_ms=works_ms)

    def _remember(self, grant: TokensIssued) -> None:
        self._grants.setdefault(grant.seller, []).append(grant)
        self._by_access[grant.access_token] = grant
        self._by_refresh[grant.refresh_token] = grant
        self._former.pop(grant.access_token, None)
        self._former.pop(grant.refresh_token, None)

    def _forget(self, grant: TokensIssued, replaced_by: TokensIssued | None = None) -> None:
        self._grants[grant.seller].remove(grant)
        del self._by_access[grant.access_token]
        del self._by_refresh[grant.refresh_token]
        until_ms = (replaced_by.old_access_ends_ms if replaced_by else None) or 0
        works_ms = min(grant.access_ends_ms, until_ms)
        self._former[grant.access_token] = _Former(grant.seller, access_ends_ms=works_ms)
        self._former[grant.refresh_token] = _Former(grant.seller, replaced_by=replaced_by)
        _cut(self._former, FORMER_MAX)

    def knows(self, seller: str) -> bool:
        """Whether tokens were ever issued for a store."""
        return bool(self._grants.get(seller))

    def newest(self, seller: str) -> TokensIssued:
        """The tokens issued last for a store, whether or not they still work."""
        return self._grants[seller][-1]

    def authorised(self, access_token: str, now_ms: int) -> str:
        """The store an access token speaks for."""
        grant = self._by_access.get(access_token) or self._former.get(access_token)
        if grant is None or grant.access_ends_ms <= now_ms:
            raise GopError(
                self.rules.token_error, "The specified access token is invalid or expired"
            )
        return grant.seller

    def caller(self, params: Mapping[str, str]) -> str | None:
        """The store a call seems to come from, ended tokens included: what faults are aimed at."""
        access = params.get("access_token") or params.get("session", "")
        refresh = params.get("refresh_token", "")
        found = (
            self._by_access.get(access)
            or self._by_refresh.get(refresh)
            or self._former.get(access)
            or self._former.get(refresh)
            or self._codes.get(params.get("code", ""))
        )
        return found.seller if found is not None else None

    def new_code(self, seller: str, authorisation_s: int, now_ms: int) -> CodeIssued:
        """A code for a store that authorises now."""
        return CodeIssued(
            at_ms=now_ms,
            seller=seller,
            code=f"3_{secrets.token_hex(16)}",
            ends_ms=now_ms + self.rules.code_s * 1000,
            authorisation_ends_ms=now_ms + authorisation_s * 1000,
        )

    def first_tokens(self, seller: str, authorisation_s: int, now_ms: int) -> TokensIssued:
        """Tokens of a store that authorised without a code: what a sandbox begins with."""
        length_ms = authorisation_s * 1000
        return self._new_tokens(seller, now_ms + length_ms, length_ms, now_ms)

    def exchange(self, code: str, now_ms: int) -> TokensIssued:
        """The first tokens of an authorisation."""
        issued = self._codes.get(code)
        if issued is None or issued.ends_ms <= now_ms:
            raise GopError("InvalidCode", "Invalid authorization code")
        length_ms = issued.authorisation_ends_ms - issued.at_ms
        tokens = self._new_tokens(issued.seller, issued.authorisation_ends_ms, length_ms, now_ms)
        return replace(tokens, code=code, ends_older=self.rules.reauthorising_ends_older)

    def repeated(self, refresh_token: str, now_ms: int) -> TokensIssued | None:
        """The tokens a used refresh token was replaced by, while the time of grace lasts."""
        former = self._former.get(refresh_token)
        answer = former.replaced_by if former is not None else None
        if answer is None or (answer.grace_ends_ms or 0) <= now_ms:
            return None
        return self._by_refresh.get(answer.refresh_token)

    def refresh(self, refresh_token: str, now_ms: int) -> TokensIssued:
        """Tokens in place of those that belong to ``refresh_token``."""
        grant = self._by_refresh.get(refresh_token)
        if grant is None or grant.refresh_ends_ms <= now_ms:
            raise GopError(
                "IllegalRefreshToken", "The specified refresh token is invalid or expired"
            )
        ends_ms, length_ms = grant.authorisation_ends_ms, grant.authorisation_ms
        if self.rules.prolongs and length_ms is not None:
            ends_ms = now_ms + length_ms
        return replace(
            self._new_tokens(grant.seller, ends_ms, length_ms, now_ms),
            replaces=refresh_token,
            old_access_ends_ms=now_ms + self.rules.old_access_s * 1000,
            grace_ends_ms=now_ms + self.rules.grace_s * 1000,
        )

    def _new_tokens(
        self, seller: str, authorisation_ends_ms: int, authorisation_ms: int | None, now_ms: int
    ) -> TokensIssued:
        """Tokens that end on time, and no later than the authorisation.

        An access token that lasts to the end of the authorisation comes with a refresh token of no
        use: Alibaba's ``refresh_expires_in`` 0.
        """
        access_ends_ms = min(now_ms + self.rules.access_s * 1000, authorisation_ends_ms)
        refresh_ends_ms = min(now_ms + self.rules.refresh_s * 1000, authorisation_ends_ms)
        return TokensIssued(
            at_ms=now_ms,
            seller=seller,
            access_token=f"5000{secrets.token_hex(24)}",
            access_ends_ms=access_ends_ms,
            refresh_token=f"5001{secrets.token_hex(24)}",
            refresh_ends_ms=now_ms if access_ends_ms == authorisation_ends_ms else refresh_ends_ms,
            authorisation_ends_ms=authorisation_ends_ms,
            authorisation_ms=authorisation_ms,
        )


@dataclass(frozen=True, slots=True)
class _Former:
    """A token that was replaced: whose it was, and what it may still do."""

    seller: str
    access_ends_ms: int = 0
    replaced_by: TokensIssued | None = None


def _earlier(ends_ms: int, other_ms: int | None) -> int:
    return ends_ms if other_ms is None else min(ends_ms, other_ms)


def _cut(known: dict[str, Any], size_max: int) -> None:
    while len(known) > size_max:
        del known[next(iter(known))]
