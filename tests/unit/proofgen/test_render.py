"""The page shows what it must, the same way each time, or says why not."""

import hashlib
import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from services.proofgen import canvas
from services.proofgen import render as render_module
from services.proofgen.document import (
    Cost,
    ItemLine,
    Parcel,
    PostalAddress,
    ProofDocument,
    ProofWarning,
    Refusal,
    RefusalReason,
    RenderedProof,
)
from services.proofgen.grid import A4, LETTER, WIDTH, Paper
from services.proofgen.imprint import KEYWORDS
from services.proofgen.marks import TextMark
from services.proofgen.pages import Page, lay_out
from services.proofgen.render import PAGE_BYTES_MAX, render
from services.proofgen.specimen import SPECIMEN
from services.proofgen.typesetter import Typesetter

SIZED = replace(SPECIMEN.parcels[0], tracking_number=SPECIMEN.tracking_number)


def rendered(document: ProofDocument) -> RenderedProof:
    result = render(document)
    assert isinstance(result, RenderedProof)
    return result


def pages_of(document: ProofDocument) -> list[Page]:
    return lay_out(document, document.payload_sha256(), Typesetter())


def texts(page: Page) -> str:
    """What stands on a page, one line of text a line."""
    return "\n".join(
        mark.line.text
        for placed in page.placed
        for mark in placed.block.marks
        if isinstance(mark, TextMark)
    )


def opened(file: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(file), formats=["PNG"])
    image.load()
    return image


def test_the_first_page_holds_every_must_have(specimen: ProofDocument) -> None:
    shown = texts(pages_of(specimen)[0])

    for must in (
        "Proof of Shipment", "发货凭证", "specimen", "2",
        "2026-11-23 14:05:09 UTC", "2026-11-23 22:05:09 +08:00",
        "Issued by the seller", "Shenzhen Bright Star",
        "255201166001024316", "2026-11-19 09:12:44 +08:00", "Erika Mustermann",
        "JD01", "4600", "0062", "8123", "4567",
        "DHL Express", "Alibaba code DHL", "EXPRESS", "快递", "Express Worldwide",
        "2026-11-23", "17:40:00 +08:00", "11:02:00 +08:00",
        "李明", "深圳市亮星科技有限公司", "+86 755 8632 1100", "12/F Tower A, Gaoxin South 1st Road",
        "Mustermann & Söhne Elektrohandel GmbH", "10969 Berlin", "+49 30 2555 0143",
        "Matches the delivery address of the order",
        "LS-24V-5M-WW", "LED strip light 24 V, 5 m reel, IP65, warm white",
        "Colour temperature: 2700 K · Length: 5 m", "24", "Pieces", "48", "12.5", "Metres",
        "11.55 kg", "calculated", "60 × 40 × 30 cm", "USD 86.40",
        "Thank you for your order. Two cartons; please check the seals before signing.",
        "www.dhl.com", "se-28529731 revision 3", "Page 1 of 1", "第 1 页，共 1 页",
        "Not a carrier document; does not show delivery.",
    ):  # fmt: skip
        assert must in shown, must
    digits = specimen.payload_sha256()[:16]
    assert " ".join(digits[start : start + 4] for start in (0, 4, 8, 12)) in shown


def test_the_page_claims_nothing_it_does_not_know(sparse: ProofDocument) -> None:
    shown = texts(pages_of(sparse)[0])

    assert shown.count("not provided") - shown.count("was not provided") == 12
    assert "The label’s address was not provided" in shown
    assert "all items of the order: the shipment lists none (calculated)" in shown
    assert "Label created" not in shown


@pytest.mark.parametrize("name", ["specimen", "sparse", "many_scripts", "endless"])
def test_files_are_what_sites_take(name: str, request: pytest.FixtureRequest) -> None:
    for file in rendered(request.getfixturevalue(name)).pages:
        image = opened(file)

        assert (image.mode, image.size) == ("L", (1654, 2338))
        assert round(image.info["dpi"][0]) == 200
        assert len(file) < PAGE_BYTES_MAX
        assert {"dpi", *KEYWORDS} == set(image.info)


