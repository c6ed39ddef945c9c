"""The pages of a slip: everything to pick is there once, and a scanner reads the order."""

import hashlib
import io
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from decimal import Decimal

import pytest
import zxingcpp
from PIL import Image

from services.proofgen import canvas
from services.proofgen.captions import Captions
from services.proofgen.document import ItemLine, ProofWarning
from services.proofgen.grid import A4, LETTER, WIDTH, Paper
from services.proofgen.labels import LANGUAGES
from services.proofgen.marks import WHITE, Block, BoxMark, ImageMark, Placed, TextMark
from services.proofgen.pages import Page
from services.proofgen.slip import render as render_module
from services.proofgen.slip.document import (
    RenderedSlip,
    SlipDocument,
    SlipLine,
    SlipRefusal,
    SlipRefusalReason,
)
from services.proofgen.slip.items import PICTURE_PX
from services.proofgen.slip.pages import lay_out
from services.proofgen.slip.render import PAGES_MAX, render_slip
from services.proofgen.typesetter import Typesetter
from tests.unit.proofgen.test_languages import collisions

ALL = ("specimen", "sparse", "pictured", "held_letter", "many_scripts", "endless")


def pages_of(document: SlipDocument) -> list[Page]:
    return lay_out(document, Typesetter(Captions(document.third_language)))


def marks(page: Page) -> list[TextMark]:
    every = (mark for placed in page.placed for mark in placed.block.marks)
    return [mark for mark in every if isinstance(mark, TextMark)]


def meetings(page: Page) -> list[tuple[str, str]]:
    """What stands too near to anything else; white words may stand on a black band, and only there."""
    placed, strays = [], []
    for y, block in page.placed:
        white = [mark for mark in block.marks if isinstance(mark, TextMark) and mark.ink == WHITE]
        bands = [
            mark for mark in block.marks if isinstance(mark, BoxMark) and 50 < mark.height < 70
        ]
        strays += [
            (word.line.text, "band") for word in white if not any(holds(b, word) for b in bands)
        ]
        rest = tuple(mark for mark in block.marks if mark not in (*white, *bands))
        placed.append(Placed(y, Block(block.height_px, rest)))
    return [*strays, *collisions(Page(tuple(placed), page.paper))]


def holds(band: BoxMark, word: TextMark) -> bool:
    right = word.x + word.line.width_px
    inside = band.x + 8 < word.x < right < band.x + band.width - 8
    return inside and band.ink == 0 and band.y + 35 < word.y < band.y + band.height - 10


def texts(page: Page) -> str:
    return "\n".join(mark.line.text for mark in marks(page))


def rendered(document: SlipDocument) -> RenderedSlip:
    result = render_slip(document)
    assert isinstance(result, RenderedSlip)
    return result


def opened(file: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(file), formats=["PNG"])
    image.load()
    return image


def numbered(count: int, **changes: object) -> tuple[SlipLine, ...]:
    return tuple(
        SlipLine(
            ItemLine(f"Item no. {n:05}", Decimal(n), f"SKU-{n:05}", "Piece"), f"H{n // 50}-{n:05}"
        )
        for n in range(1, count + 1)
    )


def test_the_slip_shows_what_a_warehouse_needs(specimen: SlipDocument) -> None:
    shown = texts(pages_of(specimen)[0])

    for must in (
        "Packing slip", "装箱单", "255201166001024316", "2026-11-19", "2026-11-30",
        "DHL Express", "Express Worldwide", "se-28529731", "JD014600006281234567",
        "items of this shipment", "李明", "12/F Tower A, Gaoxin South 1st Road",
        "Erika Mustermann", "10969 Berlin", "+49 30 2555 0143",
        "Please deliver before noon", "A-03-2", "LS-24V-5M-WW",
        "LED strip light 24 V, 5 m reel, IP65, warm white",
        "Colour: Signal red · Size: L · Plug: EU", "24", "12.5", "Metres", "4 lines", "48 Pieces",
        "Gift", "Gift message", "Happy birthday, dear Erika!", "Yours, Max",
        "Shenzhen Bright Star Technology Co., Ltd.", "Page 1 of 1", "第 1 页，共 1 页",
    ):  # fmt: skip
        assert must in shown, must


