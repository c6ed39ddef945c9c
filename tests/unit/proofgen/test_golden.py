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
    "further_scripts": "d92098b2e3159faa4e4dc9e76ef94999691394ae828d7b6ad6599ad0379444a7",
    "german_letter": "c6e197b4c870e4a915df9e656db677f906981b56ecdacf022aade9282c49e2a5",
    "specimen": "8d96b69b347a448c07a8d32115f6cbd256b0c6d3dac2c824a2f20c36763d8ae2",
    "sparse": "0c5dc378b1936e3231635e39c5b3f2ba45b734cf111deb7773f77abcc1328438",
    "many_scripts": "9d494193b54650b53bff394e7d7be1d9600fd524cdd4dcee4a75f51c129473fc",
    "endless": "17c789d4d31a66df59f10b0c768a4d97b39e41206c8eda6ff5d13e8122a06203",
}
FILES = {
    "further_scripts": "407170c24986e8e3546c256f46b17d947a4f1cd3b65f66ee12c24d5f38767d81",
    "german_letter": "14b6bca07a6d12a94b9007f465cb9ec31155bda75c28b54b3f0c78d2e200adc7",
    "specimen": "5309f6c266ed4e2f9929343e61119a727be802d3b16b9f669c309358f32e3272",
    "sparse": "476c38845901e4933f0493245a0c454ad06bd64f80572bb1290d0255db720e7d",
    "many_scripts": "03cbd3024db74a9b14d21e982103cac3051ab73144deb3d0631b0451f6bc9eca",
    "endless": "423a47c28478bc32e9d0ebdea9e8929ed7fd0852931a0e78deb8b6baafb04aa2",
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
