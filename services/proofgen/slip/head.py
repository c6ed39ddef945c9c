"""Top and bottom of a slip's pages: the order with its bar code, how it goes, and what forbids to send it."""

from services.proofgen import labels
from services.proofgen.codes import Symbol, code_128
from services.proofgen.document import ProofWarning
from services.proofgen.facts import Fact, put_row, time_fact
from services.proofgen.grid import CODE, FINE, FINE_CODE, STRONG, WIDTH
from services.proofgen.head import NAME_CHARS_MAX, ORDER_ID_CHARS_MAX, continued_head, put_title
from services.proofgen.labels import Label
from services.proofgen.marks import BLACK, WHITE, Block, Sketch
from services.proofgen.runs import Style
from services.proofgen.slip.document import SlipDocument, Standing
from services.proofgen.typesetter import Typesetter, put_lines

ORDER_NUMBER = Style(38, bold=True, mono=True)
_NUMBER_WIDTH = 660
_BARS_WIDTH_MAX = 760
"""With its quiet zones, of which the right one lies in the margin."""
_PAGE_WIDTH = 320
"""Of "page 200 of 200" in any language."""
_BADGE_PADDING = 22
_STANDINGS = {
    Standing.UNPAID: labels.UNPAID,
    Standing.ON_HOLD: labels.ON_HOLD,
    Standing.CANCELLED: labels.CANCELLED,
    Standing.UNCLEAR: labels.UNCLEAR,
}


def first_head(document: SlipDocument, setter: Typesetter) -> Block:
    """The head of the first page."""
    sketch = Sketch()
    if document.is_gift:
        _gift(sketch, setter)
    y = put_title(sketch, labels.PACKING_SLIP, setter) + 26
    sketch.box(0, y, WIDTH, 4)
    y += 4
    if document.standing:
        y = _standing(sketch, y, _STANDINGS[document.standing], setter)
    y = _order(sketch, y, document, setter)
    sketch.box(0, y + 22, WIDTH, 1)
    y = put_row(sketch, 0, y + 22, WIDTH, _facts(document), setter)
    if document.shipment_id:
        put_row(sketch, 0, y, WIDTH, _shipment(document, setter), setter, cells=2)
    return sketch.block(space_below=38)


def next_head(document: SlipDocument, setter: Typesetter) -> Block:
    """The head of the pages after the first."""
    numbers = [(labels.ORDER_NUMBER, document.order_number)]
    if document.shipment_id:
        numbers.append((labels.SHIPMENT, document.shipment_id))
    return continued_head(labels.PACKING_SLIP, tuple(numbers), setter)


def foot(document: SlipDocument, number: int, total: int, setter: Typesetter) -> Block:
    """The foot of page `number` of `total`; its height is the same on all of them."""
    sketch = Sketch()
    captions = setter.captions
    sketch.box(0, 0, WIDTH, 1)
    x = captions.put(sketch, 0, 32, labels.ORDER_NUMBER, FINE) + 14
    room = WIDTH - _PAGE_WIDTH - x
    sketch.text(x, 32, setter.line(document.order_id, FINE_CODE, room, ORDER_ID_CHARS_MAX))
    if document.store_name:
        style = FINE.for_text(document.store_name)
        room = WIDTH - _PAGE_WIDTH
        sketch.text(0, 62, setter.line(document.store_name, style, room, NAME_CHARS_MAX))
    page = captions.translated(labels.PAGE).filled(number=number, total=total)
    captions.stack_right(sketch, WIDTH, 32, page, FINE, BLACK)
    sketch.height_px = max(sketch.height_px, 62)
    return sketch.block()


def _gift(sketch: Sketch, setter: Typesetter) -> None:
    """White on black at the top right, where a stack of slips is leafed through."""
    width = setter.captions.width_px(labels.GIFT, STRONG) + 2 * _BADGE_PADDING
    sketch.box(WIDTH - width, 6, width, 58)
    setter.captions.put(sketch, WIDTH - width + _BADGE_PADDING, 46, labels.GIFT, STRONG, WHITE)


def _standing(sketch: Sketch, y: int, label: Label, setter: Typesetter) -> int:
    """A black band over the whole width."""
    sketch.box(0, y, WIDTH, 64)
    setter.captions.put(sketch, _BADGE_PADDING, y + 43, label, STRONG, WHITE)
    return y + 64


def _order(sketch: Sketch, y: int, document: SlipDocument, setter: Typesetter) -> int:
    """The number for people at the left, the one for scanners at the right, or below if it is long."""
    below = setter.captions.stack(sketch, 0, y + 42, labels.ORDER_NUMBER) + 50
    lines = setter.lines(
        document.order_number,
        ORDER_NUMBER,
        _NUMBER_WIDTH,
        lines_max=3,
        chars_max=ORDER_ID_CHARS_MAX,
    )
    bottom = put_lines(sketch, 0, below, lines, 46) - 46
    if bars := code_128(document.order_id, _BARS_WIDTH_MAX):
        return max(bottom, _bars(sketch, y + 24, bars, document, setter))
    if bars := code_128(document.order_id, WIDTH):
        return _bars(sketch, bottom + 26, bars, document, setter)
    setter.warnings.add(ProofWarning.NO_BAR_CODE)
    return bottom


def _bars(sketch: Sketch, y: int, bars: Symbol, document: SlipDocument, setter: Typesetter) -> int:
    """The bar code at the right edge; returns the lowest pixel."""
    x = WIDTH - bars.image.width + bars.quiet_px
    sketch.symbol(x, y, bars)
    y += bars.image.height
    if document.order_id == document.order_number:
        return y  # it stands at the left already
    left = x + bars.quiet_px
    sketch.text(
        left, y + 28, setter.line(document.order_id, CODE, WIDTH - left, ORDER_ID_CHARS_MAX)
    )
    return y + 28


def _facts(document: SlipDocument) -> tuple[Fact, ...]:
    service = Fact(labels.SERVICE, document.service)
    if not document.service:
        service = Fact(labels.REQUESTED_SERVICE, document.requested_service)
    return (
        time_fact(labels.ORDER_DATE, document.ordered_at),
        time_fact(labels.SHIP_BY, document.ship_by_at),
        Fact(labels.CARRIER, document.carrier),
        service,
    )


def _shipment(document: SlipDocument, setter: Typesetter) -> tuple[Fact, ...]:
    listed = setter.captions.translated(labels.SHIPMENT_ITEMS) if document.is_part else None
    return (
        Fact(labels.SHIPMENT, document.shipment_id, listed),
        Fact(labels.TRACKING_NUMBER, document.tracking_number),
    )
