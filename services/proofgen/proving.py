"""One claim in, one proof out, as bytes: what a worker process does. No state but codecs and glyphs.

The same claim gives the same proof, byte for byte, whoever draws it and however often.
"""

from dataclasses import dataclass
from hashlib import sha256

from pydantic import SecretStr

from services.proofgen.claims import document_of
from services.proofgen.document import TEMPLATE_VERSION, ProofDocument, Refusal
from services.proofgen.imprint import Origin
from services.proofgen.render import render
from services.proofgen.signing import SigningKeys, StoreSigner
from waybill.contracts import Claim, Order, Proof, Shipment
from waybill.contracts.codec import Codec, DeadReason, DecodeError, SchemaBook
from waybill.contracts.proof import ProofPage


@dataclass(frozen=True, slots=True)
class Proved:
    """The framed proof, for the record of the same key."""

    claim_id: str
    value: bytes
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The claim itself cannot be read: a dead letter."""

    reason: DeadReason
    detail: str


class Prover:
    """Reads claims and draws their proofs."""

    def __init__(self, signing_key: SecretStr | None = None) -> None:
        """Without a key its pages are unsigned; raises `KeyFormError`."""
        self._keys = SigningKeys(signing_key) if signing_key is not None else None
        book = SchemaBook()
        self._claims = Codec(Claim, "claim", book)
        self._orders = Codec(Order, "order", book)
        self._shipments = Codec(Shipment, "shipment", book)
        self._proofs = Codec(Proof, "proof", book)

    def prove(self, value: bytes | None) -> Proved | Unreadable:
        """The proof of a framed claim; bad facts give a refusal, an unreadable claim a dead letter."""
        try:
            claim = self._claims.decode(value)
            shipment = self._shipments.decode(claim.shipment, allow_json=True)
            order = self._orders.decode(claim.order)
            parts = tuple(self._shipments.decode(part, allow_json=True) for part in claim.parts)
        except DecodeError as error:
            return Unreadable(error.reason, error.detail)
        signer = self._keys.signer(claim.store_id) if self._keys is not None else None
        proof = _proof(claim, document_of(claim, shipment, order, parts), signer)
        return Proved(claim.claim_id, self._proofs.encode(proof), proof.refusal)


def _proof(claim: Claim, document: ProofDocument, signer: StoreSigner | None) -> Proof:
    rendered = render(document, Origin(claim.order_key, claim.store_id), signer)
    answer = Proof(
        claim_id=claim.claim_id,
        order_key=claim.order_key,
        store_id=claim.store_id,
        shipment_id=document.shipment_id,
        template_version=TEMPLATE_VERSION,
    )
    if isinstance(rendered, Refusal):
        return answer.model_copy(
            update={"refusal": rendered.reason.value, "refusal_detail": rendered.detail}
        )
    pages = tuple(
        ProofPage(image=page, media_type="image/png", sha256=sha256(page).hexdigest())
        for page in rendered.pages
    )
    warnings = tuple(str(warning) for warning in rendered.warnings)
    return answer.model_copy(
        update={"pages": pages, "payload_sha256": rendered.payload_sha256, "warnings": warnings}
    )


_provers: list[Prover] = []
"""This process's prover, once there is one."""


def begin(signing_key: SecretStr | None) -> None:
    """Make this process's prover; once, when a worker process starts."""
    _provers.append(Prover(signing_key))


def prove(value: bytes | None) -> Proved | Unreadable:
    """`Prover.prove` of this process; what a pool calls."""
    return _provers[-1].prove(value)
