"""Top of the pages: title, document id, time of issue, and the order that the proof belongs to."""

from datetime import UTC
from itertools import zip_longest

from services.proofgen import labels
from services.proofgen.document import ProofDocument
from services.proofgen.grid import (
    BODY,
    CODE,
    LABEL,
    SMALL,
    STRONG,
    TITLE,
    TITLE_THIRD,
    TITLE_ZH,
    WIDTH,
    column,
    span,
)
from services.proofgen.labels import Label
from services.proofgen.marks import BLACK, TEXT_GREY, Block, Sketch
from services.proofgen.shaping import Line, shape, shape_fixed
from services.proofgen.times import moment
from services.proofgen.typesetter import Typesetter, put_lines

ORDER_ID_CHARS_MAX = 128
DOCUMENT_ID_CHARS_MAX = 128
NAME_CHARS_MAX = 160
NAME_LINES_MAX = 2


def first_head(document: ProofDocument, setter: Typesetter) -> Block:
    """The head of the first page."""
    sketch = Sketch()
    y = put_title(sketch, labels.TITLE, setter) + 54
    _issued(sketch, document, setter)
    _document_id(sketch, y, document, setter)
    sketch.box(0, y + 20, WIDTH, 4)
    _order_strip(sketch, y + 24, document, setter)
    return sketch.block(space_below=34)


def next_head(document: ProofDocument, setter: Typesetter) -> Block:
    """The head of the pages after the first: enough to know what they belong to."""
    numbers = (
        (labels.ORDER_NUMBER, document.order_id),
        (labels.TRACKING_NUMBER, document.tracking_number or ""),
    )
    return continued_head(labels.TITLE, numbers, setter)


def continued_head(
    title: Label, numbers: tuple[tuple[Label, str], ...], setter: Typesetter
) -> Block:
    """The title again, and up to two numbers at the right."""
    sketch = Sketch()
    rows = ((28, title, STRONG, BLACK), (64, labels.CONTINUED, LABEL, TEXT_GREY))
    for (y, words, style, ink), number in zip_longest(rows, numbers):
        end = setter.captions.put(sketch, 0, y, words, style, ink)
        if number:
            _number(sketch, end, y, number, setter)
    return sketch.block(space_below=36)


def _number(
    sketch: Sketch, left: int, y: int, number: tuple[Label, str], setter: Typesetter
) -> None:
    label, text = number
    room = WIDTH - left - setter.captions.width_px(label) - 2 * 16
    line = setter.line(text, CODE, room, ORDER_ID_CHARS_MAX)
    sketch.text_right(WIDTH, y, line)
    setter.captions.put_right(sketch, WIDTH - round(line.width_px) - 16, y, label)


def put_title(sketch: Sketch, title: Label, setter: Typesetter) -> int:
    """The page's title; returns the lowest baseline."""
    english = shape_fixed(title.en, TITLE)
    sketch.text(-3, 56, english)  # the P's stem on the margin
    chinese = shape_fixed(title.zh, TITLE_ZH)
    sketch.text(round(english.width_px) + 22, 56, chinese, TEXT_GREY)
    third = setter.captions.translated(title)._replace(en="", zh="")
    if not third.third:
        return 56
    setter.captions.put(sketch, 0, 102, third, TITLE_THIRD)
    return 102


def _issued(sketch: Sketch, document: ProofDocument, setter: Typesetter) -> None:
    utc = shape(moment(document.issued_at.astimezone(UTC)), SMALL)
    sketch.text_right(WIDTH, 50, utc)
    setter.captions.put_right(sketch, WIDTH - round(utc.width_px) - 16, 50, labels.ISSUED)
    if document.issued_at.utcoffset():
        sketch.text_right(WIDTH, 80, shape(moment(document.issued_at), SMALL))


def _document_id(sketch: Sketch, y: int, document: ProofDocument, setter: Typesetter) -> None:
    version = shape(document.template_version, CODE)
    sketch.text_right(WIDTH, y, version)
    captions = setter.captions
    end = captions.put_right(sketch, WIDTH - round(version.width_px) - 14, y, labels.TEMPLATE)
    x = captions.put(sketch, 0, y, labels.DOCUMENT) + 14
    line = setter.line(document.document_id, CODE, end - x - 24, DOCUMENT_ID_CHARS_MAX)
    sketch.text(x, y, line)


def _order_strip(sketch: Sketch, y: int, document: ProofDocument, setter: Typesetter) -> None:
    order = setter.lines(
        document.order_id, STRONG, span(4) - 20, lines_max=3, chars_max=ORDER_ID_CHARS_MAX
    )
    ordered = [shape(moment(document.ordered_at), BODY)] if document.ordered_at else []
    cells: tuple[tuple[int, Label, list[Line]], ...] = (
        (0, labels.ORDER_NUMBER, order),
        (4, labels.ORDER_DATE, ordered),
        (7, labels.BUYER, _name(document.buyer_name, 2, setter)),
        (9, labels.ISSUER, _name(document.store_name, 3, setter)),
    )
    for number, label, lines in cells:
        x = column(number)
        below = setter.captions.stack(sketch, x, y + 42, label) + 38
        if lines:
            put_lines(sketch, x, below, lines, 34)
        else:
            setter.captions.missing(sketch, x, below)


def _name(name: str | None, columns: int, setter: Typesetter) -> list[Line]:
    if not name:
        return []
    style = BODY.for_text(name)
    return setter.lines(
        name, style, span(columns), lines_max=NAME_LINES_MAX, chars_max=NAME_CHARS_MAX
    )
