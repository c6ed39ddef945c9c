"""What to pick, line by line: where it lies, what it is, how many. Every line is printed."""

from dataclasses import dataclass

from services.proofgen import labels
from services.proofgen.contents import SKU_CHARS_MAX, Table, put_name, sums_by_unit
from services.proofgen.document import ItemLine, plain
from services.proofgen.grid import BODY_BOLD, CODE, FINE, HEADING, NUMBER, SMALL, STRONG, WIDTH
from services.proofgen.logo import drawable
from services.proofgen.marks import BLACK, RULE_GREY, TEXT_GREY, WHITE, Block, Sketch
from services.proofgen.runs import Style
from services.proofgen.shaping import shape
from services.proofgen.slip.document import SlipDocument, SlipLine
from services.proofgen.typesetter import Typesetter, put_lines

LOCATION_CHARS_MAX = 64
UNIT_CHARS_MAX = 40
NAME_LINES_MAX, OPTION_LINES_MAX = 6, 6
"""More than on a proof: the end of a name, colour and size decide what is picked."""
PICTURE_PX = 136
"""17 mm."""
QUANTITY_SIZES = (44, 36, 28, 22, 18, 14)
"""As large as its column takes; a number is never cut."""

_BASE = 46
_PICTURE_Y = 14
_BOX_X, _BOX_PX = 68, 34
_FIRST_X = 128
_GAP = 26
_LOCATION_WIDTH = 176
_SKU_WIDTH = 250
_QUANTITY_WIDTH = 168
_TOTAL_LABEL_WIDTH = 200
_LEADING = 30


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where columns start; one that no line would fill leaves its room to the names."""

    has_locations: bool
    has_pictures: bool

    @property
    def sku_x(self) -> int:
        return _FIRST_X + (_LOCATION_WIDTH + _GAP) * self.has_locations

    @property
    def name_x(self) -> int:
        return self.sku_x + _SKU_WIDTH + _GAP

    @property
    def picture_x(self) -> int:
        return WIDTH - PICTURE_PX

    @property
    def quantity_right(self) -> int:
        return WIDTH - (PICTURE_PX + _GAP) * self.has_pictures

    @property
    def name_width(self) -> int:
        return self.quantity_right - _QUANTITY_WIDTH - _GAP - self.name_x


def items_table(document: SlipDocument, setter: Typesetter) -> Table:
    """All lines, and their total."""
    has_locations = any(line.location for line in document.lines)
    columns = _Columns(has_locations, document.shows_pictures)
    rows = [
        _row(number, line, columns, setter) for number, line in enumerate(document.lines, start=1)
    ]
    return Table(_head(columns, setter), (*rows, _total(document.lines, columns, setter)))


def _head(columns: _Columns, setter: Typesetter) -> Block:
    sketch = Sketch()
    sketch.box(0, 0, WIDTH, 2)
    captions = setter.captions
    captions.stack(sketch, 0, 38, labels.NUMBER)
    if columns.has_locations:
        captions.stack(sketch, _FIRST_X, 38, labels.LOCATION)
    captions.stack(sketch, columns.sku_x, 38, labels.SKU)
    captions.stack(sketch, columns.name_x, 38, labels.ITEM, HEADING, BLACK)
    captions.stack_right(sketch, columns.quantity_right, 38, labels.QUANTITY)
    sketch.box(0, sketch.height_px + 14, WIDTH, 1)
    return sketch.block()


def _row(number: int, line: SlipLine, columns: _Columns, setter: Typesetter) -> Block:
    sketch = Sketch()
    sketch.text(0, _BASE, shape(str(number), NUMBER), TEXT_GREY)
    _check_box(sketch)
    if columns.has_locations:
        _location(sketch, line.location, setter)
    _sku(sketch, columns.sku_x, line.item.sku, setter)
    put_name(
        sketch, columns.name_x, _BASE, columns.name_width, line.item, setter,
        lines_max=(NAME_LINES_MAX, OPTION_LINES_MAX),
    )  # fmt: skip
    _quantity(sketch, columns.quantity_right, line.item, setter)
    if columns.has_pictures:
        _picture(sketch, columns.picture_x, line.picture, setter)
    sketch.box(0, sketch.height_px + 20, WIDTH, 1, RULE_GREY)
    return sketch.block()


def _check_box(sketch: Sketch) -> None:
    """To be ticked with a pen."""
    y = _BASE - 28
    sketch.box(_BOX_X, y, _BOX_PX, _BOX_PX)
    sketch.box(_BOX_X + 3, y + 3, _BOX_PX - 6, _BOX_PX - 6, WHITE)


def _location(sketch: Sketch, location: str | None, setter: Typesetter) -> None:
    if not location:
        words = setter.captions.lines(labels.NOT_PROVIDED, SMALL)  # too long for one line here
        put_lines(sketch, _FIRST_X, _BASE, words, _LEADING, TEXT_GREY)
        return
    style = STRONG.for_text(location)
    lines = setter.lines(
        location, style, _LOCATION_WIDTH, lines_max=4, chars_max=LOCATION_CHARS_MAX
    )
    put_lines(sketch, _FIRST_X, _BASE, lines, 36)


def _sku(sketch: Sketch, x: int, sku: str | None, setter: Typesetter) -> None:
    if not sku:
        setter.captions.missing(sketch, x, _BASE)
        return
    lines = setter.lines(sku, CODE, _SKU_WIDTH, lines_max=4, chars_max=SKU_CHARS_MAX)
    put_lines(sketch, x, _BASE, lines, _LEADING)


def _quantity(sketch: Sketch, right: int, item: ItemLine, setter: Typesetter) -> None:
    """The number as large as it goes, and its unit below."""
    for size_px in QUANTITY_SIZES:
        line = shape(plain(item.quantity), Style(size_px, bold=True, tabular=True))
        if line.width_px <= _QUANTITY_WIDTH:
            break
    sketch.text_right(right, _BASE, line)
    if item.unit:
        style = SMALL.for_text(item.unit)
        words = setter.line(item.unit, style, _QUANTITY_WIDTH, UNIT_CHARS_MAX)
        sketch.text_right(right, _BASE + _LEADING, words)


def _picture(sketch: Sketch, x: int, file: bytes | None, setter: Typesetter) -> None:
    """The picture at the right edge, or an empty frame that says so."""
    image = drawable(file, PICTURE_PX, PICTURE_PX) if file else None
    if image:
        sketch.image(x + PICTURE_PX - image.width, _PICTURE_Y, image)
        return
    lines = setter.captions.lines(labels.NO_PICTURE, FINE)
    height = 26 * len(lines) + 22
    for y in (_PICTURE_Y, _PICTURE_Y + height - 1):
        sketch.box(x, y, PICTURE_PX, 1, RULE_GREY)
    for left in (x, x + PICTURE_PX - 1):
        sketch.box(left, _PICTURE_Y, 1, height, RULE_GREY)
    for number, line in enumerate(lines, start=1):
        middle = x + (PICTURE_PX - round(line.width_px)) // 2
        sketch.text(middle, _PICTURE_Y + 26 * number + 2, line, TEXT_GREY)


def _total(lines: tuple[SlipLine, ...], columns: _Columns, setter: Typesetter) -> Block:
    sketch = Sketch()
    captions = setter.captions
    y = captions.stack(sketch, columns.name_x, _BASE, labels.TOTAL, HEADING, BLACK)
    count = captions.translated(labels.LINES).filled(lines=len(lines))
    captions.stack(sketch, columns.name_x, y + 34, count)
    sums = sums_by_unit(line.item for line in lines)
    for row, (unit, total) in enumerate(sums.items()):
        words = f"{plain(total)} {unit}"
        style = BODY_BOLD.for_text(words)
        width = columns.quantity_right - columns.name_x - _TOTAL_LABEL_WIDTH
        line = setter.line(words, style, width, UNIT_CHARS_MAX + 24)
        sketch.text_right(columns.quantity_right, _BASE + row * 36, line)
    return sketch.block(space_below=36)
