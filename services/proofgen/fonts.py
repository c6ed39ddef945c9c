"""The typefaces of a proof: pinned packages, which characters each covers, and glyphs as grey masks.

FiraGO (Latin, Greek, Cyrillic, Arabic, Hebrew, Thai, Devanagari, Georgian), Fira Mono, and Noto for symbols
come from `pymupdf-fonts`; Noto Sans CJK (Chinese, Japanese, Korean, with regional forms) from
`noto-cjk-sans-otc`; Noto for further scripts, opened when the first text needs them, from `manimgx-fonts`
(see `scripts`). All are under the SIL Open Font License 1.1. No system font is ever used, and a file other
than the pinned one raises `FontError`: the pixels of a proof must not depend on the machine.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import manimgx_fonts
import noto_cjk_sans_otc
import pymupdf_fonts
import uharfbuzz as hb
from PIL import Image

from services.proofgen.scripts import SCRIPTS, Script

UNITS_PER_PX = 64
"""Shaping works in 1/64 pixel: fine enough for kerning, exact in integers."""

GLYPHS_CACHED_MAX = 16_384
"""About 8 MB: every Latin glyph in use and the commonest few thousand Chinese ones."""

SUBPIXEL_STEPS = 4
"""A glyph is drawn at quarter pixels: even spacing at a quarter of the cache hits lost."""

# widened in both directions by this part of the em: looks like the Medium weight that the package lacks
_CJK_EMBOLDEN = 0.022


REGULAR, BOLD = 400, 700
"""Weights of variable faces; those of FiraGO, beside which they stand."""

_GREYS = [(value + 8) // 17 * 17 for value in range(256)]


class FontError(Exception):
    """A font package is not the pinned one."""


@dataclass(frozen=True, eq=False)
class Typeface:
    """One face with its coverage; compared by identity, as there is one object per face."""

    name: str
    face: hb.Face
    coverage: frozenset[int]
    embolden: float = 0.0
    weight: int | None = None
    """Of a variable face."""
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class SizedFont:
    """A face at a size, ready to shape and draw; compared by identity."""

    typeface: Typeface
    size_px: int
    font: hb.Font


class GlyphMask(NamedTuple):
    """Coverage of one glyph, 0 to 255, and where it stands from the pen on the baseline."""

    image: Image.Image
    left_px: int
    top_px: int


def _checked(name: str, data: bytes, sha256: str) -> bytes:
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise FontError(
            f"{name}: the file has sha256 {found}, not {sha256}; install the locked font packages"
        )
    return data


@cache
def _cjk_collection() -> hb.Blob:
    path = Path(str(noto_cjk_sans_otc.FONT_PATH))
    _checked(path.name, path.read_bytes(), _SHA256["NotoSansCJK"])
    return hb.Blob.from_file_path(path)  # mapped, not copied: 19 MB shared by all processes


_SHA256 = {
    "NotoSansCJK": "b76b0433203017ca80401b2ee0dd69350349871c4b19d504c34dbdd80541690a",
    "figo": "495901c0c608ea265f4c31aa2a4c7a313e5cc2a3dd610da78a447fe8e07454a2",
    "figbo": "ab720753c39073556260ebbaee7e7af89f9ca202a7c7abc257d935db590a1e35",
    "fimo": "1783904b9a03d1852ed185549d74526d9f6a4a643181eb591c3a69993ae42ced",
    "fimbo": "12b994171a99952fead7756658dfcf3dc69d79e07fff3303444f003580df9a19",
    "notos": "6b04c8dd65af6b73eb4279472ed1580b29102d6496a377340e80a40cdb3b22c9",
    "symbol1": "c7591ff5fac35caa7845566d7376b7f7092eb228bc70e11f267129d35e2a0ad3",
    "symbol2": "76b6a7b09dae28704c061710e1fcd42d28e3be8a397298414630a07063ae89c6",
    "math": "ca61efa77e6bca4d4e90cd277cbb1364e55f5b58289ec28d2a6e5ec43e1e285b",
}

CJK_INDEX = {"JP": 0, "KR": 1, "CN": 2, "TW": 3, "HK": 4}
"""Region to the face of the collection that draws its character forms."""


@cache
def _cjk_coverage() -> frozenset[int]:
    return frozenset(hb.Face(_cjk_collection(), 0).unicodes)  # the same in all regions


@cache
def _cjk(region: str, *, bold: bool) -> Typeface:
    face = hb.Face(_cjk_collection(), CJK_INDEX[region])
    embolden = _CJK_EMBOLDEN if bold else 0.0
    return Typeface(f"Noto Sans CJK {region}", face, _cjk_coverage(), embolden)


@cache
def _single(key: str) -> Typeface:
    face = hb.Face(hb.Blob(_checked(key, pymupdf_fonts.fontbuffers[key](), _SHA256[key])))
    return Typeface(key, face, frozenset(face.unicodes))


@dataclass(frozen=True, eq=False)
class Chain:
    """The faces to try for a letter, best first; compared by identity, as there is one object per kind."""

    faces: tuple[Typeface, ...]
    bold: bool

    @property
    def first(self) -> Typeface:
        """The one that most texts need alone."""
        return self.faces[0]

    def covering(self, codes: Collection[int], script: str | None) -> Typeface | None:
        """The first face that has all the characters; the script's own comes last."""
        found = next((face for face in self.faces if face.coverage.issuperset(codes)), None)
        if found or script is None:
            return found
        own = _of_script(script, bold=self.bold)
        return own if own.coverage.issuperset(codes) else None


