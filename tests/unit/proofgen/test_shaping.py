"""Every script finds its font and its shapes; what has none is named."""

import pytest

from services.proofgen.fonts import UNITS_PER_PX, glyph_mask, sized
from services.proofgen.runs import Style, covered
from services.proofgen.shaping import Shaped, shape

STYLE = Style(26)
SCRIPTS = {
    "Latin": "Łódź, Đà Nẵng, Türkçe ışık, Größe, Århus",
    "Cyrillic": "Санкт-Петербург, Київ, Ђорђе",
    "Greek": "Θεσσαλονίκη, Αθήνα",
    "Chinese, simplified": "广东省深圳市南山区粤海街道科技园",
    "Chinese, traditional": "臺灣臺北市信義區，香港灣仔軒尼詩道",
    "Japanese": "東京都港区芝公園４丁目、株式会社ライトスター",
    "Korean": "서울특별시 강남구 테헤란로 삼성동",
    "Arabic": "المملكة العربية السعودية، الرياض ١٢٣",
    "Persian": "تهران، خیابان ولیعصر، پلاک ۱۲",
    "Hebrew": "תל אביב, שדרות רוטשילד",
    "Thai": "กรุงเทพมหานคร ถนนสุขุมวิท",
    "Devanagari": "नई दिल्ली, कनॉट प्लेस, क्षेत्र",
    "Georgian": "თბილისი",
    "symbols": "€ £ ¥ ₹ № ™ ± × ≠ ✓ ☎ 📦",
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
@pytest.mark.parametrize("style", [STYLE, Style(30, bold=True), Style(22, mono=True)])
def test_every_script_is_drawn_without_a_missing_glyph(text: str, style: Style) -> None:
    shown, replaced, _ = covered(text, style, 200)
    line = shape(shown, style)

    assert not replaced
    assert text == shown
    assert 0 not in {glyph for _, glyph, _, _ in line.glyphs}
    assert line.width_px > 100


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Box \U0001fbff!", "Box [U+1FBFF]!"),
        ("བོད", "[U+0F56][U+0F51]"),
        ("\ue000", "[U+E000]"),
        ("\ufdd0\ud800", "[U+FDD0][U+D800]"),
    ],
)
def test_a_character_that_no_font_has_is_named(text: str, shown: str) -> None:
    assert (shown, True, 0) == covered(text, STYLE, 200)


def test_marks_that_the_fonts_of_their_letter_lack_are_left_out() -> None:
    shown, replaced, _ = covered("中\u05b7", STYLE, 200)

    assert (shown, replaced) == ("中", True)


def test_named_characters_find_room_or_are_cut() -> None:
    assert covered("a\ue000\ue000b", STYLE, 20) == ("a[U+E000][U+E000]b", True, 0)
    assert covered("a\ue000\ue000b", STYLE, 12) == ("a[U+E000]", True, 2)


def test_arabic_letters_join() -> None:
    joined = [glyph for _, glyph, _, _ in shape("ععع", STYLE).glyphs]
    alone = [glyph for _, glyph, _, _ in shape("ع", STYLE).glyphs]

    assert len(joined) == 3
    assert len(set(joined) - set(alone)) == 3


def test_devanagari_conjuncts_form() -> None:
    assert len(shape("क्ष", STYLE).glyphs) < len("क्ष")


def test_thai_marks_take_no_room() -> None:
    assert shape("กิ่", STYLE).width_px == shape("ก", STYLE).width_px


def test_letters_are_kerned() -> None:
    assert shape("AVAVA", STYLE).width_px < 3 * shape("A", STYLE).width_px + 2 * (
        shape("V", STYLE).width_px
    )


def test_digits_in_columns_have_one_width() -> None:
    tabular = Style(26, tabular=True)

    assert shape("111", tabular).width_px == shape("800", tabular).width_px


@pytest.mark.parametrize(
    ("text", "country", "region"),
    [
        ("直径", None, "CN"),
        ("直径", "JP", "JP"),
        ("直径", "TW", "TW"),
        ("直径", "MO", "HK"),
        ("直径 テープ", "CN", "JP"),
        ("직경 直徑", None, "KR"),
        ("plain", "JP", "CN"),
    ],
)
def test_chinese_characters_take_the_forms_of_their_region(
    text: str, country: str | None, region: str
) -> None:
    assert region == STYLE.for_text(text, country).region


def test_regional_forms_differ() -> None:
    forms = {shape("直骨", Style(26, region=region)).glyphs[0][1] for region in ("CN", "JP")}

    assert len(forms) == 2


def test_right_to_left_runs_from_the_right() -> None:
    first_letter_of_word = shape("אב", STYLE).glyphs[-1]
    alone = shape("א", STYLE).glyphs[0]

    assert alone[1] == first_letter_of_word[1]
    assert first_letter_of_word[2] > 0


def test_a_word_of_another_font_stands_where_it_belongs_in_right_to_left_text() -> None:
    line = shape("שלום ABC中文 עולם", STYLE)
    names = [font.typeface.name for font, _, _, _ in line.glyphs]

    # from the left: the last Hebrew word, ABC, the Chinese word, the first Hebrew word
    assert names.index("Noto Sans CJK CN") == len("עולם ") + len("ABC")


def test_widths_of_characters_add_up_to_the_line() -> None:
    for text in SCRIPTS.values():
        assert sum(Shaped(text, STYLE).advances()) / UNITS_PER_PX == shape(text, STYLE).width_px


def test_the_process_locale_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = shape("直骨 i", STYLE).glyphs
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")

    assert before == shape("直骨 i", STYLE).glyphs


def test_a_mask_holds_the_whole_glyph() -> None:
    face = STYLE.chain().first
    font = sized(face, 26)
    glyph = font.font.get_nominal_glyph(ord("H"))
    mask = glyph_mask(font, glyph, 0)

    assert mask is not None
    assert mask.top_px == -mask.image.height
    assert mask.image.getextrema()[1] == 255
    assert glyph_mask(font, font.font.get_nominal_glyph(ord(" ")), 0) is None
