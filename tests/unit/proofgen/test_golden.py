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
    "german_letter": "c6e197b4c870e4a915df9e656db677f906981b56ecdacf022aade9282c49e2a5",
    "specimen": "8d96b69b347a448c07a8d32115f6cbd256b0c6d3dac2c824a2f20c36763d8ae2",
    "sparse": "0c5dc378b1936e3231635e39c5b3f2ba45b734cf111deb7773f77abcc1328438",
    "many_scripts": "9d494193b54650b53bff394e7d7be1d9600fd524cdd4dcee4a75f51c129473fc",
    "endless": "17c789d4d31a66df59f10b0c768a4d97b39e41206c8eda6ff5d13e8122a06203",
}
FILES = {
    "german_letter": "4b9d296484d980fcf75b36c60ecc8a485f71fb98a5b390766ae10f7473286998",
    "specimen": "ccf7f61defe2dea570c81f0b8a08f7b96688f53d73bbbdcb0ec925cae8cd9352",
    "sparse": "a2e0d768e3c1e8a6206118d848c7f1448a4b17d0068fe360128b52d893c1c75c",
    "many_scripts": "d984763c94d1b9cb99fcfb63486233df78a631b23a12ff06ee76262ca627aeb5",
    "endless": "54c0114789ea24b6511516df8459b08b2eba0834934418babf5b0bcec5f20b41",
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
