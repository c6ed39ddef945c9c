"""Signed pages: Ed25519 over everything that a page's file holds, with a key that belongs to its store alone.

The key of a store is derived from the installation's, so nobody stores it or hands it around, and it stays
the same for as long as the installation's key does. What is signed is the file up to the signature: pixels,
texts, and the public key itself. Nothing of it can be changed, left out, or moved to another page.
"""

import base64
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from pydantic import SecretStr

from services.proofgen import png
from services.proofgen.imprint import KEYWORD_PREFIX
from waybill.installation_keys import parsed_keys

KEY_ID = KEYWORD_PREFIX + "key-id"
PUBLIC_KEY = KEYWORD_PREFIX + "public-key"
SIGNATURE = KEYWORD_PREFIX + "signature"

_STATEMENT = b"waybill proof page v1: "
"""Before what is signed, so that a signature says nothing about any other kind of message."""
_DERIVED_FOR = b"waybill proof signing key v1: "
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_KEY_ID_DIGITS = 16
_STORES_CACHED_MAX = 4_096
"""A derived key takes 200 bytes, and 60 µs to derive."""


class SignatureError(ValueError):
    """A page whose signature is not what `StoreSigner` makes; the message says in which way."""


class PublicKeyError(ValueError):
    """Not a public key; the message says what is wanted."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What tells whether a store signed a page; no secret."""

    raw: bytes

    @classmethod
    def parsed(cls, text: str) -> "PublicKey":
        """The key that stands in a text, in base64 or as PEM; raises PublicKeyError."""
        raw = _from_pem(text) if "BEGIN" in text else _decoded(text.strip())
        if len(raw) != _KEY_BYTES:
            raise PublicKeyError(
                f"want an Ed25519 public key: {_KEY_BYTES} bytes in base64, or PEM; "
                "`waybill proof keys` prints them"
            )
        return cls(raw)

    @property
    def key_id(self) -> str:
        """The start of the key's SHA-256 in hex: short enough to read out."""
        return sha256(self.raw).hexdigest()[:_KEY_ID_DIGITS]

    @property
    def text(self) -> str:
        """Base64."""
        return base64.b64encode(self.raw).decode()

    @property
    def pem(self) -> str:
        """As most other programs take it."""
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class StoreSigner:
    """Signs the pages of one store; the same page gets the same signature."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.public_key = PublicKey(private_key.public_key().public_bytes_raw())
        self.texts: png.Texts = (
            (KEY_ID, self.public_key.key_id),
            (PUBLIC_KEY, self.public_key.text),
        )
        """What a page says of its key; has to be in the file before it is signed."""

    def signed(self, file: bytes) -> bytes:
        """The file with its signature."""
        signature = self._private_key.sign(_statement(png.before_end(file)))
        return png.with_text_after(file, SIGNATURE, base64.b64encode(signature).decode())


class SigningKeys:
    """The installation's keys: the first signs, all of them have public keys that pages may name."""

    def __init__(self, keys: SecretStr) -> None:
        """`keys` from `WAYBILL_SIGNING_KEY`; raises `KeyFormError`."""
        self._keys = parsed_keys(keys, "WAYBILL_SIGNING_KEY", "waybill proof new-key")

    def signer(self, store_id: str) -> StoreSigner:
        """What signs the pages of a store."""
        return _signer(self._keys[0], store_id)

    def public_keys(self, store_id: str) -> tuple[PublicKey, ...]:
        """The store's public keys, the one that signs first."""
        return tuple(_signer(key, store_id).public_key for key in self._keys)


@lru_cache(_STORES_CACHED_MAX)
def _signer(installation_key: bytes, store_id: str) -> StoreSigner:
    info = _DERIVED_FOR + store_id.encode()
    derived = HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=info).derive(installation_key)
    return StoreSigner(Ed25519PrivateKey.from_private_bytes(derived))


def is_signed(parts: png.Parts) -> bool:
    """Whether the page names a key or carries a signature, whatever these are worth."""
    names = {keyword for keyword, _ in (*parts.texts, *parts.texts_after)}
    return bool(names & {KEY_ID, PUBLIC_KEY, SIGNATURE})


def signed_by(file: bytes, parts: png.Parts) -> PublicKey:
    """The public key that the page names and that signed every byte of it; raises SignatureError.

    Whose key that is, is another question: anybody can sign with a key of his own.
    """
    named = dict(parts.texts[-2:])
    if tuple(named) != (KEY_ID, PUBLIC_KEY):
        raise SignatureError("no public key where pages name theirs")
    if tuple(keyword for keyword, _ in parts.texts_after) != (SIGNATURE,):
        raise SignatureError("no signature at the end")
    key = _named_key(named[PUBLIC_KEY], named[KEY_ID])
    signature = parts.texts_after[0][1]
    tail = png.with_text_after(b"", SIGNATURE, signature)
    _check(key, signature, file.removesuffix(tail))
    return key


def without_signature(parts: png.Parts) -> png.Parts:
    """The same page as it would be unsigned."""
    kept = tuple(pair for pair in parts.texts if pair[0] not in {KEY_ID, PUBLIC_KEY})
    return parts._replace(texts=kept, texts_after=())


def _statement(content: bytes) -> bytes:
    """What is signed of a file: its hash, since Ed25519 would read the content twice."""
    return _STATEMENT + sha256(content).hexdigest().encode()


def _named_key(text: str, key_id: str) -> PublicKey:
    try:
        key = PublicKey.parsed(text)
    except PublicKeyError as error:
        raise SignatureError("the public key that it names is none") from error
    if key.text != text or key.key_id != key_id:
        raise SignatureError("the key id is not the one of the public key beside it")
    return key


def _check(key: PublicKey, signature: str, content: bytes) -> None:
    raw = _decoded(signature)
    if len(raw) != _SIGNATURE_BYTES or base64.b64encode(raw).decode() != signature:
        raise SignatureError("the signature has another form")
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(raw, _statement(content))
    except InvalidSignature:
        raise SignatureError("something was changed after it was signed") from None


def _from_pem(text: str) -> bytes:
    try:
        loaded = load_pem_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        return b""
    return loaded.public_bytes_raw() if isinstance(loaded, Ed25519PublicKey) else b""


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
