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
    "further_scripts": "f1cd9024cd5d225c08898b83dc1ab50fbcf29634b14ca99210d11881a57a8870",
    "german_letter": "b6614fb6e5b4f61aad0d03c97105baa863daed35c1fb8daf9436b679aa8d5def",
    "specimen": "d559d60d34f05f4f8acb2fa211252991cc809235ff16682150cc3bfa507c30d2",
    "sparse": "66eab6e845029f7f1788cfe51ba80927a2ffafb460f9ae261ab738e53866846a",
    "many_scripts": "1a1725a57fa9e8b0432750546f076dea4779fc5410c76448c161c2513fe9540a",
    "endless": "e1dff3d1d998c6b507f65bdc3fb628f691f105dffb4ea9ed09b0b33bab1ec4dd",
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
