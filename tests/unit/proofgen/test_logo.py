"""The store's logo on the proof: drawn small and grey, or left out with a warning."""

import time
import zlib
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from services.proofgen.document import ProofDocument, ProofWarning, RenderedProof
from services.proofgen.grid import A4, TOP
from services.proofgen.logo import BYTES_MAX, HEIGHT_MAX, WIDTH_MAX
from services.proofgen.marks import ImageMark
from services.proofgen.pages import lay_out
from services.proofgen.render import render
from services.proofgen.typesetter import Typesetter


def png(width: int, height: int, colour: str = "black", mode: str = "RGB") -> bytes:
    file = BytesIO()
    Image.new(mode, (width, height), colour).save(file, "PNG")
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def bomb(width: int, height: int) -> bytes:
    """A small file of a large picture: 8-bit grey, all of it one colour."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 0, 0, 0, 0))
    pixels = zlib.compress(bytes(min((width + 1) * height, 20_000_000)), 9)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def with_empty_profile(file: bytes) -> bytes:
    """Behind the pixels, where Pillow stumbles with an error that is no error of files."""
    return file[:-12] + chunk(b"iCCP", b"") + file[-12:]


def with_logo(document: ProofDocument, logo: bytes) -> RenderedProof:
    found = render(replace(document, logo=logo))
    assert isinstance(found, RenderedProof)
    return found


def drawn(document: ProofDocument, logo: bytes) -> list[ImageMark]:
    pages = lay_out(replace(document, logo=logo), "0" * 64, Typesetter())
    marks = [mark for page in pages for placed in page.placed for mark in placed.block.marks]
    return [mark for mark in marks if isinstance(mark, ImageMark)]


def test_a_logo_stands_at_the_top_of_the_first_page(specimen: ProofDocument) -> None:
    (mark,) = drawn(specimen, png(200, 60))
    found = with_logo(specimen, png(200, 60))

    with Image.open(BytesIO(found.pages[0])) as page:
        assert page.getpixel((A4.left + 5, TOP + 5)) == 0
    assert (mark.x, mark.image.size) == (0, (200, 60))
    assert found.warnings == with_logo(specimen, png(200, 60)).warnings
    assert ProofWarning.LOGO_UNREADABLE not in found.warnings


@pytest.mark.parametrize("size", [(1_800, 200), (300, 900), (1, 2_000)])
def test_a_large_logo_is_shrunk_to_its_place(
    specimen: ProofDocument, size: tuple[int, int]
) -> None:
    (mark,) = drawn(specimen, png(*size))

    assert 1 <= mark.image.width <= WIDTH_MAX
    assert 1 <= mark.image.height <= HEIGHT_MAX


def test_what_is_transparent_is_white(specimen: ProofDocument) -> None:
    (mark,) = drawn(specimen, png(50, 50, (0, 0, 0, 0), "RGBA"))  # type: ignore[arg-type]  # a colour

    assert mark.image.getextrema() == (255, 255)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"no picture",
        png(40, 40)[:60],
        png(3_000, 2_000),
        png(9_000, 1),
        bomb(100_000, 100_000),
        bomb(4_000, 4_000),
        png(40, 40) + bytes(BYTES_MAX),
        with_empty_profile(png(40, 40)),
        b"GIF89a" + bytes(40),
    ],
    ids=[
        "empty",
        "text",
        "cut",
        "too many pixels",
        "too long",
        "bomb",
        "small bomb",
        "too many bytes",
        "broken",
        "another format",
    ],
)
def test_a_logo_that_cannot_be_drawn_is_left_out_with_a_warning(
    specimen: ProofDocument, file: bytes
) -> None:
    found, without = with_logo(specimen, file), render(specimen)

    assert ProofWarning.LOGO_UNREADABLE in found.warnings
    assert isinstance(without, RenderedProof)
    assert len(found.pages) == len(without.pages)


def test_a_bomb_costs_nothing(specimen: ProofDocument) -> None:
    started_s = time.process_time()
    with_logo(specimen, bomb(4_000, 4_000))

    assert time.process_time() - started_s < 0.2


def test_the_logo_is_among_the_facts_that_are_hashed(specimen: ProofDocument) -> None:
    hashes = {
        replace(specimen, logo=logo).payload_sha256() for logo in (None, png(9, 9), png(8, 8))
    }

    assert len(hashes) == 3
