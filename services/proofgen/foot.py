"""Bottom of every page: what ties it to the facts, what it is not, and which page of how many."""

from services.proofgen import labels
from services.proofgen.document import ProofDocument
from services.proofgen.grid import FINE, FINE_CODE, FOOT_TOP, LEFT, RIGHT, WIDTH, span
from services.proofgen.labels import Label
from services.proofgen.marks import BLACK, Placed, Sketch
from services.proofgen.shaping import Line, shape, shape_fixed
from services.proofgen.typesetter import Typesetter, label_width, put_label

DIGITS_SHOWN = 16


def foot(
    document: ProofDocument, payload_sha256: str, number: int, total: int, setter: Typesetter
) -> Placed:
    """The foot of page `number` of `total`, at its fixed place."""
    sketch = Sketch()
    sketch.box(LEFT, 0, WIDTH, 1)
    shown = payload_sha256[:DIGITS_SHOWN]
    digits = " ".join(shown[start : start + 4] for start in range(0, DIGITS_SHOWN, 4))
    _pair(sketch, 32, labels.PAYLOAD, shape(digits, FINE_CODE))
    page = labels.page_of(number, total)
    put_label(sketch, RIGHT - label_width(page, FINE), 32, page, FINE, BLACK)
    revision = f"{document.shipment_id}  {labels.REVISION.en} {document.shipment_revision}"
    _pair(sketch, 60, labels.SHIPMENT, setter.line(revision, FINE_CODE, span(9), 160))
    sketch.text(LEFT, 94, shape_fixed(labels.STATEMENT.en, FINE))
    sketch.text(LEFT, 122, shape_fixed(labels.STATEMENT.zh, FINE))
    return Placed(FOOT_TOP, sketch.block())


def _pair(sketch: Sketch, y: int, label: Label, value: Line) -> None:
    x = put_label(sketch, LEFT, y, label, FINE)
    sketch.text(x + 14, y, value)
