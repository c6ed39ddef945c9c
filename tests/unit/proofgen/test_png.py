"""The files are what other readers take them for, and nothing else is taken for one of them."""

import io
import random
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from services.proofgen import png

TEXTS = (("waybill.order-key", "sandbox:1"), ("waybill.shipment-id", "発送-№7-Ä🙂"), ("empty", ""))


@pytest.fixture
def sheet() -> Image.Image:
    sheet = png.new_sheet(101, 57, 255)
    noise = random.Random(7).randbytes(101 * 50)
    sheet.paste(Image.frombytes("L", (101, 50), noise), (1, 3))
    return sheet


@pytest.fixture
def file(sheet: Image.Image) -> bytes:
    return png.encode(sheet, 200, TEXTS)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def added(file: bytes, name: bytes, data: bytes) -> bytes:
    """The file with one more chunk before its end."""
    return png.before_end(file) + chunk(name, data) + chunk(b"IEND", b"")


def replaced(file: bytes, name: bytes, data: bytes) -> bytes:
    """The file with another content of its first chunk of that name, its checksum right."""
    at = file.index(name) - 4
    length = int.from_bytes(file[at : at + 4], "big")
    return file[:at] + chunk(name, data) + file[at + length + 12 :]


def test_another_reader_finds_the_same_pixels_and_texts(sheet: Image.Image, file: bytes) -> None:
    with Image.open(io.BytesIO(file)) as read:
        read.load()

        assert (read.format, read.mode, read.size) == ("PNG", "L", (101, 57))
        assert sheet.crop((1, 0, 102, 57)).tobytes() == read.tobytes()
        assert 200 == round(read.info["dpi"][0]) == round(read.info["dpi"][1])
        assert dict(TEXTS) == read.text  # type: ignore[attr-defined]  # of PNG files alone


def test_decoding_gives_the_sheet_and_the_texts_back(sheet: Image.Image, file: bytes) -> None:
    later = png.with_text_after(file, "signature", "abc")

    assert sheet.tobytes() == png.decode(file).tobytes() == png.decode(later).tobytes()
    assert png.parts_of(file).texts == TEXTS
    assert png.parts_of(later).texts_after == (("signature", "abc"),)
    assert later.startswith(png.before_end(file))


def test_a_change_of_any_byte_is_noticed(file: bytes) -> None:
    for place in [*range(400), *range(400, len(file), 97)]:
        damaged = bytearray(file)
        damaged[place] ^= 0x10
        with pytest.raises(png.PngError):
            png.decode(bytes(damaged))


@pytest.mark.parametrize("length", [0, 7, 20, 33, 40, 60, 120, -13, -12, -1])
def test_a_cut_file_is_noticed(file: bytes, length: int) -> None:
    with pytest.raises(png.PngError):
        png.decode(file[:length])


HEADER = struct.Struct(">II5B")
OTHER_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "bytes after the end": lambda file: file + b"\0",
    "a second file after the first": lambda file: file + file,
    "a chunk after the end": lambda file: file + chunk(b"tEXt", b"a\0b"),
    "a chunk of another kind": lambda file: added(file, b"tIME", b"\0" * 7),
    "a second picture": lambda file: added(file, b"IDAT", zlib.compress(b"")),
    "content in the end": lambda file: replaced(file, b"IEND", b"x"),
    "colours": lambda file: replaced(file, b"IHDR", HEADER.pack(101, 57, 8, 2, 0, 0, 0)),
    "interlaced": lambda file: replaced(file, b"IHDR", HEADER.pack(101, 57, 8, 0, 0, 0, 1)),
    "no pixels": lambda file: replaced(file, b"IHDR", HEADER.pack(0, 57, 8, 0, 0, 0, 0)),
    "four thousand million pixels": lambda file: replaced(
        file, b"IHDR", HEADER.pack(2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0)
    ),
    "twenty million pixels that are all there": lambda file: replaced(
        replaced(file, b"IHDR", HEADER.pack(10_000, 2_000, 8, 0, 0, 0, 0)),
        b"IDAT",
        zlib.compress(b"\0" * 10_001 * 2_000),
    ),
    "a short header": lambda file: replaced(file, b"IHDR", b"\0"),
    "an aspect ratio": lambda file: replaced(file, b"pHYs", struct.pack(">IIB", 7874, 1, 1)),
    "a short resolution": lambda file: replaced(file, b"pHYs", b"\1"),
    "a compressed text": lambda file: replaced(file, b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"b")),
    "a text with a language": lambda file: replaced(file, b"iTXt", b"a\0\0\0en\0\0b"),
    "a text without keyword": lambda file: replaced(file, b"iTXt", b"\0\0\0\0\0b"),
    "a text that is not UTF-8": lambda file: replaced(file, b"iTXt", b"a\0\0\0\0\0\xff"),
    "a long text": lambda file: replaced(file, b"iTXt", b"a\0\0\0\0\0" + b"b" * 3_000),
    "a row with a filter": lambda file: replaced(
        file, b"IDAT", zlib.compress(b"\1" + b"\0" * (102 * 57 - 1))
    ),
    "a row too few": lambda file: replaced(file, b"IDAT", zlib.compress(b"\0" * 102 * 56)),
    "a bomb": lambda file: replaced(file, b"IDAT", zlib.compress(b"\0" * 50_000_000)),
    "something after the pixels": lambda file: replaced(
        file, b"IDAT", zlib.compress(b"\0" * 102 * 57) + b"hidden"
    ),
    "pixels that are cut off": lambda file: replaced(
        file, b"IDAT", zlib.compress(b"\0" * 102 * 57)[:-4]
    ),
    "no pixels at all": lambda file: replaced(file, b"IDAT", b""),
    "noise for pixels": lambda file: replaced(file, b"IDAT", b"noise" * 100),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_FORMS)
def test_a_file_of_another_form_is_refused(file: bytes, name: str) -> None:
    with pytest.raises(png.PngError):
        png.decode(OTHER_FORMS[name](file))


def test_more_texts_than_any_page_has_are_refused(sheet: Image.Image) -> None:
    many = [(f"keyword-{n}", "text") for n in range(png.TEXTS_MAX + 1)]

    png.decode(png.encode(sheet, 200, many[1:]))
    with pytest.raises(png.PngError):
        png.decode(png.encode(sheet, 200, many))


def test_what_other_programs_write_is_refused_and_not_misread(sheet: Image.Image) -> None:
    for mode in ("L", "RGB", "RGBA", "1", "P", "I;16"):
        out = io.BytesIO()
        sheet.convert(mode).save(out, "PNG", dpi=(200, 200))
        with pytest.raises(png.PngError):
            png.decode(out.getvalue())
