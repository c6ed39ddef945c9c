"""The heart of the page: tracking number, bar code, QR code of the carrier's page, and the facts."""

import re
from dataclasses import dataclass

from services.proofgen import labels
from services.proofgen.carrier_links import URL_CHARS_MAX, carrier_host
from services.proofgen.codes import TRACKING_CHARS_MAX, Symbol, code_128, qr_code
from services.proofgen.document import ProofDocument, ProofWarning
from services.proofgen.facts import put_facts
from services.proofgen.grid import FINE, TRACKING, TRACKING_SIZES, WIDTH
from services.proofgen.marks import RULE_GREY, TEXT_GREY, Block, Sketch
from services.proofgen.runs import Style
from services.proofgen.shaping import Line, shape
from services.proofgen.typesetter import Typesetter, put_lines

PADDING = 60
FRAME_PX = 3
QR_SIDE_MAX = 260
GROUP_CHARS = 4
WORD_CHARS_MAX = 20
GROUP_GAP = 0.34
"""Space between the groups of a number, in parts of the type size: seen, but narrower than a typed space."""

_KNOWN_GROUPS = (
    re.compile(r"([A-Z]{2})(\d{3})(\d{3})(\d{3})([A-Z]{2})"),  # postal item, UPU standard S10
    re.compile(r"(1Z)(\w{3})(\w{3})(\d{2})(\d{4})(\d{4})", re.ASCII),  # UPS
)

_INNER = WIDTH - 2 * PADDING
_BESIDE_QR = _INNER - QR_SIDE_MAX - 24
"""The bar code brings its own quiet zone, which is more white than this gap."""


@dataclass(frozen=True, slots=True)
class Codes:
    """The two codes of a page, as far as they can be drawn."""

    bars: Symbol | None
    qr: Symbol | None


def make_codes(document: ProofDocument, setter: Typesetter) -> Codes:
    """The codes; one that cannot be drawn well is left out with a warning."""
    number, url = document.tracking_number or "", document.tracking_url
    qr = qr_code(url, QR_SIDE_MAX) if url and carrier_host(url) else None
    # quiet zones may reach into the padding, and those of both codes into each other
    room = PADDING + _INNER + (2 * qr.quiet_px - qr.image.width if qr else PADDING)
    bars = code_128(number, room)
    if bars is None and qr is not None and (wide := code_128(number, _INNER + 2 * PADDING)):
        bars, qr = wide, None  # the bar code is the one that has to be there
    if bars is None:
        setter.warnings.add(ProofWarning.NO_BAR_CODE)
    if url and qr is None:
        setter.warnings.add(ProofWarning.NO_QR_CODE)
    return Codes(bars, qr)


def tracking_block(document: ProofDocument, codes: Codes, setter: Typesetter) -> Block:
    """The framed block; its frame is drawn when its height is known."""
    sketch = Sketch()
    left = PADDING
    setter.captions.put(sketch, left, 56, labels.TRACKING_NUMBER)
    y = _number(
        sketch,
        left,
        56 + 22,
        document.tracking_number or "",
        _BESIDE_QR if codes.qr else _INNER,
        setter,
    )
    if codes.bars:
        sketch.symbol(left - codes.bars.quiet_px, y + 36, codes.bars)
        y += 36 + codes.bars.image.height
    if codes.qr:
        y = max(y, _qr(sketch, codes.qr, document.tracking_url or "", setter))
    sketch.box(left, y + 36, _INNER, 1, RULE_GREY)
    bottom = put_facts(sketch, left, y + 36, _INNER, document, setter) + 40
    put_frame(sketch, bottom)
    return sketch.block(space_below=38)


def put_frame(sketch: Sketch, bottom: int) -> None:
    """A frame over the whole width, from the top to `bottom`."""
    sketch.box(0, 0, WIDTH, FRAME_PX)
    sketch.box(0, bottom, WIDTH, FRAME_PX)
    sketch.box(0, 0, FRAME_PX, bottom)
    sketch.box(WIDTH - FRAME_PX, 0, FRAME_PX, bottom + FRAME_PX)


def _number(sketch: Sketch, x: int, y: int, number: str, width: int, setter: Typesetter) -> int:
    """The number in groups, as large as fits; returns the baseline of its last line."""
    shown = setter.prepared(number, TRACKING, TRACKING_CHARS_MAX)
    groups = _groups(shown)
    for size_px in TRACKING_SIZES:
        rows = _rows(groups, TRACKING.at(size_px), width)
        if len(rows) == 1:
            break
    for row in rows:
        y += round(size_px * 0.86)
        pen = x - 4.0  # the face's own space before its first stem
        for group in row:
            sketch.text(round(pen), y, group)
            pen += group.width_px + size_px * GROUP_GAP
        y += round(size_px * 0.3)
    return y - round(size_px * 0.3)


def _groups(number: str) -> list[str]:
    for pattern in _KNOWN_GROUPS:
        if found := pattern.fullmatch(number):
            return list(found.groups())
    if not number.isalnum() or not number.isascii():
        # it has a grouping of its own; only what no line could hold is divided
        return [part for word in number.split(" ") for part in _chunks(word, WORD_CHARS_MAX)]
    groups = _chunks(number, GROUP_CHARS)
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]  # a character alone is easily overlooked
    return groups


def _chunks(text: str, chars: int) -> list[str]:
    return [text[start : start + chars] for start in range(0, len(text), chars)]


def _rows(groups: list[str], style: Style, width: int) -> list[list[Line]]:
    rows: list[list[Line]] = [[]]
    used = 0.0
    for group in groups:
        line = shape(group, style)
        if rows[-1] and used + line.width_px > width:
            rows.append([])
            used = 0.0
        rows[-1].append(line)
        used += line.width_px + style.size_px * GROUP_GAP
    return rows


def _qr(sketch: Sketch, qr: Symbol, url: str, setter: Typesetter) -> int:
    """The QR code with its caption at the right; returns the caption's lowest baseline."""
    x = WIDTH - PADDING - qr.image.width + 2 * qr.quiet_px
    sketch.symbol(x - qr.quiet_px, 40 - qr.quiet_px, qr)
    y = 40 + qr.image.height - 2 * qr.quiet_px + 34
    y = put_lines(sketch, x, y, setter.captions.lines(labels.CARRIER_PAGE, FINE), 28, TEXT_GREY)
    room = WIDTH - PADDING // 4 - x
    host = setter.lines(carrier_host(url) or "", FINE, room, lines_max=2, chars_max=URL_CHARS_MAX)
    return put_lines(sketch, x, y, host, 26) - 26
