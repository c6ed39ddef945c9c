"""A file from the web becomes a small grey PNG, or is refused. Pure.

Its pixels are counted before any is decoded: a file of some kilobytes can hold a picture of gigabytes.
Of Pillow's many decoders three are ever asked.
"""

import struct
import warnings
import zlib
from io import BytesIO

from PIL import Image

from waybill.pictures.reasons import PictureError, Reason

SIDE_PX_MAX = 240
"""Of the result; more than any page prints of it."""
PIXELS_MAX = 16_000_000
"""4,000 by 4,000: 64 MB while it is decoded, one at a time."""
FORMATS = ("PNG", "JPEG", "WEBP")
MEDIA_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/webp"})
"""What a server may call it; image/jpg is wrong and common."""

_DAMAGED = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip
"""What Pillow raises over files that are not as they should be."""


def small_grey(file: bytes) -> bytes:
    """The picture as a grey PNG on white, no side longer than `SIDE_PX_MAX`; raises PictureError."""
    if not _looks_right(file):
        raise PictureError(Reason.WRONG_TYPE)
    try:
        with warnings.catch_warnings():
            # Pillow warns of sizes beyond its own limit; ours is smaller and raises
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            sheet = _decoded(file)
    except Image.DecompressionBombError as error:
        raise PictureError(Reason.TOO_MANY_PIXELS) from error
    except _DAMAGED as error:
        raise PictureError(Reason.UNREADABLE) from error
    sheet.thumbnail((SIDE_PX_MAX, SIDE_PX_MAX), Image.Resampling.LANCZOS)
    found = BytesIO()
    sheet.save(found, "PNG")
    return found.getvalue()


def _looks_right(file: bytes) -> bool:
    """Whether it begins as one of the three formats does, whatever the server called it."""
    webp = file[:4] == b"RIFF" and file[8:12] == b"WEBP"
    return webp or file.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))


def _decoded(file: bytes) -> Image.Image:
    with Image.open(BytesIO(file), formats=FORMATS) as picture:
        if picture.width * picture.height > PIXELS_MAX:
            raise PictureError(Reason.TOO_MANY_PIXELS)
        picture.draft("L", (2 * SIDE_PX_MAX, 2 * SIDE_PX_MAX))  # a JPEG is decoded small at once
        return on_white(picture)


def on_white(picture: Image.Image) -> Image.Image:
    """The picture in grey, white where it is transparent."""
    if not picture.has_transparency_data:
        return picture.convert("L")
    coloured = picture.convert("RGBA")
    sheet = Image.new("L", coloured.size, "white")
    sheet.paste(coloured.convert("L"), mask=coloured.getchannel("A"))
    return sheet
