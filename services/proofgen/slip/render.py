"""`render_slip`: a `SlipDocument` becomes the pages of a packing slip, or a refusal that says why not.

Pure, as `services.proofgen.render` is: the same document gives the same bytes, and the bar code was read
back from them.
"""

from services.proofgen import canvas
from services.proofgen.captions import Captions
from services.proofgen.slip.document import (
    RenderedSlip,
    SlipDocument,
    SlipRefusal,
    SlipRefusalReason,
)
from services.proofgen.slip.pages import lay_out
from services.proofgen.typesetter import Typesetter

PAGES_MAX = 200
"""The most lines that an order has, 2,000, fill 160 with pictures and a third language."""


def render_slip(document: SlipDocument) -> RenderedSlip | SlipRefusal:
    """The slip of the document's facts. Bad facts give a `SlipRefusal`, never an exception."""
    if not document.order_id.strip():
        return SlipRefusal(SlipRefusalReason.MISSING_ORDER_ID, "order_id: missing")
    if not document.lines:
        return SlipRefusal(SlipRefusalReason.NO_ITEMS, "items: there is nothing to pack")
    setter = Typesetter(Captions(document.third_language))
    pages = lay_out(document, setter)
    if len(pages) > PAGES_MAX:
        return SlipRefusal(
            SlipRefusalReason.TOO_MANY_PAGES,
            f"items: {len(document.lines)} lines fill {len(pages)} pages, more than {PAGES_MAX}; ship the "
            "order in parts",
        )
    files = []
    for page in pages:
        file = canvas.encode(canvas.draw(page))
        if not canvas.codes_are_readable(file, page):
            return SlipRefusal(
                SlipRefusalReason.CODE_UNREADABLE, "order_id: its bar code cannot be read back"
            )
        files.append(file)
    return RenderedSlip(tuple(files), tuple(sorted(setter.warnings)))
