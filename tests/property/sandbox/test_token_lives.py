"""Whatever stores and applications do with codes and tokens, the strict rules hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.events import TokensEnded, TokensIssued
from sandbox.protocol import GopError
from sandbox.tokens import TokenBook, TokenRules

STORE = "store"
STEPS_MAX = 15
"""Fewer than the authorisations of a store that are remembered."""

steps = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 200)),
    st.tuples(st.just("authorise"), st.integers(1, 1_000)),
    st.tuples(st.just("refresh"), st.integers(0, STEPS_MAX)),
    st.tuples(st.just("end"), st.integers(0, 1)),
)


class Lives:
    """One store, a clock that only moves on, and a model of what may still be used."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.book = TokenBook(TokenRules(code_s=60, access_s=100, refresh_s=300))
        self.issued: list[TokensIssued] = []
        self.dead: set[str] = set()
        """Tokens that were replaced or ended: they may never work again."""

    def wait(self, seconds: int) -> None:
        self.now += seconds * 1000

    def authorise(self, length_s: int) -> None:
        code = self.book.new_code(STORE, length_s, self.now)
        self.book.apply(code)
        self.take(self.book.exchange(code.code, self.now))

    def refresh(self, number: int) -> None:
        if not self.issued:
            return
        old = self.issued[number % len(self.issued)]
        if old.refresh_ends_ms <= self.now or old.refresh_token in self.dead:
            with pytest.raises(GopError, match="IllegalRefreshToken"):
                self.book.refresh(old.refresh_token, self.now)
            return
        new = self.book.refresh(old.refresh_token, self.now)
        assert new.authorisation_ends_ms == old.authorisation_ends_ms
        self.dead |= {old.access_token, old.refresh_token}
        self.take(new)

    def end(self, refresh: int) -> None:
        ended = TokensEnded(at_ms=self.now, seller=STORE, access=True, refresh=bool(refresh))
        self.book.apply(ended)
        self.dead |= {grant.access_token for grant in self.issued}
        if refresh:
            self.dead |= {grant.refresh_token for grant in self.issued}

    def take(self, new: TokensIssued) -> None:
        self.book.apply(new)
        self.issued.append(new)
        assert new.access_ends_ms <= new.authorisation_ends_ms
        assert new.refresh_ends_ms <= new.authorisation_ends_ms

    def check(self) -> None:
        """An access token works until it ends, and not after it was replaced; all are known."""
        for grant in self.issued:
            assert self.works(grant.access_token) == (
                grant.access_ends_ms > self.now and grant.access_token not in self.dead
            )
            assert self.book.caller({"access_token": grant.access_token}) == STORE
            assert self.book.caller({"refresh_token": grant.refresh_token}) == STORE

    def works(self, access_token: str) -> bool:
        try:
            return self.book.authorised(access_token, self.now) == STORE
        except GopError:
            return False


@given(st.lists(steps, max_size=STEPS_MAX))
def test_tokens_live_as_long_as_they_may_and_no_longer(taken: list[tuple[str, int]]) -> None:
    lives = Lives()
    for what, how_much in taken:
        getattr(lives, what)(how_much)
        lives.check()
