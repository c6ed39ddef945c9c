"""8-bit grey PNG files with no metadata but the resolution: equal pixels give equal bytes."""

import struct
import zlib

from PIL import Image
from zlib_ng import zlib_ng

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY_8_BIT = (
    8,
    0,
    0,
    0,
    0,
)  # bit depth, colour type grey, deflate, adaptive filters, no interlace
_INCHES_PER_METRE = 39.3700787
_LEVEL = 2
"""zlib-ng's fast level: a third of the time of zlib's level 1 on a page, and a sixth smaller."""


def new_sheet(width_px: int, height_px: int, ink: int) -> Image.Image:
    """A page to draw on, with one more column at its left edge, which belongs to the file format.

    PNG puts a filter byte before each row; a column of zeros (filter "none") makes the pixels of the image
    the very bytes to compress.
    """
    sheet = Image.new("L", (width_px + 1, height_px), ink)
    sheet.paste(0, (0, 0, 1, height_px))
    return sheet


def encode(sheet: Image.Image, dpi: int) -> bytes:
    """The file of a `new_sheet`. zlib-ng is a pinned package: the system's zlib decides nothing."""
    header = struct.pack(">II5B", sheet.width - 1, sheet.height, *_GREY_8_BIT)
    per_metre = round(dpi * _INCHES_PER_METRE)
    resolution = struct.pack(">IIB", per_metre, per_metre, 1)
    pixels = zlib_ng.compress(sheet.tobytes(), _LEVEL)
    chunks = ((b"IHDR", header), (b"pHYs", resolution), (b"IDAT", pixels), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return (
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))
    )
