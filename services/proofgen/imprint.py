"""What a page's file tells of itself beside its pixels: which order, which facts, which page of how many.

The texts are for machines: whoever holds nothing but the file finds its record by them, and what ties the
page to an order is under its signature. They name nobody.
"""

from dataclasses import astuple, dataclass, fields
from typing import Annotated

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from services.proofgen.document import ProofDocument
from services.proofgen.png import Texts
from waybill.contracts.base import Id, Long, Sha256

PAGES_MAX = 20
"""As many as a proof record holds."""
KEYWORD_PREFIX = "waybill."

_PageNumber = Annotated[int, Field(ge=1, le=PAGES_MAX)]
_Short = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class ImprintError(ValueError):
    """Texts that are not those of a page; the message says which, and repeats none of them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose proof it is: where its record lies, and which store's key signs it."""

    order_key: str
    store_id: str


PREVIEW = Origin(order_key="preview:0", store_id="preview")
"""Of pages that are drawn for nobody: warming up, previews, measurements."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """The texts of one page. Making one checks nothing; `read_imprint` does."""

    order_key: Id
    store_id: Id
    document_id: Id
    """The claim's id."""
    shipment_id: Id
    shipment_revision: Long
    tracking_number: _Short
    template_version: _Short
    payload_sha256: Sha256
    page: _PageNumber
    pages: _PageNumber

    def texts(self) -> Texts:
        """Keywords and texts, always in the same order."""
        return tuple(zip(KEYWORDS, map(str, astuple(self)), strict=True))


KEYWORDS = tuple(KEYWORD_PREFIX + one.name.replace("_", "-") for one in fields(Imprint))
_FIELDS = {keyword: one.name for keyword, one in zip(KEYWORDS, fields(Imprint), strict=True)}
_CHECKED = TypeAdapter(Imprint)


def imprint_of(
    document: ProofDocument, origin: Origin, payload_sha256: str, page: int, pages: int
) -> Imprint:
    """What a page of this document tells of itself."""
    return Imprint(
        order_key=origin.order_key,
        store_id=origin.store_id,
        document_id=document.document_id,
        shipment_id=document.shipment_id,
        shipment_revision=document.shipment_revision,
        tracking_number=document.tracking_number or "",
        template_version=document.template_version,
        payload_sha256=payload_sha256,
        page=page,
        pages=pages,
    )


def read_imprint(texts: Texts) -> Imprint:
    """The imprint that wrote exactly these texts; raises ImprintError for any others."""
    found = tuple(keyword for keyword, _ in texts)
    if found != KEYWORDS:
        raise ImprintError("its texts are not those of a page")
    try:
        imprint = _CHECKED.validate_python({_FIELDS[keyword]: text for keyword, text in texts})
    except ValidationError as error:
        wrong = sorted({f"{KEYWORD_PREFIX}{one['loc'][0]}" for one in error.errors()})
        raise ImprintError(f"{', '.join(wrong)}: not in the form of a page's text") from None
    if imprint.texts() != texts:  # " 1" is a number too, but not one that a page has written
        raise ImprintError("a number in another form")
    if imprint.page > imprint.pages:
        raise ImprintError(f"page {imprint.page} of {imprint.pages}")
    return imprint
