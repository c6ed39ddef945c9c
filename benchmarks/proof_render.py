"""How fast proofs are drawn: this renderer beside a plain Pillow script that draws the same page.

    python benchmarks/proof_render.py [--rounds 5] [--pages 40]

Both draw the specimen: same texts, sizes and places, same two codes, 8-bit grey PNG at 200 dpi. The
plain script is what one writes first: ImageDraw.text for each line, Image.save. It lays out and checks
nothing: it is handed the lines at their places, takes one font a line, and does not read the codes
back. Rounds alternate; the numbers are medians of the processor time of one core.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable, Iterator
from functools import cache

import noto_cjk_sans_otc
import pymupdf_fonts
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from services.proofgen import canvas
from services.proofgen.document import RenderedProof
from services.proofgen.grid import A4, DPI
from services.proofgen.marks import BoxMark, TextMark
from services.proofgen.pages import Page, lay_out
from services.proofgen.render import render, warm_up
from services.proofgen.shaping import Line
from services.proofgen.specimen import SPECIMEN
from services.proofgen.typesetter import Typesetter

PAYLOAD = SPECIMEN.payload_sha256()


def ours() -> bytes:
    result = render(SPECIMEN)
    assert isinstance(result, RenderedProof)
    return result.pages[0]


@cache
def plain_font(key: str, size_px: int) -> ImageFont.FreeTypeFont:
    if key == "cjk":
        return ImageFont.truetype(str(noto_cjk_sans_otc.FONT_PATH), size_px, index=2)
    return ImageFont.truetype(io.BytesIO(pymupdf_fonts.fontbuffers[key]()), size_px)


def plain_font_of(line: Line) -> ImageFont.FreeTypeFont:
    font = line.glyphs[0][0]
    chinese = any(char > "\u2e80" for char in line.text)
    return plain_font("cjk" if chinese else font.typeface.name, font.size_px)


def plain_page(page: Page) -> bytes:
    image = Image.new("L", (A4.width_px, A4.height_px), 255)
    drawing = ImageDraw.Draw(image)
    for y, block in page.placed:
        for mark in block.marks:
            if isinstance(mark, TextMark):
                at = (A4.left + mark.x, y + mark.y)
                drawing.text(at, mark.line.text, mark.ink, plain_font_of(mark.line), anchor="ls")
            elif isinstance(mark, BoxMark):
                left, top = A4.left + mark.x, y + mark.y
                corner = (left + mark.width - 1, top + mark.height - 1)
                drawing.rectangle((left, top, *corner), fill=mark.ink)
    bars = plain_code(SPECIMEN.tracking_number, zxingcpp.BarcodeFormat.Code128, 6)
    image.paste(bars.resize((bars.width, 150)), (110, 540))
    image.paste(plain_code(SPECIMEN.tracking_url, zxingcpp.BarcodeFormat.QRCode, 5), (1280, 380))
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()


def plain_code(text: str | None, form: zxingcpp.BarcodeFormat, scale: int) -> Image.Image:
    return Image.fromarray(zxingcpp.create_barcode(text, form).to_image(scale=scale))


def stages(page: Page) -> Iterator[tuple[str, Callable[[], object]]]:
    sheet = canvas.draw(page)
    file = canvas.encode(sheet)
    yield "hash of the facts", SPECIMEN.payload_sha256
    yield "layout and codes", lambda: lay_out(SPECIMEN, PAYLOAD, Typesetter())
    yield "drawing", lambda: canvas.draw(page)
    yield "PNG", lambda: canvas.encode(sheet)
    yield "reading back", lambda: canvas.codes_are_readable(file, page)


def cpu_ms(work: Callable[[], object], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        started = time.process_time()
        work()
        taken.append((time.process_time() - started) * 1000)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the proof renderer.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pages", type=int, default=40, help="pages a round of each")
    arguments = parser.parse_args()
    warm_up()
    page = lay_out(SPECIMEN, PAYLOAD, Typesetter())[0]
    variants: dict[str, Callable[[], bytes]] = {
        "proofgen": ours,
        "plain Pillow": lambda: plain_page(page),
    }
    files = {name: draw() for name, draw in variants.items()}
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(arguments.rounds):
        for name, draw in variants.items():
            taken[name] += cpu_ms(draw, arguments.pages)
    for name, times in taken.items():
        median, slow = statistics.median(times), statistics.quantiles(times, n=100)[98]
        print(
            f"{name:14} {median:7.1f} ms a page (99 %: {slow:.1f})  {1000 / median:6.1f} pages/s a core"
            f"  {len(files[name]):7,} bytes"
        )
    print("\nproofgen's stages, ms:")
    for name, work in stages(page):
        print(f"  {name:18} {statistics.median(cpu_ms(work, arguments.pages)):6.2f}")


if __name__ == "__main__":
    main()
