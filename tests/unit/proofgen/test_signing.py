"""Whatever is changed in a signed page is noticed, and a store signs with its own key alone."""

import base64
import json
import pickle
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from pydantic import SecretStr

from services.proofgen import png
from services.proofgen.document import ItemLine, ProofDocument, RenderedProof
from services.proofgen.imprint import Origin, read_imprint
from services.proofgen.render import render
from services.proofgen.signing import (
    PublicKey,
    PublicKeyError,
    SignatureError,
    SigningKeys,
    StoreSigner,
    is_signed,
    signed_by,
    without_signature,
)
from tests.tampering import STRANGER, TAMPERED
from waybill.installation_keys import KeyFormError, new_key

KEY = base64.b64encode(bytes(range(32))).decode()
STORE = "alibaba-4711"
ORIGIN = Origin("alibaba:255201166001024316", STORE)


def signer() -> StoreSigner:
    return SigningKeys(SecretStr(KEY)).signer(STORE)


def drawn(document: ProofDocument, key: StoreSigner | None) -> tuple[bytes, ...]:
    rendered = render(document, ORIGIN, key)
    assert isinstance(rendered, RenderedProof)
    return rendered.pages


@pytest.fixture(scope="module")
def pages() -> tuple[bytes, bytes]:
    """Two signed pages of one proof."""
    from services.proofgen.specimen import SPECIMEN  # noqa: PLC0415

    items = tuple(ItemLine(f"Item {n}", SPECIMEN.items[0].quantity) for n in range(25))
    first, second = drawn(replace(SPECIMEN, items=items), signer())
    return first, second


def checked(file: bytes) -> PublicKey:
    return signed_by(file, png.parts_of(file))


def test_a_page_is_signed_by_its_stores_key(pages: tuple[bytes, bytes]) -> None:
    for file in pages:
        assert checked(file) == signer().public_key
        assert is_signed(png.parts_of(file))


def test_keys_and_signatures_are_the_same_in_every_version() -> None:
    """Another derivation or another statement would make every key that was handed out worthless."""
    file = signer().signed(png.encode(png.new_sheet(3, 2, 255), 200, signer().texts))

    assert signer().public_key.text == "XFLoNtV5LtZ4CvmoKfD2fxoMhFvmwxZAwapp3VS7xfQ="
    assert signer().public_key.key_id == "fa659cd72ed633a4"
    assert dict(png.parts_of(file).texts_after) == {
        "waybill.signature": (
            "6FdLdo5JWPnhdxxM04FCLJzZKqI+UVlFhzCanWZvARBgO+AqEA4Yyn87cpYf7airQp5/PYUjczvnCcNvVmuoCA=="
        )
    }


def test_without_its_signature_it_is_the_unsigned_page(specimen: ProofDocument) -> None:
    (signed,), (unsigned,) = drawn(specimen, signer()), drawn(specimen, None)

    assert without_signature(png.parts_of(signed)) == png.parts_of(unsigned)
    assert not is_signed(png.parts_of(unsigned))
    read_imprint(without_signature(png.parts_of(signed)).texts)


@pytest.mark.parametrize("what", TAMPERED)
def test_whatever_is_changed_is_noticed(pages: tuple[bytes, bytes], what: str) -> None:
    changed = TAMPERED[what](*pages)

    assert changed != pages[0]
    with pytest.raises(SignatureError):
        checked(changed)
    assert is_signed(png.parts_of(changed))


def test_no_bit_of_it_can_be_flipped(pages: tuple[bytes, bytes]) -> None:
    file = pages[0]
    for place in [*range(0, 1_800, 7), *range(1_800, len(file) - 250, 1_999), *range(-250, 0, 3)]:
        damaged = bytearray(file)
        damaged[place] ^= 1
        with pytest.raises((png.PngError, SignatureError)):
            checked(bytes(damaged))


def test_a_page_signed_with_another_key_names_that_key(specimen: ProofDocument) -> None:
    (file,) = drawn(specimen, STRANGER)

    assert checked(file) == STRANGER.public_key != signer().public_key


def test_every_store_has_a_key_of_its_own_for_each_of_the_installations_keys() -> None:
    old, new = new_key(), new_key()
    keys = SigningKeys(SecretStr(f"{new},{old}"))
    public = {key for store in ("a-1", "a-2", "b-1") for key in keys.public_keys(store)}

    assert len(public) == 6
    assert keys.signer("a-1").public_key == keys.public_keys("a-1")[0]
    assert keys.public_keys("a-1")[1] == SigningKeys(SecretStr(old)).signer("a-1").public_key


def test_a_public_key_is_read_as_it_is_printed() -> None:
    key = signer().public_key

    assert PublicKey.parsed(key.text) == PublicKey.parsed(f"  {key.text}\n") == key
    assert PublicKey.parsed(key.pem) == key
    loaded = load_pem_public_key(key.pem.encode())
    assert loaded.public_bytes(Encoding.Raw, PublicFormat.Raw) == key.raw


X25519_PEM = (
    X25519PrivateKey.generate()
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


@pytest.mark.parametrize(
    "text", ["", "é", "AAAA", "A" * 44, "-----BEGIN PUBLIC KEY-----", KEY + KEY, X25519_PEM]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(PublicKeyError, match="waybill proof keys"):
        PublicKey.parsed(text)


@pytest.mark.parametrize(
    "keys", ["", " , ", "c2hvcnQ=", f"{KEY},c2hvcnQ=", "é" * 44, f"{KEY} " * 17]
)
def test_a_setting_without_keys_is_refused_without_showing_it(keys: str) -> None:
    with pytest.raises(
        KeyFormError, match=r"WAYBILL_SIGNING_KEY: .*waybill proof new-key"
    ) as caught:
        SigningKeys(SecretStr(keys))
    assert KEY not in str(caught.value)
    assert "c2hvcnQ" not in str(caught.value)


def test_nothing_that_is_printed_or_written_of_a_signer_shows_the_secret() -> None:
    keys, secret = SigningKeys(SecretStr(KEY)), bytes(range(32))
    told = f"{keys!r} {keys.signer(STORE)!r} {vars(keys.signer(STORE))}"

    assert KEY not in told
    assert secret.hex() not in told
    with pytest.raises(TypeError):
        pickle.dumps(signer())
    with pytest.raises(TypeError):
        json.dumps(signer().__dict__)
