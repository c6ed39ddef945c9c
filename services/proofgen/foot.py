"""Bottom of every page: what ties it to the facts, what it is not, and which page of how many."""

from services.proofgen import labels
from services.proofgen.document import ProofDocument
from services.proofgen.grid import FINE, FINE_CODE, WIDTH
from services.proofgen.marks import BLACK, Block, Sketch
from services.proofgen.shaping import shape
from services.proofgen.typesetter import Typesetter, put_lines

DIGITS_SHOWN = 16
SHIPMENT_ID_CHARS_MAX = 160
_PAGE_WIDTH = 260
"""Of the third language's "page 9 of 9", which stands in the same line as the shipment's id."""


def foot(
    document: ProofDocument, payload_sha256: str, number: int, total: int, setter: Typesetter
) -> Block:
    """The foot of page `number` of `total`; its height is the same on all of them."""
    sketch = Sketch()
    captions = setter.captions
    sketch.box(0, 0, WIDTH, 1)
    digits = " ".join(payload_sha256[start : start + 4] for start in range(0, DIGITS_SHOWN, 4))
    x = captions.put(sketch, 0, 32, labels.PAYLOAD, FINE) + 14
    sketch.text(x, 32, shape(digits, FINE_CODE))
    shipments = ((document.shipment_id, document.shipment_revision), *document.further_shipments)
    revision = ",  ".join(f"{id_}  {labels.REVISION.en} {number}" for id_, number in shipments)
    x = captions.put(sketch, 0, 60, labels.SHIPMENT, FINE) + 14
    room = WIDTH - _PAGE_WIDTH - x
    sketch.text(x, 60, setter.line(revision, FINE_CODE, room, SHIPMENT_ID_CHARS_MAX))
    page = captions.translated(labels.PAGE).filled(number=number, total=total)
    captions.stack_right(sketch, WIDTH, 32, page, FINE, BLACK)
    put_lines(sketch, 0, 94, captions.lines(labels.STATEMENT, FINE), 28)
    return sketch.block()
