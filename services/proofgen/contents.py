"""What was shipped: items, parcels and the note to the buyer, in blocks that pages can split."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.proofgen import labels
from services.proofgen.document import ItemLine, Parcel, ProofDocument, ProofWarning, plain
from services.proofgen.facts import is_told_above, size_of
from services.proofgen.grid import (
    BODY,
    BODY_BOLD,
    CODE,
    HEADING,
    NUMBER,
    SMALL,
    WIDTH,
)
from services.proofgen.labels import Label
from services.proofgen.marks import BLACK, RULE_GREY, TEXT_GREY, Block, Sketch
from services.proofgen.runs import Style
from services.proofgen.shaping import Line, shape
from services.proofgen.typesetter import Typesetter, put_lines

ITEMS_MAX = 60
ITEMS_PX_MAX = 4_500
"""Lines printed, and their height: about three pages. The rest is counted, which bounds the work."""
PARCELS_MAX = 24
NAME_CHARS_MAX = 240
SKU_CHARS_MAX = 64
OPTIONS_CHARS_MAX = 240
OPTIONS_MAX = 12
UNITS_MAX = 4
NOTE_CHARS_MAX = 1_000
NOTE_LINES_MAX = 14

_SKU_X, _SKU_WIDTH = 64, 270
_NAME_X, _NAME_WIDTH = 360, 640
_QUANTITY_RIGHT, _QUANTITY_WIDTH = WIDTH - 232, 180
_UNIT_X, _UNIT_WIDTH = WIDTH - 208, 208
_NOTE_WIDTH = WIDTH - _NAME_X


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that may go over several pages; the head is drawn again on each."""

    head: Block
    rows: tuple[Block, ...]

    def kept_px(self, number: int) -> int:
        """Height of what has to stay on one page with a row: a sum without a line above it says little."""
        last = len(self.rows) - 1
        return sum(
            row.height_px for row in self.rows[number : number + (2 if number + 1 == last else 1)]
        )


def items_table(document: ProofDocument, setter: Typesetter) -> Table:
    """The items with their total; too many are cut with a statement of how many are missing."""
    rows: list[Block] = []
    height_px = 0
    for number, item in enumerate(document.items[:ITEMS_MAX], start=1):
        if height_px > ITEMS_PX_MAX:
            break
        rows.append(_item_row(number, item, setter))
        height_px += rows[-1].height_px
    if hidden := document.items[len(rows) :]:
        setter.warnings.add(ProofWarning.ITEMS_CUT)
        statement = _statement(labels.MORE_LINES, setter, lines=len(hidden), units=_units(hidden))
        rows.append(statement)
    rows.append(_total(document.items, setter) if document.items else _nothing(setter))
    return Table(_items_head(document, setter), tuple(rows))


def parcels_table(document: ProofDocument, setter: Typesetter) -> Table | None:
    """The parcels, if there are several or if one has more to tell than the facts above say."""
    parcels = document.parcels
    if not parcels or is_told_above(document):
        return None
    shown = parcels[:PARCELS_MAX]
    rows = [_parcel_row(number, parcel, setter) for number, parcel in enumerate(shown, start=1)]
    if hidden := len(parcels) - len(shown):
        setter.warnings.add(ProofWarning.PARCELS_CUT)
        rows.append(_statement(labels.MORE_PARCELS, setter, parcels=hidden))
    rows.append(Block(30, ()))
    return Table(_parcels_head(setter), tuple(rows))


def note_block(document: ProofDocument, setter: Typesetter) -> Block | None:
    """The note to the buyer, if there is one."""
    note = document.note_to_buyer
    return text_block(labels.NOTE, note, setter) if note else None


def text_block(label: Label, text: str, setter: Typesetter) -> Block:
    """A text of some lines beside its label; a long one is cut with a statement."""
    sketch = Sketch()
    sketch.box(0, 0, WIDTH, 2)
    put_lines(sketch, 0, 38, setter.captions.lines(label, HEADING), 32)
    lines = setter.lines(
        text,
        BODY.for_text(text),
        _NOTE_WIDTH,
        lines_max=NOTE_LINES_MAX,
        chars_max=NOTE_CHARS_MAX,
        keep_lines=True,
    )
    put_lines(sketch, _NAME_X, 38, lines, 34)
    return sketch.block(space_below=20)


def _section(x: int, title: Label, setter: Typesetter) -> Sketch:
    sketch = Sketch()
    sketch.box(0, 0, WIDTH, 2)
    setter.captions.stack(sketch, x, 38, title, HEADING, BLACK)
    return sketch


def _items_head(document: ProofDocument, setter: Typesetter) -> Block:
    sketch = _section(_NAME_X, labels.ITEMS, setter)
    captions = setter.captions
    for x, label in ((0, labels.NUMBER), (_SKU_X, labels.SKU), (_UNIT_X, labels.UNIT)):
        captions.stack(sketch, x, 38, label)
    captions.stack_right(sketch, _QUANTITY_RIGHT, 38, labels.QUANTITY)
    if document.items_are_whole_order:
        captions.stack(sketch, _NAME_X, sketch.height_px + 32, labels.ITEMS_WHOLE_ORDER)
    sketch.box(0, sketch.height_px + 14, WIDTH, 1)
    return sketch.block()


