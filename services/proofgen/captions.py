"""Labels to lines: English and Chinese beside each other, the third language behind or below them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from services.proofgen import labels
from services.proofgen.grid import LABEL, SMALL
from services.proofgen.labels import Label
from services.proofgen.marks import TEXT_GREY, Sketch
from services.proofgen.runs import Style
from services.proofgen.shaping import FIXED_LINES_CACHED_MAX, Line, shape

GAP_PX = 9
"""Between the words of two languages."""

_COUNTRY = {"ja": "JP", "ko": "KR"}
_LEADING = 1.25
"""From a label's first line to the third language below it, in parts of the type size."""


class _Row(NamedTuple):
    """Words beside each other with their offsets, and their width in all."""

    words: tuple[tuple[int, Line], ...]
    width_px: int


@dataclass(frozen=True, slots=True)
class Captions:
    """Draws labels in the languages of one page. Where there is no third, nothing keeps a place for it."""

    language: str | None = None

    def put(
        self,
        sketch: Sketch,
        x: int,
        y: int,
        label: Label,
        style: Style = LABEL,
        ink: int = TEXT_GREY,
    ) -> int:
        """A label in one line with its baseline at y; returns where it ends."""
        row = self._row(label, style)
        _put(sketch, x, y, row, ink)
        return x + row.width_px

    def put_right(
        self, sketch: Sketch, right: int, y: int, label: Label, style: Style = LABEL
    ) -> int:
        """The same, so that it ends at `right`; returns where it starts."""
        row = self._row(label, style)
        _put(sketch, right - row.width_px, y, row, TEXT_GREY)
        return right - row.width_px

    def stack(
        self,
        sketch: Sketch,
        x: int,
        y: int,
        label: Label,
        style: Style = LABEL,
        ink: int = TEXT_GREY,
    ) -> int:
        """A label for a cell, the third language below the first line; returns the lowest baseline."""
        return self._stacked(sketch, y, [(x, row) for row in self._rows(label, style)], style, ink)

    def stack_right(
        self,
        sketch: Sketch,
        right: int,
        y: int,
        label: Label,
        style: Style = LABEL,
        ink: int = TEXT_GREY,
    ) -> int:
        """The same, its lines ending at `right`."""
        rows = [(right - row.width_px, row) for row in self._rows(label, style)]
        return self._stacked(sketch, y, rows, style, ink)

    def _stacked(
        self, sketch: Sketch, y: int, rows: list[tuple[int, _Row]], style: Style, ink: int
    ) -> int:
        for x, row in rows:
            _put(sketch, x, y, row, ink)
            y += self.below_px(style)
        return y - self.below_px(style)

    def missing(self, sketch: Sketch, x: int, y: int) -> int:
        """States that nobody gave the value; returns the lowest baseline."""
        return self.stack(sketch, x, y, labels.NOT_PROVIDED, SMALL)

    def below_px(self, style: Style) -> int:
        """What a third language adds to the height of a cell."""
        return round(style.size_px * _LEADING) if self.language else 0

    def width_px(self, label: Label, style: Style = LABEL) -> int:
        """Width of a label in one line."""
        return self._row(label, style).width_px

    def lines(self, label: Label, style: Style) -> tuple[Line, ...]:
        """The label's words in each of its languages."""
        return _lines(self.translated(label), style, self.language)

    def translated(self, label: Label) -> Label:
        """The label with its words in the third language."""
        return labels.translated(label, self.language)

    def _row(self, label: Label, style: Style) -> _Row:
        return _row(self.translated(label), style, self.language)

    def _rows(self, label: Label, style: Style) -> tuple[_Row, ...]:
        told = self.translated(label)
        above = _row(told._replace(third=""), style, self.language)
        if not self.language:
            return (above,)
        return above, _row(Label("", "", told.third), style, self.language)


def _put(sketch: Sketch, x: int, y: int, row: _Row, ink: int) -> None:
    for offset, line in row.words:
        sketch.text(x + offset, y, line, ink)


@lru_cache(maxsize=FIXED_LINES_CACHED_MAX)
def _row(label: Label, style: Style, language: str | None) -> _Row:
    words: list[tuple[int, Line]] = []
    end = -GAP_PX
    for line in _lines(label, style, language):
        words.append((end + GAP_PX, line))
        end += GAP_PX + round(line.width_px)
    return _Row(tuple(words), max(end, 0))


@lru_cache(maxsize=FIXED_LINES_CACHED_MAX)
def _lines(label: Label, style: Style, language: str | None) -> tuple[Line, ...]:
    """Only English is bold: the strokes of Chinese would close up, and one bold language is enough."""
    plain = replace(style, bold=False)
    third = label.third or ""
    styled = (
        (label.en, style),
        (label.zh, plain),
        (third, plain.for_text(third, _COUNTRY.get(language or ""))),
    )
    return tuple(shape(text, face) for text, face in styled if text)
