"""The store's logo: a picture from outside, which may be anything. What cannot be drawn is left out."""

from functools import lru_cache
from io import BytesIO

from PIL import Image

from services.proofgen.document import ProofWarning
from services.proofgen.marks import Block, ImageMark
from services.proofgen.typesetter import Typesetter

WIDTH_MAX, HEIGHT_MAX = 560, 96
"""71 by 12 mm: seen, and nothing that has to be on the first page is pushed from it."""
PIXELS_MAX = 4_000_000
"""Of the file: a small file can hold a picture of gigabytes."""
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
    try:
        with Image.open(BytesIO(file), formats=("PNG",)) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                return None
            coloured = picture.convert("RGBA")
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):  # all that Pillow raises
        return None
    sheet = Image.new("L", coloured.size, _WHITE)
    sheet.paste(coloured.convert("L"), mask=coloured.getchannel("A"))
    scale = min(width_max / sheet.width, height_max / sheet.height, 1.0)
    if scale == 1.0:
        return sheet
    size = (max(1, round(sheet.width * scale)), max(1, round(sheet.height * scale)))
    return sheet.resize(size, Image.Resampling.LANCZOS)
