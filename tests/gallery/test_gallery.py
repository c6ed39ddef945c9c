"""Every scene of the gallery, through the same code as a claim of the topic."""

from collections.abc import Mapping
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from pydantic import SecretStr

from services.proofgen import png
from services.proofgen.captions import Captions
from services.proofgen.carrier_links import carrier_host
from services.proofgen.claims import document_of
from services.proofgen.document import RefusalReason
from services.proofgen.marks import TextMark
from services.proofgen.pages import lay_out
from services.proofgen.proving import Proved, Prover
from services.proofgen.typesetter import Typesetter
from tests.gallery.scenes import Scene, scenes
from waybill.contracts import Claim, Order, Proof, Shipment
from waybill.contracts.base import Record
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.proof import Branding
from waybill.installation_keys import new_key

BOOK = SchemaBook()
PROVER = Prover(SecretStr(new_key()))
PAGE_BYTES_MAX = 400_000
"""Far below what any site takes; pages of text are a third of it."""


def proved(scene: Scene) -> Proof:
    answer = PROVER.prove(scene.claim_bytes())
    assert isinstance(answer, Proved)
    return Codec(Proof, "proof", BOOK).decode(answer.value)


def codes(sheet: Image.Image) -> tuple[list[str], list[str]]:
    """What a reader finds on a page: bar codes, and QR codes."""
    found = zxingcpp.read_barcodes(sheet)
    kinds = (zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.QRCode)
    bars, links = ([one.text for one in found if one.format == kind] for kind in kinds)
    return bars, links


def texts(scene: Scene) -> str:
    claim = Codec(Claim, "claim", BOOK).decode(scene.claim_bytes())
    shipment, *parts = (
        Codec(Shipment, "shipment", BOOK).decode(value) for value in (claim.shipment, *claim.parts)
    )
    order = Codec(Order, "order", BOOK).decode(claim.order)
    document = document_of(claim, shipment, order, tuple(parts))
    pages = lay_out(document, "0" * 64, Typesetter(Captions(document.third_language)))
    marks = [mark for page in pages for placed in page.placed for mark in placed.block.marks]
    return "\n".join(mark.line.text for mark in marks if isinstance(mark, TextMark))


@pytest.mark.parametrize("scene", scenes(), ids=lambda scene: scene.name)
def test_a_scene_gives_what_it_should(scene: Scene) -> None:
    proof = proved(scene)

    assert scene.expect.refusal == proof.refusal
    assert scene.expect.pages == len(proof.pages) or proof.refusal
    assert set(scene.expect.warnings) == set(proof.warnings)
    for number, page in enumerate(proof.pages, 1):
        bars, links = codes(png.decode(page.image))
        first = number == 1
        assert bars == ([scene.tracking_number] if first and scene.expect.bars else [])
        assert len(links) == (first and scene.expect.qr)
        assert all(carrier_host(link) for link in links)
        assert len(page.image) < PAGE_BYTES_MAX


@pytest.mark.parametrize("scene", scenes(), ids=lambda scene: scene.name)
def test_its_codes_can_still_be_read_at_half_size(scene: Scene) -> None:
    for page in proved(scene).pages:
        sheet = png.decode(page.image)
        half = sheet.resize((sheet.width // 2, sheet.height // 2), Image.Resampling.BICUBIC)

        assert codes(half) == codes(sheet)


@pytest.mark.parametrize("scene", [one for one in scenes() if one.absent], ids=lambda one: one.name)
def test_what_must_not_stand_there_does_not(scene: Scene) -> None:
    shown = texts(scene)

    assert scene.order.get("trade_id", "255201166001024316") in shown
    assert not [text for text in scene.absent if text in shown]


def test_there_are_enough_and_each_has_its_own_name() -> None:
    names = [scene.name for scene in scenes()]

    assert len(names) == len(set(names)) >= 40
    assert {scene.expect.refusal for scene in scenes()} - {None} <= set(RefusalReason)


@pytest.mark.parametrize("scene", scenes(), ids=lambda scene: scene.name)
def test_facts_have_the_names_of_the_contracts(scene: Scene) -> None:
    """Records pass over what they do not know, so a slip of the pen would change nothing."""
    _check_names(Order, scene.order)
    _check_names(Claim, scene.claim)
    _check_names(Branding, scene.branding)
    for shipment in (scene.shipment, *scene.parts):
        _check_names(Shipment, shipment)


def _check_names(model: type[Record], facts: Mapping[str, Any]) -> None:
    assert set(facts) <= set(model.model_fields)
    parsed = {name: model.model_fields[name].annotation for name in facts}
    for name, value in facts.items():
        inner = _record_in(parsed[name])
        for one in value if isinstance(value, list) else [value]:
            if inner is not None and isinstance(one, dict):
                _check_names(inner, {key: each for key, each in one.items() if key != "repeat"})


def _record_in(annotation: Any) -> type[Record] | None:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Record) else None
    inner = (_record_in(one) for one in getattr(annotation, "__args__", ()))
    return next((one for one in inner if one is not None), None)