def test_a_letter_is_a_letter(specimen: ProofDocument) -> None:
    image = opened(rendered(replace(specimen, paper=LETTER)).pages[0])

    assert (image.size, round(image.info["dpi"][0])) == ((1700, 2200), 200)


@pytest.mark.parametrize("paper", [A4, LETTER])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_reader_finds_both_codes_on_the_whole_page_even_at_half_size(
    specimen: ProofDocument, scale: float, paper: Paper
) -> None:
    image = opened(rendered(replace(specimen, paper=paper)).pages[0])
    seen = image.resize((round(image.width * scale), round(image.height * scale)))
    found = {code.text for code in zxingcpp.read_barcodes(seen)}

    assert {specimen.tracking_number, specimen.tracking_url} == found


def test_both_codes_survive_black_and_white(specimen: ProofDocument) -> None:
    image = opened(rendered(specimen).pages[0]).point(lambda value: 255 * (value > 127))

    assert len(zxingcpp.read_barcodes(image)) == 2


def test_the_same_facts_give_the_same_bytes_in_any_process(specimen: ProofDocument) -> None:
    script = (
        "import hashlib; from services.proofgen.render import render;"
        "from services.proofgen.specimen import SPECIMEN;"
        "print(hashlib.sha256(render(SPECIMEN).pages[0]).hexdigest())"
    )
    elsewhere = os.environ | {"PYTHONHASHSEED": "4711", "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Tokyo"}
    printed = subprocess.run(  # noqa: S603  # our own script in our own interpreter
        [sys.executable, "-c", script], env=elsewhere, check=True, capture_output=True, text=True
    ).stdout

    assert hashlib.sha256(rendered(specimen).pages[0]).hexdigest() == printed.strip()
    assert rendered(specimen).pages == rendered(replace(specimen)).pages


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"order_id": " "}, RefusalReason.MISSING_ORDER_ID),
        ({"tracking_number": None}, RefusalReason.MISSING_TRACKING_NUMBER),
        ({"tracking_number": ""}, RefusalReason.MISSING_TRACKING_NUMBER),
        ({"carrier_name": None, "carrier_code": None}, RefusalReason.MISSING_CARRIER),
        ({"shipped_at": None}, RefusalReason.MISSING_SHIP_DATE),
        ({"ship_to": None}, RefusalReason.MISSING_SHIP_TO),
        ({"ship_to": PostalAddress(phone="1")}, RefusalReason.MISSING_SHIP_TO),
        ({"template_version": "0"}, RefusalReason.UNKNOWN_TEMPLATE),
        ({"tracking_number": "AB\u202e12"}, RefusalReason.UNPRINTABLE_TRACKING_NUMBER),
        ({"tracking_number": "1" * 51}, RefusalReason.UNPRINTABLE_TRACKING_NUMBER),
        ({"tracking_number": "📦😀"}, RefusalReason.UNPRINTABLE_TRACKING_NUMBER),
    ],
)
def test_a_page_that_would_prove_nothing_is_refused(
    specimen: ProofDocument, changes: dict[str, Any], reason: RefusalReason
) -> None:
    refused = render(replace(specimen, **changes))

    assert isinstance(refused, Refusal)
    assert reason == refused.reason
    assert "JD0146" not in refused.detail


def test_a_code_that_cannot_be_read_back_is_refused(
    specimen: ProofDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw_with_a_blot(page: Page) -> Image.Image:
        sheet = draw(page)
        sheet.paste(0, (300, 500, 340, 800))
        return sheet

    draw = canvas.draw
    monkeypatch.setattr(canvas, "draw", draw_with_a_blot)
    refused = render(specimen)

    assert isinstance(refused, Refusal)
    assert refused.reason == RefusalReason.CODE_UNREADABLE


def test_a_page_that_is_too_large_is_refused(
    specimen: ProofDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_module, "PAGE_BYTES_MAX", 10_000)
    refused = render(specimen)

    assert isinstance(refused, Refusal)
    assert refused.reason == RefusalReason.TOO_LARGE


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"note_to_buyer": "thanks \U0001fbff"}, ProofWarning.UNPRINTABLE_CHARACTERS),
        ({"buyer_name": "x" * 500}, ProofWarning.TEXT_CUT),
        ({"items": (ItemLine("x", Decimal(1)),) * 61}, ProofWarning.ITEMS_CUT),
        ({"parcels": (Parcel("P"),) * 25}, ProofWarning.PARCELS_CUT),
        ({"tracking_number": "运单12345678"}, ProofWarning.NO_BAR_CODE),
        ({"tracking_url": "https://evil.example/"}, ProofWarning.NO_QR_CODE),
        ({"tracking_url": "http://www.dhl.com/"}, ProofWarning.NO_QR_CODE),
    ],
)
def test_what_is_not_shown_as_given_is_reported(
    specimen: ProofDocument, changes: dict[str, Any], warning: ProofWarning
) -> None:
    assert (warning,) == rendered(replace(specimen, **changes)).warnings


