"""The whole state of a sandbox, and the one way to change it: :meth:`World.record`.

Generated orders come from the seed, everything after from the journal. Requests are handled on one
thread and no handler waits in the middle of a change, so each call sees and leaves a whole state.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from sandbox import events, orders
from sandbox.journal import Journal, JournalError
from sandbox.orders import Order, OrderBook, Voucher
from sandbox.protocol import GopError
from sandbox.sellers import make_app, make_sellers
from sandbox.settings import DAY_S, Settings
from sandbox.tokens import TokenBook, TokenRules

READY_TOKENS_S = 180 * DAY_S
"""Length of the authorisation every store starts with: the longest of Alibaba's choices."""
_GENERATION = ("seed", "stores", "orders_per_store", "all_shippable")


def clock_ms() -> int:
    """Epoch milliseconds, UTC."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Totals:
    """Sums over the whole journal."""

    uploads: int = 0
    uploaded_bytes: int = 0
    shipments: int = 0
    orders_shipped: int = 0
    shipments_per_order_max: int = 0
    could_have_acted_per_order_max: int = 0
    shipments_refused: dict[str, int] = field(default_factory=dict)
    """By code."""


class World:
    """Sellers, orders, tokens, uploads and shipments of one data directory."""

    def __init__(self, settings: Settings, now_ms: Callable[[], int] = clock_ms) -> None:
        self.settings = settings
        self._clock_ms = now_ms
        self.lenient = settings.lenient
        self.epoch_ms = self._generation_epoch(settings.data_dir / "world.json")
        self.journal = Journal(settings.data_dir / "journal.jsonl")
        self.app = make_app(settings.seed)
        self.sellers = make_sellers(settings.seed, settings.stores)
        self.orders = OrderBook()
        self.tokens = TokenBook(TokenRules.of(settings))
        self.uploads: dict[str, events.Upload] = {}
        self.totals = Totals()
        self.order_listeners: list[Callable[[Order], None]] = []
        self._generate()
        try:
            for event in self.journal.replay():
                self._apply(event)
            self._give_ready_tokens()
        except BaseException:
            self.journal.close()
            raise

    def now_ms(self) -> int:
        """The sandbox's own clock, in epoch milliseconds."""
        return self._clock_ms() + self.settings.clock_offset_ms

    def change(self, settings: Settings) -> None:
        """Go on with other settings, of which only :data:`sandbox.settings.LIVE` may differ."""
        self.settings = settings
        self.tokens.rules = TokenRules.of(settings)

    def _generation_epoch(self, path: Path) -> int:
        """What orders are generated from is fixed at the first start, in ``world.json``."""
        wanted = self.settings.model_dump(include=set(_GENERATION))
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            epoch_ms = self.now_ms() if self.settings.epoch_ms is None else self.settings.epoch_ms
            temporary = path.with_suffix(".tmp")
            temporary.write_bytes(orjson.dumps({**wanted, "epoch_ms": epoch_ms}))
            temporary.replace(path)
            return epoch_ms
        found = orjson.loads(path.read_bytes())
        for name in _GENERATION:
            if found[name] != wanted[name]:
                raise JournalError(
                    f"{path.parent} was made with {name}={found[name]}, not {wanted[name]}; "
                    "start with the same options or with another --data-dir"
                )
        return int(found["epoch_ms"])

    def _generate(self) -> None:
        settings = self.settings
        for seller in self.sellers.values():
            for number in range(settings.orders_per_store):
                self.orders.add(
                    orders.generated(
                        settings.seed, seller, number, self.epoch_ms, plain=settings.all_shippable
                    )
                )

    def _give_ready_tokens(self) -> None:
        for seller in self.sellers.values():
            if not self.tokens.knows(seller.id):
                self.record(self.tokens.first_tokens(seller.id, READY_TOKENS_S, self.now_ms()))

    def record(self, event: events.Event) -> list[Order]:
        """Write an event to the journal, then make it true; the orders it created or changed.

        Raises OSError, with nothing changed, when the disk does not take it.
        """
        if self.journal.entries >= self.settings.journal_entries_max:
            raise GopError(
                "500", f"sandbox journal is full: {self.journal.entries} entries", "SYSTEM"
            )
        self.journal.append(event)
        changed = self._apply(event)
        for order in changed:
            for listener in self.order_listeners:
                listener(order)
        return changed

    def _apply(self, event: events.Event) -> list[Order]:
        """Make an event true; returns the orders it created or changed."""
        match event:
            case events.Upload():
                self.uploads[event.file_path] = event
                self.totals.uploads += 1
                self.totals.uploaded_bytes += event.bytes
            case events.Shipment():
                return [self._shipped(event)]
            case events.ShipmentRefused():
                self._refused(event)
            case events.OrdersCreated():
                return self._created(event)
            case events.OrderChanged():
                return [self._changed(event)]
            case events.CodeIssued() | events.TokensIssued() | events.TokensEnded():
                self.tokens.apply(event)
        return []

    def _shipped(self, event: events.Shipment) -> Order:
        order = self.orders.by_id[event.trade_id]
        voucher = Voucher(
            at_ms=event.at_ms,
            service_provider=event.service_provider,
            tracking_number=event.tracking_number,
            logistics_type=event.logistics_type,
            status_before=order.status,
            accepted=True,
        )
        order.vouchers.append(voucher)
        order.could_have_acted += 1
        order.status = "delivering"
        self._touch(order, event.at_ms)
        totals = self.totals
        totals.shipments += 1
        totals.orders_shipped += order.accepted == 1
        totals.shipments_per_order_max = max(totals.shipments_per_order_max, order.accepted)
        self._count_actable(order)
        return order

    def _refused(self, event: events.ShipmentRefused) -> None:
        refused = self.totals.shipments_refused
        refused[event.code] = refused.get(event.code, 0) + 1
        if event.only_by_status:
            order = self.orders.by_id[event.trade_id]
            order.could_have_acted += 1
            self._count_actable(order)

    def _count_actable(self, order: Order) -> None:
        self.totals.could_have_acted_per_order_max = max(
            self.totals.could_have_acted_per_order_max, order.could_have_acted
        )

    def _created(self, event: events.OrdersCreated) -> list[Order]:
        seller = self.sellers[event.seller]
        created = []
        for step in range(event.count):
            order = orders.generated(
                self.settings.seed,
                seller,
                event.first + step,
                self.epoch_ms,
                plain=event.status is not None,
            )
            order.status = event.status or order.status
            order.created_ms = order.modified_ms = event.at_ms
            order.born_shipped = order.status in orders.SHIPPED
            order.patches = [event.payload] if event.payload else []
            self.orders.add(order)
            created.append(order)
        return created

    def _changed(self, event: events.OrderChanged) -> Order:
        order = self.orders.by_id[event.trade_id]
        elsewhere = event.shipped_elsewhere
        if elsewhere is not None:
            order.vouchers.append(
                Voucher(
                    at_ms=event.at_ms,
                    service_provider=elsewhere.service_provider,
                    tracking_number=elsewhere.tracking_number,
                    logistics_type=elsewhere.logistics_type,
                    status_before=order.status,
                    accepted=False,
                )
            )
            order.status = "delivering"
        if event.status is not None:
            order.status = event.status
        if event.payload is not None:
            order.patches.append(event.payload)
        if not event.keep_modified:
            self._touch(order, event.at_ms)
        return order

    def _touch(self, order: Order, at_ms: int) -> None:
        # Strictly later than before, so that a reader who compares dates sees the change.
        order.modified_ms = max(at_ms, order.modified_ms + 1)
        self.orders.touched(order)

    def close(self) -> None:
        """Let go of the data directory."""
        self.journal.close()