def test_what_nobody_told_is_said_to_be_missing(sparse: SlipDocument) -> None:
    shown = texts(pages_of(sparse)[0])

    # two dates, carrier, service, two addresses, two SKUs, a name
    assert shown.count("not provided") == 9
    for absent in ("Gift", "Location", "Note from the buyer", "Shipment id", "no picture"):
        assert absent not in shown


@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("name", ALL)
def test_a_scanner_reads_the_order_from_the_first_page(
    name: str, scale: float, request: pytest.FixtureRequest
) -> None:
    document = request.getfixturevalue(name)
    page = opened(rendered(document).pages[0])
    seen = page.resize((round(page.width * scale), round(page.height * scale)))

    assert [document.order_id] == [code.text for code in zxingcpp.read_barcodes(seen)]


@pytest.mark.parametrize("paper", [A4, LETTER])
def test_every_line_is_printed_exactly_once_on_as_many_pages_as_it_takes(
    specimen: SlipDocument, paper: Paper
) -> None:
    pages = pages_of(replace(specimen, lines=numbered(400), paper=paper))

    shown = "\n".join(map(texts, pages))
    for pattern in (r"Item no\. (\d{5})", r"SKU-(\d{5})", r"H\d-(\d{5})"):
        assert re.findall(pattern, shown) == [f"{n:05}" for n in range(1, 401)]
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in texts(page)
        assert texts(page).count("\nSKU\n") == 1, "the table's head"
        assert "255201166001024316" in texts(page)


def test_three_thousand_lines_are_bounded_in_time_and_all_there(sparse: SlipDocument) -> None:
    started_s = time.process_time()
    pages = pages_of(replace(sparse, lines=numbered(3_000)))

    assert time.process_time() - started_s < 20
    assert len(pages) <= PAGES_MAX
    assert len(re.findall(r"Item no\.", "\n".join(map(texts, pages)))) == 3_000


def test_more_pages_than_the_limit_are_refused_as_a_whole(
    sparse: SlipDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_module, "PAGES_MAX", 2)
    refused = render_slip(replace(sparse, lines=numbered(100)))

    assert isinstance(refused, SlipRefusal)
    assert refused.reason is SlipRefusalReason.TOO_MANY_PAGES
    assert refused.detail.startswith("items: 100 lines fill ")


@pytest.mark.parametrize("name", ALL)
def test_nothing_meets_anything_else_or_leaves_the_page(
    name: str, request: pytest.FixtureRequest
) -> None:
    document = request.getfixturevalue(name)
    for page in pages_of(document):
        assert [*meetings(page)] == []
        foot = page.placed[-1]
        for placed in page.placed[:-1]:
            assert placed.y + placed.block.height_px <= foot.y
        assert foot.y + foot.block.height_px <= page.paper.height_px


@pytest.mark.parametrize("language", [None, *LANGUAGES])
@pytest.mark.parametrize("paper", [A4, LETTER])
def test_no_label_leaves_its_cell_in_any_language(
    language: str | None,
    paper: Paper,
    specimen: SlipDocument,
    sparse: SlipDocument,
    pictured: SlipDocument,
    held_letter: SlipDocument,
) -> None:
    nameless = replace(pictured, lines=(SlipLine(ItemLine(None, Decimal(1))), *pictured.lines))
    for document in (specimen, sparse, nameless, held_letter):
        for page in pages_of(replace(document, paper=paper, third_language=language)):
            assert [*meetings(page)] == []


def test_a_quantity_is_large_and_never_cut(specimen: SlipDocument) -> None:
    for number in (Decimal(1), Decimal("12.5"), Decimal("99999999999999.9999")):
        lines = (SlipLine(ItemLine("Lamp", number)),)
        (page,) = pages_of(replace(specimen, lines=lines))
        found = [mark for mark in marks(page) if mark.line.text == f"{number}"]

        sizes = {mark.line.glyphs[0][0].size_px for mark in found}  # of the line, and of the total
        assert (44 if number < 100 else 14) in sizes


