"""Makes any text fit to be drawn: bounded, decoded, without controls, one line unless asked otherwise.

What goes: control characters, bidirectional overrides and isolates, zero-width characters (but the
joiners that Arabic and Indic scripts need), variation selectors, skin tones of emoji, tag characters,
and more than a few marks on one letter. What comes: HTML entities decoded once, canonical composition (NFC),
single spaces.
"""

import html
import re
import unicodedata
from typing import NamedTuple

MARKS_MAX = 4
"""Marks kept on one letter; Hebrew with points and accents needs four, stacked "zalgo" text has dozens."""
MYANMAR_MARKS_MAX = 6
"""Burmese writes medials, vowels and tones as marks, most of them beside each other."""

_JOINERS = "\u200c\u200d"
_NEEDS_JOINERS = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\ufb50-\ufdff\ufe70-\ufefc]"
)
_PLAIN = re.compile(r"[!-%'-~]+(?: [!-%'-~]+)*")  # printable ASCII but the ampersand, single spaces
_SPACES = re.compile(r" +")
_VARIANTS = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef]")


class Cleaned(NamedTuple):
    """The text and how many characters were cut from its end (0 if none)."""

    text: str
    cut_chars: int


def clean(text: str, chars_max: int, *, keep_lines: bool = False) -> Cleaned:
    """The text as it can be drawn, at most `chars_max` characters; line breaks stay if `keep_lines`.

    The work is bounded by `chars_max`, not by the length of the text.
    """
    if len(text) <= chars_max and _PLAIN.fullmatch(text):
        return Cleaned(text, 0)
    window = text[: 2 * chars_max]  # entities and controls shrink what they stand for
    washed = _wash(html.unescape(window), keep_lines=keep_lines)
    cut = max(len(washed) - chars_max, 0) + len(text) - len(window)
    return Cleaned(washed[:chars_max].rstrip(), cut)


def _wash(text: str, *, keep_lines: bool) -> str:
    kept: list[str] = []
    marks_left = 0
    for char in _VARIANTS.sub("", text):
        category = unicodedata.category(char)
        if category[0] == "M":
            if marks_left == 0:
                continue
            marks_left -= 1
        elif category != "Cf":
            # a mark without a letter would be drawn on a dotted circle
            marks_left = 0 if category[0] == "Z" or category == "Cc" else _marks_max(char)
        kept.append(_kept(char, category, kept[-1] if kept else ""))
    lines = "".join(kept).split("\n")
    trimmed = [_SPACES.sub(" ", line).strip() for line in lines]
    joined = ("\n" if keep_lines else " ").join(line for line in trimmed if line)
    return unicodedata.normalize("NFC", joined)


def _marks_max(letter: str) -> int:
    return MYANMAR_MARKS_MAX if "\u1000" <= letter <= "\u109f" else MARKS_MAX


def _kept(char: str, category: str, before: str) -> str:
    if char in "\n\x0b\x0c\x85" or category in {"Zl", "Zp"}:
        return "\n"
    if char == "\t" or category == "Zs":
        return " "
    if category == "Cc":
        return ""
    if category == "Cf":
        return char if char in _JOINERS and _NEEDS_JOINERS.match(before) else ""
    return char
