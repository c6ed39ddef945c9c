"""The scripts beyond FiraGO's: real words, whose letters stand and join as their readers expect."""

import hashlib
from pathlib import Path

import manimgx_fonts
import pytest

from services.proofgen import fonts
from services.proofgen.cleaning import clean
from services.proofgen.fonts import FontError, Typeface, sized
from services.proofgen.runs import Style, _face_and_script, covered, runs
from services.proofgen.scripts import SCRIPTS, script_of
from services.proofgen.shaping import Shaped, shape
from services.proofgen.wrapping import wrap

STYLE = Style(26)
ADDRESSES = {
    "Armn": "Պարոն Արամ Հակոբյան, Մաշտոցի պողոտա, Երևան",
    "Beng": "শ্রী কিশোর চক্রবর্তী, রবীন্দ্র সরণি ১২, কলকাতা",
    "Ethi": "አቶ ተስፋዬ ገብረ ሥላሴ፣ ቦሌ መንገድ፣ አዲስ አበባ",
    "Gujr": "શ્રી કિરીટ પટેલ, આશ્રમ રોડ, અમદાવાદ",
    "Guru": "ਸ਼੍ਰੀ ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ, ਮਾਲ ਰੋਡ, ਅੰਮ੍ਰਿਤਸਰ",
    "Khmr": "លោក សុខ ស្រីពៅ ផ្លូវព្រះនរោត្តម រាជធានីភ្នំពេញ",
    "Knda": "ಶ್ರೀ ಕೃಷ್ಣಮೂರ್ತಿ, ಮಹಾತ್ಮ ಗಾಂಧಿ ರಸ್ತೆ, ಬೆಂಗಳೂರು",
    "Laoo": "ນາງ ບຸນມີ ສີສຸວັນ, ຖະໜົນ ລ້ານຊ້າງ, ວຽງຈັນ",
    "Mlym": "ശ്രീ കൃഷ്ണൻ നായർ, എം.ജി. റോഡ്, തിരുവനന്തപുരം",
    "Mymr": "ဦးကျော်မြင့် ဗိုလ်ချုပ်အောင်ဆန်းလမ်း ရန်ကုန်",
    "Orya": "ଶ୍ରୀ ପ୍ରଫୁଲ୍ଲ ମହାନ୍ତି, ଜନପଥ, ଭୁବନେଶ୍ୱର",
    "Sinh": "අනුර දිසානායක, ශ්‍රී ජයවර්ධනපුර, ගාලු පාර, කොළඹ",
    "Taml": "திரு. கொ. வேலுமணி, காந்தி சாலை, சென்னை",
    "Telu": "శ్రీ వెంకటేశ్వర రావు, గాంధీ రోడ్డు, హైదరాబాద్",
}


def face_of(text: str) -> Typeface:
    return runs(text, STYLE, None)[0].face


def glyphs(text: str) -> list[int]:
    """From left to right."""
    return [glyph for _, glyph, _, _ in shape(text, STYLE).glyphs]


def plain(letter: str) -> int:
    """The letter's glyph when nothing stands beside it."""
    glyph: int = sized(face_of(letter), 26).font.get_nominal_glyph(ord(letter))
    assert glyph
    return glyph


@pytest.mark.parametrize("style", [STYLE, Style(30, bold=True), Style(22, mono=True)])
@pytest.mark.parametrize("code", ADDRESSES)
def test_an_address_is_drawn_as_it_is(code: str, style: Style) -> None:
    text = clean(ADDRESSES[code], 200).text
    shown, replaced, _ = covered(text, style, 200)

    assert (shown, replaced) == (text, False)
    assert 0 not in {glyph for _, glyph, _, _ in shape(shown, style).glyphs}
    assert SCRIPTS[code].file in {run.face.name for run in runs(text, style, None)}


@pytest.mark.parametrize("code", ADDRESSES)
def test_a_word_is_one_run_of_its_script(code: str) -> None:
    word = clean(ADDRESSES[code], 200).text.split(" ")[0].strip(".,")

    assert [(run.script, run.face.name) for run in runs(word, STYLE, None)] == [
        (code, SCRIPTS[code].file)
    ]


@pytest.mark.parametrize(
    ("syllable", "order"),
    [
        ("কি", "িক"),  # Bengali ki: the vowel before its consonant
        ("கொ", "ெகா"),  # Tamil ko: the vowel on both sides
        ("കൊ", "െകാ"),  # Malayalam ko
        ("କି", None),  # Odia ki: a ligature or above
        ("කො", "ෙකා"),  # Sinhala ko
        ("ကေ", "ေက"),  # Burmese ke
        ("កេ", "េក"),  # Khmer ke
    ],
)
def test_vowels_stand_where_they_are_read(syllable: str, order: str | None) -> None:
    text = clean(syllable, 10).text
    found = glyphs(text)

    if order is None:
        assert len(found) <= len(text)
    else:
        assert found == [plain(letter) for letter in order]


