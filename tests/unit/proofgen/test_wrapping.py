"""Lines break where a reader expects it, and never run over."""

import re

import pytest

from services.proofgen.document import ProofWarning
from services.proofgen.runs import Style
from services.proofgen.typesetter import Typesetter
from services.proofgen.wrapping import wrap

STYLE = Style(26)


def texts(text: str, width_px: int) -> list[str]:
    return [line.text for line in wrap(text, STYLE, width_px, 1_000).lines]


def test_words_stay_whole() -> None:
    assert texts("The quick brown fox jumps over the lazy dog", 300) == [
        "The quick brown fox",
        "jumps over the lazy dog",
    ]


def test_chinese_breaks_between_characters_but_not_before_a_full_stop() -> None:
    lines = texts("广东省深圳市南山区粤海街道。科技园", 26 * 13)

    assert lines == ["广东省深圳市南山区粤海街", "道。科技园"]


def test_an_opening_bracket_goes_with_what_it_opens() -> None:
    assert all(not line.endswith("（") for line in texts("深圳市亮星科技（集团）有限公司", 26 * 8))


def test_a_word_longer_than_the_line_breaks_inside() -> None:
    lines = texts("x" * 100, 200)

    assert len(lines) > 1
    assert "".join(lines) == "x" * 100


def test_a_long_code_breaks_after_its_hyphen() -> None:
    assert texts("ABCDEFGHIJ-KLMNOPQRST", 240)[0] == "ABCDEFGHIJ-"


@pytest.mark.parametrize("width_px", [60, 100, 333, 700])
@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox-and-more/and 广东省深圳市 Ünïcödé",
        "شارع الملك فهد، مبنى 120 الرياض",
        "กรุงเทพมหานคร" * 5,
    ],
)
def test_no_line_is_too_wide_and_nothing_is_lost(text: str, width_px: int) -> None:
    lines = wrap(text, STYLE, width_px, 1_000).lines

    assert all(line.width_px <= width_px for line in lines)
    assert text.replace(" ", "") == "".join(line.text for line in lines).replace(" ", "")


def test_given_line_breaks_stay() -> None:
    assert texts("one\ntwo", 500) == ["one", "two"]


@pytest.mark.parametrize(
    ("width_px", "statement"), [(600, r" … \[\+(\d+) characters\]$"), (200, r"…\[\+(\d+)\]$")]
)
def test_what_has_no_room_is_counted(width_px: int, statement: str) -> None:
    setter = Typesetter()
    text = "word" * 100
    first, last = setter.lines(text, STYLE, width_px, lines_max=2, chars_max=1_000)
    found = re.search(statement, last.text)

    assert found is not None
    assert len(text) == len(first.text) + found.start() + int(found[1])
    assert last.width_px <= width_px
    assert setter.warnings == {ProofWarning.TEXT_CUT}


def test_what_fits_raises_no_warning() -> None:
    setter = Typesetter()

    assert setter.line("short", STYLE, 300, 10).text == "short"
    assert not setter.warnings
