"""Top of the pages: title, document id, time of issue, and the order that the proof belongs to."""

from datetime import UTC

from services.proofgen import labels
from services.proofgen.document import ProofDocument
from services.proofgen.grid import (
    BODY,
    CODE,
    LABEL,
    LEFT,
    RIGHT,
    SMALL,
    STRONG,
    TITLE,
    TITLE_ZH,
    WIDTH,
    column,
    span,
)
from services.proofgen.labels import Label
from services.proofgen.marks import BLACK, TEXT_GREY, Block, Sketch
from services.proofgen.shaping import Line, shape, shape_fixed
from services.proofgen.times import moment
from services.proofgen.typesetter import Typesetter, label_width, put_label, put_lines, put_missing

ORDER_ID_CHARS_MAX = 128
DOCUMENT_ID_CHARS_MAX = 128
NAME_CHARS_MAX = 160
NAME_LINES_MAX = 2


def first_head(document: ProofDocument, setter: Typesetter) -> Block:
    """The head of the first page."""
    sketch = Sketch()
    sketch.text(LEFT - 3, 56, shape_fixed(labels.TITLE.en, TITLE))  # the P's stem on the margin
    title_px = round(shape_fixed(labels.TITLE.en, TITLE).width_px)
    sketch.text(LEFT + title_px + 22, 56, shape_fixed(labels.TITLE.zh, TITLE_ZH), TEXT_GREY)
    _issued(sketch, document)
    _document_id(sketch, 110, document, setter)
    sketch.box(LEFT, 130, WIDTH, 4)
    _order_strip(sketch, 134, document, setter)
    return sketch.block(space_below=34)


def next_head(document: ProofDocument, setter: Typesetter) -> Block:
    """The head of the pages after the first: enough to know what they belong to."""
    sketch = Sketch()
    end = put_label(sketch, LEFT, 28, labels.TITLE, STRONG, BLACK)
    put_label(sketch, LEFT, 64, labels.CONTINUED)
    order = setter.line(document.order_id, CODE, RIGHT - end - 300, ORDER_ID_CHARS_MAX)
    sketch.text_right(RIGHT, 28, order)
    order_label = label_width(labels.ORDER_NUMBER, LABEL)
    put_label(sketch, RIGHT - round(order.width_px) - 16 - order_label, 28, labels.ORDER_NUMBER)
    number = setter.line(document.tracking_number or "", CODE, span(8), ORDER_ID_CHARS_MAX)
    sketch.text_right(RIGHT, 64, number)
    number_label = label_width(labels.TRACKING_NUMBER, LABEL)
    put_label(
        sketch, RIGHT - round(number.width_px) - 16 - number_label, 64, labels.TRACKING_NUMBER
    )
    return sketch.block(space_below=36)


def _issued(sketch: Sketch, document: ProofDocument) -> None:
    utc = shape(moment(document.issued_at.astimezone(UTC)), SMALL)
    sketch.text_right(RIGHT, 50, utc)
    end = RIGHT - round(utc.width_px) - 16
    put_label(sketch, end - label_width(labels.ISSUED, LABEL), 50, labels.ISSUED)
    if document.issued_at.utcoffset():
        sketch.text_right(RIGHT, 80, shape(moment(document.issued_at), SMALL))


def _document_id(sketch: Sketch, y: int, document: ProofDocument, setter: Typesetter) -> None:
    x = put_label(sketch, LEFT, y, labels.DOCUMENT) + 14
    line = setter.line(document.document_id, CODE, span(8), DOCUMENT_ID_CHARS_MAX)
    sketch.text(x, y, line)
    version = shape(document.template_version, CODE)
    sketch.text_right(RIGHT, y, version)
    end = RIGHT - round(version.width_px) - 14
    put_label(sketch, end - label_width(labels.TEMPLATE, LABEL), y, labels.TEMPLATE)


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
        x = LEFT + column(number)
        put_label(sketch, x, y + 42, label)
        if lines:
            put_lines(sketch, x, y + 80, lines, 34)
        else:
            put_missing(sketch, x, y + 80)


def _name(name: str | None, columns: int, setter: Typesetter) -> list[Line]:
    if not name:
        return []
    style = BODY.for_text(name)
    return setter.lines(
        name, style, span(columns), lines_max=NAME_LINES_MAX, chars_max=NAME_CHARS_MAX
    )
