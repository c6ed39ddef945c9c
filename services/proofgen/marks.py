"""What a page is made of before it is pixels: lines of text, boxes and codes, grouped in blocks.

A block knows its height, so that pages can be planned before anything is drawn; its marks are plain
data, so that a test can read what stands on a page.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from PIL import Image

from services.proofgen.codes import Symbol
from services.proofgen.shaping import Line

BLACK = 0
WHITE = 255
TEXT_GREY = 52
"""Labels: darker than needed on screen, so that a black-and-white copy keeps them."""
RULE_GREY = 176


class TextMark(NamedTuple):
    """A line of text: where its baseline starts."""

    x: int
    y: int
    line: Line
    ink: int


class BoxMark(NamedTuple):
    """A filled rectangle; rules are thin ones."""

    x: int
    y: int
    width: int
    height: int
    ink: int


class SymbolMark(NamedTuple):
    """A bar code or QR code: where its quiet zone starts."""

    x: int
    y: int
    symbol: Symbol


class ImageMark(NamedTuple):
    """A grey picture: where its upper left corner lies."""

    x: int
    y: int
    image: Image.Image


Mark = TextMark | BoxMark | SymbolMark | ImageMark


@dataclass(frozen=True, slots=True)
class Block:
    """Marks that stay together on one page; y counts from the block's top."""

    height_px: int
    marks: tuple[Mark, ...]


class Placed(NamedTuple):
    """A block and the y of its top on the page."""

    y: int
    block: Block


@dataclass(slots=True)
class Sketch:
    """A block in the making: marks gather, and `height_px` follows the lowest."""

    marks: list[Mark] = field(default_factory=list)
    height_px: int = 0

    def text(self, x: int, y: int, line: Line, ink: int = BLACK) -> None:
        """A line whose baseline starts at x, y."""
        self.marks.append(TextMark(x, y, line, ink))
        self.height_px = max(self.height_px, y)

    def text_right(self, x: int, y: int, line: Line, ink: int = BLACK) -> None:
        """A line that ends at x."""
        self.text(x - round(line.width_px), y, line, ink)

    def box(self, x: int, y: int, width: int, height: int, ink: int = BLACK) -> None:
        """A filled rectangle."""
        self.marks.append(BoxMark(x, y, width, height, ink))
        self.height_px = max(self.height_px, y + height)

    def symbol(self, x: int, y: int, symbol: Symbol) -> None:
        """A code with its quiet zone."""
        self.marks.append(SymbolMark(x, y, symbol))
        self.height_px = max(self.height_px, y + symbol.image.height)

    def image(self, x: int, y: int, image: Image.Image) -> None:
        """A grey picture."""
        self.marks.append(ImageMark(x, y, image))
        self.height_px = max(self.height_px, y + image.height)

    def block(self, space_below: int = 0) -> Block:
        """The finished block."""
        return Block(self.height_px + space_below, tuple(self.marks))