def test_dates_out_of_order_are_reported(specimen: ProofDocument) -> None:
    late = replace(specimen, ordered_at=specimen.issued_at, issued_at=specimen.ordered_at)  # type: ignore[arg-type]

    assert rendered(late).warnings == (
        ProofWarning.SHIPPED_AFTER_ISSUE,
        ProofWarning.SHIPPED_BEFORE_ORDER,
    )


def test_a_label_for_another_place_says_so(many_scripts: ProofDocument) -> None:
    shown = texts(pages_of(many_scripts)[0])

    assert "The label differs from the order" in shown
    assert "Postal code 邮编: 12211 (order 订单), 12333 (label 面单)" in shown
    assert ProofWarning.ADDRESS_DIFFERS in rendered(many_scripts).warnings


@pytest.mark.parametrize(
    ("number", "groups"),
    [
        ("RB123456785CN", ["RB", "123", "456", "785", "CN"]),
        ("1Z999AA10123456784", ["1Z", "999", "AA1", "01", "2345", "6784"]),
        ("SF1029384756", ["SF10", "2938", "4756"]),
        ("123456789", ["1234", "56789"]),
        ("7", ["7"]),
        ("AB-12/34", ["AB-12/34"]),
    ],
)
def test_the_tracking_number_stands_in_groups(
    specimen: ProofDocument, number: str, groups: list[str]
) -> None:
    shown = texts(pages_of(replace(specimen, tracking_number=number))[0])

    assert "\n".join(groups) in shown


def test_a_long_order_goes_on_with_heads_and_page_numbers(specimen: ProofDocument) -> None:
    items = tuple(ItemLine(f"Item {n}", Decimal(1), f"SKU-{n}") for n in range(1, 41))
    pages = [texts(page) for page in pages_of(replace(specimen, items=items))]

    assert len(pages) == 3
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of 3" in page
        assert "255201166001024316" in page
    assert ["Items shipped" in page for page in pages] == [True, True, False]
    everything = "\n".join(pages)
    assert all(f"\nItem {n}\n" in everything for n in range(1, 41))


def test_what_has_no_room_is_counted(endless: ProofDocument) -> None:
    everything = "\n".join(texts(page) for page in pages_of(endless))
    hidden = re.search(r"and (\d+) more lines", everything)

    assert hidden is not None
    assert f"\n{3_000 - int(hidden[1])}\n" in everything  # the number of the last line shown
    assert "and 476 more parcels" in everything
    assert " lines]" in everything
    assert " characters]" in everything


def test_of_many_short_items_sixty_are_shown(specimen: ProofDocument) -> None:
    items = (ItemLine("LED lamp", Decimal(1), "SKU"),) * 3_000
    everything = "\n".join(texts(page) for page in pages_of(replace(specimen, items=items)))

    assert everything.count("\nLED lamp\n") == 60
    assert "and 2940 more lines, 2940 units" in everything


@pytest.mark.parametrize("paper", [A4, LETTER])
@pytest.mark.parametrize("name", ["specimen", "sparse", "many_scripts", "endless"])
def test_nothing_runs_over_the_margins_or_into_the_foot(
    name: str, paper: Paper, request: pytest.FixtureRequest
) -> None:
    for page in pages_of(replace(request.getfixturevalue(name), paper=paper)):
        *blocks, foot = page.placed
        assert all(placed.y + placed.block.height_px <= foot.y for placed in blocks)
        assert foot.y + foot.block.height_px == paper.bottom
        for mark in (mark for placed in page.placed for mark in placed.block.marks):
            if isinstance(mark, TextMark):
                assert mark.x >= -6
                assert mark.x + mark.line.width_px <= WIDTH + 1, mark.line.text


