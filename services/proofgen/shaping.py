"""Text to positioned glyphs, and the widths of its characters. HarfBuzz shapes each run."""

import unicodedata
from functools import lru_cache
from typing import NamedTuple

import uharfbuzz as hb

from services.proofgen import bidi
from services.proofgen.fonts import UNITS_PER_PX, SizedFont, sized
from services.proofgen.runs import PLAIN_SCRIPT, Run, Style, runs

FIXED_LINES_CACHED_MAX = 1_024
"""Labels in their few sizes; never values, which are personal."""

HELD_CHARS_MAX = 12
"""Characters that a line break may not part; the longest syllables of India have ten."""

_VIRAMA = 9
"""Combining class of signs that tie the next consonant to the one before."""
_HOLDS_NEXT = frozenset("เแโใไເແໂໃໄ\u200d")
"""Thai and Lao vowels that are written before their consonant, and the joiner."""

Glyph = tuple[SizedFont, int, int, int]
"""Font, glyph id, and the pen's x and y in 1/64 px from the line's start; y grows downwards."""


class Line(NamedTuple):
    """A shaped line, ready to be drawn."""

    text: str
    glyphs: tuple[Glyph, ...]
    width_px: float


class Shaped:
    """A text without line breaks, all of its characters covered (see `runs.covered`), shaped once."""

    def __init__(self, text: str, style: Style, base_level: int | None = None) -> None:
        self._text = text
        self._size_px = style.size_px
        self._runs = [(run, _buffer(text, run, style)) for run in runs(text, style, base_level)]

    def line(self) -> Line:
        """The text as one line."""
        glyphs: list[Glyph] = []
        pen = 0
        for index in bidi.visual_order([run.level for run, _ in self._runs]):
            run, buffer = self._runs[index]
            font = sized(run.face, self._size_px)
            for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
                x_offset, y_offset, advance, _ = position.position
                glyphs.append((font, info.codepoint, pen + x_offset, -y_offset))
                pen += advance
        return Line(self._text, tuple(glyphs), pen / UNITS_PER_PX)

    def advances(self) -> list[int]:
        """Width of each character in 1/64 px; a cluster's stands at its first, 0 at the others.

        A line breaks at no place of width 0, so it never starts with a mark, nor inside of a conjunct.
        """
        widths = [0] * len(self._text)
        for run, buffer in self._runs:
            for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
                widths[run.start + info.cluster] += position.x_advance
        start = 0
        for index in range(1, len(widths)):
            if self._is_held(index, index - start):
                widths[start] += widths[index]
                widths[index] = 0
            else:
                start = index
        return widths

    def _is_held(self, index: int, chars_before: int) -> bool:
        """Whether the character belongs to the cluster before it, which has so many already."""
        if unicodedata.category(self._text[index])[0] == "M":
            return True
        before = self._text[index - 1]
        holds = before in _HOLDS_NEXT or unicodedata.combining(before) == _VIRAMA
        return holds and chars_before < HELD_CHARS_MAX


def shape(text: str, style: Style, base_level: int | None = None) -> Line:
    """`Shaped(…).line()`: what one wants of a text that needs no breaking."""
    return Shaped(text, style, base_level).line()


@lru_cache(maxsize=FIXED_LINES_CACHED_MAX)
def shape_fixed(text: str, style: Style) -> Line:
    """`shape` for texts of the template itself, shaped once."""
    return shape(text, style)


def _buffer(text: str, run: Run, style: Style) -> hb.Buffer:
    buffer = hb.Buffer()
    buffer.add_str(text[run.start : run.end])
    buffer.direction = "rtl" if run.level % 2 else "ltr"
    if run.script and run.script != PLAIN_SCRIPT:
        buffer.script = run.script
    buffer.language = "und"  # otherwise the locale of the process would decide
    buffer.guess_segment_properties()
    hb.shape(sized(run.face, style.size_px).font, buffer, {"tnum": True} if style.tabular else {})
    return buffer