def _item_row(number: int, item: ItemLine, setter: Typesetter) -> Block:
    sketch = Sketch()
    sketch.text(0, 40, shape(str(number), NUMBER), TEXT_GREY)
    if item.sku:
        sku = setter.lines(item.sku, CODE, _SKU_WIDTH, lines_max=3, chars_max=SKU_CHARS_MAX)
        put_lines(sketch, _SKU_X, 40, sku, 30)
    else:
        setter.captions.missing(sketch, _SKU_X, 40)
    put_name(sketch, _NAME_X, 40, _NAME_WIDTH, item, setter)
    sketch.text_right(_QUANTITY_RIGHT, 40, _quantity(item.quantity, NUMBER))
    if item.unit:
        sketch.text(_UNIT_X, 40, setter.line(item.unit, BODY.for_text(item.unit), _UNIT_WIDTH, 40))
    else:
        setter.captions.missing(sketch, _UNIT_X, 40)
    sketch.box(0, sketch.height_px + 17, WIDTH, 1, RULE_GREY)
    return sketch.block()


def put_name(
    sketch: Sketch,
    x: int,
    y: int,
    width: int,
    item: ItemLine,
    setter: Typesetter,
    *,
    lines_max: tuple[int, int] = (3, 2),
) -> None:
    """The item's name with its first baseline at y, and its options below, each in so many lines at most."""
    if item.name:
        style = BODY.for_text(item.name)
        lines = setter.lines(
            item.name, style, width, lines_max=lines_max[0], chars_max=NAME_CHARS_MAX
        )
        y = put_lines(sketch, x, y, lines, 34) - 2
    else:
        y = setter.captions.missing(sketch, x, y) + 32
    if item.options:
        text = "  ·  ".join(f"{name}: {value}" for name, value in item.options[:OPTIONS_MAX])
        style = SMALL.for_text(text)
        lines = setter.lines(
            text, style, width, lines_max=lines_max[1], chars_max=OPTIONS_CHARS_MAX
        )
        put_lines(sketch, x, y, lines, 30)


def _total(items: tuple[ItemLine, ...], setter: Typesetter) -> Block:
    sketch = Sketch()
    setter.captions.stack(sketch, _NAME_X, 42, labels.TOTAL_UNITS)
    for row, (unit, total) in enumerate(sums_by_unit(items).items()):
        y = 42 + row * 36
        sketch.text_right(_QUANTITY_RIGHT, y, _quantity(total, BODY_BOLD))
        sketch.text(_UNIT_X, y, setter.line(unit, BODY.for_text(unit), _UNIT_WIDTH, 40))
    return sketch.block(space_below=40)


def sums_by_unit(items: Iterable[ItemLine]) -> dict[str, Decimal]:
    """The sum for each unit; more than a few units have no sum worth reading, and only one over all."""
    sums: dict[str, Decimal] = {}
    for item in items:
        sums[item.unit or ""] = sums.get(item.unit or "", Decimal()) + item.quantity
    return sums if len(sums) <= UNITS_MAX else {"": sum(sums.values(), Decimal())}


def _quantity(number: Decimal, style: Style) -> Line:
    """A number is never cut; one too long for its column is set smaller."""
    line = shape(plain(number), style)
    return (
        line if line.width_px <= _QUANTITY_WIDTH else shape(plain(number), style.at(SMALL.size_px))
    )


def _units(items: tuple[ItemLine, ...]) -> str:
    return plain(sum((item.quantity for item in items), Decimal()))


def _nothing(setter: Typesetter) -> Block:
    sketch = Sketch()
    setter.captions.missing(sketch, 0, 42)
    return sketch.block(space_below=40)


def _statement(label: Label, setter: Typesetter, **values: object) -> Block:
    sketch = Sketch()
    told = setter.captions.translated(label).filled(**values)
    setter.captions.stack(sketch, 0, 42, told, SMALL, BLACK)
    sketch.box(0, sketch.height_px + 16, WIDTH, 1, RULE_GREY)
    return sketch.block()


_PARCEL_COLUMNS = (0, 64, 760, 1000)
_PARCEL_WIDTHS = (56, 680, 224, WIDTH - 1000)


def _parcels_head(setter: Typesetter) -> Block:
    number, tracking, weight, size = _PARCEL_COLUMNS
    sketch = _section(tracking, labels.PARCELS, setter)
    for x, label in (
        (number, labels.NUMBER),
        (weight, labels.PARCEL_WEIGHT),
        (size, labels.DIMENSIONS),
    ):
        setter.captions.stack(sketch, x, 38, label)
    sketch.box(0, sketch.height_px + 14, WIDTH, 1)
    return sketch.block()


def _parcel_row(number: int, parcel: Parcel, setter: Typesetter) -> Block:
    sketch = Sketch()
    weight = parcel.weight is not None and f"{plain(parcel.weight)} {parcel.weight_unit}"
    cells = (str(number), parcel.tracking_number, weight, size_of(parcel))
    styles = (NUMBER, CODE, NUMBER, NUMBER)
    for x, width, text, style in zip(_PARCEL_COLUMNS, _PARCEL_WIDTHS, cells, styles, strict=True):
        if text:
            sketch.text(x, 38, setter.line(text, style, width, 64))
        else:
            setter.captions.missing(sketch, x, 38)
    sketch.box(0, sketch.height_px + 16, WIDTH, 1, RULE_GREY)
    return sketch.block()
