"""Codes and tokens over time, on a clock of the test's own."""

import pytest

from sandbox.events import TokensEnded, TokensIssued
from sandbox.protocol import GopError
from sandbox.tokens import CODES_MAX, GRANTS_MAX, TokenBook, TokenRules

NOW = 1_000_000
YEAR_S = 31_536_000


@pytest.fixture
def book() -> TokenBook:
    return TokenBook(TokenRules(code_s=1800, access_s=100, refresh_s=1000))


def authorise(book: TokenBook, length_s: int = YEAR_S, now: int = NOW) -> TokensIssued:
    code = book.new_code("store", length_s, now)
    book.apply(code)
    tokens = book.exchange(code.code, now)
    book.apply(tokens)
    return tokens


def refused(call: object, *args: object) -> str:
    with pytest.raises(GopError) as error:
        call(*args)  # type: ignore[operator] # a method of the book
    return error.value.code


def test_a_token_works_to_its_last_millisecond(book: TokenBook) -> None:
    tokens = authorise(book)
    assert book.authorised(tokens.access_token, NOW + 99_999) == "store"
    assert refused(book.authorised, tokens.access_token, NOW + 100_000) == "IllegalAccessToken"


def test_a_code_ends_after_its_time(book: TokenBook) -> None:
    code = book.new_code("store", YEAR_S, NOW)
    book.apply(code)
    assert refused(book.exchange, code.code, NOW + 1_800_000) == "InvalidCode"


def test_a_refresh_never_passes_the_end_of_the_authorisation(book: TokenBook) -> None:
    tokens, now = authorise(book, length_s=350), NOW
    for _ in range(3):
        now += 90_000
        fresh = book.refresh(tokens.refresh_token, now)
        book.apply(fresh)
        assert fresh.authorisation_ends_ms == NOW + 350_000
        assert fresh.access_ends_ms == min(now + 100_000, NOW + 350_000)
        assert refused(book.authorised, tokens.access_token, now) == "IllegalAccessToken"
        tokens = fresh
    assert tokens.refresh_ends_ms == now  # the last access token lasts to the end: no more refresh
    assert refused(book.refresh, tokens.refresh_token, now) == "IllegalRefreshToken"


def test_a_refresh_token_that_was_used_or_has_ended_is_refused(book: TokenBook) -> None:
    tokens = authorise(book)
    ended = NOW + 1_000_000
    assert refused(book.refresh, tokens.refresh_token, ended) == "IllegalRefreshToken"
    book.apply(book.refresh(tokens.refresh_token, NOW))
    assert refused(book.refresh, tokens.refresh_token, NOW) == "IllegalRefreshToken"


def test_ending_tokens_ends_those_of_every_authorisation_of_the_store(book: TokenBook) -> None:
    first, second = authorise(book), authorise(book)
    book.apply(TokensEnded(at_ms=NOW + 1, seller="store", access=True, refresh=False))
    for tokens in (first, second):
        assert refused(book.authorised, tokens.access_token, NOW + 1) == "IllegalAccessToken"
    assert book.refresh(second.refresh_token, NOW + 1).seller == "store"


def test_an_ended_token_still_tells_whose_it_was(book: TokenBook) -> None:
    tokens = authorise(book)
    book.apply(TokensEnded(at_ms=NOW, seller="store", access=True, refresh=True))
    assert book.caller({"access_token": tokens.access_token}) == "store"
    assert book.caller({"session": tokens.access_token}) == "store"
    assert book.caller({"refresh_token": tokens.refresh_token}) == "store"
    assert book.caller({"access_token": "nobody"}) is None


def test_memory_is_bounded(book: TokenBook) -> None:
    first = authorise(book)
    for _ in range(GRANTS_MAX):
        last = authorise(book)
    assert refused(book.authorised, first.access_token, NOW) == "IllegalAccessToken"
    assert book.authorised(last.access_token, NOW) == "store"
    codes = [book.new_code("store", YEAR_S, NOW) for _ in range(CODES_MAX + 1)]
    for code in codes:
        book.apply(code)
    assert refused(book.exchange, codes[0].code, NOW) == "InvalidCode"
    assert book.exchange(codes[-1].code, NOW).seller == "store"
