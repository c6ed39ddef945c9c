"""Whatever stands in a claim, the renderer answers with good pages or a refusal, in bounded time."""

import io
import time
from dataclasses import replace
from decimal import Decimal

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from services.proofgen import bidi
from services.proofgen.cleaning import clean
from services.proofgen.document import (
    AddressMatch,
    AddressPart,
    Difference,
    ItemLine,
    Parcel,
    PostalAddress,
    ProofDocument,
    Refusal,
    RefusalReason,
    RenderedProof,
)
from services.proofgen.grid import WIDTH
from services.proofgen.marks import TextMark
from services.proofgen.pages import lay_out
from services.proofgen.render import PAGE_BYTES_MAX, render
from services.proofgen.runs import Style, covered
from services.proofgen.shaping import shape
from services.proofgen.specimen import SPECIMEN
from services.proofgen.typesetter import Typesetter
from services.proofgen.wrapping import wrap

STYLE = Style(26)
RENDER_CPU_S_MAX = 3.0
"""Ten times the worst page seen on a busy machine."""

# whole documents shrink for minutes; the texts that make them fail do so in the tests below as well
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)

# any code point but lone surrogates, which no decoder lets through; scripts with shaping more often
ANY = st.text(max_size=80)
SHAPED = st.text(
    st.sampled_from("abz 09-,.()[]\u202e\u200d\u0301\u0335אבגּشركة١٢กิ่नक्षी中文、。「한글ァ😀📦&<>"),
    max_size=80,
)
TEXT = ANY | SHAPED | st.builds(lambda text, times: text * times, SHAPED, st.integers(1, 300))
MAYBE = st.none() | TEXT
NUMBER = st.decimals(0, Decimal("99999999999999.9999"), places=4)
ADDRESS = st.builds(
    PostalAddress,
    name=MAYBE,
    company=MAYBE,
    lines=st.lists(TEXT, max_size=6).map(tuple),
    phone=MAYBE,
    latin=st.lists(TEXT, max_size=3).map(tuple),
    country_code=st.sampled_from([None, "JP", "TW", "XX"]),
)
ITEM = st.builds(
    ItemLine,
    name=MAYBE,
    quantity=NUMBER,
    sku=MAYBE,
    unit=MAYBE,
    options=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
)
PARCEL = st.builds(
    Parcel, MAYBE, st.none() | NUMBER, st.just("kg"), st.none() | st.tuples(NUMBER, NUMBER, NUMBER)
)
DIFFERENCE = st.builds(Difference, st.sampled_from(AddressPart), MAYBE, MAYBE)
DOCUMENT = st.builds(
    replace,
    st.just(SPECIMEN),
    document_id=TEXT,
    order_id=TEXT,
    shipment_id=TEXT,
    tracking_number=st.text(min_size=1, max_size=60) | st.just("JD014600006281234567"),
    tracking_url=MAYBE | st.just(SPECIMEN.tracking_url),
    carrier_name=MAYBE,
    carrier_code=TEXT,
    service=MAYBE,
    logistics_type=MAYBE,
    buyer_name=MAYBE,
    store_name=MAYBE,
    ship_from=st.none() | ADDRESS,
    ship_to=st.none() | ADDRESS,
    address_match=st.builds(
        AddressMatch,
        st.booleans(),
        st.lists(DIFFERENCE).map(tuple),
    ),
    items=st.lists(ITEM, max_size=4).map(tuple),
    parcels=st.lists(PARCEL, max_size=4).map(tuple),
    note_to_buyer=MAYBE,
)


@settings(max_examples=40, deadline=None, phases=WITHOUT_SHRINKING)
@given(DOCUMENT)
def test_any_document_gives_good_pages_or_a_refusal(document: ProofDocument) -> None:
    started_s = time.process_time()
    result = render(document)

    assert time.process_time() - started_s < RENDER_CPU_S_MAX
    if isinstance(result, Refusal):
        assert result.reason not in {RefusalReason.CODE_UNREADABLE, RefusalReason.TOO_LARGE}
        return
    assert isinstance(result, RenderedProof)
    for file in result.pages:
        with Image.open(io.BytesIO(file), formats=["PNG"]) as image:
            image.load()
            assert image.size == (document.paper.width_px, document.paper.height_px)
        assert len(file) < PAGE_BYTES_MAX


@settings(max_examples=80, deadline=None, phases=WITHOUT_SHRINKING)
@given(
    DOCUMENT, st.sampled_from(["T1", "-" * 50, "W" * 50, "中" * 50, "א1" * 25, "A B " * 12 + "C"])
)
def test_nothing_ever_runs_over_an_edge(document: ProofDocument, number: str) -> None:
    for page in lay_out(replace(document, tracking_number=number), "0" * 64, Typesetter()):
        *blocks, foot = page.placed
        assert all(y + block.height_px <= foot.y for y, block in blocks)
        for mark in (mark for placed in page.placed for mark in placed.block.marks):
            if isinstance(mark, TextMark):
                assert mark.x >= -6
                assert mark.x + mark.line.width_px <= WIDTH + 1


@settings(max_examples=200, deadline=None)
@given(TEXT, st.integers(1, 200))
def test_cleaned_text_is_bounded_and_clean(text: str, chars_max: int) -> None:
    cleaned = clean(text, chars_max)

    assert len(cleaned.text) <= chars_max
    assert cleaned.text.isprintable() or not cleaned.text.isascii()
    assert not set(cleaned.text) & set("\n\r\t\x00\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2069")
    assert "  " not in cleaned.text


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_covered_text_has_no_missing_glyph(text: str) -> None:
    shown, _ = covered(clean(text, 200).text, STYLE)

    assert 0 not in {glyph for _, glyph, _, _ in shape(shown, STYLE).glyphs}


@settings(max_examples=150, deadline=None)
@given(TEXT, st.sampled_from([150, 300, 702]))
def test_wrapping_loses_no_letter_and_keeps_the_width(text: str, width_px: int) -> None:
    shown, _ = covered(clean(text, 300).text, STYLE)
    lines = wrap(shown, STYLE, width_px)

    assert shown.replace(" ", "") == "".join(line.text for line in lines).replace(" ", "")
    assert all(line.width_px <= width_px for line in lines)


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_bidi_only_reorders(text: str) -> None:
    levels = bidi.levels(text, bidi.base_level(text))

    assert sorted(bidi.visual_order(levels)) == list(range(len(text)))
    assert all(0 <= level <= 2 for level in levels)
