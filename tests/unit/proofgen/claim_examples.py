"""The full examples of the contracts as one claim, and claims as bytes."""

import json
from pathlib import Path
from typing import Any

from waybill.contracts import Claim, Order, Shipment
from waybill.contracts.base import LogisticsType
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.proof import Branding

_EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"


def example(record: str, name: str) -> dict[str, Any]:
    """The value of an example of the contracts."""
    file = _EXAMPLES / record / "v1" / f"{name}.json"
    value: dict[str, Any] = json.loads(file.read_text())["value"]
    return value


ORDER = Order.model_validate(example("order", "full"))
SHIPMENT = Shipment.model_validate(example("shipment", "full"))
CLAIM = Claim.model_validate(
    example("claim", "full")
    | {
        "claim_id": "claim-1",
        "logistics_type": LogisticsType.EXPRESS,
        "branding": Branding(name="Example Lighting"),
        "parts": (),
        "shipment": b"",
        "order": b"",
    }
)


def encoded(claim: Claim, shipment: Shipment, order: Order) -> bytes:
    """The claim as proofgen reads it, carrying the other two."""
    book = SchemaBook()
    carried = {
        "shipment": Codec(Shipment, "shipment", book).encode(shipment),
        "order": Codec(Order, "order", book).encode(order),
    }
    return Codec(Claim, "claim", book).encode(claim.model_copy(update=carried))
