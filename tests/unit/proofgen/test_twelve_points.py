"""What a fraud reviewer checks, point by point, on the image that leaves the house and against the claim.

Claims go in as bytes and proofs come out as bytes. What a page says is read twice: from its marks, and
from the pixels of the file, which have to show exactly those marks.
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import pytest
import zxingcpp
from PIL import Image, ImageChops

from services.proofgen import canvas
from services.proofgen.captions import Captions
from services.proofgen.claims import document_of
from services.proofgen.document import ItemLine, Parcel, ProofDocument, RenderedProof
from services.proofgen.grid import A4, LETTER, Paper
from services.proofgen.marks import Block, Placed, TextMark
from services.proofgen.pages import Page, lay_out
from services.proofgen.proving import Proved, Prover
from services.proofgen.render import render
from services.proofgen.typesetter import Typesetter
from tests.unit.proofgen.claim_examples import CLAIM, ORDER, SHIPMENT, encoded
from waybill.contracts import Proof
from waybill.contracts.base import Address
from waybill.contracts.codec import Codec, SchemaBook

DOCUMENTS = (
    "specimen", "sparse", "many_scripts", "further_scripts", "german_letter", "endless",
)  # fmt: skip


class Answer(NamedTuple):
    """A proof, and the marks that its pages are to show."""

    proof: Proof
    pages: list[Page]

    @property
    def images(self) -> list[Image.Image]:
        return [opened(page.image) for page in self.proof.pages]

    def texts(self) -> str:
        """All that stands on the pages, one text a line."""
        return "\n".join(mark.line.text for page in self.pages for _, mark in text_marks(page))


def opened(file: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(file))
    image.load()
    return image


def text_marks(page: Page) -> Iterator[tuple[int, TextMark]]:
    """With the y of their blocks."""
    for y, block in page.placed:
        yield from ((y, mark) for mark in block.marks if isinstance(mark, TextMark))


@cache
def answer(**changes: Any) -> Answer:
    """The proof of the example claim, its shipment changed so."""
    shipment = SHIPMENT.model_copy(update=changes)
    proved = Prover().prove(encoded(CLAIM, shipment, ORDER))
    assert isinstance(proved, Proved)
    proof = Codec(Proof, "proof", SchemaBook()).decode(proved.value)
    return Answer(proof, pages_of(document_of(CLAIM, shipment, ORDER)))


def pages_of(document: ProofDocument) -> list[Page]:
    setter = Typesetter(Captions(document.third_language))
    return lay_out(document, document.payload_sha256(), setter)


def shows(image: Image.Image, page: Page, text: str) -> bool:
    """Whether the text stands on the page, and the file has exactly its pixels there."""
    found = [(y, mark) for y, mark in text_marks(page) if mark.line.text == text]
    pairs = [pair for y, mark in found if (pair := drawn_and_filed(image, page, y, mark))]
    return bool(pairs) and all(drawn.tobytes() == filed.tobytes() for drawn, filed in pairs)


MARGIN_PX = 84
"""Left and right; half of it, the least that printers keep, above and below."""
STRIP_BASELINE, STRIP_HEIGHT = 200, 300


def drawn_and_filed(
    image: Image.Image, page: Page, y: int, mark: TextMark
) -> tuple[Image.Image, Image.Image] | None:
    """The text drawn alone, and what the file has in its place; None for a text without ink."""
    strip = Paper("strip", page.paper.width_px, STRIP_HEIGHT)
    placed = Placed(STRIP_BASELINE - mark.y, Block(0, (mark,)))
    sheet = canvas.draw(Page((placed,), strip))
    alone = sheet.crop((1, 0, sheet.width, sheet.height))  # without the column of file format
    box = alone.point(lambda value: 255 - value).getbbox()
    if box is None:
        return None
    left, top, right, bottom = box
    up = STRIP_BASELINE - mark.y - y
    return alone.crop(box), image.crop((left, top - up, right, bottom - up))


def codes_in(image: Image.Image) -> set[str]:
    return {code.text for code in zxingcpp.read_barcodes(image)}


def test_1_the_order_id_on_the_image_is_the_trades() -> None:
    found = answer()

    assert shows(found.images[0], found.pages[0], ORDER.trade_id)
    assert CLAIM.order_key.endswith(f":{ORDER.trade_id}")


def test_2_the_tracking_number_is_read_by_eye_and_scanner_and_is_the_one_declared() -> None:
    found = answer()
    number = SHIPMENT.tracking_number or ""
    groups = [number[start : start + 4] for start in range(0, len(number), 4)]
    large = {mark.line.text for _, mark in text_marks(found.pages[0]) if _size_px(mark) >= 40}

    assert number in codes_in(found.images[0])
    assert all(shows(found.images[0], found.pages[0], group) for group in groups)
    assert set(groups) <= large  # 40 px are 14 pt


def test_3_the_carrier_is_the_one_declared() -> None:
    found = answer()

    assert shows(found.images[0], found.pages[0], f"Alibaba code {CLAIM.carrier_code}")
    assert shows(found.images[0], found.pages[0], "FedEx")
    assert shows(found.images[0], found.pages[0], CLAIM.logistics_type.value)


def test_4_the_recipient_is_the_orders_whatever_the_label_says() -> None:
    elsewhere = Address(
        name="Somebody Else",
        company="Other s.r.o.",
        lines=("Krátká 1",),
        city="Brno",
        phone="+420 2",
    )
    found = answer(ship_to=elsewhere)
    to = ORDER.ship_to
    assert to is not None

    for text in (to.name, to.company, *to.lines, to.phone, *to.latin):
        assert shows(found.images[0], found.pages[0], text or "?"), text
    assert "The label differs from the order" in found.texts()
    assert "Somebody Else, Other s.r.o. (label 面单)" in " ".join(found.texts().split())
    assert "address_differs" in found.proof.warnings


def test_5_the_date_is_not_after_the_upload_and_not_before_the_order_or_the_proof_says_so() -> None:
    assert SHIPMENT.shipped_at is not None
    assert ORDER.ordered_at is not None
    fine = answer()
    early = answer(shipped_at=ORDER.ordered_at - timedelta(hours=1))
    late = answer(shipped_at=CLAIM.issued_at + timedelta(hours=1))

    assert ORDER.ordered_at <= SHIPMENT.shipped_at <= CLAIM.issued_at
    assert shows(fine.images[0], fine.pages[0], "16:15:00 +08:00")
    assert not {"shipped_before_order", "shipped_after_issue"} & set(fine.proof.warnings)
    assert "shipped_before_order" in early.proof.warnings
    assert "shipped_after_issue" in late.proof.warnings


def test_6_the_items_are_of_the_order_and_not_more_than_ordered() -> None:
    found = answer()
    ordered = {item.name: item.quantity for item in ORDER.items}
    lines = found.texts().split("\n")
    shown = {
        name: Decimal(lines[lines.index(name) + _to_quantity(lines, name)]) for name in ordered
    }

    assert shown.keys() == ordered.keys()
    assert all(shown[name] <= ordered[name] for name in ordered)
    assert all(shows(found.images[0], found.pages[0], name) for name in ordered)


def _to_quantity(lines: list[str], name: str) -> int:
    """Options may stand between an item's name and its quantity."""
    after = lines[lines.index(name) :]
    return next(number for number, text in enumerate(after) if text.replace(".", "").isdigit())


