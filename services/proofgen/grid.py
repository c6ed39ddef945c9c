"""The page's geometry and type: A4 portrait at 200 dpi, twelve columns, few sizes. All numbers are pixels."""

from services.proofgen.runs import Style

DPI = 200
PAGE_WIDTH = 1654
PAGE_HEIGHT = 2338

LEFT = 113
"""14.4 mm: inside what every printer prints."""
WIDTH = 1428
RIGHT = LEFT + WIDTH
TOP = 80
FOOT_TOP = 2160
"""Content ends above; the foot of each page starts here."""

_COLUMN = 97
_GUTTER = 24


def column(number: int) -> int:
    """Left edge of column 0 to 11, from the left margin."""
    return number * (_COLUMN + _GUTTER)


def span(columns: int) -> int:
    """Width of some columns with the gutters between them."""
    return columns * (_COLUMN + _GUTTER) - _GUTTER


# 200 dpi: 22 px are 8 pt, the smallest size for values; 39 px are 14 pt, the smallest for the tracking number
TITLE = Style(62, bold=True)
TITLE_ZH = Style(46)
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
