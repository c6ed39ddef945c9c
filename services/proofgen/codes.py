"""Code 128 and QR: drawn as whole modules with their quiet zones, and read back from the finished page.

zxing-cpp carries two libraries: Zint writes, ZXing reads. What the one gets wrong the other finds.
"""

from dataclasses import dataclass
from enum import Enum

import zxingcpp
from PIL import Image

from services.proofgen.carrier_links import URL_CHARS_MAX

BAR_MODULE_PX_MIN = 3
"""0.38 mm at 200 dpi: what a hand-held reader takes from paper, and from a screen at half size."""
BAR_MODULE_PX_MAX = 6
BAR_HEIGHT_PX = 132
"""0.66 in; labels use 0.5 to 0.75."""
BAR_HEIGHT_SHARE = 0.15
"""A bar code has to be at least this part of its length high."""
BAR_QUIET_MODULES = 10
TRACKING_CHARS_MAX = 50

QR_MODULE_PX_MIN = 4
QR_QUIET_MODULES = 4

_WHITE = 255


class Kind(Enum):
    """The two codes of a page."""

    CODE_128 = zxingcpp.BarcodeFormat.Code128
    QR = zxingcpp.BarcodeFormat.QRCode


@dataclass(frozen=True, slots=True)
class Symbol:
    """A code as grey pixels, quiet zone included, and the text that a reader must find in it."""

    kind: Kind
    text: str
    image: Image.Image
    quiet_px: int


def code_128(text: str, width_px_max: int) -> Symbol | None:
    """The bar code, its modules as wide as fits; None if too narrow, or if the text is not ASCII."""
    if not 0 < len(text) <= TRACKING_CHARS_MAX or not text.isascii() or not text.isprintable():
        return None
    row = _modules(text, Kind.CODE_128)
    modules = row.width + 2 * BAR_QUIET_MODULES
    module_px = min(width_px_max // modules, BAR_MODULE_PX_MAX)
    if module_px < BAR_MODULE_PX_MIN:
        return None
    bars_px, quiet_px = row.width * module_px, BAR_QUIET_MODULES * module_px
    height_px = max(BAR_HEIGHT_PX, round(bars_px * BAR_HEIGHT_SHARE + 0.5))
    image = Image.new("L", (modules * module_px, height_px), _WHITE)
    image.paste(row.resize((bars_px, height_px), Image.Resampling.NEAREST), (quiet_px, 0))
    return Symbol(Kind.CODE_128, text, image, quiet_px)


def qr_code(url: str, side_px_max: int) -> Symbol | None:
    """The QR code at error correction level M, its modules as wide as fits; None if too narrow."""
    if not 0 < len(url) <= URL_CHARS_MAX or not url.isascii() or not url.isprintable():
        return None
    square = _modules(url, Kind.QR)
    modules = square.width + 2 * QR_QUIET_MODULES
    module_px = side_px_max // modules
    if module_px < QR_MODULE_PX_MIN:
        return None
    side_px, quiet_px = square.width * module_px, QR_QUIET_MODULES * module_px
    image = Image.new("L", (modules * module_px, modules * module_px), _WHITE)
    image.paste(square.resize((side_px, side_px), Image.Resampling.NEAREST), (quiet_px, quiet_px))
    return Symbol(Kind.QR, url, image, quiet_px)


def is_readable(page: Image.Image, x: int, y: int, symbol: Symbol) -> bool:
    """Whether a reader finds exactly the symbol's text at its place on the page."""
    box = (x, y, x + symbol.image.width, y + symbol.image.height)
    found = zxingcpp.read_barcodes(
        page.crop(box),
        formats=zxingcpp.BarcodeFormats(symbol.kind.value),
        try_rotate=False,  # we know how we drew it: looking for other ways only costs time
        try_downscale=False,
        try_invert=False,
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [code.text for code in found] == [symbol.text]


def _modules(text: str, kind: Kind) -> Image.Image:
    """The code with one pixel a module and no quiet zone; of a bar code one row."""
    options = {"ec_level": "M"} if kind is Kind.QR else {}
    code = zxingcpp.create_barcode(text, kind.value, **options)
    image = Image.fromarray(code.to_image(scale=1, add_quiet_zones=False))
    return image if kind is Kind.QR else image.crop((0, 0, image.width, 1))
