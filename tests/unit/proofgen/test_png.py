"""The files are what other readers take them for, and damage is noticed."""

import io
import random

import pytest
from PIL import Image

from services.proofgen import png


@pytest.fixture
def sheet() -> Image.Image:
    sheet = png.new_sheet(101, 57, 255)
    noise = random.Random(7).randbytes(101 * 50)
    sheet.paste(Image.frombytes("L", (101, 50), noise), (1, 3))
    return sheet


def test_another_reader_finds_the_same_pixels(sheet: Image.Image) -> None:
    with Image.open(io.BytesIO(png.encode(sheet, 200))) as read:
        read.load()

        assert (read.format, read.mode, read.size) == ("PNG", "L", (101, 57))
        assert sheet.crop((1, 0, 102, 57)).tobytes() == read.tobytes()
        assert 200 == round(read.info["dpi"][0]) == round(read.info["dpi"][1])


def test_decoding_gives_the_sheet_back(sheet: Image.Image) -> None:
    assert sheet.tobytes() == png.decode(png.encode(sheet, 200)).tobytes()


def test_a_change_of_any_byte_is_noticed(sheet: Image.Image) -> None:
    file = png.encode(sheet, 200)
    for place in range(0, len(file), 97):
        damaged = bytearray(file)
        damaged[place] ^= 0x10
        with pytest.raises(png.PngError):
            png.decode(bytes(damaged))


@pytest.mark.parametrize("length", [0, 7, 20, 33, 40, -13, -12, -1])
def test_a_cut_file_is_noticed(sheet: Image.Image, length: int) -> None:
    with pytest.raises(png.PngError):
        png.decode(png.encode(sheet, 200)[:length])
