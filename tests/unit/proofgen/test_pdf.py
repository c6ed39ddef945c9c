"""The PDF file holds the very pages, and another reader finds them."""

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image, PdfParser

from services.proofgen import pdf, png


def page(width: int, height: int, ink: int) -> bytes:
    sheet = png.new_sheet(width, height, ink)
    sheet.paste(ink // 2, (5, 5, 9, 7))
    return png.encode(sheet, 200)


def images(file: bytes, folder: Path) -> list[tuple[Image.Image, list[float]]]:
    """Each page's image, unpacked by the rules of PNG and PDF, and its box in points."""
    path = folder / "read.pdf"
    path.write_bytes(file)
    found = []
    with PdfParser.PdfParser(str(path)) as read:
        for reference in read.pages:
            leaf = read.read_indirect(reference)
            image = read.read_indirect(leaf[b"Resources"][b"XObject"][b"Page"])
            size = image.dictionary[b"Width"], image.dictionary[b"Height"]
            rows = zlib.decompress(image.buf)
            assert {0} == set(rows[:: size[0] + 1]), "filter of each row"
            sheet = Image.frombuffer("L", (size[0] + 1, size[1]), rows, "raw", "L", 0, 1)
            found.append((sheet.crop((1, 0, size[0] + 1, size[1])), leaf[b"MediaBox"]))
    return found


def test_every_page_is_there_pixel_by_pixel(tmp_path: Path) -> None:
    pages = [page(100, 50, 240), page(60, 80, 200), page(100, 50, 9)]

    read = images(pdf.encode(pages), tmp_path)

    assert len(pages) == len(read)
    for file, (image, box) in zip(pages, read, strict=True):
        with Image.open(io.BytesIO(file), formats=["PNG"]) as original:
            assert original.tobytes() == image.tobytes()
            assert box[2] == pytest.approx(original.width * 72 / 200, abs=0.02)
            assert box[3] == pytest.approx(original.height * 72 / 200, abs=0.02)


def test_the_table_says_where_each_object_begins() -> None:
    file = pdf.encode([page(100, 50, 240)] * 3)

    start = int(file.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    lines = file[start:].split(b"\n")
    assert lines[:2] == [b"xref", b"0 12"]
    for number, line in enumerate(lines[3:14], start=1):
        assert file[int(line[:10]) :].startswith(f"{number} 0 obj\n".encode())


def test_equal_pages_give_equal_bytes_without_a_date() -> None:
    file = pdf.encode([page(100, 50, 240)])

    assert file == pdf.encode([page(100, 50, 240)])
    assert b"Date" not in file
    assert b"/ID" not in file
