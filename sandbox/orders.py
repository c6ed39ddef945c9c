"""Orders as the sandbox keeps them: ids, status, dates, shipments. Payloads are made on demand.

An order is its place in the sequence of its store plus what happened to it. A hundred thousand of
them fit in memory, and the same seed gives the same orders on every machine.
"""

from __future__ import annotations

import random
import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from sandbox.places import PLACES
from sandbox.sellers import Seller, hexadecimal

BLOCK = 100
"""Every hundred orders of a store hold the same mix, shuffled."""
HISTORY_MS = 30 * 86_400_000
"""Generated orders were made in the thirty days before the sandbox's first start."""

STATUS_MIX: dict[str, int] = {
    "undeliver": 70,
    "delivering": 5,
    "wait_confirm_receipt": 4,
    "trade_success": 4,
    "unpay": 2,
    "trade_close": 2,
    "frozen": 2,
    "to_be_audited": 1,
    "intention_processing": 1,
    "paying": 1,
    "relating": 1,
    "paid": 1,
    "captured": 1,
    "wait_confirm_modify": 1,
    "trade_unavailable": 1,
    "charge_back": 1,
    "partial_delivering": 1,  # not in the official enum, but known to shipping software
    "export_review_hold": 1,  # a code nobody has documented
}
SHIPPED = frozenset({"delivering", "wait_confirm_receipt", "trade_success", "partial_delivering"})

AddressForm = Literal["full", "no_postal_code", "none"]
ADDRESS_MIX: dict[AddressForm, int] = {"full": 90, "no_postal_code": 8, "none": 2}


class Traits(NamedTuple):
    """What the mix of its block gives an order."""

    status: str
    address: AddressForm
    place: int


@dataclass(frozen=True, slots=True)
class Voucher:
    """One shipment of an order, as the logistics query shows it."""

    at_ms: int
    service_provider: str
    tracking_number: str
    logistics_type: str
    status_before: str
    accepted: bool
    """True: declared through the API here. False: shipped elsewhere."""


@dataclass(slots=True)
class Order:
    """One order: its identity and everything about it that changes."""

    trade_id: str
    seller: Seller
    number: int
    status: str
    created_ms: int
    modified_ms: int
    plain: bool
    born_shipped: bool
    patches: list[dict[str, Any]] = field(default_factory=list)
    """Overrides of the payload, JSON merge patches (RFC 7396), oldest first."""
    vouchers: list[Voucher] = field(default_factory=list)
    could_have_acted: int = 0
    """Shipping calls accepted, or refused only because of the order's status."""

    @property
    def accepted(self) -> int:
        """Shipments accepted through the API: lenient mode is there to catch more than one."""
        return sum(voucher.accepted for voucher in self.vouchers)

    def status_seen(self, until_ms: int) -> str:
        """The status a view sees that knows of no shipment after ``until_ms``."""
        unseen = [voucher for voucher in self.vouchers if voucher.at_ms > until_ms]
        return unseen[0].status_before if unseen and self.status in SHIPPED else self.status