@pytest.mark.parametrize(
    ("conjunct", "glyphs_max"),
    [
        ("ক্ষ", 1),  # Bengali ksha
        ("જ્ઞ", 1),  # Gujarati jnya
        ("ಕ್ಷ", 1),  # Kannada ksha
        ("ക്ഷ", 1),  # Malayalam ksha
        ("କ୍ଷ", 1),  # Odia ksha
        ("ஸ்ரீ", 1),  # Tamil shri
        ("క్ష", 2),  # Telugu ksha
        ("ਪ੍ਰ", 2),  # Gurmukhi pra
        ("ක්‍ෂ", 1),  # Sinhala ksha
    ],
)
def test_conjuncts_form(conjunct: str, glyphs_max: int) -> None:
    letters = [char for char in clean(conjunct, 10).text if char != "\u200d"]

    assert len(glyphs(conjunct)) <= glyphs_max < len(letters)


@pytest.mark.parametrize(
    ("stacked", "base"),
    [("ក្ត", "ក"), ("ស្រ", None), ("က္က", "က"), ("ກົ", "ກ")],  # Khmer, Burmese, Lao
)
def test_letters_below_take_no_room_beside(stacked: str, base: str | None) -> None:
    widest = sum(shape(letter, STYLE).width_px for letter in stacked if letter.isalpha())

    if base:
        assert shape(stacked, STYLE).width_px == shape(base, STYLE).width_px
    else:
        assert plain("ស") in glyphs(stacked)[1:]  # the r stands in front, as Khmer writes it
        assert shape(stacked, STYLE).width_px < widest


def test_bold_is_another_instance_of_the_same_face() -> None:
    regular, bold = (shape("শরণি", Style(26, bold=bold)) for bold in (False, True))

    assert [glyph[1] for glyph in regular.glyphs] == [glyph[1] for glyph in bold.glyphs]
    assert regular.width_px < bold.width_px


def test_no_line_breaks_inside_of_a_conjunct_or_after_a_vowel_that_stands_first() -> None:
    for text in ("চক্রবর্ত্তীশ্রীকৃষ্ণক্ষ" * 4, "เก่งแม่โตใจไทย" * 6, "ព្រះនរោត្តមស្រី" * 6):
        lines = wrap(text, STYLE, 150, 100).lines

        assert len(lines) > 3
        for line in lines[:-1]:
            assert line.text[-1] not in "\u09cd\u17d2เแโใไ"


def test_no_chain_of_conjuncts_is_wider_than_its_line() -> None:
    assert max(line.width_px for line in wrap("ক্" * 300, STYLE, 200, 1_000).lines) <= 200
    assert max(Shaped("ক্" * 300, STYLE).advances()) < 200 * 64


def test_no_character_is_wider_than_the_narrowest_column() -> None:
    widest = max(
        sized(face, 26).font.get_glyph_h_advance(glyph)
        for code in SCRIPTS
        for face in (*STYLE.chain().faces, fonts._of_script(code, bold=True))
        for letter in face.coverage
        if (glyph := sized(face, 26).font.get_nominal_glyph(letter))
    )

    assert widest / 64 < 156 / 2


def test_a_space_after_a_picture_is_a_space() -> None:
    wide, narrow = shape("\U0001f600 \U0001f600", STYLE), shape("\U0001f600" * 2, STYLE)

    assert wide.width_px - narrow.width_px == shape(" ", STYLE).width_px


def test_scripts_are_told_apart_by_their_letters() -> None:
    assert [script_of(text) for text in ("A", "1", "中", "к", "ক", "ክ", "\U0001f600")] == [
        None,
        None,
        None,
        None,
        "Beng",
        "Ethi",
        "Zsye",
    ]


def test_faces_of_scripts_are_opened_when_a_text_needs_them() -> None:
    fonts._of_script.cache_clear()
    _face_and_script.cache_clear()
    fonts.load()
    shape("Łódź 深圳", STYLE)
    assert fonts._of_script.cache_info().currsize == 0

    shape("Արամ", STYLE)
    assert fonts._of_script.cache_info().currsize == 1


def test_another_file_than_the_pinned_one_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in SCRIPTS.values():
        whole = fonts._script_file(script).read_bytes()
        assert hashlib.sha256(whole).hexdigest() == script.sha256
        (tmp_path / f"{script.file}[wght].ttf").write_bytes(whole)
    (tmp_path / "NotoSansKhmer[wght].ttf").write_bytes(b"another version")
    monkeypatch.setattr(manimgx_fonts, "__file__", str(tmp_path / "__init__.py"))

    with pytest.raises(FontError, match="NotoSansKhmer"):
        fonts.load()
