"""Whatever stands in a claim, the renderer answers with good pages or a refusal, in bounded time.

`PROOF_EXAMPLES=10000 pytest tests/property/proofgen/test_any_document.py` searches for longer.
"""

import gc
import io
import os
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import strategies as st
from PIL import Image

from services.proofgen.captions import Captions
from services.proofgen.document import (
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
from services.proofgen.render import PAGE_BYTES_MAX, render, warm_up
from services.proofgen.specimen import SPECIMEN
from services.proofgen.typesetter import Typesetter
from tests.property.proofgen.documents import DOCUMENT, NUMBERS

EXAMPLES = int(os.environ.get("PROOF_EXAMPLES", "40"))
CPU_S_MAX = 1.0
PAGES_MAX = 20
"""As many as the contract's record holds."""

# whole documents shrink for minutes; the texts that make them fail do so in other tests as well
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target)
SEARCH = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=WITHOUT_SHRINKING,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up()


def cpu_s_of(document: ProofDocument) -> float:
    """The time that a checked answer took."""
    gc.disable()  # going through what thousands of examples left in memory is no part of a page's work
    try:
        started_s = time.process_time()
        result = render(document)
        taken_s = time.process_time() - started_s
    finally:
        gc.enable()
    check(document, result)
    return taken_s


def check(document: ProofDocument, result: RenderedProof | Refusal) -> None:
    if isinstance(result, Refusal):
        assert result.reason not in {RefusalReason.CODE_UNREADABLE, RefusalReason.TOO_LARGE}
        assert result.detail
        return
    assert 0 < len(result.pages) <= PAGES_MAX
    for file in result.pages:
        assert len(file) < PAGE_BYTES_MAX
        with Image.open(io.BytesIO(file), formats=["PNG"]) as image:
            image.load()
            assert image.size == (document.paper.width_px, document.paper.height_px)
            assert image.info["waybill.document-id"] == document.document_id
            assert image.info["waybill.shipment-id"] == document.shipment_id


@pytest.mark.timeout(60 + EXAMPLES)
@SEARCH
@given(DOCUMENT)
def test_any_document_gives_good_pages_or_a_refusal(document: ProofDocument) -> None:
    taken_s = cpu_s_of(document)

    target(taken_s)
    assert taken_s < CPU_S_MAX


@pytest.mark.timeout(60 + EXAMPLES)
@SEARCH
@given(DOCUMENT, st.sampled_from(NUMBERS))
def test_nothing_ever_runs_over_an_edge(document: ProofDocument, number: str) -> None:
    setter = Typesetter(Captions(document.third_language))
    for page in lay_out(replace(document, tracking_number=number), "0" * 64, setter):
        *blocks, foot = page.placed
        assert all(y + block.height_px <= foot.y for y, block in blocks)
        for mark in (mark for placed in page.placed for mark in placed.block.marks):
            if isinstance(mark, TextMark):
                assert mark.x >= -6
                assert mark.x + mark.line.width_px <= WIDTH + 1


ITEM = SPECIMEN.items[0]
SHIP_TO = PostalAddress(name="Erika Mustermann", lines=("Street 1",) * 10_000)
MONSTERS = {
    "30 items": replace(SPECIMEN, items=(ITEM,) * 30),
    "3,000 items": replace(SPECIMEN, items=(ITEM,) * 3_000),
    "a note of 10,000 characters": replace(SPECIMEN, note_to_buyer="Thank you! " * 1_000),
    "a name of 100,000 characters": replace(SPECIMEN, buyer_name="Erika " * 20_000),
    "names of 100,000 characters everywhere": replace(
        SPECIMEN, items=tuple(replace(ITEM, name=f"{n} " * 50_000) for n in range(60))
    ),
    "50,000 packages": replace(SPECIMEN, parcels=(Parcel("P"),) * 50_000),
    "addresses of 10,000 lines": replace(SPECIMEN, ship_to=SHIP_TO),
    "zalgo": replace(
        SPECIMEN, items=(ItemLine("z" + "\u0300\u0335\u0316" * 30_000, ITEM.quantity),) * 100
    ),
    "letters that no font has": replace(
        SPECIMEN, items=(ItemLine("\ue000" * 10_000, ITEM.quantity, sku="\ue001" * 200),) * 100
    ),
    "nested brackets": replace(SPECIMEN, note_to_buyer="א(" * 5_000 + "a)" * 5_000),
    "10,000 options": replace(
        SPECIMEN, items=(replace(ITEM, options=(("Größe " * 50, "Ł" * 1_000),) * 10_000),) * 60
    ),
    "a host of 5,000 labels": replace(SPECIMEN, tracking_url="https://" + "a." * 5_000 + "dhl.com"),
}


@pytest.mark.parametrize("name", MONSTERS)
def test_no_size_makes_a_page_slow_or_large(name: str) -> None:
    assert cpu_s_of(MONSTERS[name]) < CPU_S_MAX
