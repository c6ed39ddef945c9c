"""Orders that are held: imported, but nobody can ship them as they are."""

from collections.abc import Iterable
from dataclasses import dataclass

from waybill.contracts import Order
from waybill.contracts.codec import Codec, DecodeError
from waybill.contracts.order import NotImportable
from waybill.streaming.records import Inbound


@dataclass(frozen=True, slots=True)
class Held:
    """One of them, without a word about the buyer."""

    key: str
    store_id: str
    reasons: tuple[NotImportable, ...]


def held_orders(records: Iterable[Inbound], codec: Codec[Order]) -> dict[str, Held]:
    """Those whose newest state is held; an order that cannot be read is none that could be told."""
    found: dict[str, Held] = {}
    for record in records:
        key = (record.key or b"").decode(errors="replace")
        held = _held(record, codec)
        if held is None:
            found.pop(key, None)
        else:
            found[key] = held
    return found


def _held(record: Inbound, codec: Codec[Order]) -> Held | None:
    try:
        order = codec.decode(record.value)
    except DecodeError:
        return None  # erased, or unreadable
    if order.importable:
        return None
    return Held(order.key, order.store_id, order.not_importable)