@cache
def chain(*, mono: bool, bold: bool, region: str) -> Chain:
    """The faces for a style; the last ones know symbols and rare letters."""
    first = [_single("fimbo" if bold else "fimo")] if mono else []
    text = [_single("figbo" if bold else "figo"), _cjk(region, bold=bold)]
    rest = (_single(key) for key in ("notos", "symbol2", "symbol1", "math"))
    return Chain((*first, *text, *rest), bold)


@cache
def _of_script(code: str, *, bold: bool) -> Typeface:
    script = SCRIPTS[code]
    face = hb.Face(hb.Blob.from_file_path(_script_file(script)))
    coverage = frozenset(face.unicodes) - set(map(ord, script.without))
    weight = BOLD if bold else REGULAR
    return Typeface(script.file, face, coverage, weight=weight, scale=script.scale)


def _script_file(script: Script) -> Path:
    return Path(manimgx_fonts.__file__).parent / f"{script.file}[wght].ttf"


@cache
def sized(typeface: Typeface, size_px: int) -> SizedFont:
    """The face at a size in pixels; one object each, so that it can be a cache key."""
    font = hb.Font(typeface.face)
    units = round(size_px * UNITS_PER_PX * typeface.scale)
    font.scale = (units, units)
    if typeface.embolden:
        font.synthetic_bold = (typeface.embolden, typeface.embolden, True)
    if typeface.weight:
        font.set_variations({"wght": typeface.weight})
    return SizedFont(typeface, size_px, font)


@lru_cache(maxsize=GLYPHS_CACHED_MAX)
def glyph_mask(font: SizedFont, glyph: int, step: int) -> GlyphMask | None:
    """The glyph's coverage with the pen `step` quarter pixels into its pixel; None for blanks."""
    raster = hb.RasterDraw()  # one each: it holds state, and threads share this function
    scale = 1 / UNITS_PER_PX
    raster.transform = (scale, 0, 0, -scale, step / SUBPIXEL_STEPS, 0)  # y grows downwards
    raster.draw_glyph(font.font, glyph)
    drawn = raster.render()
    extents = drawn.extents
    if not extents.width or not extents.height:
        return None
    size = (extents.width, extents.height)
    image = Image.frombytes("L", size, drawn.buffer, "raw", "L", extents.stride, 1)
    image = image.point(_GREYS)
    return GlyphMask(image, extents.x_origin, extents.y_origin)


def load() -> None:
    """Read and check all fonts now (about half a second), so that the first page need not."""
    for region in CJK_INDEX:
        for bold in (False, True):
            chain(mono=False, bold=bold, region=region)
            chain(mono=True, bold=bold, region=region)
    for script in SCRIPTS.values():  # opened when they are needed, which few pages do
        path = _script_file(script)
        _checked(path.name, path.read_bytes(), script.sha256)
