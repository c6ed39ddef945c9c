"""A page's file tells what it belongs to, and only what a page has written is read as that."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from services.proofgen import png
from services.proofgen.document import ItemLine, ProofDocument, RenderedProof
from services.proofgen.imprint import (
    KEYWORDS,
    PAGES_MAX,
    Imprint,
    ImprintError,
    Origin,
    read_imprint,
)
from services.proofgen.render import render

ORIGIN = Origin(order_key="alibaba:255201166001024316", store_id="alibaba-4711")
IMPRINT = Imprint(
    order_key="alibaba:255201166001024316",
    store_id="alibaba-4711",
    document_id="claim-1",
    shipment_id="発送-№7-Ä🙂",
    shipment_revision=-3,
    tracking_number="JD 014",
    template_version="1",
    payload_sha256="a" * 64,
    page=2,
    pages=3,
)


def pages_of(document: ProofDocument) -> tuple[bytes, ...]:
    rendered = render(document, ORIGIN)
    assert isinstance(rendered, RenderedProof)
    return rendered.pages


def test_every_page_tells_what_it_belongs_to(specimen: ProofDocument) -> None:
    items = tuple(ItemLine(f"Item {n}", specimen.items[0].quantity) for n in range(40))
    document = replace(specimen, items=items, shipment_id="発送-№7-Ä🙂")
    pages = pages_of(document)

    assert len(pages) > 1
    for number, file in enumerate(pages, 1):
        assert read_imprint(png.parts_of(file).texts) == Imprint(
            order_key="alibaba:255201166001024316",
            store_id="alibaba-4711",
            document_id="specimen",
            shipment_id="発送-№7-Ä🙂",
            shipment_revision=3,
            tracking_number="JD014600006281234567",
            template_version=document.template_version,
            payload_sha256=document.payload_sha256(),
            page=number,
            pages=len(pages),
        )


def test_any_reader_of_png_files_shows_it(specimen: ProofDocument) -> None:
    with Image.open(io.BytesIO(pages_of(specimen)[0])) as image:
        assert image.info["waybill.order-key"] == "alibaba:255201166001024316"
        assert image.info["waybill.pages"] == "1"


def test_nobody_is_named_in_it(specimen: ProofDocument) -> None:
    texts = str(png.parts_of(pages_of(specimen)[0]).texts)

    assert not any(word in texts for word in ("Erika", "Mustermann", "Berlin", "2555", "李明"))


def test_what_is_written_is_read_as_it_was() -> None:
    assert read_imprint(IMPRINT.texts()) == IMPRINT


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("waybill.order-key", ""),
        ("waybill.order-key", "a b"),
        ("waybill.document-id", "d" * 129),
        ("waybill.shipment-revision", " 1"),
        ("waybill.shipment-revision", "01"),
        ("waybill.shipment-revision", "1.0"),
        ("waybill.shipment-revision", str(2**63)),
        ("waybill.tracking-number", ""),
        ("waybill.payload-sha256", "A" * 64),
        ("waybill.page", "0"),
        ("waybill.page", "4"),
        ("waybill.page", "two"),
        ("waybill.page", "٢"),
        ("waybill.pages", str(PAGES_MAX + 1)),
        ("waybill.pages", "9" * 5_000),
    ],
)
def test_a_text_of_another_form_is_refused_without_repeating_it(keyword: str, text: str) -> None:
    texts = tuple((name, text if name == keyword else value) for name, value in IMPRINT.texts())

    with pytest.raises(ImprintError) as caught:
        read_imprint(texts)
    assert "9" * 100 not in str(caught.value)


def test_a_text_too_few_too_many_or_at_another_place_is_refused() -> None:
    texts = IMPRINT.texts()

    for other in (texts[1:], (*texts, texts[0]), texts[::-1], (), (*texts, ("more", ""))):
        with pytest.raises(ImprintError):
            read_imprint(other)
    assert tuple(name for name, _ in texts) == KEYWORDS