def test_7_the_sender_is_named() -> None:
    found = answer()
    sender = SHIPMENT.ship_from
    assert sender is not None

    for text in (sender.name, sender.company, sender.phone, *sender.latin):
        assert shows(found.images[0], found.pages[0], text or "?"), text
    assert "Example Lighting" in found.texts()  # the issuer


@pytest.mark.parametrize("name", DOCUMENTS)
def test_8_all_corners_are_there_nothing_is_cut_and_no_glyph_is_a_box(
    name: str, request: pytest.FixtureRequest
) -> None:
    document = request.getfixturevalue(name)
    result = render(document)
    assert isinstance(result, RenderedProof)
    paper = document.paper

    for file, page in zip(result.pages, pages_of(document), strict=True):
        image = opened(file)
        assert image.size == (paper.width_px, paper.height_px)
        ink = image.point(lambda value: 255 - value).getbbox()
        assert ink is not None
        left, top, right, bottom = ink
        assert left >= MARGIN_PX
        assert right <= paper.width_px - MARGIN_PX
        assert top >= MARGIN_PX // 2
        assert bottom <= paper.height_px - MARGIN_PX // 2
        for y, mark in text_marks(page):
            assert 0 not in {glyph for _, glyph, _, _ in mark.line.glyphs}
            if pair := drawn_and_filed(image, page, y, mark):
                drawn, filed = pair  # marks of neighbouring lines may only add ink
                assert ImageChops.subtract(filed, drawn).getbbox() is None, mark.line.text


