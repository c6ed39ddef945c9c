"""Pages as one PDF file for printers: lossless, without a time or an id, so equal pages give equal bytes.

PDF knows the compression and the row filters of PNG, so the rows stand in the file as `png.encode` packed
them: nothing is decoded, and no bar is smeared, as it would be by the JPEG that Pillow makes of grey pages.
"""

from collections.abc import Iterable

from services.proofgen import png
from services.proofgen.grid import DPI

_POINTS_PER_PX = 72 / DPI
_HEAD = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
"""The second line tells programs that the file is no text."""
_CATALOGUE, _PAGES, _FIRST = 1, 2, 3
_OBJECTS_PER_PAGE = 3


def encode(pages: Iterable[bytes]) -> bytes:
    """The file of pages that `png.encode` wrote, each as large as it is at `DPI`."""
    bodies: list[bytes] = []
    for page in pages:
        bodies += _page(page, _FIRST + len(bodies))
    kids = " ".join(f"{_FIRST + index} 0 R" for index in range(0, len(bodies), _OBJECTS_PER_PAGE))
    count = len(bodies) // _OBJECTS_PER_PAGE
    catalogue = f"<</Type/Catalog/Pages {_PAGES} 0 R>>".encode()
    tree = f"<</Type/Pages/Count {count}/Kids[{kids}]>>".encode()
    return _file([catalogue, tree, *bodies])


def _page(page: bytes, number: int) -> tuple[bytes, bytes, bytes]:
    """The page, what is drawn on it, and its image; `number` is the page's own."""
    parts = png.parts_of(page)
    width, height = parts.width_px, parts.height_px
    right, top = (f"{side * _POINTS_PER_PX:.2f}" for side in (width, height))
    box = f"<</Type/Page/Parent {_PAGES} 0 R/MediaBox[0 0 {right} {top}]/Contents {number + 1} 0 R"
    resources = f"/Resources<</XObject<</Page {number + 2} 0 R>>>>>>"
    drawing = f"{right} 0 0 {top} 0 0 cm /Page Do"
    image = (
        f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray"
        f"/BitsPerComponent 8/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns {width}>>"
    )
    return (
        (box + resources).encode(),
        _stream("", drawing.encode()),
        _stream(image, parts.pixels),
    )


def _stream(entries: str, data: bytes) -> bytes:
    return f"<<{entries}/Length {len(data)}>>\nstream\n".encode() + data + b"\nendstream"


def _file(bodies: list[bytes]) -> bytes:
    """Objects numbered from 1, and the table of where each begins."""
    file = bytearray(_HEAD)
    table = [b"0000000000 65535 f \n"]
    for number, body in enumerate(bodies, start=1):
        table.append(f"{len(file):010} 00000 n \n".encode())
        file += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(file)
    file += f"xref\n0 {len(table)}\n".encode() + b"".join(table)
    file += f"trailer\n<</Size {len(table)}/Root {_CATALOGUE} 0 R>>\n".encode()
    file += f"startxref\n{start}\n%%EOF\n".encode()
    return bytes(file)
