"""What Alibaba's documents leave open about tokens can be read in other ways."""

import pytest

from sandbox.events import TokensEnded, TokensIssued
from sandbox.protocol import GopError
from sandbox.tokens import FORMER_MAX, TokenBook, TokenRules

NOW = 1_000_000
LENGTH_S = 500


def book(**rules: object) -> TokenBook:
    fields = {"code_s": 1800, "access_s": 100, "refresh_s": 1000, **rules}
    return TokenBook(TokenRules(**fields))  # type: ignore[arg-type] # checked by each test


def authorise(book: TokenBook, now: int = NOW) -> TokensIssued:
    code = book.new_code("store", LENGTH_S, now)
    book.apply(code)
    tokens = book.exchange(code.code, now)
    book.apply(tokens)
    return tokens


def refresh(book: TokenBook, tokens: TokensIssued, now: int) -> TokensIssued:
    new = book.refresh(tokens.refresh_token, now)
    book.apply(new)
    return new


def works(book: TokenBook, token: str, now: int) -> bool:
    try:
        return book.authorised(token, now) == "store"
    except GopError:
        return False


def test_a_used_refresh_token_answers_the_same_tokens_while_grace_lasts() -> None:
    graceful = book(grace_s=10)
    old = authorise(graceful)
    new = refresh(graceful, old, NOW)
    assert graceful.repeated(old.refresh_token, NOW + 9_999) == new
    assert graceful.repeated(old.refresh_token, NOW + 10_000) is None
    assert graceful.repeated("made up", NOW) is None


def test_grace_answers_nothing_once_those_tokens_were_replaced_too() -> None:
    graceful = book(grace_s=10)
    old = authorise(graceful)
    refresh(graceful, refresh(graceful, old, NOW), NOW)
    assert graceful.repeated(old.refresh_token, NOW) is None


def test_without_grace_nothing_is_repeated() -> None:
    strict = book()
    old = authorise(strict)
    refresh(strict, old, NOW)
    assert strict.repeated(old.refresh_token, NOW) is None


def test_a_replaced_access_token_may_work_a_little_longer_but_not_past_its_own_end() -> None:
    kind = book(old_access_s=30)
    old = authorise(kind)
    refresh(kind, old, NOW + 10_000)
    assert works(kind, old.access_token, NOW + 39_999)
    assert not works(kind, old.access_token, NOW + 40_000)
    late = authorise(kind)
    refresh(kind, late, NOW + 90_000)
    assert not works(kind, late.access_token, NOW + 100_000)


def test_ending_access_tokens_ends_replaced_ones_too() -> None:
    kind = book(old_access_s=30)
    old = authorise(kind)
    refresh(kind, old, NOW)
    kind.apply(TokensEnded(at_ms=NOW + 1, seller="store", access=True, refresh=False))
    assert not works(kind, old.access_token, NOW + 1)


def test_a_refresh_can_begin_the_chosen_length_anew() -> None:
    prolonging = book(prolongs=True)
    tokens = refresh(prolonging, authorise(prolonging), NOW + 90_000)
    assert tokens.authorisation_ends_ms == NOW + 90_000 + LENGTH_S * 1000
    strict = book()
    tokens = refresh(strict, authorise(strict), NOW + 90_000)
    assert tokens.authorisation_ends_ms == NOW + LENGTH_S * 1000


def test_authorising_again_can_end_the_older_tokens() -> None:
    for ends, still_works in ((True, False), (False, True)):
        tokens = book(reauthorising_ends_older=ends)
        first, second = authorise(tokens), authorise(tokens, NOW + 1)
        assert works(tokens, first.access_token, NOW + 1) is still_works
        assert works(tokens, second.access_token, NOW + 1)
        assert tokens.newest("store") == second


def test_tokens_end_at_a_moment_to_come_and_never_later_than_they_would() -> None:
    tokens = book()
    issued = authorise(tokens)
    soon = NOW + 20_000
    tokens.apply(TokensEnded(at_ms=NOW, seller="store", access=True, refresh=False, ends_ms=soon))
    assert works(tokens, issued.access_token, soon - 1)
    assert not works(tokens, issued.access_token, soon)
    late = NOW + 999_000
    tokens.apply(TokensEnded(at_ms=NOW, seller="store", access=True, refresh=True, ends_ms=late))
    assert not works(tokens, issued.access_token, soon)


def test_an_ended_authorisation_bounds_what_a_refresh_gives() -> None:
    tokens = book()
    issued = authorise(tokens)
    ends = NOW + 60_000
    tokens.apply(
        TokensEnded(
            at_ms=NOW, seller="store", access=False, refresh=False, authorisation=True, ends_ms=ends
        )
    )
    new = refresh(tokens, issued, NOW + 10_000)
    assert (new.access_ends_ms, new.authorisation_ends_ms) == (ends, ends)
    assert new.refresh_ends_ms == NOW + 10_000  # of no use


def test_rules_hold_for_what_is_issued_from_now_on() -> None:
    tokens = book()
    before = authorise(tokens)
    tokens.rules = TokenRules(code_s=1, access_s=5, refresh_s=50, token_error="InvalidAccessToken")
    after = authorise(tokens)
    assert (before.access_ends_ms, after.access_ends_ms) == (NOW + 100_000, NOW + 5_000)
    with pytest.raises(GopError) as error:
        tokens.authorised("made up", NOW)
    assert error.value.code == "InvalidAccessToken"


def test_a_replaced_token_still_tells_whose_it_was_and_memory_is_bounded() -> None:
    tokens = book()
    first = newest = authorise(tokens)
    newest = refresh(tokens, newest, NOW)
    assert tokens.caller({"access_token": first.access_token}) == "store"
    assert tokens.caller({"refresh_token": first.refresh_token}) == "store"
    for _ in range(FORMER_MAX // 2):
        newest = refresh(tokens, newest, NOW)
    assert tokens.caller({"access_token": first.access_token}) is None
    assert works(tokens, newest.access_token, NOW)
