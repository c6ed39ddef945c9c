"""Sealing of the stores' tokens: AES-256-GCM with store id, generation and key id bound in.

A sealed token moved to another store or generation does not open. The clear text exists in memory only.
There may be several keys, so that one can follow another without a moment in which tokens do not open:
the first seals, all open.
"""

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from waybill.contracts import StoreTokens
from waybill.installation_keys import KeyFormError, new_key, parsed_keys

__all__ = ["KnownTokens", "SealError", "TokenLife", "TokenSeal", "Tokens", "new_key"]

_NONCE_BYTES = 12


class SealError(Exception):
    """The tokens cannot be opened or sealed; the message says which key is missing."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The clear tokens of a store."""

    access: SecretStr
    refresh: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class TokenLife:
    """When the tokens end, as far as it is known, and the length that was chosen (`1m`, `3m`, `6m`)."""

    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    authorised_until: datetime | None = None
    authorisation: str | None = None


class TokenSeal:
    """Seals with the first key, opens with any."""

    def __init__(self, keys: SecretStr | None) -> None:
        """`keys`: 32 bytes each in base64, separated by commas or white space, from `WAYBILL_SEAL_KEY`."""
        raw = _decoded(keys)
        self._ciphers = {_key_id(one): AESGCM(one) for one in raw}
        self.key_id = _key_id(raw[0])
        """The key that seals; a digest, which tells nothing of the key."""

    @property
    def key_ids(self) -> tuple[str, ...]:
        """All keys, the one that seals first."""
        return tuple(self._ciphers)

    def seal(
        self, tokens: Tokens, store_id: str, generation: int, life: TokenLife, now: datetime
    ) -> StoreTokens:
        """The record for `waybill.store-tokens.v1`."""
        nonce = os.urandom(_NONCE_BYTES)
        clear = {"access": tokens.access.get_secret_value()}
        if tokens.refresh is not None:
            clear["refresh"] = tokens.refresh.get_secret_value()
        bound = _bound(store_id, generation, self.key_id)
        cipher = self._ciphers[self.key_id]
        return StoreTokens(
            store_id=store_id,
            generation=generation,
            key_id=self.key_id,
            nonce=nonce,
            sealed=cipher.encrypt(nonce, json.dumps(clear).encode(), bound),
            expires_at=life.expires_at,
            refresh_expires_at=life.refresh_expires_at,
            authorised_until=life.authorised_until,
            authorisation=life.authorisation,
            written_at=now,
        )

    def is_current(self, sealed: StoreTokens) -> bool:
        """Whether the key that seals now sealed them."""
        return sealed.key_id == self.key_id

    def resealed(self, sealed: StoreTokens, now: datetime) -> StoreTokens:
        """The same tokens under the key that seals now; raises SealError when they do not open.

        For the store's importer alone, the only writer of tokens after connecting: anybody else could
        bring back tokens that it has just replaced.
        """
        fresh = self.seal(self.open(sealed), sealed.store_id, sealed.generation, TokenLife(), now)
        replaced = ("key_id", "nonce", "sealed", "written_at")
        return sealed.model_copy(update={name: getattr(fresh, name) for name in replaced})

    def open(self, sealed: StoreTokens) -> Tokens:
        """The clear tokens; raises SealError."""
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise SealError(
                f"tokens of store {sealed.store_id} are sealed with key {sealed.key_id}, "
                f"WAYBILL_SEAL_KEY is key {', '.join(self.key_ids)}"
            )
        bound = _bound(sealed.store_id, sealed.generation, sealed.key_id)
        try:
            clear = json.loads(cipher.decrypt(sealed.nonce, sealed.sealed, bound))
        except (InvalidTag, ValueError):  # a nonce of another length is a ValueError
            raise SealError(f"tokens of store {sealed.store_id} were altered or moved") from None
        refresh = clear.get("refresh")
        return Tokens(SecretStr(clear["access"]), SecretStr(refresh) if refresh else None)


@dataclass(slots=True)
class KnownTokens:
    """The newest sealed tokens of each store, by generation."""

    by_store: dict[str, StoreTokens] = field(default_factory=dict)

    def take(self, tokens: StoreTokens) -> bool:
        """Keep them if they are newer; True when they are."""
        known = self.by_store.get(tokens.store_id)
        if known is not None and (known.generation, known.written_at) >= (
            tokens.generation,
            tokens.written_at,
        ):
            return False
        self.by_store[tokens.store_id] = tokens
        return True


def _decoded(keys: SecretStr | None) -> list[bytes]:
    if keys is None:
        raise SealError("WAYBILL_SEAL_KEY is not set; make one with `waybill stores new-key`")
    try:
        return parsed_keys(keys, "WAYBILL_SEAL_KEY", "waybill stores new-key")
    except KeyFormError as error:
        raise SealError(str(error)) from None


def _key_id(raw: bytes) -> str:
    return sha256(raw).hexdigest()[:8]


def _bound(store_id: str, generation: int, key_id: str) -> bytes:
    return json.dumps(["waybill.store-tokens.v1", store_id, generation, key_id]).encode()