def test_the_end_of_a_name_is_there_however_narrow_the_column(pictured: SlipDocument) -> None:
    name = "Outdoor garden string light, 24 V, IP65, dimmable, with remote control and timer, warm white 30 m"
    lines = (SlipLine(ItemLine(name, Decimal(1)), "A-1"),)
    shown = texts(pages_of(replace(pictured, lines=lines))[0])

    assert name.replace(" ", "") in re.sub(r"\s", "", shown)


def test_pictures_stand_in_their_rows_and_missing_ones_are_marked(pictured: SlipDocument) -> None:
    pages = pages_of(pictured)
    every = [mark for page in pages for placed in page.placed for mark in placed.block.marks]
    logo, *pictures = [mark for mark in every if isinstance(mark, ImageMark)]

    assert logo.x == 0
    assert [mark.image.size for mark in pictures] == [
        (PICTURE_PX, round(PICTURE_PX * 160 / 240)),
        (round(PICTURE_PX * 160 / 240), PICTURE_PX),
        (20, 20),
    ]
    assert {mark.x + mark.image.width for mark in pictures} == {WIDTH}
    assert "\n".join(map(texts, pages)).count("no picture") == 1


def test_a_picture_that_is_no_picture_is_marked_as_missing(pictured: SlipDocument) -> None:
    lines = tuple(replace(line, picture=b"\x89PNG broken") for line in pictured.lines)

    assert texts(pages_of(replace(pictured, lines=lines))[0]).count("no picture") == len(lines)


def test_an_order_that_may_not_leave_says_so_at_the_top(held_letter: SlipDocument) -> None:
    shown = texts(pages_of(held_letter)[0])

    assert "Do not ship yet: on hold" in shown
    assert "Пока не отправлять: приостановлено" in shown
    assert "PO-2026/4711" in shown
    assert "255201166001024316" in shown
    assert "Requested service" in shown


def test_a_gift_without_a_message_is_still_a_gift(specimen: SlipDocument) -> None:
    shown = texts(pages_of(replace(specimen, gift_message=None))[0])

    assert "Gift" in shown
    assert "Gift message" not in shown


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"order_id": " "}, SlipRefusalReason.MISSING_ORDER_ID),
        ({"lines": ()}, SlipRefusalReason.NO_ITEMS),
    ],
)
def test_a_slip_that_is_of_no_use_is_refused(
    specimen: SlipDocument, changes: dict[str, object], reason: SlipRefusalReason
) -> None:
    refused = render_slip(replace(specimen, **changes))  # type: ignore[arg-type]  # any field

    assert isinstance(refused, SlipRefusal)
    assert reason == refused.reason


def test_a_bar_code_that_cannot_be_read_back_is_refused(
    specimen: SlipDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw_with_a_blot(page: Page) -> Image.Image:
        sheet = draw(page)
        sheet.paste(0, (1_100, 100, 1_200, 500))
        return sheet

    draw = canvas.draw
    monkeypatch.setattr(canvas, "draw", draw_with_a_blot)
    refused = render_slip(specimen)

    assert isinstance(refused, SlipRefusal)
    assert refused.reason is SlipRefusalReason.CODE_UNREADABLE


def test_what_is_not_shown_as_given_is_reported(
    specimen: SlipDocument, endless: SlipDocument
) -> None:
    assert rendered(specimen).warnings == ()
    assert rendered(replace(specimen, order_id="9" * 60)).warnings == (ProofWarning.NO_BAR_CODE,)
    assert rendered(replace(specimen, logo=b"x")).warnings == (ProofWarning.LOGO_UNREADABLE,)
    assert ProofWarning.TEXT_CUT in rendered(endless).warnings


def test_the_same_facts_give_the_same_bytes_in_any_process(specimen: SlipDocument) -> None:
    script = (
        "import hashlib; from services.proofgen.slip.render import render_slip;"
        "from services.proofgen.slip.specimen import SPECIMEN;"
        "print(hashlib.sha256(render_slip(SPECIMEN).pages[0]).hexdigest())"
    )
    elsewhere = os.environ | {"PYTHONHASHSEED": "4711", "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Tokyo"}
    printed = subprocess.run(  # noqa: S603  # our own script in our own interpreter
        [sys.executable, "-c", script], env=elsewhere, check=True, capture_output=True, text=True
    ).stdout

    assert hashlib.sha256(rendered(specimen).pages[0]).hexdigest() == printed.strip()
