"""The gift message in a frame of its own, to be read or cut out by whoever packs."""

from services.proofgen import labels
from services.proofgen.grid import WIDTH
from services.proofgen.marks import Block, Sketch
from services.proofgen.runs import Style
from services.proofgen.slip.document import SlipDocument
from services.proofgen.typesetter import Typesetter, put_lines

MESSAGE = Style(30)
MESSAGE_CHARS_MAX = 1_500
"""Other systems take 1,000."""
MESSAGE_LINES_MAX = 36
"""Fits below the head of a page of either paper."""
_FRAME_PX = 3
_PADDING = 32
_LEADING = 42


def gift_block(document: SlipDocument, setter: Typesetter) -> Block | None:
    """The message, if there is one."""
    message = document.gift_message
    if not message:
        return None
    sketch = Sketch()
    y = setter.captions.put(sketch, _PADDING, 50, labels.GIFT_MESSAGE) and 50 + 54
    lines = setter.lines(
        message,
        MESSAGE.for_text(message),
        WIDTH - 2 * _PADDING,
        lines_max=MESSAGE_LINES_MAX,
        chars_max=MESSAGE_CHARS_MAX,
        keep_lines=True,
    )
    bottom = put_lines(sketch, _PADDING, y, lines, _LEADING) - _LEADING + 34
    put_frame(sketch, bottom)
    return sketch.block(space_below=30)


def put_frame(sketch: Sketch, bottom: int) -> None:
    """A frame over the whole width."""
    for y in (0, bottom):
        sketch.box(0, y, WIDTH, _FRAME_PX)
    for x in (0, WIDTH - _FRAME_PX):
        sketch.box(x, 0, _FRAME_PX, bottom + _FRAME_PX)