def chaos(*parts: object) -> random.Random:
    """A generator that depends on nothing but ``parts``."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311 - made-up orders, no secrets


@lru_cache(maxsize=256)
def _block(seed: int, seller: int, block: int) -> list[Traits]:
    shuffle = chaos(seed, seller, "block", block).shuffle
    statuses = [status for status, share in STATUS_MIX.items() for _ in range(share)]
    addresses = [form for form, share in ADDRESS_MIX.items() for _ in range(share)]
    places = [number % len(PLACES) for number in range(BLOCK)]
    for column in (statuses, addresses, places):
        shuffle(column)
    return list(map(Traits, statuses, addresses, places))


def traits(seed: int, seller: int, number: int) -> Traits:
    """The share an order has in the mix of its block."""
    return _block(seed, seller, number // BLOCK)[number % BLOCK]


@lru_cache(maxsize=8)
def _first_sequence(seed: int) -> int:
    # Each seed owns a thousand million sequence numbers, so two sandboxes seldom share an id.
    return 255_000_000_000 + int(hexadecimal(4, seed, "trade"), 16) % 40 * 1_000_000_000


def trade_id(seed: int, seller: int, number: int) -> str:
    """Eighteen digits, unique over all stores: a sequence number and six that look random."""
    sequence = _first_sequence(seed) + number * 100 + seller
    return f"{sequence:012d}{zlib.crc32(f'{seed}/{sequence}'.encode()) % 1_000_000:06d}"


def generated(seed: int, seller: Seller, number: int, epoch_ms: int, *, plain: bool) -> Order:
    """One of the orders a sandbox starts with."""
    made = 60_000 + zlib.crc32(f"{seed}/{seller.number}/{number}/made".encode()) % HISTORY_MS
    touched = zlib.crc32(f"{seed}/{seller.number}/{number}/touched".encode()) % made
    status = "undeliver" if plain else traits(seed, seller.number, number).status
    return Order(
        trade_id=trade_id(seed, seller.number, number),
        seller=seller,
        number=number,
        status=status,
        created_ms=epoch_ms - made,
        modified_ms=epoch_ms - touched,
        plain=plain,
        born_shipped=status in SHIPPED,
    )


class Window(NamedTuple):
    """Milliseconds, both ends included; None is open."""

    start_ms: int | None
    end_ms: int | None

    def holds(self, at_ms: int) -> bool:
        """Whether a moment lies inside."""
        return (self.start_ms is None or self.start_ms <= at_ms) and (
            self.end_ms is None or at_ms <= self.end_ms
        )


ALWAYS = Window(None, None)


class Query(NamedTuple):
    """What an order list asks for."""

    seller: str
    status: str | None = None
    created: Window = ALWAYS
    modified: Window = ALWAYS

    def finds(self, order: Order) -> bool:
        """Whether status and dates of an order fit."""
        return (
            (self.status is None or order.status == self.status)
            and self.created.holds(order.created_ms)
            and self.modified.holds(order.modified_ms)
        )


class OrderBook:
    """All orders by id, and each store's orders by date."""

    def __init__(self) -> None:
        self.by_id: dict[str, Order] = {}
        self._by_created: dict[str, list[Order]] = {}
        self._by_modified: dict[str, list[Order]] = {}
        self._unsorted: set[str] = set()

    def add(self, order: Order) -> None:
        """Put in a new order; the id must be new."""
        self.by_id[order.trade_id] = order
        self._by_created.setdefault(order.seller.id, []).append(order)
        self._by_modified.setdefault(order.seller.id, []).append(order)
        self._unsorted.add(order.seller.id)

    def count(self, seller_id: str) -> int:
        """Number of orders of a store, which is the number of its next one."""
        return len(self._by_created.get(seller_id, ()))

    def of(self, seller_id: str) -> list[Order]:
        """The orders of a store, in no order."""
        return self._by_created.get(seller_id, [])

    def touched(self, order: Order) -> None:
        """Note that an order's modification date changed."""
        self._unsorted.add(order.seller.id)

    def page(
        self,
        query: Query,
        page: int,
        size: int,
        *,
        oldest_first: bool = False,
        by_creation: bool = False,
    ) -> tuple[int, list[Order]]:
        """How many orders a query finds, and one page of them (pages count from 0).

        Newest first unless told otherwise; sorted by modification if the query has such a window,
        or by creation. Paging is unstable on purpose: an order that changes between two pages
        moves.
        """
        self._sort(query.seller)
        by_modified = query.modified != ALWAYS and not by_creation
        found = (self._by_modified if by_modified else self._by_created).get(query.seller, [])
        first, last = _span(found, query.modified if by_modified else query.created, by_modified)
        other = query.created if by_modified else query.modified
        if query.status or other != ALWAYS:
            found = [order for order in found[first:last] if query.finds(order)]
            first, last = 0, len(found)
        if oldest_first:
            return last - first, found[first + page * size : min(last, first + (page + 1) * size)]
        begin = max(first, last - (page + 1) * size)
        return last - first, found[begin : max(first, last - page * size)][::-1]

    def _sort(self, seller_id: str) -> None:
        if seller_id in self._unsorted:  # nearly sorted lists: a linear pass
            self._by_created[seller_id].sort(key=attrgetter("created_ms", "trade_id"))
            self._by_modified[seller_id].sort(key=attrgetter("modified_ms", "trade_id"))
            self._unsorted.discard(seller_id)


def _span(orders: list[Order], window: Window, by_modified: bool) -> tuple[int, int]:
    """First and one past the last place of a sorted list that lie in a window."""
    key = attrgetter("modified_ms" if by_modified else "created_ms")
    first = 0 if window.start_ms is None else bisect_left(orders, window.start_ms, key=key)
    last = len(orders) if window.end_ms is None else bisect_right(orders, window.end_ms, key=key)
    return first, last


def merged(target: Any, patch: Any) -> Any:
    """A copy with a JSON merge patch (RFC 7396): objects merge, null removes, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
