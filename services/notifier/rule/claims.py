"""Claims: which proof is asked for, and the request that will carry it.

The same claim id always stands for the same picture: it covers everything that is drawn, so "did
anything change that the proof shows?" is one comparison.
"""

from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid5

from services.notifier.rule.entry import recognised
from services.notifier.rule.evaluate import Candidate, Ready, evaluate, held_candidate
from services.notifier.rule.notices import trade_id_of
from services.notifier.rule.types import DeclareRequest, Facts
from waybill.contracts import Claim, LedgerEntry
from waybill.contracts.ledger import ClaimRef, State
from waybill.contracts.proof import AddressMismatch, Branding, PaperSize

_CLAIMS = UUID("6c1f0a52-6d0e-5d1c-9a53-6f2b8f0f6f10")


def new_claim(candidate: Candidate, ready: Ready, facts: Facts) -> ClaimRef:
    """A claim as of now, asked for once."""
    claim_id = _claim_id(candidate, ready, facts, facts.now)
    return ClaimRef(claim_id=claim_id, asks=1, issued_at=facts.now)


def claim_stands(entry: LedgerEntry, candidate: Candidate, ready: Ready, facts: Facts) -> bool:
    """Whether the entry's claim would show the same today."""
    claim = entry.claim
    return claim is not None and claim.claim_id == _claim_id(
        candidate, ready, facts, claim.issued_at
    )


def standing(entry: LedgerEntry, candidate: Candidate, facts: Facts) -> Ready | None:
    """The verdict, if the shipment may still go and its claim still shows today's facts."""
    verdict = evaluate(candidate, facts)
    if isinstance(verdict, Ready) and claim_stands(entry, candidate, verdict, facts):
        return verdict
    return None


def declare_request(
    candidate: Candidate, ready: Ready, facts: Facts, file_paths: tuple[str, ...]
) -> DeclareRequest:
    """The request for a shipment that may go; without paths, as a dry run shows it."""
    return DeclareRequest(
        trade_id=trade_id_of(facts.key),
        carrier_code=ready.carrier_code,
        logistics_type=ready.logistics_type,
        tracking_number=ready.tracking_number,
        contact_mobile=candidate.shipment.contact_mobile,
        file_paths=file_paths,
    )


def claim_of(entry: LedgerEntry, facts: Facts) -> Claim | None:
    """The record that asks for the entry's proof; None when nothing is to be asked.

    That is: it is not claimed, it has words of a newer version, or the facts moved on. In the last case
    the change is on its way as an event of its own and brings a new claim.
    """
    candidate = held_candidate(entry, facts)
    if candidate is None or entry.claim is None or entry.order is None or facts.store is None:
        return None
    if entry.state is not State.CLAIMED or not recognised(entry):
        return None
    ready = standing(entry, candidate, facts)
    if ready is None:
        return None
    return Claim(
        claim_id=entry.claim.claim_id,
        order_key=entry.key,
        store_id=facts.store.store_id,
        shipment=candidate.raw,
        order=entry.order,
        parts=tuple(other.raw for other in candidate.others),
        carrier_code=ready.carrier_code,
        logistics_type=ready.logistics_type,
        branding=facts.store.branding,
        time_zone=facts.store.time_zone,
        issued_at=entry.claim.issued_at,
    )


def _shown_brand(brand: Branding) -> tuple[object, ...]:
    """What came later counts only where it is used, so that claims from before keep their ids."""
    later = (
        sha256(brand.logo).hexdigest() if brand.logo else None,
        f"paper {brand.paper}" if brand.paper is not PaperSize.A4 else None,
        f"third language {brand.third_language}" if brand.third_language else None,
        None if brand.address_mismatch is AddressMismatch.WARN else "addresses must match",
    )
    shown = (brand.name, brand.address_lines, brand.phone, brand.show_cost)
    return (*shown, *filter(None, later))


def _claim_id(candidate: Candidate, ready: Ready, facts: Facts, issued_at: datetime) -> str:
    shipment, order, store = candidate.shipment, facts.order, facts.store
    brand = store.branding if store else None
    shown = (
        facts.key,
        shipment.shipment_id,
        shipment.effective_revision,
        sha256(candidate.raw).hexdigest(),
        order.content_sha256 if order else None,
        _shown_brand(brand) if brand else None,
        store.time_zone if store else None,
        ready.carrier_code,
        str(ready.logistics_type),
        issued_at.isoformat(),
        *(sha256(other.raw).hexdigest() for other in candidate.others),
    )
    return str(uuid5(_CLAIMS, repr(shown)))
