"""Documents for the tests of the proof: the specimen, and others that differ where it matters."""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.proofgen.document import (
    AddressMatch,
    AddressPart,
    Difference,
    ItemLine,
    Parcel,
    PostalAddress,
    ProofDocument,
)
from services.proofgen.grid import LETTER
from services.proofgen.specimen import SPECIMEN


@pytest.fixture
def specimen() -> ProofDocument:
    return SPECIMEN


@pytest.fixture
def sparse() -> ProofDocument:
    """Only what a proof cannot do without."""
    return ProofDocument(
        document_id="claim-1",
        order_id="255201166001024316",
        issued_at=SPECIMEN.issued_at,
        shipment_id="s-1",
        shipment_revision=1,
        tracking_number="SF1029384756",
        carrier_name=None,
        carrier_code="SF",
        logistics_type=None,
        shipped_at=SPECIMEN.shipped_at,
        ship_to=PostalAddress(name="Ana Souza", lines=("Rua das Flores 12", "Porto Alegre")),
        items=(ItemLine("LED lamp", Decimal(1)),),
        items_are_whole_order=True,
    )


@pytest.fixture
def many_scripts() -> ProofDocument:
    """Every script that has to be printed, and a label that differs from the order."""
    names = (
        "ไฟ LED แบบเส้น 24V สีขาวอบอุ่น",
        "एलईडी पट्टी लाइट, गर्म सफेद",
        "נורת לד 12W אור חם (E27)",
        "Светодиодная лента, тёплый белый",
        "Ταινία LED θερμό λευκό",
        "LED 스트립 조명 24V 따뜻한 백색",
        "LEDテープライト 電球色",
        "LED 燈條 暖白",
        "Đèn LED dây, trắng ấm – Türkçe ışık – Łódź",
    )
    return replace(
        SPECIMEN,
        document_id="claim-2",
        tracking_number="RB123456785CN",
        tracking_url=None,
        ship_to=PostalAddress(
            name="محمد عبد الله الأحمد",
            company="شركة النور للتجارة (ش.م.م)",
            lines=("شارع الملك فهد، مبنى 120، الطابق 3", "حي العليا، الرياض 12211"),
            country_code="SA",
        ),
        address_match=AddressMatch(
            compared=True, differences=(Difference(AddressPart.POSTAL_CODE, "12211", "12333"),)
        ),
        items=tuple(ItemLine(name, Decimal(1)) for name in names),
        parcels=(),
        note_to_buyer="شكرا لطلبك!\nСпасибо за заказ! 谢谢您的订购。",
    )


@pytest.fixture
def further_scripts() -> ProofDocument:
    """The scripts of India, South-East Asia, Ethiopia and Armenia, in both weights, and two pages."""
    names = (
        "এলইডি বাতি, উষ্ণ সাদা",
        "LED விளக்கு, வெள்ளை",
        "ఎల్ఈడీ దీపం, తెలుపు",
        "એલઇડી દીવો, સફેદ",
        "ਐਲਈਡੀ ਬੱਤੀ, ਚਿੱਟੀ",
        "ಎಲ್ಇಡಿ ದೀಪ, ಬಿಳಿ",
        "എൽഇഡി വിളക്ക്, വെള്ള",
        "ଏଲଇଡି ବତୀ, ଧଳା",
        "එල්ඊඩී පහන, සුදු",
        "ໂຄມໄຟ LED ສີຂາວ",
        "የኤልኢዲ መብራት፣ ነጭ",
        "LED լամպ, սպիտակ",
    )
    return replace(
        SPECIMEN,
        document_id="claim-3",
        ship_to=PostalAddress(
            name="ဦးကျော်မြင့်",
            company="မြန်မာ့ကူးသန်းရောင်းဝယ်ရေး ကုမ္ပဏီ",
            lines=("ဗိုလ်ချုပ်အောင်ဆန်းလမ်း ၁၂", "ရန်ကုန်", "Myanmar (MM)"),
            country_code="MM",
        ),
        ship_from=PostalAddress(
            name="លោក សុខ ស្រីពៅ",
            lines=("ផ្លូវព្រះនរោត្តម ១២", "រាជធានីភ្នំពេញ", "Cambodia (KH)"),
            country_code="KH",
        ),
        items=tuple(ItemLine(name, Decimal(1)) for name in names),
        parcels=(),
        note_to_buyer="ধন্যবাদ! நன்றி! \U0001f600\U0001f69a",
    )


@pytest.fixture
def german_letter() -> ProofDocument:
    """The other paper, a third language, and two pages."""
    return replace(SPECIMEN, paper=LETTER, third_language="de")


@pytest.fixture
def endless() -> ProofDocument:
    """More of everything than any page holds: as much as a claim of 4 MB can carry."""
    address = PostalAddress(
        name="A" * 10_000,
        company="Very Long Company Name " * 400,
        lines=("and more words of an address that never ends " * 200,) * 6,
        phone="+1 555 0100 " * 800,
        latin=("Latin twin " * 900,) * 8,
        country_code="US",
    )
    huge = ItemLine("word " * 2_000, Decimal("99999999999999.9999"), "X" * 10_000, "unit" * 2_500)
    small = ItemLine("王" * 400, Decimal(1), "X" * 64, "unit", (("Colour", "red"),) * 12)
    return replace(
        SPECIMEN,
        document_id="d" * 128,
        order_id="9" * 128,
        tracking_number="1Z999AA10123456784ABCDEFGH12345678901234567890XYZW",
        ship_to=address,
        ship_from=address,
        buyer_name="B" * 10_000,
        store_name="王" * 10_000,
        service="service " * 1_200,
        items=(
            replace(huge, options=(("o" * 10_000, "v" * 10_000),) * 50),
            *(huge,) * 40,
            *(small,) * 2_959,
        ),
        parcels=(Parcel("P" * 50, Decimal("99999999999999.9999"), "kg", (Decimal(10),) * 3),) * 500,
        note_to_buyer="z\u0300\u0301\u0302\u0303\u0304\u0305\u0306" * 1_400,
    )
