"""8-bit grey PNG files of one form: equal pixels and equal texts give equal bytes.

zlib-ng is a pinned package: the zlib of the system, and of the Python build, decides nothing. Files are read
as strictly as they are written, since readers that forgive are how two programs see two things in one file.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from PIL import Image
from zlib_ng import zlib_ng

PIXELS_MAX = 5_000_000
"""Of a file that is read: more than any paper at 200 dpi, and 5 MB of memory."""
TEXTS_MAX = 24
TEXT_BYTES_MAX = 2_048

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">II5B")
_GREY_8_BIT = (8, 0, 0, 0, 0)  # bit depth, colour type grey, deflate, filters per row, no interlace
_RESOLUTION = struct.Struct(">IIB")
_PER_METRE = 1
_INCHES_PER_METRE = 39.3700787
_AS_IT_IS = b"\0" * 5  # end of the keyword; not compressed; neither language nor translated keyword
_LEVEL = 2
"""zlib-ng's fast level: half the time of zlib's level 1 on a page, and a sixth smaller."""

Texts = tuple[tuple[str, str], ...]
"""Keywords with their texts, in the order in which they stand in the file."""


class PngError(ValueError):
    """Not a file that `encode` writes, or a damaged one."""


class Parts(NamedTuple):
    """What a file holds: its size, its pixels as they are compressed, the texts before and after them."""

    width_px: int
    height_px: int
    texts: Texts
    pixels: bytes
    texts_after: Texts


def new_sheet(width_px: int, height_px: int, ink: int) -> Image.Image:
    """A page to draw on, with one more column at its left edge, which belongs to the file format.

    PNG puts a filter byte before each row; a column of zeros (filter "none") makes the pixels of
    the image the very bytes to compress.
    """
    sheet = Image.new("L", (width_px + 1, height_px), ink)
    sheet.paste(0, (0, 0, 1, height_px))
    return sheet


def encode(sheet: Image.Image, dpi: int, texts: Iterable[tuple[str, str]] = ()) -> bytes:
    """The file of a `new_sheet`; its texts are Unicode (iTXt), so that no identifier is spelt otherwise."""
    per_metre = round(dpi * _INCHES_PER_METRE)
    chunks = (
        (b"IHDR", _HEADER.pack(sheet.width - 1, sheet.height, *_GREY_8_BIT)),
        (b"pHYs", _RESOLUTION.pack(per_metre, per_metre, _PER_METRE)),
        *((b"iTXt", _text(*pair)) for pair in texts),
        (b"IDAT", zlib_ng.compress(sheet.tobytes(), _LEVEL)),
    )
    return _SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks) + _END


def with_text_after(file: bytes, keyword: str, text: str) -> bytes:
    """The same file with one more text at its end; whatever stood before it stays at its place."""
    return before_end(file) + _chunk(b"iTXt", _text(keyword, text)) + _END


def before_end(file: bytes) -> bytes:
    """All bytes but the closing chunk, which says nothing."""
    return file.removesuffix(_END)


def decode(file: bytes) -> Image.Image:
    """The `new_sheet` in a file that `encode` wrote; raises PngError when a byte of it is wrong.

    A fifth of the time of a general reader, as it knows the one form there is.
    """
    return sheet_of(parts_of(file))


def parts_of(file: bytes) -> Parts:
    """The parts of a file that `encode` wrote, none of them decompressed; raises PngError for any other."""
    if not file.startswith(_SIGNATURE):
        raise PngError("no PNG signature")
    chunks = _chunks(file)
    width, height, *form = _unpacked(_HEADER, _next(chunks, b"IHDR"))
    if tuple(form) != _GREY_8_BIT:
        raise PngError(f"not 8-bit grey without interlace: {form}")
    if not 0 < width * height <= PIXELS_MAX:
        raise PngError(f"{width} x {height} pixels, want up to {PIXELS_MAX:,}")
    across, down, unit = _unpacked(_RESOLUTION, _next(chunks, b"pHYs"))
    if across != down or unit != _PER_METRE:
        raise PngError("a resolution of another form")
    texts, pixels = _texts_up_to(chunks, b"IDAT")
    after, end = _texts_up_to(chunks, b"IEND")
    if end or next(chunks, None):
        raise PngError("bytes after the end")
    return Parts(width, height, texts, pixels, after)


def sheet_of(parts: Parts) -> Image.Image:
    """The pixels of a file as a `new_sheet`; raises PngError when they are not what the size says."""
    size = (parts.width_px + 1, parts.height_px)
    length = size[0] * size[1]
    unpacking = zlib_ng.decompressobj()
    try:
        rows = unpacking.decompress(parts.pixels, length + 1)  # a bomb is cut short one byte later
    except zlib_ng.error as error:  # type: ignore[misc]  # its types call it an instance
        raise PngError("pixels that cannot be unpacked") from error
    if len(rows) != length or not unpacking.eof or unpacking.unused_data or any(rows[:: size[0]]):
        raise PngError("rows of another length, or with a filter")
    return Image.frombuffer("L", size, rows, "raw", "L", 0, 1)


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


_END = _chunk(b"IEND", b"")


def _text(keyword: str, text: str) -> bytes:
    return keyword.encode("ascii") + _AS_IT_IS + text.encode()


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = len(_SIGNATURE)
    while start < len(file):
        length = int.from_bytes(file[start : start + 4], "big")
        whole = file[start : start + length + 12]
        name, data = whole[4:8], whole[8:-4]
        if whole != _chunk(name, data):
            raise PngError(f"chunk {name!r} is damaged")
        yield name, data
        start += length + 12


def _next(chunks: Iterator[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    name, data = next(chunks, (b"", b""))
    if name != wanted:
        raise PngError(f"chunk {name!r} where {wanted!r} belongs")
    return data


def _texts_up_to(chunks: Iterator[tuple[bytes, bytes]], wanted: bytes) -> tuple[Texts, bytes]:
    """The texts before the wanted chunk, and its content."""
    texts: list[tuple[str, str]] = []
    for name, data in chunks:
        if name == wanted:
            return tuple(texts), data
        if name != b"iTXt" or len(texts) == TEXTS_MAX or len(data) > TEXT_BYTES_MAX:
            raise PngError(f"chunk {name!r} where {wanted!r} belongs")
        texts.append(_read_text(data))
    raise PngError(f"no chunk {wanted!r}")


def _read_text(data: bytes) -> tuple[str, str]:
    keyword, mark, text = data.partition(_AS_IT_IS)
    try:
        pair = keyword.decode("ascii"), text.decode()
    except UnicodeDecodeError as error:
        raise PngError("a text in another encoding") from error
    if not mark or not keyword or _text(*pair) != data:
        raise PngError("a text of another form")
    return pair


def _unpacked(form: struct.Struct, data: bytes) -> tuple[int, ...]:
    if len(data) != form.size:
        raise PngError("a chunk of another length")
    return form.unpack(data)