def test_9_it_says_that_the_seller_issued_it() -> None:
    found = answer()

    for page, image in zip(found.pages, found.images, strict=True):
        assert shows(
            image,
            page,
            "Issued by the seller from its own shipping records. Not a carrier document; does not show "
            "delivery.",
        )
        assert shows(
            image, page, "本凭证由卖家根据自身发货记录出具，非承运商单据，不代表货物已送达。"
        )
    assert shows(found.images[0], found.pages[0], "Issued by the seller")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_10_it_is_under_a_megabyte_and_opens_everywhere(
    name: str, request: pytest.FixtureRequest
) -> None:
    result = render(request.getfixturevalue(name))
    assert isinstance(result, RenderedProof)

    for file in result.pages:
        assert len(file) < 1_000_000
        assert file[:8] == b"\x89PNG\r\n\x1a\n"
        depth, colour, *_, interlaced = file[24:29]
        assert (depth, colour, interlaced) == (8, 0, 0)
        assert opened(file).mode == "L"


def test_11_the_hash_on_the_page_is_the_stored_one() -> None:
    found = answer()
    stored = found.proof.payload_sha256 or ""
    digits = " ".join(stored[start : start + 4] for start in range(0, 16, 4))

    assert len(stored) == 64
    for page, image in zip(found.pages, found.images, strict=True):
        assert shows(image, page, digits)
    assert digits not in answer(tracking_number="776705370629").texts()


@pytest.mark.parametrize("name", ["specimen", "german_letter"])
@pytest.mark.parametrize("black_below", [96, 128, 160])
def test_12_both_codes_are_read_at_half_size_in_black_and_white(
    name: str, black_below: int, request: pytest.FixtureRequest
) -> None:
    document = request.getfixturevalue(name)
    result = render(document)
    assert isinstance(result, RenderedProof)
    image = opened(result.pages[0])
    half = image.resize((image.width // 2, image.height // 2))
    copied = half.point(lambda value: 255 * (value >= black_below)).convert("1")

    assert codes_in(copied.convert("L")) == {document.tracking_number, document.tracking_url}


@pytest.mark.parametrize("paper", [A4, LETTER])
def test_12_a_black_and_white_copy_keeps_every_text(specimen: ProofDocument, paper: Any) -> None:
    document = replace(specimen, paper=paper)
    for page in pages_of(document):
        assert {mark.ink for _, mark in text_marks(page)} <= set(range(64))


def _size_px(mark: TextMark) -> int:
    return mark.line.glyphs[0][0].size_px if mark.line.glyphs else 0


def test_a_second_page_names_what_it_belongs_to(specimen: ProofDocument) -> None:
    items = tuple(ItemLine(f"Item {number}", Decimal(1)) for number in range(40))
    document = replace(specimen, items=items, parcels=(Parcel("P"),) * 3)
    result = render(document)
    assert isinstance(result, RenderedProof)

    for file, page in zip(result.pages[1:], pages_of(document)[1:], strict=True):
        assert shows(opened(file), page, document.order_id)
        assert shows(opened(file), page, document.tracking_number or "")
