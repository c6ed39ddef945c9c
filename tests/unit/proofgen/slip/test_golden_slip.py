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
    "specimen": "6d5cc4feb18f0e34dbe5bb75da0919955996ce3c0363703f69cc89375e40e385",
    "sparse": "9613511ab564e3ef5f07f625ec5b52a338e69ded230407ea7382cae39cb185da",
    "pictured": "d508ed055f2d082f3a3a8fdaf2fbaa9b7ed0b2980f3ac93f2a667c62431ace1e",
    "held_letter": "54e3e46ac0697f1f2335126c56f2f6b96fbf8b50b9e6b3d78b9595be9efa2822",
    "many_scripts": "870cf7ac7955bfc7c8aae25cf999e6447f9edd22cb9270881121a588bd94a4c6",
    "endless": "f5323e7aa4c8dff46a6a86c7c5606bfe96bec66054fcfdfdb6cf997ea9bdaa3a",
}
FILES = {
    "specimen": "f9f49202ce6c71d3f3b39625886c3a47155349d98efaa2a643f26a1890202bfe",
    "sparse": "1c56e2a9819f9220916b8b8cb12347b1de028508a68ca300e16862a1ac5278ea",
    "pictured": "ba8c206237076aeac5d1cc2d25c618fdef091e296474bc022d736aa73206f6a3",
    "held_letter": "ffac677d7a7a95195c7ed1b91c8203d3cdf28f8859960cc05116f6c43ce3d17a",
    "many_scripts": "2dc5b4c3e3f26426698998cf6a6770c9b8564f4f194138620018ae7b6f7088c2",
    "endless": "fbb8cc5f82d8e48ce5b690b58c3da317b092f0ba565619ca8825b6cd94b354ef",
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
