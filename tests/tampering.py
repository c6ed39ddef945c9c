"""Every kind of change to a signed page that somebody could try, with all checksums right."""

import base64
import struct
import zlib
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.proofgen import png
from services.proofgen.signing import PUBLIC_KEY, StoreSigner

Change = Callable[[bytes, bytes], bytes]
"""Makes a changed page out of the first and the second page of one proof."""

STRANGER = StoreSigner(Ed25519PrivateKey.from_private_bytes(b"\7" * 32))
"""Signs with a key that is no store's."""


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def chunks(file: bytes) -> list[bytes]:
    found, start = [], 8
    while start < len(file):
        end = start + int.from_bytes(file[start : start + 4], "big") + 12
        found.append(file[start:end])
        start = end
    return found


def joined(file: bytes, parts: list[bytes]) -> bytes:
    return file[:8] + b"".join(parts)


def without_signature(file: bytes) -> bytes:
    """The page as it was signed: its last chunk but one left out."""
    *signed, _signature, end = chunks(file)
    return joined(file, [*signed, end])


def pixel_changed(file: bytes, _other: bytes) -> bytes:
    parts = png.parts_of(file)
    sheet = png.sheet_of(parts).copy()
    sheet.putpixel((700, 900), 7)
    (name, text), *_ = parts.texts_after
    return png.with_text_after(png.encode(sheet, 200, parts.texts), name, text)


def text_changed(keyword: str, value: str) -> Change:
    def change(file: bytes, _other: bytes) -> bytes:
        parts = png.parts_of(file)
        texts = [(name, value if name == keyword else text) for name, text in parts.texts]
        changed = png.encode(png.sheet_of(parts), 200, texts)
        return png.with_text_after(changed, *parts.texts_after[0])

    return change


def swapped(kind: bytes, number: int = 0) -> Change:
    """One chunk of the other page in the place of this page's."""

    def change(file: bytes, other: bytes) -> bytes:
        mine, theirs = chunks(file), chunks(other)
        at = [place for place, one in enumerate(mine) if one[4:8] == kind][number]
        from_there = [place for place, one in enumerate(theirs) if one[4:8] == kind][number]
        assert mine[at] != theirs[from_there]
        mine[at] = theirs[from_there]
        return joined(file, mine)

    return change


def resigned(file: bytes, _other: bytes) -> bytes:
    """Signed by somebody else, who keeps the store's public key in it."""
    return STRANGER.signed(without_signature(file))


def signed_by_a_stranger(file: bytes) -> bytes:
    """A whole page under another key, which it names as its own: only the key tells that it is none."""
    parts = png.parts_of(file)
    texts = [pair for pair in parts.texts if pair[0] not in dict(STRANGER.texts)]
    return STRANGER.signed(png.encode(png.sheet_of(parts), 200, [*texts, *STRANGER.texts]))


def renamed_key(file: bytes) -> bytes:
    """Signed by somebody else, whose key goes by the id of the store's."""
    parts = png.parts_of(file)
    own = dict(STRANGER.texts)[PUBLIC_KEY]
    texts = [(name, own if name == PUBLIC_KEY else text) for name, text in parts.texts]
    return STRANGER.signed(png.encode(png.sheet_of(parts), 200, texts))


def without_keys(file: bytes, _other: bytes) -> bytes:
    parts = png.parts_of(file)
    texts = [pair for pair in parts.texts if pair[0] not in dict(STRANGER.texts)]
    return png.with_text_after(png.encode(png.sheet_of(parts), 200, texts), *parts.texts_after[0])


def resolution_changed(file: bytes, _other: bytes) -> bytes:
    return joined(
        file,
        [
            chunk(b"pHYs", struct.pack(">IIB", 11811, 11811, 1)) if one[4:8] == b"pHYs" else one
            for one in chunks(file)
        ],
    )


def spare_bits_changed(file: bytes, _other: bytes) -> bytes:
    """The same signature in another text: 64 bytes leave four bits of base64's last digit unused."""
    ((name, text),) = png.parts_of(file).texts_after
    changed = text[:-3] + chr(ord(text[-3]) + 1) + "=="  # A, Q, g or w, since the four are zero
    assert base64.b64decode(changed, validate=True) == base64.b64decode(text)
    return png.with_text_after(without_signature(file), name, changed)


TAMPERED: dict[str, Change] = {
    "a pixel": pixel_changed,
    "the resolution": resolution_changed,
    "the order": text_changed("waybill.order-key", "alibaba:1"),
    "the facts' hash": text_changed("waybill.payload-sha256", "0" * 64),
    "the tracking number": text_changed("waybill.tracking-number", "X1"),
    "the number of pages": text_changed("waybill.pages", "1"),
    "the key id": text_changed("waybill.key-id", "0" * 16),
    "the public key": text_changed("waybill.public-key", base64.b64encode(b"\1" * 32).decode()),
    "the public key, no base64": text_changed("waybill.public-key", "é"),
    "the public key, too short": text_changed("waybill.public-key", "AAAA"),
    "the keys left out": without_keys,
    "another key under the store's key id": lambda file, _: renamed_key(file),
    "pixels of the other page": swapped(b"IDAT"),
    "the page's number of the other page": swapped(b"iTXt", 8),
    "the signature of the other page": swapped(b"iTXt", 12),
    "signed again by somebody else": resigned,
    "the signature left out": lambda file, _: without_signature(file),
    "the signature twice": lambda file, _: png.with_text_after(
        file, *png.parts_of(file).texts_after[0]
    ),
    "a text after the signature": lambda file, _: png.with_text_after(file, "note", "x"),
    "a text before the signature": lambda file, _: joined(
        file, [*chunks(file)[:-2], chunk(b"iTXt", b"note\0\0\0\0\0x"), *chunks(file)[-2:]]
    ),
    "the texts in another order": lambda file, _: joined(
        file, [*chunks(file)[:3], chunks(file)[4], chunks(file)[3], *chunks(file)[5:]]
    ),
    "an empty signature": lambda file, _: joined(
        file, [*chunks(file)[:-2], chunk(b"iTXt", b"waybill.signature\0\0\0\0\0"), chunks(file)[-1]]
    ),
    "a signature with other spare bits": spare_bits_changed,
}
