"""Sealed tokens open with their key, for their store and generation, unaltered; never otherwise."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from waybill.contracts import StoreTokens
from waybill.tokens import KnownTokens, SealError, TokenLife, Tokens, TokenSeal, new_key

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CLEAR = Tokens(SecretStr("access-50000"), SecretStr("refresh-60000"))


@pytest.fixture
def seal() -> TokenSeal:
    return TokenSeal(SecretStr(new_key()))


def _sealed(seal: TokenSeal, tokens: Tokens = CLEAR) -> StoreTokens:
    return seal.seal(tokens, "store-1", 3, TokenLife(NOW + timedelta(days=30)), NOW)


@pytest.mark.parametrize("refresh", ["refresh-60000", None])
def test_what_was_sealed_opens(seal: TokenSeal, refresh: str | None) -> None:
    tokens = Tokens(SecretStr("access-50000"), SecretStr(refresh) if refresh else None)

    opened = seal.open(_sealed(seal, tokens))

    assert opened.access.get_secret_value() == "access-50000"
    assert (opened.refresh and opened.refresh.get_secret_value()) == refresh


def test_the_record_says_for_whom_and_how_long_and_never_what(seal: TokenSeal) -> None:
    sealed = _sealed(seal)

    assert (sealed.store_id, sealed.generation, sealed.written_at) == ("store-1", 3, NOW)
    assert sealed.expires_at == NOW + timedelta(days=30)
    assert sealed.key_id == seal.key_id
    for secret in (b"access-50000", b"refresh-60000"):
        assert secret not in sealed.sealed
        assert secret.decode() not in repr(sealed) + repr(CLEAR)


def test_no_two_seals_are_alike(seal: TokenSeal) -> None:
    assert len({_sealed(seal).nonce for _ in range(50)}) == 50
    assert len({_sealed(seal).sealed for _ in range(50)}) == 50


@pytest.mark.parametrize("change", [{"store_id": "store-2"}, {"generation": 4}])
def test_tokens_moved_to_another_store_or_generation_do_not_open(
    seal: TokenSeal, change: dict[str, object]
) -> None:
    with pytest.raises(SealError, match="altered or moved"):
        seal.open(_sealed(seal).model_copy(update=change))


@pytest.mark.parametrize("at", [0, 10, -1])
def test_altered_bytes_do_not_open(seal: TokenSeal, at: int) -> None:
    sealed = _sealed(seal)
    altered = bytearray(sealed.sealed)
    altered[at] ^= 1

    with pytest.raises(SealError, match="altered or moved"):
        seal.open(sealed.model_copy(update={"sealed": bytes(altered)}))


@pytest.mark.parametrize(
    "change",
    [{"sealed": b""}, {"sealed": b"short"}, {"nonce": b""}, {"nonce": b"x" * 12}, {"nonce": b"x"}],
)
def test_broken_records_are_told_as_such(seal: TokenSeal, change: dict[str, object]) -> None:
    with pytest.raises(SealError, match="altered or moved"):
        seal.open(_sealed(seal).model_copy(update=change))


def test_another_key_is_named_without_being_told() -> None:
    mine, other = TokenSeal(SecretStr(new_key())), TokenSeal(SecretStr(new_key()))

    with pytest.raises(SealError, match=f"sealed with key {mine.key_id}") as caught:
        other.open(_sealed(mine))
    assert other.key_id in str(caught.value)


def test_a_forged_key_id_does_not_open(seal: TokenSeal) -> None:
    other = TokenSeal(SecretStr(new_key()))
    forged = _sealed(other).model_copy(update={"key_id": seal.key_id})

    with pytest.raises(SealError, match="altered or moved"):
        seal.open(forged)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "not base64!",
        "ключ",
        base64.b64encode(b"x" * 31).decode(),
        base64.b64encode(b"x" * 33).decode(),
        base64.b64encode(b"x" * 32).decode()[:-2],
    ],
)
def test_a_key_of_another_form_is_refused_with_what_to_do(key: str) -> None:
    with pytest.raises(SealError, match="32 bytes in base64") as caught:
        TokenSeal(SecretStr(key))
    assert not key or key not in str(caught.value)


def test_a_missing_key_is_told() -> None:
    with pytest.raises(SealError, match="WAYBILL_SEAL_KEY is not set"):
        TokenSeal(None)


def test_fresh_keys_are_good_and_different() -> None:
    keys = {new_key() for _ in range(20)}

    assert len(keys) == len({TokenSeal(SecretStr(key)).key_id for key in keys}) == 20


def test_the_newest_tokens_of_a_store_are_known_whatever_their_order(seal: TokenSeal) -> None:
    def tokens(generation: int, written_s: int) -> StoreTokens:
        written_at = NOW + timedelta(seconds=written_s)
        return seal.seal(CLEAR, "store-1", generation, TokenLife(), written_at)

    known = KnownTokens()
    news = [
        known.take(one)
        for one in (tokens(1, 0), tokens(1, 0), tokens(2, 5), tokens(1, 9), tokens(2, 7))
    ]

    assert news == [True, False, True, False, True]
    newest = known.by_store["store-1"]
    assert (newest.generation, newest.written_at) == (2, NOW + timedelta(seconds=7))


def test_of_several_keys_the_first_seals_and_all_open() -> None:
    old, new = new_key(), new_key()
    former = TokenSeal(SecretStr(old))
    both = TokenSeal(SecretStr(f"{new},{old}\n"))

    assert both.key_ids == (TokenSeal(SecretStr(new)).key_id, former.key_id)
    assert _sealed(both).key_id == both.key_ids[0]
    assert both.open(_sealed(former)) == both.open(_sealed(both)) == CLEAR
    assert not both.is_current(_sealed(former))


def test_a_key_may_be_taken_away_once_its_tokens_are_sealed_anew() -> None:
    old, new = new_key(), new_key()
    before = _sealed(TokenSeal(SecretStr(old))).model_copy(
        update={"authorisation": "3m", "ended_reason": "refresh_refused", "ended_at": NOW}
    )
    later = NOW + timedelta(days=1)

    after = TokenSeal(SecretStr(f"{new} {old}")).resealed(before, later)

    alone = TokenSeal(SecretStr(new))
    assert alone.open(after) == CLEAR
    assert alone.is_current(after)
    assert after.written_at == later
    kept = set(StoreTokens.model_fields) - {"key_id", "nonce", "sealed", "written_at"}
    assert all(getattr(after, name) == getattr(before, name) for name in kept)
    with pytest.raises(SealError, match=f"sealed with key {before.key_id}"):
        alone.open(before)


def test_of_several_keys_the_bad_one_is_told_by_its_place() -> None:
    with pytest.raises(SealError, match="key 2 of 3: want 32 bytes"):
        TokenSeal(SecretStr(f"{new_key()},c2hvcnQ=,{new_key()}"))
