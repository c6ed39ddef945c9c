"""The store's logo: a picture from outside, which may be anything. What cannot be drawn is left out."""

import struct
import warnings
from functools import lru_cache
from io import BytesIO

from PIL import Image

from services.proofgen.document import ProofWarning
from services.proofgen.marks import Block, ImageMark
from services.proofgen.typesetter import Typesetter

WIDTH_MAX, HEIGHT_MAX = 560, 96
"""71 by 12 mm: seen, and nothing that has to be on the first page is pushed from it."""
PIXELS_MAX = 4_000_000
SIDE_PX_MAX = 8_000
"""Of the file: a small file can hold a picture of gigabytes, and a line of a million pixels."""
BYTES_MAX = 200_000
"""As in the claim."""
_SIGNATURE_AND_HEADER = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"
_BROKEN = (OSError, ValueError, SyntaxError, LookupError, TypeError, EOFError, struct.error)
"""What Pillow's readers raise over broken files, as it lists them itself."""
_SPACE_BELOW = 26
_WHITE = 255


def logo_block(logo: bytes | None, setter: Typesetter) -> Block | None:
    """The logo at the top of the first page; None without one, with a warning if it cannot be drawn."""
    if logo is None:
        return None
    image = drawable(logo, WIDTH_MAX, HEIGHT_MAX)
    if image is None:
        setter.warnings.add(ProofWarning.LOGO_UNREADABLE)
        return None
    return Block(image.height + _SPACE_BELOW, (ImageMark(0, 0, image),))


@lru_cache(32)
def drawable(file: bytes, width_max: int, height_max: int) -> Image.Image | None:
    """Grey on white, no larger than its place; None for what is no PNG file of a sensible size."""
    width, height = _size(file)
    if (
        len(file) > BYTES_MAX
        or not 0 < width * height <= PIXELS_MAX
        or max(width, height) > SIDE_PX_MAX
    ):
        return None
    try:
        with warnings.catch_warnings():  # of broken animations, which are not drawn anyway
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(file), formats=("PNG",)) as picture:
                coloured = picture.convert("RGBA")
    except _BROKEN:
        return None
    sheet = Image.new("L", coloured.size, _WHITE)
    sheet.paste(coloured.convert("L"), mask=coloured.getchannel("A"))
    scale = min(width_max / sheet.width, height_max / sheet.height, 1.0)
    if scale == 1.0:
        return sheet
    size = (max(1, round(sheet.width * scale)), max(1, round(sheet.height * scale)))
    return sheet.resize(size, Image.Resampling.LANCZOS)


def _size(file: bytes) -> tuple[int, int]:
    """As the file's header says, before anything of it is decoded; nothing for what is no PNG file."""
    if file[:16] != _SIGNATURE_AND_HEADER:
        return 0, 0
    return int.from_bytes(file[16:20], "big"), int.from_bytes(file[20:24], "big")
