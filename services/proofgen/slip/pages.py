"""Where everything stands on a slip: as on a proof, but no line of the table is ever left out."""

from services.proofgen import labels
from services.proofgen.address_block import COLUMNS, put_address
from services.proofgen.contents import text_block
from services.proofgen.grid import column
from services.proofgen.logo import logo_block
from services.proofgen.marks import Block, Placed, Sketch
from services.proofgen.pages import FOOT_GAP, Flow, Page
from services.proofgen.slip.document import SlipDocument
from services.proofgen.slip.gift import gift_block
from services.proofgen.slip.head import first_head, foot, next_head
from services.proofgen.slip.items import items_table
from services.proofgen.typesetter import Typesetter


def lay_out(document: SlipDocument, setter: Typesetter) -> list[Page]:
    """The pages; what was cut of a text stands in `setter.warnings`."""
    foot_top = document.paper.bottom - foot(document, 1, 1, setter).height_px
    flow = Flow(next_head(document, setter), foot_top - FOOT_GAP)
    if logo := logo_block(document.logo, setter):
        flow.add(logo)
    flow.add(first_head(document, setter))
    flow.add_where_it_fits(_addresses(document, setter))
    if document.customer_notes:
        notes = "\n".join(document.customer_notes)
        flow.add_where_it_fits(text_block(labels.CUSTOMER_NOTE, notes, setter))
    flow.add_table(items_table(document, setter))
    if gift := gift_block(document, setter):
        flow.add_where_it_fits(gift)
    total = len(flow.pages)
    return [
        Page((*placed, Placed(foot_top, foot(document, number, total, setter))), document.paper)
        for number, placed in enumerate(flow.pages, start=1)
    ]


def _addresses(document: SlipDocument, setter: Typesetter) -> Block:
    sketch = Sketch()
    sides = (
        (0, labels.SENDER, document.seller),
        (column(COLUMNS), labels.RECIPIENT, document.ship_to),
    )
    sketch.height_px = max(
        put_address(sketch, x, label, address, setter) for x, label, address in sides
    )
    return sketch.block(space_below=40)
