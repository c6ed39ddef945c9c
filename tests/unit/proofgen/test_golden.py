"""The pages as they were approved by eye. A change here is a new look: view it, then take the new hashes.

The layout (which glyph stands where) is exact on every machine. The files are compared on x86-64
alone: elsewhere floating point may draw the edge of a glyph a shade lighter.
"""

import hashlib
import platform

import pytest

from services.proofgen.document import RenderedProof
from services.proofgen.marks import BoxMark, SymbolMark, TextMark
from services.proofgen.pages import lay_out
from services.proofgen.render import render
from services.proofgen.typesetter import Typesetter

LAYOUTS = {
    "specimen": "?",
    "sparse": "?",
    "many_scripts": "?",
    "endless": "?",
}
FILES = {
    "specimen": "?",
    "sparse": "?",
    "many_scripts": "?",
    "endless": "?",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_glyph_stands_where_it_was_approved(
    name: str, request: pytest.FixtureRequest
) -> None:
    document = request.getfixturevalue(name)
    told = hashlib.sha256()
    for page in lay_out(document, document.payload_sha256(), Typesetter()):
        for y, block in page.placed:
            for mark in block.marks:
                told.update(f"{y} {_told(mark)}\n".encode())

    assert LAYOUTS[name] == told.hexdigest()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="glyph edges may differ by a shade")
@pytest.mark.parametrize("name", FILES)
def test_the_files_are_those_that_were_approved(name: str, request: pytest.FixtureRequest) -> None:
    result = render(request.getfixturevalue(name))
    assert isinstance(result, RenderedProof)

    assert FILES[name] == hashlib.sha256(b"".join(result.pages)).hexdigest()


def _told(mark: TextMark | BoxMark | SymbolMark) -> str:
    if isinstance(mark, TextMark):
        glyphs = [(font.typeface.name, font.size_px, *rest) for font, *rest in mark.line.glyphs]
        return f"{mark.x} {mark.y} {mark.ink} {glyphs}"
    if isinstance(mark, SymbolMark):
        return f"{mark.x} {mark.y} {mark.symbol.text} {mark.symbol.image.size}"
    return repr(mark)
