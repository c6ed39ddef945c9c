"""Facts to lines: cleans, bounds, wraps and cuts texts, and notes what is not shown as given."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from services.proofgen import labels
from services.proofgen.captions import Captions
from services.proofgen.cleaning import clean
from services.proofgen.document import ProofWarning
from services.proofgen.fonts import UNITS_PER_PX
from services.proofgen.marks import BLACK, Sketch
from services.proofgen.runs import Style, covered
from services.proofgen.shaping import Line, Shaped, shape
from services.proofgen.wrapping import wrap


@dataclass(slots=True)
class Typesetter:
    """Sets the texts of one proof; `warnings` gathers what the page had to cut or replace."""

    captions: Captions = field(default_factory=Captions)
    warnings: set[ProofWarning] = field(default_factory=set)

    def prepared(self, text: str, style: Style, chars_max: int, *, keep_lines: bool = False) -> str:
        """The text as it can be drawn; a cut is stated at its end."""
        cleaned = clean(text, chars_max, keep_lines=keep_lines)
        shown = covered(cleaned.text, style, chars_max)
        if shown.replaced:
            self.warnings.add(ProofWarning.UNPRINTABLE_CHARACTERS)
        cut_chars = cleaned.cut_chars + shown.cut_chars
        if not cut_chars:
            return shown.text
        self.warnings.add(ProofWarning.TEXT_CUT)
        return shown.text + labels.more_characters(cut_chars)

    def lines(
        self,
        text: str,
        style: Style,
        width_px: int,
        *,
        lines_max: int,
        chars_max: int,
        keep_lines: bool = False,
    ) -> list[Line]:
        """The text in at most `lines_max` lines; a cut is stated at the end of the last."""
        shown = self.prepared(text, style, chars_max, keep_lines=keep_lines)
        if not shown:
            return []
        lines, hidden_chars = wrap(shown, style, width_px, lines_max)
        if hidden_chars:
            self.warnings.add(ProofWarning.TEXT_CUT)
            lines[-1] = _ending(lines[-1].text, hidden_chars, style, width_px)
        return lines

    def line(self, text: str, style: Style, width_px: int, chars_max: int) -> Line:
        """The text in one line."""
        found = self.lines(text, style, width_px, lines_max=1, chars_max=chars_max)
        return found[0] if found else shape("", style)


def _ending(text: str, hidden_chars: int, style: Style, width_px: int) -> Line:
    """The line with the statement of a cut at its end, shortened until it fits."""
    statement = shape(labels.more_characters(hidden_chars + len(text)), style)
    short = 2 * statement.width_px > width_px
    if short:
        statement = shape(labels.more_characters(hidden_chars + len(text), short=True), style)
    room = (width_px - statement.width_px) * UNITS_PER_PX
    ends = accumulate(Shaped(text, style).advances())
    kept = sum(1 for end in ends if end <= room)  # widths never shrink, so these are the first ones
    while True:  # once, but for letters that are wider at the end of a line
        hidden = labels.more_characters(hidden_chars + len(text) - kept, short=short)
        line = shape(text[:kept].rstrip() + hidden, style)
        if line.width_px <= width_px or kept == 0:
            return line
        kept -= max(kept // 8, 1)


def put_lines(
    sketch: Sketch, x: int, y: int, lines: Iterable[Line], leading_px: int, ink: int = BLACK
) -> int:
    """Lines below each other, the first baseline at y; returns the next baseline."""
    for line in lines:
        sketch.text(x, y, line, ink)
        y += leading_px
    return y
