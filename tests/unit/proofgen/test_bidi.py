"""Text of both directions is put in the order of Unicode's algorithm.

The visual texts were computed by another implementation (unicode-bidi, through python-bidi 0.6).
"""

import pytest

from services.proofgen import bidi


def visual(text: str) -> str:
    levels = bidi.levels(text, bidi.base_level(text))
    return "".join(text[index] for index in bidi.visual_order(levels))


@pytest.mark.parametrize(
    ("logical", "seen"),
    [
        ("שלום עולם (ABC) 123", "123 )ABC( םלוע םולש"),
        ("Foo שלום (עולם) bar", "Foo )םלוע( םולש bar"),
        ("شركة الشحن ABC المحدودة 12", "12 ةدودحملا ABC نحشلا ةكرش"),
        ("Hotel נווה צדק, room 12-34", "Hotel קדצ הוונ, room 12-34"),
        ("מחיר: 45.50 ₪ בלבד", "דבלב ₪ 45.50 :ריחמ"),
        ("+966 11 465 الهاتف", "فتاهلا 465 11 966+"),
        ("الطابق 3, مبنى 120", "120 ىنبم ,3 قباطلا"),
        ("ABC (שלום [12] x) ד", "ABC (]12[ םולש x) ד"),
        ("12/F שדרות 5", "12/F 5 תורדש"),
        ("א-ב, c-d", "c-d ,ב-א"),
        ("السعر ١٢٣٫٥ ريال", "لاير ١٢٣٫٥ رعسلا"),
        ("x ב(y", "x ב(y"),
        ("מס' 5 (א)", ")א( 5 'סמ"),
        ("שדרות רוטשילד 12 דירה 4", "4 הריד 12 דלישטור תורדש"),
        ("Tel-Aviv תל-אביב 61000", "Tel-Aviv 61000 ביבא-לת"),
    ],
)
def test_the_order_is_unicodes(logical: str, seen: str) -> None:
    assert seen == visual(logical)


@pytest.mark.parametrize(
    ("text", "level"), [("abc אבג", 0), ("אבג abc", 1), ("123 !", 0), ("(12) شركة", 1), ("", 0)]
)
def test_the_first_strong_letter_sets_the_direction(text: str, level: int) -> None:
    assert level == bidi.base_level(text)


@pytest.mark.parametrize(
    ("text", "found"), [("Köln, 北京 & Αθήνα", False), ("שלום", True), ("12 ٣", True)]
)
def test_texts_without_right_to_left_letters_are_told_at_once(text: str, found: bool) -> None:
    assert found is bidi.has_right_to_left(text)


def test_deep_nesting_of_brackets_is_bounded() -> None:
    text = "א" + "(" * 500 + "b" + ")" * 500

    assert sorted(range(len(text))) == sorted(bidi.visual_order(bidi.levels(text, 1)))
