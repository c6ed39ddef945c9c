"""The gift message in a frame of its own, to be read or cut out by whoever packs."""

from services.proofgen import labels
from services.proofgen.grid import WIDTH
from services.proofgen.marks import Block, Sketch
from services.proofgen.runs import Style
from services.proofgen.slip.document import SlipDocument
from services.proofgen.tracking_block import put_frame
from services.proofgen.typesetter import Typesetter, put_lines

MESSAGE = Style(30)
MESSAGE_CHARS_MAX = 1_500
"""Other systems take 1,000."""
MESSAGE_LINES_MAX = 36
"""Fits below the head of a page of either paper."""
_PADDING = 32
_LEADING = 42


def gift_block(document: SlipDocument, setter: Typesetter) -> Block | None:
    """The message, if there is one."""
    message = document.gift_message
    if not message:
        return None
    sketch = Sketch()
    setter.captions.put(sketch, _PADDING, 50, labels.GIFT_MESSAGE)
    lines = setter.lines(
        message,
        MESSAGE.for_text(message),
        WIDTH - 2 * _PADDING,
        lines_max=MESSAGE_LINES_MAX,
        chars_max=MESSAGE_CHARS_MAX,
        keep_lines=True,
    )
    bottom = put_lines(sketch, _PADDING, 104, lines, _LEADING) - _LEADING + 34
    put_frame(sketch, bottom)
    return sketch.block(space_below=30)
