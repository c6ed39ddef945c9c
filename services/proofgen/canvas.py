"""Marks to pixels, and pixels to the file that is checked before anyone gets it."""

from PIL import Image

from services.proofgen import png
from services.proofgen.codes import Symbol, is_readable
from services.proofgen.fonts import SUBPIXEL_STEPS, UNITS_PER_PX, glyph_mask
from services.proofgen.grid import DPI
from services.proofgen.marks import BoxMark, ImageMark, Mark, SymbolMark, TextMark
from services.proofgen.pages import Page

_WHITE = 255
_FORMAT_COLUMN = 1
"""The column of file format at the left of a `png.new_sheet`."""
_STEP = UNITS_PER_PX // SUBPIXEL_STEPS


def draw(page: Page) -> Image.Image:
    """The page as a `png.new_sheet`: 8-bit grey, one column of file format at the left."""
    sheet = png.new_sheet(page.paper.width_px, page.paper.height_px, _WHITE)
    left = page.paper.left + _FORMAT_COLUMN
    for placed in page.placed:
        for mark in placed.block.marks:
            _draw_mark(sheet, mark, mark.x + left, mark.y + placed.y)
    return sheet


def encode(sheet: Image.Image) -> bytes:
    """The PNG file."""
    return png.encode(sheet, DPI)


def codes_are_readable(file: bytes, page: Page) -> bool:
    """Whether each code of the page can be read from the file's bytes, at its place, with its text."""
    symbols = _symbols(page)
    if not symbols:
        return True
    sheet = png.decode(file)
    return all(is_readable(sheet, x, y, symbol) for x, y, symbol in symbols)


def _symbols(page: Page) -> list[tuple[int, int, Symbol]]:
    left = page.paper.left + _FORMAT_COLUMN
    return [
        (mark.x + left, mark.y + placed.y, mark.symbol)
        for placed in page.placed
        for mark in placed.block.marks
        if isinstance(mark, SymbolMark)
    ]


def _draw_mark(sheet: Image.Image, mark: Mark, x: int, y: int) -> None:
    if isinstance(mark, TextMark):
        _draw_text(sheet, x, y, mark)
    elif isinstance(mark, BoxMark):
        sheet.paste(mark.ink, (x, y, x + mark.width, y + mark.height))
    elif isinstance(mark, ImageMark):
        sheet.paste(mark.image, (x, y))
    else:
        sheet.paste(mark.symbol.image, (x, y))


def _draw_text(sheet: Image.Image, x: int, y: int, mark: TextMark) -> None:
    pixels = sheet.im  # `Image.paste` without its checks of types, twice as fast over 2,000 glyphs
    for font, glyph, glyph_x, glyph_y in mark.line.glyphs:
        step = glyph_x // _STEP
        mask = glyph_mask(font, glyph, step % SUBPIXEL_STEPS)
        if mask is None:
            continue
        image, left, upper = mask
        at = (
            x + step // SUBPIXEL_STEPS + left,
            y + (glyph_y + UNITS_PER_PX // 2) // UNITS_PER_PX + upper,
        )
        pixels.paste(mark.ink, (*at, at[0] + image.width, at[1] + image.height), image.im)
