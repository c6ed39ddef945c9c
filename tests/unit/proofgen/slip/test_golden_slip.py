"""The slips as they were approved by eye. A change here is a new look: view it, then take the new hashes."""

import hashlib
import platform

import pytest

from services.proofgen.captions import Captions
from services.proofgen.marks import ImageMark, Mark
from services.proofgen.slip.document import RenderedSlip
from services.proofgen.slip.pages import lay_out
from services.proofgen.slip.render import render_slip
from services.proofgen.typesetter import Typesetter
from tests.unit.proofgen.test_golden import _told


def told(mark: Mark) -> str:
    return f"{mark.x} {mark.y} {mark.image.size}" if isinstance(mark, ImageMark) else _told(mark)


LAYOUTS: dict[str, str] = {}
FILES: dict[str, str] = {}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_glyph_stands_where_it_was_approved(
    name: str, request: pytest.FixtureRequest
) -> None:
    document = request.getfixturevalue(name)
    digest = hashlib.sha256()
    for page in lay_out(document, Typesetter(Captions(document.third_language))):
        for y, block in page.placed:
            for mark in block.marks:
                digest.update(f"{y} {told(mark)}\n".encode())

    assert LAYOUTS[name] == digest.hexdigest()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="glyph edges may differ by a shade")
@pytest.mark.parametrize("name", FILES)
def test_the_files_are_those_that_were_approved(name: str, request: pytest.FixtureRequest) -> None:
    result = render_slip(request.getfixturevalue(name))
    assert isinstance(result, RenderedSlip)

    assert FILES[name] == hashlib.sha256(b"".join(result.pages)).hexdigest()
