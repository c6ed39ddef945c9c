"""Text into runs: stretches of one font, one script and one direction, in reading order.

Letters that belong together (a base and its marks) always come from one font.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from services.proofgen import bidi
from services.proofgen.fonts import CJK_INDEX, Chain, Typeface, chain
from services.proofgen.scripts import EMOJI, script_of

CLUSTERS_CACHED_MAX = 16_384
"""Letters with their font and script; more than a store's buyers use."""

SEEN_CHARS_MAX = 1_000
"""Of a text, to find whose regional forms it asks for: as many as a page shows of any."""

PLAIN_SCRIPT = "plain"
"""Letters whose script HarfBuzz may guess: they do not change with their neighbours."""
_ANY_SCRIPT = ""  # digits, spaces, punctuation: join whatever stands beside them

_REGION_FACE = {"MO": "HK", "SG": "CN", "KP": "KR"}
_KANA = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff]")
_JOINERS = "\u200c\u200d"
# Latin, Greek, Cyrillic and common punctuation, without marks: most texts, and one run
_EUROPEAN = re.compile(
    "[ -~\u00a1-\u02af\u0370-\u0482\u048a-\u052f\u1e00-\u1fff\u2010-\u2044\u20ac]*"
)


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks: family, weight, size, and the region whose forms Chinese characters take."""

    size_px: int
    bold: bool = False
    mono: bool = False
    tabular: bool = False
    """Digits of equal width, for columns of numbers."""
    region: str = "CN"

    def chain(self) -> Chain:
        """The typefaces to try."""
        return chain(mono=self.mono, bold=self.bold, region=self.region)

    def at(self, size_px: int) -> "Style":
        """The same at another size."""
        return replace(self, size_px=size_px)

    def for_text(self, text: str, country_code: str | None = None) -> "Style":
        """The same with the regional forms that the text, else the country, asks for."""
        seen = text[:SEEN_CHARS_MAX]
        return self if seen.isascii() else replace(self, region=_region(seen, country_code))


class Run(NamedTuple):
    """Characters `start` to `end` of a text; odd levels run from right to left."""

    start: int
    end: int
    face: Typeface
    script: str
    level: int


class Covered(NamedTuple):
    """A text that can be drawn, whether characters had to be replaced, and how many were cut off."""

    text: str
    replaced: bool
    cut_chars: int


def covered(text: str, style: Style, chars_max: int) -> Covered:
    """At most `chars_max` characters of the text, each that no font has written as [U+XXXX]."""
    faces = style.chain()
    if len(text) <= chars_max and faces.first.coverage.issuperset(map(ord, text)):
        return Covered(text, replaced=False, cut_chars=0)
    pieces: list[str] = []
    room, taken = chars_max, 0
    for cluster in _clusters(text):
        shown = _shown(cluster, faces)
        room -= len(shown)
        if room < 0:
            break
        pieces.append(shown)
        taken += len(cluster)
    result = "".join(pieces)
    return Covered(result, replaced=result != text[:taken], cut_chars=len(text) - taken)


def runs(text: str, style: Style, base_level: int | None) -> list[Run]:
    """The runs of a text whose characters are all covered.

    `base_level` is 0 or 1 for a piece of a longer text whose direction is known; None finds it.
    """
    faces = style.chain()
    if not text:
        return []
    if _EUROPEAN.fullmatch(text) and faces.first.coverage.issuperset(map(ord, text)):
        return [Run(0, len(text), faces.first, PLAIN_SCRIPT, 0)]
    if not bidi.has_right_to_left(text):
        return _split(text, faces, [0] * len(text))
    base = bidi.base_level(text) if base_level is None else base_level
    return _split(text, faces, bidi.levels(text, base))


def _region(text: str, country_code: str | None) -> str:
    if _KANA.search(text):
        return "JP"
    if _HANGUL.search(text):
        return "KR"
    region = _REGION_FACE.get(country_code or "", country_code or "")
    return region if region in CJK_INDEX else "CN"


def _shown(cluster: str, faces: Chain) -> str:
    if cluster[0] == "\n" or _face_and_script(cluster, faces)[0]:
        return cluster
    base = cluster[0]
    return base if _face_and_script(base, faces)[0] else f"[U+{ord(base):04X}]"


def _clusters(text: str) -> list[str]:
    clusters: list[str] = []
    for char in text:
        if clusters and (char in _JOINERS or unicodedata.category(char)[0] == "M"):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


@lru_cache(maxsize=CLUSTERS_CACHED_MAX)
def _face_and_script(cluster: str, faces: Chain) -> tuple[Typeface | None, str]:
    codes = [ord(char) for char in cluster if char not in _JOINERS]
    script = script_of(cluster)
    face = faces.covering(codes, script)
    if script and script != EMOJI:
        return face, script
    return face, PLAIN_SCRIPT if unicodedata.category(cluster[0])[0] == "L" else _ANY_SCRIPT


def _split(text: str, faces: Chain, levels: list[int]) -> list[Run]:
    found: list[Run] = []
    start = end = 0
    face, script, level = faces.first, _ANY_SCRIPT, levels[0]
    for cluster in _clusters(text):
        own_face, own_script = _face_and_script(cluster, faces)
        same_level = levels[end] == level
        if cluster == " " and same_level and 32 in face.coverage:
            own_face = face  # a space is no reason for another run
        same_script = own_script == script or not script or not own_script
        if not (same_level and same_script and own_face is face):
            if end > start:
                found.append(Run(start, end, face, script, level))
            start, face, script, level = end, own_face or faces.first, own_script, levels[end]
        script = script or own_script
        end += len(cluster)
    found.append(Run(start, end, face, script, level))
    return found
