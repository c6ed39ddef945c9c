"""Text is made fit to be drawn, whatever it was."""

import pytest

from services.proofgen.cleaning import MARKS_MAX, clean


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Plain text", "Plain text"),
        ("", ""),
        ("  two   spaces\t", "two spaces"),
        ("Fish &amp; Chips &lt;Ltd&gt; &#39;x&#39;", "Fish & Chips <Ltd> 'x'"),
        ("&amp;amp; once", "&amp; once"),
        ("nul\x00 bell\x07 del\x7f", "nul bell del"),
        ("evil\u202egnp.exe\u202c", "evilgnp.exe"),
        ("\u2066isolated\u2069", "isolated"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("no\u00a0break\u2003em", "no break em"),
        ("heart\u2764\ufe0f", "heart\u2764"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("e\u0301", "é"),
        ("e\u200b\u0301", "é"),
        (" \u0301\u0301a \u093e", "a"),
        ("line\nbreak", "line break"),
        ("Latin\u200djoiner", "Latinjoiner"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("ශ්\u200dරී", "ශ්\u200dරී"),
        ("ស\u200cេ", "ស\u200cេ"),
        ("\U0001f44d\U0001f3fd", "\U0001f44d"),
        ("မျှော့", "မျှော့"),
    ],
)
def test_what_cannot_or_must_not_be_drawn_goes(raw: str, expected: str) -> None:
    assert (expected, 0) == clean(raw, 100)


def test_line_breaks_stay_where_they_are_wanted() -> None:
    cleaned = clean("one\r\ntwo\u2028\n\n  three ", 100, keep_lines=True)

    assert cleaned.text == "one\ntwo\nthree"


def test_stacked_marks_are_thinned_out() -> None:
    cleaned = clean("z" + "\u0335" * 50 + "a", 100)

    assert cleaned.text == "z" + "\u0335" * MARKS_MAX + "a"


def test_a_cut_tells_how_much_was_cut() -> None:
    assert clean("x" * 10_000, 10) == ("x" * 10, 9_990)


def test_a_text_of_entities_is_not_cut_for_its_length_in_code() -> None:
    assert clean("&amp;" * 20, 100) == ("&" * 20, 0)


@pytest.mark.parametrize("raw", ["&amp; \u202e x  y", "e\u0301\u200b", "a\n\nb"])
def test_cleaning_twice_changes_nothing(raw: str) -> None:
    once = clean(raw, 50).text

    assert once == clean(once, 50).text
