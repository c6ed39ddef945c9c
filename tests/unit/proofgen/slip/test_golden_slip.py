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


LAYOUTS = {
    "specimen": "1725efa2e393b5463f9b47c86c3a4608ef746095f5d46ae4f4799823b22a1b71",
    "sparse": "9613511ab564e3ef5f07f625ec5b52a338e69ded230407ea7382cae39cb185da",
    "pictured": "a195f61d4972719dedf0eb689f51a533cc5e2cfa9fbb54b1f840b5a3bcf1e615",
    "held_letter": "8174168c6ba97731b88cb5dbb78effdf547303f28952ba33e621f474bcb5c4e9",
    "many_scripts": "081f6674131edafb8201e757c7d068e9b37b2294bfbd1d69ec1325feaddab162",
    "endless": "729e9de93feef986812c49176bd97fd70c591defa1114d6c203ceb55ea374876",
}
FILES = {
    "specimen": "f9f49202ce6c71d3f3b39625886c3a47155349d98efaa2a643f26a1890202bfe",
    "sparse": "1c56e2a9819f9220916b8b8cb12347b1de028508a68ca300e16862a1ac5278ea",
    "pictured": "ba8c206237076aeac5d1cc2d25c618fdef091e296474bc022d736aa73206f6a3",
    "held_letter": "ffac677d7a7a95195c7ed1b91c8203d3cdf28f8859960cc05116f6c43ce3d17a",
    "many_scripts": "2dc5b4c3e3f26426698998cf6a6770c9b8564f4f194138620018ae7b6f7088c2",
    "endless": "ee62315826f8326923f95771bf7f4bf95f31d37ed6b80c8270978e37b9069e71",
}


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
