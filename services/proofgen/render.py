"""`render`: a `ProofDocument` becomes the pages of a proof, or a refusal that says what is missing.

Pure: no network, no clock, no state but memories of glyphs. The same document gives the same bytes,
as all that decides them (fonts, shaping, drawing, compression) comes in pinned packages. Every code
of a page was read back from the bytes that are returned.
"""

import unicodedata
from collections.abc import Iterator

from services.proofgen import canvas, fonts
from services.proofgen.captions import Captions
from services.proofgen.cleaning import clean
from services.proofgen.codes import TRACKING_CHARS_MAX
from services.proofgen.document import (
    FACTS_CHARS_MAX,
    TEMPLATE_VERSION,
    ProofDocument,
    ProofWarning,
    Refusal,
    RefusalReason,
    RenderedProof,
)
from services.proofgen.grid import TRACKING
from services.proofgen.pages import lay_out
from services.proofgen.runs import covered
from services.proofgen.specimen import SPECIMEN
from services.proofgen.typesetter import Typesetter

PAGE_BYTES_MAX = 1_000_000
"""The smallest limit found among sites that take such images; Alibaba's own is 5 MB."""


def render(document: ProofDocument) -> RenderedProof | Refusal:
    """The proof of the document's facts. Bad facts give a `Refusal`, never an exception."""
    if refusal := _refusal(document):
        return refusal
    setter = Typesetter(Captions(document.third_language))
    setter.warnings.update(_doubts(document))
    payload_sha256 = document.payload_sha256()
    files = []
    for page in lay_out(document, payload_sha256, setter):
        file = canvas.encode(canvas.draw(page))
        if len(file) > PAGE_BYTES_MAX:
            return Refusal(
                RefusalReason.TOO_LARGE, f"a page has {len(file)} bytes, more than {PAGE_BYTES_MAX}"
            )
        if not canvas.codes_are_readable(file, page):
            return Refusal(
                RefusalReason.CODE_UNREADABLE, "a code of the finished page cannot be read back"
            )
        files.append(file)
    return RenderedProof(
        tuple(files), payload_sha256, TEMPLATE_VERSION, tuple(sorted(setter.warnings))
    )


def warm_up() -> None:
    """Load the fonts and draw the specimen, so that the first page takes no longer than the next.

    Takes about half a second; raises `fonts.FontError` when a font package is not the pinned one.
    """
    fonts.load()
    render(SPECIMEN)


def _refusal(document: ProofDocument) -> Refusal | None:
    """What keeps the page from being a proof, the most basic first."""
    if document.is_too_large:
        return Refusal(
            RefusalReason.FACTS_TOO_LARGE,
            f"the facts have more than {FACTS_CHARS_MAX} characters; shorten items and their options",
        )
    for reason, detail, present in _must_haves(document):
        if not present:
            return Refusal(reason, detail)
    number = document.tracking_number or ""
    if not _is_printable(number):
        return Refusal(
            RefusalReason.UNPRINTABLE_TRACKING_NUMBER,
            f"tracking_number: want at most {TRACKING_CHARS_MAX} characters that can be printed as "
            "they are: no controls, no double spaces, no emoji",
        )
    if document.address_must_match and (differences := document.address_match.differences):
        parts = ", ".join(difference.part for difference in differences)
        return Refusal(
            RefusalReason.ADDRESS_DIFFERS,
            f"ship_to: the label's differs from the order's in {parts}; the store wants them to match",
        )
    return None


def _is_printable(number: str) -> bool:
    """Whether the page can show the number as it is, in characters that a number may have."""
    if clean(number, TRACKING_CHARS_MAX) != (number, 0):
        return False
    if covered(number, TRACKING, TRACKING_CHARS_MAX) != (number, False, 0):
        return False
    return not any(unicodedata.category(char) == "So" for char in number)


def _doubts(document: ProofDocument) -> Iterator[ProofWarning]:
    """Dates that a reviewer would stumble over; some systems only know the day, so they refuse nothing."""
    if document.shipped_at is None:
        return
    if document.ordered_at and document.shipped_at < document.ordered_at:
        yield ProofWarning.SHIPPED_BEFORE_ORDER
    if document.shipped_at > document.issued_at:
        yield ProofWarning.SHIPPED_AFTER_ISSUE


def _must_haves(document: ProofDocument) -> tuple[tuple[RefusalReason, str, bool], ...]:
    ship_to = document.ship_to
    carrier = document.carrier_name or document.carrier_code
    return (
        (
            RefusalReason.UNKNOWN_TEMPLATE,
            "template_version: not this renderer's",
            document.template_version == TEMPLATE_VERSION,
        ),
        (RefusalReason.MISSING_ORDER_ID, "order_id: missing", bool(document.order_id.strip())),
        (
            RefusalReason.MISSING_TRACKING_NUMBER,
            "tracking_number: missing",
            bool(document.tracking_number),
        ),
        (
            RefusalReason.MISSING_CARRIER,
            "carrier: missing; give its name or Alibaba's code",
            bool(carrier),
        ),
        (RefusalReason.MISSING_SHIP_DATE, "shipped_at: missing", document.shipped_at is not None),
        (
            RefusalReason.MISSING_SHIP_TO,
            "ship_to: missing in the order",
            ship_to is not None and not ship_to.is_empty,
        ),
    )
