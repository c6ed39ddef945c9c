"""A picture file as the logo of a store: small and grey, as the proof is, for every claim carries it."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from waybill.cli.errors import InputError
from waybill.pictures.decoding import on_white

_SIZE_PX_MAX = (560, 96)
"""As large as the proof prints it; the renderer shrinks what is larger."""
_PIXELS_MAX = 20_000_000
_FILE_BYTES_MAX = 10 * 1024 * 1024


def logo_of(value: str) -> bytes:
    """The PNG for `@file.png` or `@file.jpg`; raises InputError naming what is wrong."""
    if not value.startswith("@"):
        raise InputError("branding.logo: want @ and the path of a PNG or JPEG file")
    path = Path(value[1:])
    try:
        if path.stat().st_size > _FILE_BYTES_MAX:
            raise InputError(f"{path}: more than {_FILE_BYTES_MAX} bytes")
        return _shrunk(path.read_bytes())
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"branding.logo: {path}: no PNG or JPEG file that can be read") from error


def _shrunk(file: bytes) -> bytes:
    with Image.open(BytesIO(file), formats=("PNG", "JPEG")) as picture:
        if picture.width * picture.height > _PIXELS_MAX:
            raise InputError(f"branding.logo: more than {_PIXELS_MAX} pixels")
        sheet = on_white(picture)
    sheet.thumbnail(_SIZE_PX_MAX, Image.Resampling.LANCZOS)
    found = BytesIO()
    sheet.save(found, "PNG", optimize=True)
    return found.getvalue()
