"""Files become small grey pictures, or are refused before they cost anything."""

import struct
from io import BytesIO
from time import process_time
from typing import Any

import pytest
from PIL import Image

from waybill.pictures.decoding import PIXELS_MAX, SIDE_PX_MAX, small_grey
from waybill.pictures.reasons import PictureError, Reason


def file_of(form: str, mode: str, size: tuple[int, int], colour: Any = 0, **options: Any) -> bytes:
    found = BytesIO()
    Image.new(mode, size, colour).save(found, form, **options)
    return found.getvalue()


def opened(file: bytes) -> Image.Image:
    image = Image.open(BytesIO(file), formats=["PNG"])
    image.load()
    return image


def dark(image: Image.Image) -> bool:
    return image.point(lambda grey: 255 * (grey < 20)).getextrema() == (255, 255)


@pytest.mark.parametrize(
    ("form", "mode", "colour"),
    [
        ("PNG", "1", 0), ("PNG", "L", 9), ("PNG", "LA", (9, 255)), ("PNG", "P", 0),
        ("PNG", "RGB", (9, 9, 9)), ("PNG", "RGBA", (9, 9, 9, 255)), ("PNG", "I;16", 9),
        ("JPEG", "L", 9), ("JPEG", "RGB", (9, 9, 9)), ("JPEG", "CMYK", (0, 0, 0, 255)),
        ("WEBP", "RGB", (9, 9, 9)), ("WEBP", "RGBA", (9, 9, 9, 255)),
    ],
)  # fmt: skip
def test_any_kind_of_the_three_formats_is_drawn(form: str, mode: str, colour: Any) -> None:
    small = opened(small_grey(file_of(form, mode, (600, 300), colour)))

    assert (small.mode, small.size) == ("L", (SIDE_PX_MAX, SIDE_PX_MAX // 2))
    assert dark(small)


def test_a_small_picture_stays_as_it_is() -> None:
    assert opened(small_grey(file_of("PNG", "L", (30, 40)))).size == (30, 40)


def test_what_is_transparent_is_white() -> None:
    for form, mode, colour in (("PNG", "RGBA", (0, 0, 0, 0)), ("WEBP", "RGBA", (0, 0, 0, 0))):
        small = opened(small_grey(file_of(form, mode, (50, 50), colour)))

        assert small.getextrema() == (255, 255)


def test_a_moving_picture_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("black", "white")]
    for form in ("PNG", "WEBP"):
        file = BytesIO()
        frames[0].save(file, form, save_all=True, append_images=frames[1:], duration=100)

        assert dark(opened(small_grey(file.getvalue())))


def test_the_least_picture_with_too_many_pixels_is_refused() -> None:
    side = int(PIXELS_MAX**0.5)

    assert small_grey(file_of("PNG", "1", (side, side)))
    with pytest.raises(PictureError) as refused:
        small_grey(file_of("PNG", "1", (side + 1, side)))
    assert refused.value.reason is Reason.TOO_MANY_PIXELS


def test_the_size_that_a_webp_file_claims_costs_nothing() -> None:
    file = bytearray(file_of("WEBP", "RGBA", (50, 50), (0, 0, 0, 9)))
    assert file[12:16] == b"VP8X"
    file[24:30] = struct.pack("<I", 16_382)[:3] * 2
    started_s = process_time()

    with pytest.raises(PictureError) as refused:
        small_grey(bytes(file))

    assert refused.value.reason in {Reason.TOO_MANY_PIXELS, Reason.UNREADABLE}
    assert process_time() - started_s < 0.5


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "ICO", "PPM", "EPS"])
def test_other_formats_are_never_opened(form: str) -> None:
    with pytest.raises(PictureError) as refused:
        small_grey(file_of(form, "RGB", (50, 50)))

    assert refused.value.reason is Reason.WRONG_TYPE


def test_a_file_that_only_begins_right_is_damaged() -> None:
    for start in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x00\x00\x00\x00WEBP"):
        with pytest.raises(PictureError) as refused:
            small_grey(start + bytes(200))
        assert refused.value.reason is Reason.UNREADABLE
