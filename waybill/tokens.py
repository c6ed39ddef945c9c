"""Sealing of the stores' tokens: AES-256-GCM with store id, generation and key id bound in.

A sealed token moved to another store or generation does not open. The clear text exists in memory only.
"""

import base64
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from waybill.contracts import StoreTokens

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
    """When the tokens end, as far as it is known."""

    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    authorised_until: datetime | None = None


class TokenSeal:
    """Seals and opens with one key."""

    def __init__(self, key: SecretStr | None) -> None:
        """`key`: 32 bytes in base64, from `WAYBILL_SEAL_KEY`."""
        raw = _decoded(key)
        self._cipher = AESGCM(raw)
        self.key_id = sha256(raw).hexdigest()[:8]

    def seal(
        self, tokens: Tokens, store_id: str, generation: int, life: TokenLife, now: datetime
    ) -> StoreTokens:
        """The record for `waybill.store-tokens.v1`."""
        nonce = os.urandom(_NONCE_BYTES)
        clear = {"access": tokens.access.get_secret_value()}
        if tokens.refresh is not None:
            clear["refresh"] = tokens.refresh.get_secret_value()
        bound = _bound(store_id, generation, self.key_id)
        return StoreTokens(
            store_id=store_id,
            generation=generation,
            key_id=self.key_id,
            nonce=nonce,
            sealed=self._cipher.encrypt(nonce, json.dumps(clear).encode(), bound),
            expires_at=life.expires_at,
            refresh_expires_at=life.refresh_expires_at,
            authorised_until=life.authorised_until,
            written_at=now,
        )

    def open(self, sealed: StoreTokens) -> Tokens:
        """The clear tokens; raises SealError."""
        if sealed.key_id != self.key_id:
            raise SealError(
                f"tokens of store {sealed.store_id} are sealed with key {sealed.key_id}, "
                f"WAYBILL_SEAL_KEY is key {self.key_id}"
            )
        bound = _bound(sealed.store_id, sealed.generation, sealed.key_id)
        try:
            clear = json.loads(self._cipher.decrypt(sealed.nonce, sealed.sealed, bound))
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


def new_key() -> str:
    """A fresh key for `WAYBILL_SEAL_KEY`."""
    return base64.b64encode(AESGCM.generate_key(256)).decode()


def _decoded(key: SecretStr | None) -> bytes:
    if key is None:
        raise SealError("WAYBILL_SEAL_KEY is not set; make one with `waybill stores new-key`")
    try:
        raw = base64.b64decode(key.get_secret_value(), validate=True)
    except ValueError:  # not base64, or not even ASCII
        raw = b""
    if len(raw) != 32:
        raise SealError(
            "WAYBILL_SEAL_KEY: want 32 bytes in base64; make one with `waybill stores new-key`"
        )
    return raw


def _bound(store_id: str, generation: int, key_id: str) -> bytes:
    return json.dumps(["waybill.store-tokens.v1", store_id, generation, key_id]).encode()
