"""Line breaking: between words, between Chinese characters, inside a word only where nothing else helps."""

import unicodedata
from typing import NamedTuple

from services.proofgen import bidi
from services.proofgen.fonts import UNITS_PER_PX
from services.proofgen.runs import Style
from services.proofgen.shaping import Line, Shaped, shape

_NOT_AT_START = set("、。，．：；！？）］｝」』】〕〉》’”ー々％,.:;!?)]}%»…")
_NOT_AT_END = set("（［｛「『【〔〈《‘“([{«$€£¥")
_SHARES = (1, 0.95, 0.8, 0.6, 0.4)
"""Letters at the ends of a piece may be wider than in the whole: an Arabic word that is broken gets
final forms. Then the lines are filled less."""
_AFTER = set("-/–—_@&,;")
"""ASCII marks after which a long word may break."""


class Wrapped(NamedTuple):
    """Lines, and how many characters found no room in them."""

    lines: list[Line]
    hidden_chars: int


def wrap(text: str, style: Style, width_px: int, lines_max: int) -> Wrapped:
    """The text in at most so many lines; line breaks in it are kept.

    Linear in the length of the text, which callers bound; only lines that are returned are shaped.
    """
    lines: list[Line] = []
    left = len(text) + 1
    for paragraph in text.split("\n"):
        if len(lines) == lines_max:
            break
        found = _wrap_paragraph(paragraph, style, width_px, lines_max - len(lines))
        lines += found.lines
        left -= len(paragraph) + 1 - found.hidden_chars
    return Wrapped(lines, left)


def _wrap_paragraph(text: str, style: Style, width_px: int, lines_max: int) -> Wrapped:
    whole = Shaped(text, style)
    line = whole.line()
    if line.width_px <= width_px:
        return Wrapped([line], 0)
    widths = whole.advances()
    base = bidi.base_level(text) if bidi.has_right_to_left(text) else 0
    for share in _SHARES:
        pieces, end = _break(text, widths, int(width_px * UNITS_PER_PX * share), lines_max)
        lines = [shape(piece, style, base) for piece in pieces]
        if all(line.width_px <= width_px for line in lines):
            break
    return Wrapped(lines, len(text) - end)


def _break(text: str, widths: list[int], width_max: int, pieces_max: int) -> tuple[list[str], int]:
    """The pieces, and where the last one ends."""
    pieces: list[str] = []
    start = good = 0  # the line's start, and the latest place where it may end
    used = used_at_good = 0
    for index, width in enumerate(widths):
        if index > start and _may_break(text, index):
            good, used_at_good = index, used
        if used + width > width_max and width and text[index] != " ":
            if good <= start:
                good, used_at_good = index, used
            if good > start:
                if piece := text[start:good].strip():
                    pieces.append(piece)
                start, used = good, used - used_at_good
                if len(pieces) == pieces_max:
                    return pieces, start
        used += width
    if piece := text[start:].strip():
        pieces.append(piece)
    return pieces, len(text)


def _may_break(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if after == " " or after in _NOT_AT_START or before in _NOT_AT_END:
        return False
    if before == " " or before in _AFTER:
        return True
    return _is_wide(before) or _is_wide(after)


def _is_wide(char: str) -> bool:
    return char > "\u2e80" and unicodedata.east_asian_width(char) in {"W", "F"}
