"""What makes two shipments the same: the parcel they name, and the facts they tell."""

import hashlib

from waybill.contracts import Shipment, Store
from waybill.contracts.shipment import Carrier

_BESIDE_THE_FACTS = frozenset({"revision", "occurred_at", "action", "source"})
_FACTS = tuple(name for name in Shipment.model_fields if name not in _BESIDE_THE_FACTS)


def normalise_tracking(number: str | None) -> str:
    """Upper-case letters and digits only: systems print the same number with spaces, dots and dashes."""
    text = (number or "").upper()
    return text if text.isalnum() else "".join(sign for sign in text if sign.isalnum())


def alibaba_carrier(carrier: Carrier | None, store: Store) -> str | None:
    """Alibaba's code, by the store's map: of the code, of the name; a code the map leads to is one itself."""
    if carrier is None:
        return None
    given = [text.strip() for text in (carrier.code, carrier.name) if text and text.strip()]
    known = store.carrier_map
    mapped = (known[text.lower()] for text in given if known.get(text.lower()))
    return next(mapped, None) or next((text for text in given if text in known.values()), None)


def parcel_sha256(shipment: Shipment, store: Store | None) -> str | None:
    """Hash of carrier and tracking number; None without a number, which makes it the same as nothing."""
    tracking = normalise_tracking(shipment.tracking_number)
    carrier = shipment.carrier
    if not tracking or carrier is None:
        return None
    code = alibaba_carrier(carrier, store) if store else None
    name = (code or carrier.code or carrier.name or "").strip().lower()
    return hashlib.sha256(f"{name}\n{tracking}".encode()).hexdigest()


def same_facts(one: Shipment, other: Shipment) -> bool:
    """Whether two revisions differ in nothing but when, by whom and as what they were published."""
    return all(getattr(one, name) == getattr(other, name) for name in _FACTS)
