"""What can be told of an image that is said to be a page of a proof. Pure, and made for hostile files.

The first checks need the file alone, or a public key beside it; the others compare it with the record on the
topic. What a file says of itself is worth nothing before its signature or its record was checked: every
check says what it compared with what.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import zxingcpp
from PIL import Image

from services.proofgen import png
from services.proofgen.carrier_links import carrier_host
from services.proofgen.document import TEMPLATE_VERSION, ProofWarning
from services.proofgen.imprint import Imprint, ImprintError, read_imprint
from services.proofgen.signing import (
    PublicKey,
    SignatureError,
    is_signed,
    signed_by,
    without_signature,
)
from waybill.cli.proof_records import ProofRecords
from waybill.contracts import Proof

TEMPLATES = frozenset(map(str, range(1, int(TEMPLATE_VERSION) + 1)))
"""Every layout that this version of Waybill, or an earlier one, has drawn."""
_SHOWN_MAX = 128


@dataclass(frozen=True, slots=True)
class Check:
    """One question about a page, and what was found."""

    name: str
    passed: bool
    found: str


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file in the form of a page: what it says of itself, and what its codes read as."""

    content: bytes
    parts: png.Parts
    imprint: Imprint
    bars: tuple[str, ...]
    links: tuple[str, ...]

    @classmethod
    def parsed(cls, content: bytes) -> "PageFile":
        """Raises ValueError, with what is wrong, for any other file; takes no more than 10 MB for any."""
        parts = png.parts_of(content)
        imprint = read_imprint(without_signature(parts).texts)
        return cls(content, parts, imprint, *_codes(png.sheet_of(parts)))


def shown(text: str) -> str:
    """A text from a file as a terminal may have it: without what would move its cursor or turn its lines."""
    cut = text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)


def form_check(content: bytes | None) -> tuple[Check, PageFile | None]:
    """Whether the file is a page at all; None is a file that is larger than any page."""
    if content is None:
        return Check("file", False, "no page of a proof: larger than any page"), None
    try:
        page = PageFile.parsed(content)
    except (png.PngError, ImprintError) as error:
        return Check("file", False, f"no page of a proof as proofgen draws it: {error}"), None
    told = page.imprint
    what = f"page {told.page} of {told.pages}, order {shown(told.order_key)}, shipment "
    revision = f"{shown(told.shipment_id)} revision {told.shipment_revision}"
    return Check("file", True, what + revision), page


def offline_checks(page: PageFile, keys: Collection[PublicKey]) -> Iterator[Check]:
    """What the file itself can tell, and the public keys that its store is known to have."""
    version = page.imprint.template_version
    known = version in TEMPLATES
    words = shown(version) if known else f"{shown(version)}: not one of this version of Waybill"
    yield Check("template", known, words)
    yield from _signature_checks(page, keys)
    yield _codes_check(page)


def _signature_checks(page: PageFile, keys: Collection[PublicKey]) -> Iterator[Check]:
    if not is_signed(page.parts):
        yield Check("signature", False, "unsigned: it was drawn without WAYBILL_SIGNING_KEY")
        return
    try:
        key = signed_by(page.content, page.parts)
    except SignatureError as error:
        yield Check("signature", False, str(error))
        return
    yield Check("signature", True, f"nothing was changed since key {key.key_id} signed it")
    yield _key_check(page, key, keys)


def _key_check(page: PageFile, key: PublicKey, keys: Collection[PublicKey]) -> Check:
    store = shown(page.imprint.store_id)
    if not keys:
        words = f"nobody said which keys store {store} has: give --key, or set WAYBILL_SIGNING_KEY"
        return Check("key", False, words)
    if key not in keys:
        theirs = ", ".join(one.key_id for one in keys)
        return Check("key", False, f"{key.key_id} is no key of store {store}, but {theirs} is")
    return Check("key", True, f"{key.key_id} is a key of store {store}")


