"""The third language: complete, in its place on both papers, and nothing but the fixed texts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pytest

from services.proofgen import labels
from services.proofgen.captions import Captions
from services.proofgen.document import (
    AddressMatch,
    AddressPart,
    Difference,
    ItemLine,
    Parcel,
    ProofDocument,
    RenderedProof,
)
from services.proofgen.grid import A4, LETTER, WIDTH, Paper
from services.proofgen.labels import LANGUAGES, Label, translated, words
from services.proofgen.marks import BoxMark, SymbolMark, TextMark
from services.proofgen.pages import Page, lay_out
from services.proofgen.render import render
from services.proofgen.runs import Style, covered
from services.proofgen.typesetter import Typesetter
from waybill.contracts.proof import Language, PaperSize

SPACE_PX = 8
"""Between two texts of one line: less would read as one."""


def all_labels() -> Iterator[Label]:
    for value in vars(labels).values():
        if isinstance(value, Label):
            yield value
    yield from labels.LOGISTICS_TYPES.values()


def named_places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def pages_in(document: ProofDocument, language: str | None) -> list[Page]:
    setter = Typesetter(Captions(language))
    return lay_out(document, document.payload_sha256(), setter)


def documents(specimen: ProofDocument, sparse: ProofDocument) -> Iterator[ProofDocument]:
    """Between them, every label of the page in its narrowest place."""
    differing = AddressMatch(
        compared=True, differences=(Difference(AddressPart.CITY, "Berlin", "Bonn"),)
    )
    nameless = (ItemLine(None, Decimal("99999999999999.9999")),)
    yield specimen
    yield sparse
    yield replace(sparse, items=(), items_are_whole_order=False)
    yield replace(specimen, ship_to=sparse.ship_to, logistics_type="POST", document_id="d" * 36)
    yield replace(
        specimen,
        address_match=differing,
        items=nameless * 61,
        parcels=(Parcel(), *specimen.parcels * 20),
        tracking_url="https://dhl.de/track",
    )


def test_a_store_can_choose_every_language_and_paper_there_is() -> None:
    assert set(LANGUAGES) == {language.value for language in Language} - {"UNRECOGNISED"}
    assert {A4.name, LETTER.name} == {size.value for size in PaperSize} - {"UNRECOGNISED"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_all_that_english_says(language: str) -> None:
    wanted = [label for label in all_labels() if label.third is None]

    assert words(language).keys() == {label.en for label in wanted}
    for label in wanted:
        said = words(language)[label.en]
        assert said.strip() == said != ""
        assert named_places(said) == named_places(label.en) == named_places(label.zh)
        assert covered(said, Style(21), 200) == (said, False, 0)


@pytest.mark.parametrize("paper", [A4, LETTER])
@pytest.mark.parametrize("language", [None, *LANGUAGES])
def test_no_label_leaves_its_cell(
    language: str | None, paper: Paper, specimen: ProofDocument, sparse: ProofDocument
) -> None:
    for document in documents(specimen, sparse):
        for page in pages_in(replace(document, paper=paper), language):
            assert [*collisions(page)] == []


class Box(NamedTuple):
    """What a text, rule or code covers of the page."""

    left: float
    top: float
    right: float
    bottom: float
    what: str

    def meets(self, other: "Box") -> bool:
        beside = self.left < other.right + SPACE_PX and other.left < self.right + SPACE_PX
        return beside and self.top < other.bottom and other.top < self.bottom


def collisions(page: Page) -> Iterator[tuple[str, str]]:
    """Texts too near to other texts, rules and codes, or outside of the content."""
    texts, solid = [*_texts(page)], [*_solid(page)]
    for number, text in enumerate(texts):
        if text.left < -6 or text.right > WIDTH + 1:
            yield text.what, "edge"
        for other in (*texts[number + 1 :], *solid):
            if text.meets(other):
                yield text.what, other.what


def _texts(page: Page) -> Iterator[Box]:
    """Each text from the height of capitals to below the baseline."""
    for y, block in page.placed:
        for mark in block.marks:
            if isinstance(mark, TextMark) and mark.line.glyphs:
                size_px = mark.line.glyphs[0][0].size_px
                base, right = y + mark.y, mark.x + mark.line.width_px
                yield Box(
                    mark.x, base - 0.72 * size_px, right, base + 0.1 * size_px, mark.line.text
                )


def _solid(page: Page) -> Iterator[Box]:
    for y, block in page.placed:
        for mark in block.marks:
            left, top = mark.x, y + mark.y
            if isinstance(mark, BoxMark) and mark.width > 100:
                yield Box(
                    left + SPACE_PX, top, left + mark.width - SPACE_PX, top + mark.height, "rule"
                )
            if isinstance(mark, BoxMark) and mark.height > 100:
                yield Box(left, top, left + mark.width, top + mark.height, "frame")
            if isinstance(mark, SymbolMark):
                quiet, image = mark.symbol.quiet_px, mark.symbol.image
                right, bottom = left + image.width - quiet, top + image.height - quiet
                yield Box(left + quiet, top, right, bottom, "code")


def test_values_are_never_translated(specimen: ProofDocument) -> None:
    plain, german = (_all_text(pages_in(specimen, language)) for language in (None, "de"))

    for word in ("Express Worldwide", "Pieces", "Colour temperature: 2700 K", "Germany (DE)"):
        assert word in plain
        assert word in german
    assert "Versandnachweis" in german
    assert "Versandnachweis" not in plain


def test_a_third_language_is_asked_for_by_the_document(sparse: ProofDocument) -> None:
    plain, italian = (render(replace(sparse, third_language=code)) for code in (None, "it"))

    assert isinstance(plain, RenderedProof)
    assert isinstance(italian, RenderedProof)
    assert plain.pages != italian.pages
    assert plain.payload_sha256 != italian.payload_sha256


def test_words_that_read_as_in_english_or_chinese_stand_once() -> None:
    assert translated(labels.QUANTITY, "ja").third == ""
    assert translated(Label("Tel", "电话"), "de").third == ""
    assert translated(Label("EXPRESS", "快递"), "de").third == ""
    assert translated(Label("EXPRESS", "快递"), "fr").third == ""
    assert translated(Label("Service", "服务"), "it").third == "Servizio"


def test_japanese_and_korean_labels_have_their_regional_forms() -> None:
    japanese, korean = (
        Captions(code).lines(labels.ORDER_NUMBER, Style(21)) for code in ("ja", "ko")
    )

    assert [line.glyphs[0][0].typeface.name for line in japanese[1:]] == [
        "Noto Sans CJK CN",
        "Noto Sans CJK JP",
    ]
    assert korean[2].glyphs[0][0].typeface.name == "Noto Sans CJK KR"


def _all_text(pages: list[Page]) -> str:
    return "\n".join(box.what for page in pages for box in _texts(page))
