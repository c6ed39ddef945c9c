"""Text to positioned glyphs: a font for every character, direction, shaping, widths.

A line is split into items of one font, one script and one direction; HarfBuzz shapes each. Letters
that belong together (a base and its marks) always come from one font.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import uharfbuzz as hb

from services.proofgen import bidi
from services.proofgen.fonts import CJK_INDEX, UNITS_PER_PX, SizedFont, Typeface, chain, sized

FIXED_LINES_CACHED_MAX = 1_024
"""Labels in their few sizes; never values, which are personal."""

_REGION_FACE = {"MO": "HK", "SG": "CN", "KP": "KR"}
_KANA = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff]")
_JOINERS = "\u200c\u200d"

# Scripts whose letters change with their neighbours: an item must not mix one of them with another script.
_SHAPED_SCRIPT = re.compile(
    "(?P<Hebr>[\u0590-\u05ff\ufb1d-\ufb4f])"
    "|(?P<Arab>[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc])"
    "|(?P<Deva>[\u0900-\u097f\ua8e0-\ua8ff])|(?P<Thai>[\u0e00-\u0e7f])"
)
_ANY_SCRIPT = ""  # digits, spaces, punctuation: join whatever stands beside them
_PLAIN_SCRIPT = "plain"  # letters that HarfBuzz may guess the script of


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks: family, weight, size, and the region whose forms Chinese characters take."""

    size_px: int
    bold: bool = False
    mono: bool = False
    tabular: bool = False
    """Digits of equal width, for columns of numbers."""
    region: str = "CN"

    def chain(self) -> tuple[Typeface, ...]:
        """The typefaces to try, best first."""
        return chain(mono=self.mono, bold=self.bold, region=self.region)

    def at(self, size_px: int) -> "Style":
        """The same at another size."""
        return replace(self, size_px=size_px)

    def for_text(self, text: str, country_code: str | None = None) -> "Style":
        """The same with the regional forms that the text, else the country, asks for."""
        return self if text.isascii() else replace(self, region=_region(text, country_code))


Glyph = tuple[SizedFont, int, int, int]
"""Font, glyph id, and the pen's x and y in 1/64 px from the line's start; y grows downwards."""


class Line(NamedTuple):
    """A shaped line, ready to be drawn."""

    text: str
    glyphs: tuple[Glyph, ...]
    width_px: float


class _Item(NamedTuple):
    start: int
    end: int
    face: Typeface
    script: str
    level: int


def covered(text: str, style: Style) -> tuple[str, bool]:
    """The text with every character that no font has written as [U+XXXX], and whether there were any."""
    faces = style.chain()
    if all(ord(char) in faces[0].coverage for char in text):
        return text, False
    shown = [_shown(cluster, faces) for cluster in _clusters(text)]
    result = "".join(shown)
    return result, result != text


def shape(text: str, style: Style, base_level: int | None = None) -> Line:
    """The text as one line. All its characters must be covered (see `covered`); no line breaks.

    `base_level` is 0 or 1 for a line of a longer text whose direction is known; None finds it.
    """
    items = _items(text, style, base_level)
    glyphs: list[Glyph] = []
    pen = 0
    for index in bidi.visual_order([item.level for item in items]):
        pen = _shape_item(text, items[index], style, pen, glyphs)
    return Line(text, tuple(glyphs), pen / UNITS_PER_PX)


@lru_cache(maxsize=FIXED_LINES_CACHED_MAX)
def shape_fixed(text: str, style: Style) -> Line:
    """`shape` for texts of the template itself, shaped once."""
    return shape(text, style)


def advances(text: str, style: Style) -> list[int]:
    """Width of each character in 1/64 px; a cluster's stands at its first character, 0 at the others."""
    widths = [0] * len(text)
    for item in _items(text, style, None):
        buffer = _shaped_buffer(text, item, style)
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            widths[item.start + info.cluster] += position.x_advance
    return widths


def _region(text: str, country_code: str | None) -> str:
    if _KANA.search(text):
        return "JP"
    if _HANGUL.search(text):
        return "KR"
    region = _REGION_FACE.get(country_code or "", country_code or "")
    return region if region in CJK_INDEX else "CN"


def _shown(cluster: str, faces: tuple[Typeface, ...]) -> str:
    if cluster[0] == "\n" or _face_for(cluster, faces):
        return cluster
    base = cluster[0]
    return base if _face_for(base, faces) else f"[U+{ord(base):04X}]"


def _clusters(text: str) -> list[str]:
    clusters: list[str] = []
    for char in text:
        if clusters and (char in _JOINERS or unicodedata.category(char)[0] == "M"):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _face_for(cluster: str, faces: tuple[Typeface, ...]) -> Typeface | None:
    codes = [ord(char) for char in cluster if char not in _JOINERS]
    return next((face for face in faces if face.coverage.issuperset(codes)), None)


def _script(cluster: str) -> str:
    if found := _SHAPED_SCRIPT.match(cluster):
        return found.lastgroup or _ANY_SCRIPT
    return _PLAIN_SCRIPT if unicodedata.category(cluster[0])[0] == "L" else _ANY_SCRIPT


def _items(text: str, style: Style, base_level: int | None) -> list[_Item]:
    faces = style.chain()
    if text.isascii():
        return [_Item(0, len(text), faces[0], _PLAIN_SCRIPT, 0)] if text else []
    if not bidi.has_right_to_left(text):
        return _split(text, faces, [0] * len(text))
    base = bidi.base_level(text) if base_level is None else base_level
    return _split(text, faces, bidi.levels(text, base))


def _split(text: str, faces: tuple[Typeface, ...], levels: list[int]) -> list[_Item]:
    items: list[_Item] = []
    start = 0
    for cluster in _clusters(text):
        item = _Item(
            start,
            start + len(cluster),
            _face_for(cluster, faces) or faces[0],
            _script(cluster),
            levels[start],
        )
        start = item.end
        if items and _joins(items[-1], item, cluster):
            last = items[-1]
            items[-1] = last._replace(end=item.end, script=last.script or item.script)
        else:
            items.append(item)
    return items


def _joins(last: _Item, item: _Item, cluster: str) -> bool:
    if last.level != item.level:
        return False
    if cluster == " ":
        return ord(cluster) in last.face.coverage
    return last.face is item.face and (
        last.script == item.script or not last.script or not item.script
    )


def _shape_item(text: str, item: _Item, style: Style, pen: int, glyphs: list[Glyph]) -> int:
    buffer = _shaped_buffer(text, item, style)
    font = sized(item.face, style.size_px)
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        x_offset, y_offset, advance, _ = position.position
        glyphs.append((font, info.codepoint, pen + x_offset, -y_offset))
        pen += advance
    return pen


def _shaped_buffer(text: str, item: _Item, style: Style) -> hb.Buffer:
    buffer = hb.Buffer()
    buffer.add_str(text[item.start : item.end])
    buffer.direction = "rtl" if item.level % 2 else "ltr"
    if item.script not in {_ANY_SCRIPT, _PLAIN_SCRIPT}:
        buffer.script = item.script
    buffer.language = "und"  # otherwise the locale of the process would decide
    buffer.guess_segment_properties()
    hb.shape(sized(item.face, style.size_px).font, buffer, {"tnum": True} if style.tabular else {})
    return buffer
