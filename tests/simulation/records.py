"""The records of the simulated world; making them costs more than using them, so each is made once."""

from datetime import timedelta
from functools import cache
from typing import Any

from pydantic import SecretStr

from services.notifier.codecs import Codecs
from tests.unit.notifier.rule.builders import START, make_order, make_shipment, make_store
from waybill.contracts import Claim, Proof
from waybill.contracts.keys import partition_of
from waybill.contracts.order import OrderStatus
from waybill.contracts.proof import ProofPage
from waybill.contracts.shipment import Action, Carrier, Part, Shipment
from waybill.contracts.store import PartialPolicy, ResendPolicy, StoreMode
from waybill.tokens import TokenLife, Tokens, TokenSeal, new_key

PARTITIONS = 2
SEAL_KEY = SecretStr(new_key())
CODECS = Codecs()
"""Parsing the schemas takes longer than a whole seed."""

RAW = {
    OrderStatus.AWAITING_PAYMENT: "unpay",
    OrderStatus.AWAITING_SHIPMENT: "undeliver",
    OrderStatus.ON_HOLD: "frozen",
    OrderStatus.CANCELLED: "trade_close",
    OrderStatus.SHIPPED: "delivering",
}
"""Alibaba's word for each status."""


@cache
def key_of(number: int) -> str:
    """The key of the n-th order."""
    return f"alibaba:{number:018d}"


def trade_of(key: str) -> str:
    """The order number at Alibaba."""
    return key.partition(":")[2]


@cache
def home(key: str) -> int:
    """The partition of an order."""
    return partition_of(key, PARTITIONS)


@cache
def order(key: str, store_id: str, status: OrderStatus, version: int) -> bytes:
    """An order as the importer publishes it."""
    return CODECS.order.encode(
        make_order(
            status,
            key=key,
            trade_id=trade_of(key),
            store_id=store_id,
            content_sha256=f"{version:064d}",
        )
    )


def tracking(shipment_id: str, revision: int) -> str:
    """Every revision has a number of its own, so that what Alibaba holds tells what was sent."""
    return f"{shipment_id}R{revision}"


@cache
def shipment(
    key: str,
    shipment_id: str,
    revision: int,
    action: Action,
    number: str | None,
    carrier: str = "fedex",
    part: Part | None = None,
) -> bytes:
    """What a shipping system publishes."""
    if action is Action.VOID:
        made = Shipment(
            order_key=key,
            shipment_id=shipment_id,
            revision=revision,
            action=action,
            occurred_at=START,
        )
    else:
        changes: dict[str, Any] = {
            "order_key": key,
            "action": action,
            "tracking_number": number,
            "carrier": Carrier(code=carrier),
            "part": part,
        }
        made = make_shipment(shipment_id, revision, **changes)
    return CODECS.shipment.encode(made)


@cache
def store(
    store_id: str,
    revision: int,
    *,
    yodel: bool,
    paused: bool,
    live: bool,
    asks: bool,
    collects: bool = False,
    delays: bool = False,
    shut: bool = False,
) -> bytes:
    """Settings of a store."""
    carriers = {"fedex": "FEDEX"} | ({"yodel": "YODEL"} if yodel else {})
    return CODECS.store.encode(
        make_store(
            StoreMode.LIVE if live else StoreMode.DRY_RUN,
            store_id=store_id,
            revision=revision,
            paused=paused,
            carrier_map=carriers,
            notify_delay_min=1 if delays else 0,
            notify_window="00:00-00:01" if shut else None,  # a seed begins at noon
            partial_policy=PartialPolicy.COLLECT if collects else PartialPolicy.REFUSE,
            resend_policy=ResendPolicy.ASK_OPERATOR if asks else ResendPolicy.RESEND,
        )
    )


def token(store_id: str, generation: int) -> str:
    """The clear text."""
    return f"access-{store_id}-{generation}"


@cache
def tokens(store_id: str, generation: int) -> bytes:
    """Sealed tokens."""
    clear = Tokens(SecretStr(token(store_id, generation)))
    now = START + timedelta(seconds=generation)
    sealed = TokenSeal(SEAL_KEY).seal(clear, store_id, generation, TokenLife(), now)
    return CODECS.tokens.encode(sealed)


def proof(claim: Claim, *, refused: bool) -> bytes:
    """What proofgen answers; the image names its claim, so that an upload tells what it shows."""
    image = f"PNG {claim.claim_id}".encode()
    pages = () if refused else (ProofPage(image=image, media_type="image/png", sha256="c" * 64),)
    return CODECS.proof.encode(
        Proof(
            claim_id=claim.claim_id,
            order_key=claim.order_key,
            store_id=claim.store_id,
            pages=pages,
            refusal="no_ship_date" if refused else None,
            template_version="1",
        )
    )


__all__ = [
    "CODECS",
    "PARTITIONS",
    "RAW",
    "SEAL_KEY",
    "START",
    "home",
    "key_of",
    "order",
    "proof",
    "shipment",
    "store",
    "token",
    "tokens",
    "tracking",
    "trade_of",
]
