"""Slips that differ where it matters."""

from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import pytest
from PIL import Image

from services.proofgen.document import ItemLine, PostalAddress
from services.proofgen.grid import LETTER
from services.proofgen.slip.document import SlipDocument, SlipLine, Standing
from services.proofgen.slip.specimen import SPECIMEN


def png(width: int, height: int, grey: int = 90) -> bytes:
    file = BytesIO()
    Image.new("L", (width, height), grey).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def specimen() -> SlipDocument:
    return SPECIMEN


@pytest.fixture
def sparse() -> SlipDocument:
    """Only what a slip cannot do without."""
    number = "255201166001024316"
    lines = (
        SlipLine(ItemLine(None, Decimal("2.5"))),
        SlipLine(ItemLine("LED lamp", Decimal(1_200))),
    )
    return SlipDocument(order_id=number, order_number=number, lines=lines)


@pytest.fixture
def pictured() -> SlipDocument:
    """Pictures, one of them missing; a logo; a third language."""
    pictures = (png(240, 160), None, png(160, 240), png(20, 20))
    lines = zip(SPECIMEN.lines, pictures, strict=True)
    return replace(
        SPECIMEN,
        lines=tuple(replace(line, picture=picture) for line, picture in lines),
        shows_pictures=True,
        logo=png(700, 180, 20),
        third_language="de",
    )


@pytest.fixture
def held_letter() -> SlipDocument:
    """An order that may not leave, on Letter paper, with a number of its own and no shipment."""
    return replace(
        SPECIMEN,
        standing=Standing.ON_HOLD,
        paper=LETTER,
        order_number="PO-2026/4711",
        shipment_id=None,
        tracking_number=None,
        carrier=None,
        service=None,
        requested_service="EXPRESS",
        third_language="ru",
    )


@pytest.fixture
def many_scripts() -> SlipDocument:
    """Scripts that run in both directions."""
    names = ("ไฟ LED แบบเส้น 24V", "एलईडी पट्टी लाइट", "נורת לד 12W (E27)", "LED 스트립 조명")
    option = (("اللون", "أحمر"),)
    return replace(
        SPECIMEN,
        ship_to=PostalAddress(
            name="محمد عبد الله الأحمد",
            lines=("شارع الملك فهد، مبنى 120", "الرياض 12211"),
            latin=("120 King Fahd Road, Riyadh 12211",),
            country_code="SA",
        ),
        lines=tuple(
            SlipLine(
                ItemLine(name, Decimal(number), f"SKU-{number}", "件", option), f"货架{number}"
            )
            for number, name in enumerate(names, start=1)
        ),
        gift_message="شكرا لطلبك!\n生日快乐！",
        customer_notes=("谢谢", "Спасибо"),
    )


@pytest.fixture
def endless() -> SlipDocument:
    """More of every text than a page holds, and the longest numbers."""
    huge = ItemLine(
        "word " * 2_000,
        Decimal("99999999999999.9999"),
        "X" * 10_000,
        "unit" * 2_500,
        (("o" * 10_000, "v" * 10_000),) * 50,
    )
    return replace(
        SPECIMEN,
        order_id="W" * 32,
        order_number="9" * 10_000,
        lines=(SlipLine(huge, "L" * 10_000),) * 40,
        store_name="王" * 10_000,
        seller=None,
        ship_to=PostalAddress(
            name="A" * 10_000, lines=("line " * 2_000,) * 6, latin=("L" * 9_000,) * 8
        ),
        carrier="carrier " * 1_200,
        service="service " * 1_200,
        shipment_id="s" * 128,
        tracking_number="W" * 50,
        gift_message="wish " * 2_000,
        customer_notes=("note " * 2_000,) * 500,
        logo=b"no picture",
    )
