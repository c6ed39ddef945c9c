"""The pages as they were approved by eye. A change here is a new look: view it, then take the new hashes.

The layout (which glyph stands where) is exact on every machine. The files are compared on x86-64
alone: elsewhere floating point may draw the edge of a glyph a shade lighter.
"""

import hashlib
import platform

import pytest

from services.proofgen.document import RenderedProof
from services.proofgen.marks import Mark, SymbolMark, TextMark
from services.proofgen.pages import lay_out
from services.proofgen.render import render
from services.proofgen.typesetter import Typesetter

LAYOUTS = {
    "specimen": "5ba5b7365990f97fe7661917d73359b696ae0738a85ee73dcf391e59c24d66f0",
    "sparse": "62c2cf59461e4cb268aeb4d36d1a3db100c0cca7d4639772745231096a2c8665",
    "many_scripts": "d4ca6d195287ecc3c5887c677a5e7a58621ec52a1c184ef4af30902abf18570b",
    "endless": "0de59b05b41859bcb1c8e5a5144cc691b4414330607f0eafaee24b76682017e0",
}
FILES = {
    "specimen": "b743131860a39a74d1f37fd9bbce0bc76c89fb528ff3a64bca8b62f8773ac9a9",
    "sparse": "e61163e540004701dbc5abbcb3c8a0c58349a07cd39384f43a59167d099df604",
    "many_scripts": "b8cd59931a6b0497c421f373ca154bdcb5342dc41985006dde243b5817b842ad",
    "endless": "97913fbea8758f34fce19bfe06d19cd56498410eef8fe0de9fbdb453aa655bbb",
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


def _told(mark: Mark) -> str:
    if isinstance(mark, TextMark):
        glyphs = [(font.typeface.name, font.size_px, *rest) for font, *rest in mark.line.glyphs]
        return f"{mark.x} {mark.y} {mark.ink} {glyphs}"
    if isinstance(mark, SymbolMark):
        return f"{mark.x} {mark.y} {mark.symbol.text} {mark.symbol.image.size}"
    return repr(mark)