def test_the_cost_is_left_out_when_the_store_wants_so(specimen: ProofDocument) -> None:
    shown = texts(pages_of(replace(specimen, shows_cost=False))[0])

    assert "Carrier cost" not in shown
    assert "86.40" not in shown


@pytest.mark.parametrize(
    ("amount", "shown"), [("86.4000", "USD 86.40"), ("1200", "USD 1200"), ("0.125", "USD 0.125")]
)
def test_money_reads_as_money(specimen: ProofDocument, amount: str, shown: str) -> None:
    page = pages_of(replace(specimen, cost=Cost(Decimal(amount), "USD")))[0]

    assert f"\n{shown}\n" in texts(page)


@pytest.mark.parametrize(
    ("parcel", "label_created_at", "has_table"),
    [
        (SIZED, None, False),
        (replace(SIZED, tracking_number=None), None, False),
        (replace(SIZED, dimensions_cm=None), SPECIMEN.label_created_at, False),
        (SIZED, SPECIMEN.label_created_at, True),
        (replace(SIZED, tracking_number="ANOTHER"), None, True),
    ],
)
def test_one_parcel_has_a_table_only_if_the_facts_cannot_say_it_all(
    parcel: Parcel, label_created_at: datetime | None, has_table: bool, specimen: ProofDocument
) -> None:
    document = replace(specimen, parcels=(parcel,), label_created_at=label_created_at)
    shown = texts(pages_of(document)[0])

    assert ("Parcels, their tracking numbers" in shown) is has_table
    assert ("60 × 40 × 30 cm" in shown) is (parcel.dimensions_cm is not None)


@pytest.mark.parametrize("paper", [A4, LETTER])
def test_a_sum_never_stands_on_a_page_without_a_line_above_it(
    paper: Paper, specimen: ProofDocument
) -> None:
    for count in range(1, 45):
        items = (ItemLine("Lamp", Decimal(1), unit="Piece"),) * count
        pages = pages_of(replace(specimen, items=items, paper=paper))
        (last,) = (shown for shown in map(texts, pages) if "Total units (calculated)" in shown)

        assert "Lamp" in last


def test_every_part_is_named_at_the_foot(specimen: ProofDocument) -> None:
    shown = texts(pages_of(replace(specimen, further_shipments=(("se-2", 1), ("se-3", 4))))[0])

    assert "se-28529731 revision 3, se-2 revision 1, se-3 revision 4" in shown


def test_weights_of_some_parcels_are_not_summed(specimen: ProofDocument) -> None:
    parcels = (specimen.parcels[0], Parcel("P2"))
    mixed = (specimen.parcels[0], Parcel("P2", Decimal(3), "lb"))

    for some in (parcels, mixed):
        shown = texts(pages_of(replace(specimen, parcels=some))[0])
        assert "Total weight\n总重量\nnot provided" in shown


def test_a_label_for_another_place_is_refused_where_the_store_wants_so(
    many_scripts: ProofDocument,
) -> None:
    refused = render(replace(many_scripts, address_must_match=True))

    assert isinstance(refused, Refusal)
    assert refused.reason == RefusalReason.ADDRESS_DIFFERS
    assert "postal code" in refused.detail
    assert "12333" not in refused.detail


def test_the_policy_refuses_nothing_that_matches_or_that_nobody_compared(
    specimen: ProofDocument, sparse: ProofDocument
) -> None:
    for document in (specimen, sparse):
        rendered(replace(document, address_must_match=True))


def test_a_long_host_stays_within_the_frame(specimen: ProofDocument) -> None:
    url = "https://www.canadapost-postescanada.ca/track"
    (page, *_) = pages_of(replace(specimen, tracking_url=url))
    marks = [mark for placed in page.placed for mark in placed.block.marks]
    pieces = [
        mark
        for mark in marks
        if isinstance(mark, TextMark) and mark.line.text and mark.line.text in url
    ]

    assert len(pieces) == 2
    assert "".join(mark.line.text for mark in pieces) == url[8:-6]
    assert max(mark.x + mark.line.width_px for mark in pieces) < WIDTH - 10
