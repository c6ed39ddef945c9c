"""Whatever an order or a server gives, there is a small picture or a reason."""

from io import BytesIO

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from waybill.pictures.decoding import SIDE_PX_MAX, small_grey
from waybill.pictures.links import link_of, next_link
from waybill.pictures.reasons import PictureError

HOSTS = ("alicdn.com",)


def _file(form: str, mode: str) -> bytes:
    file = BytesIO()
    Image.radial_gradient("L").resize((64, 48)).convert(mode).save(file, form)
    return file.getvalue()


FILES = [
    _file("PNG", "RGB"), _file("PNG", "P"), _file("PNG", "LA"), _file("JPEG", "RGB"),
    _file("JPEG", "CMYK"), _file("WEBP", "RGB"), _file("WEBP", "RGBA"),
]  # fmt: skip

DAMAGE = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6)), max_size=6)
URL_TEXT = st.text(st.sampled_from("ab/.:@?#%[]\\-_~;=&'\"<>{}|^` 0é\t"), max_size=30)


@settings(max_examples=400)
@given(st.sampled_from(FILES), DAMAGE, st.integers(0, 4_000))
def test_a_damaged_file_gives_a_picture_or_a_reason(
    file: bytes, damage: list[tuple[float, bytes]], kept: int
) -> None:
    broken = bytearray(file[:kept] if kept < len(file) else file)
    for place, found in damage:
        start = int(place * len(broken))
        broken[start : start + len(found)] = found
    try:
        small = small_grey(bytes(broken))
    except PictureError:
        return
    with Image.open(BytesIO(small), formats=["PNG"]) as image:
        assert image.mode == "L"
        assert max(image.size) <= SIDE_PX_MAX


@settings(max_examples=400)
@given(
    st.sampled_from(["https://s.alicdn.com", "//s.alicdn.com", "https:", "https://", ""]),
    URL_TEXT,
    URL_TEXT,
)
def test_a_link_leads_to_an_allowed_host_whatever_it_says(
    start: str, rest: str, location: str
) -> None:
    try:
        link = link_of(start + rest, HOSTS)
        for found in (link, next_link(link, location, HOSTS)):
            request = httpx.Request("GET", f"https://192.0.2.1:443{found.target}")

            assert found.host == "alicdn.com" or found.host.endswith(".alicdn.com")
            assert (request.url.host, request.url.port) == ("192.0.2.1", None)
            assert request.url.userinfo == b""
    except PictureError:
        return
