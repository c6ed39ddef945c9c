"""Where everything stands: the blocks of the first page, then tables and note on as many as needed."""

from dataclasses import dataclass, field
from typing import NamedTuple

from services.proofgen.address_block import address_block
from services.proofgen.contents import Table, items_table, note_block, parcels_table
from services.proofgen.document import ProofDocument
from services.proofgen.foot import foot
from services.proofgen.grid import TOP, Paper
from services.proofgen.head import first_head, next_head
from services.proofgen.logo import logo_block
from services.proofgen.marks import Block, Placed
from services.proofgen.tracking_block import make_codes, tracking_block
from services.proofgen.typesetter import Typesetter

FOOT_GAP = 24
"""White above the foot."""


class Page(NamedTuple):
    """The blocks of one page at their places, the foot last, and the sheet that they stand on."""

    placed: tuple[Placed, ...]
    paper: Paper


@dataclass(slots=True)
class Flow:
    """Fills pages from the top; a block that does not fit opens the next page."""

    next_head: Block
    bottom: int
    y: int = TOP
    pages: list[list[Placed]] = field(default_factory=lambda: [[]])

    def add(self, block: Block) -> None:
        """Put it below what is there, whether it fits or not."""
        self.pages[-1].append(Placed(self.y, block))
        self.y += block.height_px

    def fits(self, height_px: int) -> bool:
        """Whether the page has so much left."""
        return self.y + height_px <= self.bottom

    def add_where_it_fits(self, block: Block) -> None:
        """Put it on this page, or on the next."""
        if not self.fits(block.height_px):
            self.turn()
        self.add(block)

    def turn(self) -> None:
        """Open the next page with its head."""
        self.pages.append([])
        self.y = TOP
        self.add(self.next_head)

    def add_table(self, table: Table) -> None:
        """Put its rows on as many pages as they need, each with the table's head."""
        if not self.fits(table.head.height_px + table.kept_px(0)):
            self.turn()
        self.add(table.head)
        for number, row in enumerate(table.rows):
            if not self.fits(table.kept_px(number)):
                self.turn()
                self.add(table.head)
            self.add(row)


def lay_out(document: ProofDocument, payload_sha256: str, setter: Typesetter) -> list[Page]:
    """The pages of a document whose must-haves are present; what was cut stands in `setter.warnings`."""
    foot_top = document.paper.bottom - foot(document, payload_sha256, 1, 1, setter).height_px
    flow = Flow(next_head(document, setter), foot_top - FOOT_GAP)
    if logo := logo_block(document.logo, setter):
        flow.add(logo)
    flow.add(first_head(document, setter))
    flow.add(tracking_block(document, make_codes(document, setter), setter))
    flow.add_where_it_fits(address_block(document, setter))
    flow.add_table(items_table(document, setter))
    if parcels := parcels_table(document, setter):
        flow.add_table(parcels)
    if note := note_block(document, setter):
        flow.add_where_it_fits(note)
    total = len(flow.pages)
    feet = (foot(document, payload_sha256, number, total, setter) for number in range(1, total + 1))
    return [
        Page((*placed, Placed(foot_top, block)), document.paper)
        for placed, block in zip(flow.pages, feet, strict=True)
    ]
