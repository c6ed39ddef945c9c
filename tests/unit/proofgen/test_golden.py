"""The pages as they were approved by eye. A change here is a new look: view it, then take the new hashes.

The layout (which glyph stands where) is exact on every machine. The files are compared on x86-64
alone: elsewhere floating point may draw the edge of a glyph a shade lighter.
"""

import hashlib
import platform

import pytest

from services.proofgen.captions import Captions
from services.proofgen.document import RenderedProof
from services.proofgen.marks import Mark, SymbolMark, TextMark
from services.proofgen.pages import lay_out
from services.proofgen.render import render
from services.proofgen.typesetter import Typesetter

LAYOUTS = {
    "further_scripts": "9204c2d0538ec21e7ff5b0ca192300727f585eba23846abbb22cbaea7ec5ae3e",
    "german_letter": "b3d7e4b6288c9aff1778b3247d70a2da4fba6d7628c0e70c2d1da773d27bb563",
    "specimen": "ab3d206b26ca4ffd6f9b3cf62d30d7ac825a55e002506f483089291d2e0b0477",
    "sparse": "9bc9bd4ba51aa1b4f94a8e4749bbea1e0a8694428e279283e5f2bcac36fd6caa",
    "many_scripts": "b9caa71d50c287ceaa6c57746dbcc0c43fc31aeca942a7361ecbade28d803fcd",
    "endless": "30615f4d2b1571b5d82e58a3fd1647576a60f44c3fce52f141b6e29f0858dd29",
}
FILES = {
    "further_scripts": "ab264543f735413cc1e2d4134a0a4a5d29737a1ed661ae20d654b1c7af194c49",
    "german_letter": "70d320cf4cf9dc5197fe83bf618278569d5cc101695b5a05831e7876fe9d2cd8",
    "specimen": "1e600cb9b20149c2c845836661e30ca54ac26360e50b20e4733f4aa4669c83ac",
    "sparse": "45ec7c16820a4c6ab8c6af5c5902b758b38f6b032b00964c06a2a21b666c864e",
    "many_scripts": "e4039f3c6503bd42c9b431c68d676e77fdbdda95ab8c77c28e8dcc383e32f892",
    "endless": "e8796162bdc61d45cc405e35520f5b026ec8948f5265c903b56e9d00a5853f9b",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_glyph_stands_where_it_was_approved(
    name: str, request: pytest.FixtureRequest
) -> None:
    document = request.getfixturevalue(name)
    told = hashlib.sha256()
    setter = Typesetter(Captions(document.third_language))
    for page in lay_out(document, document.payload_sha256(), setter):
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
