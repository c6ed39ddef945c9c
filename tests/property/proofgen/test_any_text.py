"""Whatever a text is, it is made fit to be drawn, wrapped and shaped without a loss."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.proofgen import bidi
from services.proofgen.cleaning import clean
from services.proofgen.runs import Style, covered
from services.proofgen.shaping import shape
from services.proofgen.wrapping import wrap
from tests.property.proofgen.documents import ANY, HARD, LONG, SHAPED

STYLE = Style(26)
TEXT = ANY | SHAPED | HARD | LONG


@settings(max_examples=200, deadline=None)
@given(TEXT, st.integers(1, 200))
def test_cleaned_text_is_bounded_and_clean(text: str, chars_max: int) -> None:
    cleaned = clean(text, chars_max)

    assert len(cleaned.text) <= chars_max
    assert cleaned.text.isprintable() or not cleaned.text.isascii()
    assert not set(cleaned.text) & set("\n\r\t\x00\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2069")
    assert "  " not in cleaned.text


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_covered_text_has_no_missing_glyph(text: str) -> None:
    shown = covered(clean(text, 200).text, STYLE, 2_000).text

    assert 0 not in {glyph for _, glyph, _, _ in shape(shown, STYLE).glyphs}


@settings(max_examples=150, deadline=None)
@given(TEXT, st.sampled_from([150, 300, 702]))
def test_wrapping_loses_no_letter_and_keeps_the_width(text: str, width_px: int) -> None:
    shown = covered(clean(text, 300).text, STYLE, 3_000).text
    lines = wrap(shown, STYLE, width_px, 1_000).lines

    assert shown.replace(" ", "") == "".join(line.text for line in lines).replace(" ", "")
    assert all(line.width_px <= width_px for line in lines)


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_bidi_only_reorders(text: str) -> None:
    levels = bidi.levels(text, bidi.base_level(text))

    assert sorted(bidi.visual_order(levels)) == list(range(len(text)))
    assert all(0 <= level <= 2 for level in levels)
