"""The page's geometry and type: 200 dpi, two papers, twelve columns, few sizes. All numbers are pixels.

Content is as wide on every paper, and its x counts from the content's left edge: only `Paper`, the
height of pages, and the drawing know on which sheet it stands.
"""

from dataclasses import dataclass

from services.proofgen.runs import Style

DPI = 200

WIDTH = 1428
"""Of the content; it leaves 14 mm at each side of A4: inside what every printer prints."""
TOP = 80
_MARGIN_BELOW = 56


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet in portrait, with the content in its middle."""

    name: str
    width_px: int
    height_px: int

    @property
    def left(self) -> int:
        """Where the content starts."""
        return (self.width_px - WIDTH) // 2

    @property
    def bottom(self) -> int:
        """The lowest baseline."""
        return self.height_px - _MARGIN_BELOW


A4 = Paper("A4", 1654, 2338)
LETTER = Paper("LETTER", 1700, 2200)
PAPERS = {paper.name: paper for paper in (A4, LETTER)}

_COLUMN = 97
_GUTTER = 24


def column(number: int) -> int:
    """Left edge of column 0 to 11."""
    return number * (_COLUMN + _GUTTER)


def span(columns: int) -> int:
    """Width of some columns with the gutters between them."""
    return columns * (_COLUMN + _GUTTER) - _GUTTER


# 200 dpi: 22 px are 8 pt, the smallest size for values; 39 px are 14 pt, the smallest for the tracking number
TITLE = Style(62, bold=True)
TITLE_ZH = Style(46)
TITLE_THIRD = Style(34)
TRACKING_SIZES = (80, 74, 68, 62, 56, 50, 44, 40)
TRACKING = Style(TRACKING_SIZES[0], bold=True, mono=True)
STRONG = Style(30, bold=True)
HEADING = Style(24, bold=True)
BODY = Style(26)
BODY_BOLD = Style(26, bold=True)
NUMBER = Style(26, tabular=True)
SMALL = Style(22)
CODE = Style(22, mono=True)
LABEL = Style(21)
FINE = Style(20)
FINE_CODE = Style(21, mono=True)
