"""Which orders are held, by their newest state."""

from typing import Any

from tests.unit.reprocessing.records import KEY, OTHER, T0
from waybill.contracts import Order
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.order import NotImportable
from waybill.reprocessing.held import Held, held_orders
from waybill.streaming.records import Inbound

CODEC = Codec(Order, "order", SchemaBook())
HELD = (NotImportable.NO_DELIVERY_ADDRESS,)


def state(key: bytes, **changes: Any) -> Inbound:
    text = key.decode()
    facts: dict[str, Any] = {
        "key": text,
        "site": "sandbox",
        "trade_id": text.split(":")[1],
        "store_id": "s1",
        "order_number": text,
        "status": "awaiting_shipment",
        "raw_status": "undeliver",
        "mapping_version": "1",
        "importable": True,
        "modified_at": T0,
        "content_sha256": "ab" * 32,
        "imported_at": T0,
    }
    value = CODEC.encode(Order.model_validate({**facts, **changes}))
    return Inbound("orders", 0, 0, key, value, (), 0)


def held(key: bytes) -> Inbound:
    return state(key, importable=False, not_importable=HELD)


def test_the_newest_state_decides() -> None:
    records = [held(KEY), state(OTHER), state(KEY), held(OTHER)]

    assert held_orders(records, CODEC) == {OTHER.decode(): Held(OTHER.decode(), "s1", HELD)}


def test_an_erased_or_unreadable_order_is_not_held() -> None:
    gone = Inbound("orders", 0, 1, KEY, None, (), 0)
    unreadable = Inbound("orders", 0, 1, OTHER, b"\xff", (), 0)

    assert held_orders([held(KEY), held(OTHER), gone, unreadable], CODEC) == {}
