"""Strategies for whole documents: texts, numbers and pictures of every kind, in every amount."""

from dataclasses import replace
from decimal import Decimal
from io import BytesIO

from hypothesis import strategies as st
from PIL import Image

from services.proofgen.document import (
    AddressMatch,
    AddressPart,
    Cost,
    Difference,
    ItemLine,
    Parcel,
    PostalAddress,
)
from services.proofgen.grid import PAPERS
from services.proofgen.labels import LANGUAGES
from services.proofgen.specimen import SPECIMEN

# any code point but lone surrogates, which no decoder lets through; scripts with shaping more often
ANY = st.text(max_size=80)
SHAPED = st.text(
    st.sampled_from(
        "abz 09-,.()[]\u202e\u200d\u0301\u0335אבגּשركة١٢กิ่नक्षी中文、。「한글ァ😀📦&<>কিক্ষதொംന്റမြင့်្រស\n"
    ),
    max_size=80,
)
HARD = st.sampled_from(
    (
        "z\u0300\u0301\u0302\u0303\u0304",  # letters under towers of marks
        "(א[ב{ג}ד]ה)a",  # brackets in both directions
        "ك\u0640ع\u200dه",  # letters that join
        "ক্ষ্",  # conjuncts without end
        "မျှော့",
        "\ue000\U0010fffd",  # letters that no font has
        "&#x1F600;&amp;amp;&",
        "\u202e\u2067\u200f",
        "\ufdfa\u2e3b",  # the widest letters
        "Wm",
        "i",
        "中",
        "👨\u200d👩\u200d👧🇩🇪👍🏽",
        "https://a.b/",
        "-",
        "9",
    )
)


def _repeated(text: str, chars: int) -> str:
    return (text * (chars // max(len(text), 1) + 1))[:chars]


LONG = st.builds(_repeated, SHAPED | HARD, st.integers(1, 300))
ENDLESS = st.builds(_repeated, SHAPED | HARD, st.sampled_from([1_000, 10_000, 100_000]))
TEXT = ANY | SHAPED | HARD | LONG | ENDLESS
MAYBE = st.none() | TEXT
NUMBER = st.decimals(0, Decimal("99999999999999.9999"), places=4)
ADDRESS = st.builds(
    PostalAddress,
    name=MAYBE,
    company=MAYBE,
    lines=st.lists(TEXT, max_size=8).map(tuple),
    phone=MAYBE,
    latin=st.lists(TEXT, max_size=8).map(tuple),
    country_code=st.sampled_from([None, "JP", "TW", "XX"]),
)
DIFFERENCE = st.builds(Difference, st.sampled_from(AddressPart), MAYBE, MAYBE)
ITEM = st.builds(
    ItemLine,
    name=MAYBE,
    quantity=NUMBER,
    sku=MAYBE,
    unit=MAYBE,
    options=st.lists(st.tuples(TEXT, TEXT), max_size=4).map(tuple),
)
PARCEL = st.builds(
    Parcel, MAYBE, st.none() | NUMBER, st.just("kg"), st.none() | st.tuples(NUMBER, NUMBER, NUMBER)
)
TIMES = st.sampled_from([1, 1, 1, 2, 30, 750])


def _picture(mode: str, width: int, height: int) -> bytes:
    file = BytesIO()
    Image.new(mode, (width, height), 1).save(file, "PNG")
    return file.getvalue()


def _with_size(file: bytes, width: int, height: int) -> bytes:
    """The header tells a size that the picture does not have."""
    return file[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + file[24:]


SIDE = st.sampled_from([1, 2, 60, 560, 2_000])
PICTURE = st.builds(
    _picture, st.sampled_from(["1", "L", "P", "LA", "RGB", "RGBA", "I;16"]), SIDE, SIDE
)
LOGO = (
    PICTURE
    | st.binary(max_size=200)
    | st.builds(lambda file, end: file[:end], PICTURE, st.integers(0, 200))
    | st.builds(_with_size, PICTURE, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
    | st.builds(
        lambda file, at, byte: file[: at % len(file)] + bytes([byte]) + file[at % len(file) + 1 :],
        PICTURE,
        st.integers(0, 10_000),
        st.integers(0, 255),
    )
)
NUMBERS = (
    "T1",
    "-" * 50,
    "W" * 50,
    "中" * 50,
    "א1" * 25,
    "A B " * 12 + "C",
    SPECIMEN.tracking_number,
)
URLS = (
    st.none()
    | TEXT
    | st.just("https://" + "a." * 5_000 + "dhl.com")
    | st.just(SPECIMEN.tracking_url)
)

DOCUMENT = st.builds(
    replace,
    st.just(SPECIMEN),
    document_id=TEXT,
    order_id=TEXT,
    shipment_id=TEXT,
    tracking_number=st.text(min_size=1, max_size=60) | st.sampled_from(NUMBERS),
    tracking_url=URLS,
    carrier_name=MAYBE,
    carrier_code=TEXT,
    service=MAYBE,
    logistics_type=MAYBE,
    buyer_name=MAYBE,
    store_name=MAYBE,
    ship_from=st.none() | ADDRESS,
    ship_to=st.none() | ADDRESS | st.just(SPECIMEN.ship_to),
    address_match=st.builds(
        AddressMatch, st.booleans(), st.lists(DIFFERENCE, max_size=6).map(tuple)
    ),
    items=st.builds(lambda some, times: tuple(some) * times, st.lists(ITEM, max_size=4), TIMES),
    parcels=st.builds(lambda some, times: tuple(some) * times, st.lists(PARCEL, max_size=4), TIMES),
    cost=st.none() | st.builds(Cost, NUMBER, st.just("USD"), st.booleans()),
    note_to_buyer=MAYBE,
    logo=st.none() | LOGO,
    paper=st.sampled_from([*PAPERS.values()]),
    third_language=st.sampled_from([None, *LANGUAGES]),
)
