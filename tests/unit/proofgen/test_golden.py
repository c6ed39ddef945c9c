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
    "further_scripts": "628ee0036f804a5f4dffe8ec3093502bb8a714ac247ca0b7ada030e1efd9e1a5",
    "german_letter": "f19e6185057b249dfcaa0918506223b0e679a4821e0a30d352e3fe77c6c5ecf2",
    "specimen": "e1494466ea99c3d646386563c561a3beb41d9a3dab9f42138e18c260e7a13d49",
    "sparse": "2a83ed76c69a408e927166be57f03f374d7a40d02a7905cd1f9f7e50d571e759",
    "many_scripts": "cfd71a92a5b1a7ccb446ca9278ae1569e97f80676f8089f35cedcefb23c8884a",
    "endless": "98cc73a4e6f1065b8a478ddd6ea6ad10589ab8a8f5040851392582c4838b611d",
}
FILES = {
    "further_scripts": "8a7e7ca62873a0d032724815c47d0bb215c306b414da58751e6a49cf450f2e42",
    "german_letter": "f1827d1f4f2ab171ded66b7eae8bf484e08e53f3fd2642e88dda297451f77160",
    "specimen": "f4e7154aec0d474535261c14dab9ce02ceb092407dc9faa205356156cd3938d8",
    "sparse": "3d409bacb9c0b0a9d7c5eacd32e151fdccf24ed9fae55359b7d8f7717042369d",
    "many_scripts": "4fae023132cde5cad6e6ad5a38111c96616c7bab4b4c69ef259ff1d09075582f",
    "endless": "90d36d8a582456893bd7cae879a57754af5cd432f3bf09718dbb88e3c20488a5",
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