def _codes_check(page: PageFile) -> Check:
    """Every bar code has to read as the number in the texts, and every QR code as a carrier's page."""
    if any(text != page.imprint.tracking_number for text in page.bars):
        return Check("codes", False, "a bar code reads as another tracking number than its texts")
    hosts = [carrier_host(link) for link in page.links]
    if None in hosts:
        return Check("codes", False, "a QR code leads elsewhere than to a carrier's page")
    if not page.bars and not page.links:
        return Check("codes", True, "no codes on this page")
    read = ["the bar code reads as its tracking number"] if page.bars else ["no bar code"]
    return Check(
        "codes", True, "; ".join([*read, *(f"the QR code leads to {one}" for one in hosts)])
    )


def _codes(sheet: Image.Image) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Texts of the bar codes and of the QR codes; of any other kind of code none is drawn, or looked for."""
    kinds = [zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.QRCode]
    found = zxingcpp.read_barcodes(
        sheet, formats=zxingcpp.BarcodeFormats(kinds), text_mode=zxingcpp.TextMode.Plain
    )
    bars, links = (tuple(code.text for code in found if code.format == kind) for kind in kinds)
    return bars, links


def record_checks(page: PageFile, records: ProofRecords) -> Iterator[Check]:
    """Whether it is the page that was published for its order."""
    proof, told = records.proof, page.imprint
    if proof is None or not proof.pages:
        yield Check("record", False, "the topic holds no proof of this order")
        return
    if proof.claim_id != told.document_id:
        words = f"the order's proof is another one: {shown(proof.claim_id)}"
        yield Check("record", False, words)
        return
    same = (proof.store_id, proof.shipment_id, len(proof.pages)) == (
        told.store_id,
        told.shipment_id,
        told.pages,
    )
    differs = "store, shipment or number of pages are not the record's"
    yield Check("record", same, f"the order's proof {shown(proof.claim_id)}" if same else differs)
    yield _bytes_check(page, proof)
    equal = proof.payload_sha256 == told.payload_sha256
    yield Check("payload", equal, _equality(equal, "the hash of the facts", "the record's"))
    yield _number_check(page, records)


def _bytes_check(page: PageFile, proof: Proof) -> Check:
    found = sha256(page.content).hexdigest()
    number = page.imprint.page
    equal = number <= len(proof.pages) and proof.pages[number - 1].sha256 == found
    return Check("bytes", equal, _equality(equal, "every byte", "the published page's"))


def _number_check(page: PageFile, records: ProofRecords) -> Check:
    number = records.tracking_number
    if number is None:
        return Check("number", True, "no record tells the tracking number any more")
    equal = number == page.imprint.tracking_number
    warned = records.proof is not None and ProofWarning.NO_BAR_CODE in records.proof.warnings
    if equal and page.imprint.page == 1 and not page.bars and not warned:
        return Check("number", False, "the bar code that was published is not to be read")
    equal = equal and all(text == number for text in page.bars)
    return Check("number", equal, _equality(equal, "the tracking number", "the shipment's"))


def _equality(equal: bool, what: str, whose: str) -> str:
    return f"{what} is {whose}" if equal else f"{what} is not {whose}"


def pages_check(page: PageFile, given: Iterable[PageFile]) -> Check:
    """Whether all pages of the page's document are among those given."""
    mine = page.imprint
    there = {
        one.imprint.page
        for one in given
        if (one.imprint.order_key, one.imprint.document_id, one.imprint.pages)
        == (mine.order_key, mine.document_id, mine.pages)
    }
    missing = [number for number in range(1, mine.pages + 1) if number not in there]
    if missing:
        pages = ", ".join(map(str, missing))
        return Check("pages", False, f"page {pages} of {mine.pages} is not among the files")
    return Check("pages", True, f"all {mine.pages} pages" if mine.pages > 1 else "the only page")


def failures(checks: Sequence[Check]) -> int:
    """How many of them did not pass."""
    return sum(not check.passed for check in checks)
