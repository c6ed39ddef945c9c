"""The script that one writes first: Pillow draws a page of a proof, zxing reads its codes from the file.

It is handed what takes the thought: every line at its place, with the typeface that its first letter wants.
It lays out nothing, shapes no scripts beyond what Pillow does by itself, and knows one font a line.
"""

import io
from functools import cache

import noto_cjk_sans_otc
import pymupdf_fonts
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from services.proofgen.grid import DPI
from services.proofgen.marks import BoxMark, SymbolMark, TextMark
from services.proofgen.pages import Page
from services.proofgen.shaping import Line


def plain_proof(page: Page) -> bytes:
    """The file, after both codes were read back from it."""
    file, wanted = plain_page(page)
    found = {code.text for code in zxingcpp.read_barcodes(Image.open(io.BytesIO(file)))}
    if found != wanted:
        raise ValueError(f"the page's codes read as {found}, want {wanted}")
    return file


def plain_page(page: Page) -> tuple[bytes, set[str]]:
    """The file, and what its codes have to read as."""
    image = Image.new("L", (page.paper.width_px, page.paper.height_px), 255)
    drawing = ImageDraw.Draw(image)
    texts = set()
    for y, block in page.placed:
        for mark in block.marks:
            at = (page.paper.left + mark.x, y + mark.y)
            if isinstance(mark, TextMark):
                drawing.text(at, mark.line.text, mark.ink, _font_of(mark.line), anchor="ls")
            elif isinstance(mark, BoxMark):
                corner = (at[0] + mark.width - 1, at[1] + mark.height - 1)
                drawing.rectangle((*at, *corner), fill=mark.ink)
            elif isinstance(mark, SymbolMark):
                image.paste(_code(mark), at)
                texts.add(mark.symbol.text)
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue(), texts


@cache
def _font(key: str, size_px: int) -> ImageFont.FreeTypeFont:
    if key == "cjk":
        return ImageFont.truetype(str(noto_cjk_sans_otc.FONT_PATH), size_px, index=2)
    return ImageFont.truetype(io.BytesIO(pymupdf_fonts.fontbuffers[key]()), size_px)


def _font_of(line: Line) -> ImageFont.FreeTypeFont:
    font = line.glyphs[0][0]
    chinese = any(char > "\u2e80" for char in line.text)
    return _font("cjk" if chinese else font.typeface.name, font.size_px)


def _code(mark: SymbolMark) -> Image.Image:
    """Made anew, as the script would, and brought to the size that it has on the page."""
    symbol = mark.symbol
    options = {"ec_level": "M"} if symbol.kind.value == zxingcpp.BarcodeFormat.QRCode else {}
    code = zxingcpp.create_barcode(symbol.text, symbol.kind.value, **options)
    image = Image.fromarray(code.to_image(scale=4, add_quiet_zones=True))
    return image.resize(symbol.image.size, Image.Resampling.NEAREST)
