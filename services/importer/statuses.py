"""A raw status code, translated for one store. Pure."""

from functools import lru_cache
from typing import Final, NamedTuple

from services.importer.fields import UNREADABLE, Fields
from services.importer.fingerprint import sha256_of
from waybill.alibaba.statuses import DEFAULT, order_status
from waybill.alibaba.statuses import OrderStatus as SiteStatus
from waybill.contracts.order import OrderStatus, Progress
from waybill.contracts.store import Store

_PROGRESS: Final = {
    "undeliver": Progress.NONE,
    "partial_delivering": Progress.PARTIAL,
    # Not "delivering": an order of which some batches have left may show it as well.
    "wait_confirm_receipt": Progress.FULL,
    "waiting_for_delivery_confirmation": Progress.FULL,
    "trade_success": Progress.FULL,
}
_ENDS: Final = frozenset({"trade_success", "trade_close"})
"""Codes after which the site changes nothing that a shipment depends on."""
_NO_MORE: Final = frozenset({OrderStatus.SHIPPED, OrderStatus.CANCELLED})

_TABLES_MAX: Final = 1_024
"""Tables whose version is remembered; one per store with overrides."""


class Mapped(NamedTuple):
    """What a raw code means for a store."""

    status: OrderStatus
    draft: bool
    """True: the order is only being talked about, or the store wants to ignore the code."""
    progress: Progress | None


def mapped_status(order: Fields, raw: str, store: Store) -> Mapped:
    """The store's own table first, then the default one; a code in neither is `unmapped`.

    An entry of the store's table that names no known status makes its orders `unmapped`, with a note:
    a typing error must hold orders, not stop the import.
    """
    try:
        found = order_status(raw, store.status_map)
    except ValueError:
        order.notes.add("status", f"{UNREADABLE}: the store's status_map names no known status")
        found = SiteStatus.UNMAPPED
    if found is SiteStatus.IGNORED:
        return Mapped(OrderStatus.UNMAPPED, draft=True, progress=None)
    return Mapped(OrderStatus(found.value), draft=False, progress=_PROGRESS.get(raw))


def mapping_version(store: Store) -> str:
    """Names the table that is in force for a store: the same entries, the same version."""
    return _version(tuple(store.status_map.items()))


@lru_cache(_TABLES_MAX)
def _version(overrides: tuple[tuple[str, str], ...]) -> str:
    return f"statuses-{sha256_of({**DEFAULT, **dict(overrides)})[:12]}"


def still_open(status: OrderStatus, raw: str) -> bool:
    """Whether anything can still change that a shipment of the order depends on."""
    return not (status in _NO_MORE and raw in _ENDS)
