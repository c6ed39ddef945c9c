"""One order's life in the ledger, with real codecs: what the rule decides is written and read back."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any, TypeVar

from services.notifier.rule import (
    CallEnded,
    CallNeverStarted,
    CallOutcome,
    CommandArrived,
    Decision,
    DueReached,
    Effect,
    Event,
    Facts,
    Forgotten,
    HoldsNone,
    Limits,
    LookedUp,
    LookupAnswer,
    OrderChanged,
    ProofArrived,
    ShipmentArrived,
    StartCall,
    StoreChanged,
    TakenOver,
    Uploaded,
    decide,
)
from waybill.contracts import Command, LedgerEntry, Notification, Order, Shipment, Store
from waybill.contracts.base import Address
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.command import CommandKind
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderItem, OrderStatus
from waybill.contracts.shipment import Action, Carrier
from waybill.contracts.store import StoreMode

KEY = "alibaba:255201166001024316"
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SHA_A, SHA_B, SHA_C = "a" * 64, "b" * 64, "c" * 64

_BOOK = SchemaBook()
ENTRIES = Codec(LedgerEntry, "ledger_entry", _BOOK)
SHIPMENTS = Codec(Shipment, "shipment", _BOOK)
ORDERS = Codec(Order, "order", _BOOK)

E = TypeVar("E")


def make_order(status: OrderStatus = OrderStatus.AWAITING_SHIPMENT, **changes: Any) -> Order:
    """An order of two lines: 2 lamps and 1.5 metres of cable."""
    fields: dict[str, Any] = {
        "key": KEY,
        "site": "alibaba",
        "trade_id": KEY.partition(":")[2],
        "store_id": "store-1",
        "order_number": KEY.partition(":")[2],
        "status": status,
        "raw_status": "undeliver",
        "mapping_version": "1",
        "importable": True,
        "modified_at": START - timedelta(hours=1),
        "ship_to": Address(name="Ada King", lines=("12 St James's Square",), country_code="GB"),
        "items": (
            OrderItem(line_id="L1", sku="LAMP", name="Lamp", quantity=Decimal(2), unit="Piece"),
            OrderItem(line_id="L2", sku="CABLE", name="Cable", quantity=Decimal("1.5"), unit="m"),
        ),
        "content_sha256": SHA_A,
        "imported_at": START - timedelta(hours=1),
    }
    return Order.model_validate(fields | changes)


def make_store(mode: StoreMode = StoreMode.LIVE, **changes: Any) -> Store:
    """A live store that maps fedex to FEDEX."""
    fields: dict[str, Any] = {
        "store_id": "store-1",
        "site": "alibaba",
        "seller_id": "200042360",
        "name": "Lamps & More",
        "revision": 1,
        "mode": mode,
        "connected_at": START - timedelta(days=30),
        "ship_from": START - timedelta(days=30),
        "carrier_map": {"fedex": "FEDEX", "dhl express": "DHL"},
    }
    return Store.model_validate(fields | changes)


def make_shipment(shipment_id: str = "S1", revision: int | None = 1, **changes: Any) -> Shipment:
    """A complete shipment of the whole order with FedEx."""
    fields: dict[str, Any] = {
        "order_key": KEY,
        "shipment_id": shipment_id,
        "revision": revision,
        "occurred_at": START,
        "shipped_at": START - timedelta(hours=2),
        "tracking_number": "7767 0537 0628",
        "carrier": Carrier(code="fedex"),
        "contact_mobile": "4711",
        "note_to_buyer": "Thank you, Ada!",
    }
    return Shipment.model_validate(fields | changes)


def make_void(shipment_id: str = "S1", revision: int = 2) -> Shipment:
    """The shipment is taken back."""
    return Shipment(
        order_key=KEY,
        shipment_id=shipment_id,
        revision=revision,
        action=Action.VOID,
        occurred_at=START,
    )


def arrival(shipment: Shipment, size_bytes: int | None = None) -> ShipmentArrived:
    """The event of a published shipment."""
    raw = SHIPMENTS.encode(shipment)
    return ShipmentArrived(shipment, raw, len(raw) if size_bytes is None else size_bytes)


@lru_cache(maxsize=1_000)
def _decoded(framed: bytes) -> Shipment:
    return SHIPMENTS.decode(framed)


LIMITS = Limits(partition_count=12, writer="0.1.0")


@dataclass
class Life:
    """The entry of one order and the world around it; `tell` asks the rule and writes its decision."""

    order: Order | None = field(default_factory=make_order)
    store: Store | None = field(default_factory=make_store)
    limits: Limits = LIMITS
    now: datetime = START
    written: LedgerEntry | None = None
    forgotten: Forgotten | None = None
    decisions: list[Decision] = field(default_factory=list)
    is_read_back: bool = True
    """Whether each entry goes through the codec, as after a restart; switched off where speed counts."""

    @property
    def entry(self) -> LedgerEntry:
        assert self.written is not None
        return self.written

    def is_in(self, state: State) -> bool:
        """A method, since type checkers take a property for unchanging."""
        return self.entry.state is state

    @property
    def at(self) -> tuple[State, Reason | None]:
        """State and reason."""
        return self.entry.state, self.entry.reason

    def facts(self) -> Facts:
        held = self.written.shipment if self.written else None
        return Facts(
            key=KEY,
            now=self.now,
            order=self.order,
            order_bytes=self._order_bytes(),
            store=self.store,
            shipment=_decoded(held) if held else None,
            parts=tuple(_decoded(part.shipment) for part in self.written.parts)
            if self.written
            else (),
            limits=self.limits,
            forgotten=self.forgotten,
        )

    def _order_bytes(self) -> bytes | None:
        if self.order is None:
            return None
        return (
            ORDERS.encode(self.order) if self.is_read_back else self.order.content_sha256.encode()
        )

    def tell(self, event: Event) -> Decision:
        decision = decide(self.written, event, self.facts())
        check_form(self.written, decision)
        if decision.entry is not None:
            self.written = decision.entry
            if self.is_read_back:
                self.written = ENTRIES.decode(ENTRIES.encode(decision.entry))
                assert self.written == decision.entry
        self.decisions.append(decision)
        return decision

    # ------------------------------------------------------------------------ events, in short

    def ship(self, shipment_id: str = "S1", revision: int | None = 1, **changes: Any) -> Decision:
        return self.tell(arrival(make_shipment(shipment_id, revision, **changes)))

    def void(self, shipment_id: str = "S1", revision: int = 2) -> Decision:
        return self.tell(arrival(make_void(shipment_id, revision)))

    def order_becomes(self, order: Order | OrderStatus | None) -> Decision:
        """A status means the same order with it, under another content hash."""
        if isinstance(order, OrderStatus):
            order = make_order(order, content_sha256=SHA_B)
        self.order = order
        return self.tell(OrderChanged())

    def store_becomes(self, store: Store | None) -> Decision:
        self.store = store
        return self.tell(StoreChanged())

    def proof(self, *pages: str, **changes: Any) -> Decision:
        assert self.entry.claim is not None
        pages = pages or (SHA_C,)
        return self.tell(ProofArrived(self.entry.claim.claim_id, pages, **changes))

    def upload(self, *paths: str) -> Decision:
        assert self.entry.claim is not None
        return self.tell(Uploaded(paths or ("/f/1.png",), (SHA_C,), self.entry.claim.claim_id))

    def end_call(self, outcome: CallOutcome) -> Decision:
        attempt = self.entry.attempt
        return self.tell(CallEnded(outcome, attempt.number if attempt else None))

    def never_start(self) -> Decision:
        return self.tell(CallNeverStarted())

    def answer(self, answer: LookupAnswer) -> Decision:
        return self.tell(LookedUp(answer, self.now))

    def none(self, status: OrderStatus = OrderStatus.AWAITING_SHIPMENT) -> Decision:
        return self.answer(HoldsNone(status))

    def take_over(self) -> Decision:
        return self.tell(TakenOver())

    def wait(self, seconds: float) -> "Life":
        self.now += timedelta(seconds=seconds)
        return self

    def come_due(self) -> Decision:
        """Wait for the due time, then report it."""
        assert self.entry.due_at is not None
        self.now = max(self.now, self.entry.due_at)
        return self.tell(DueReached())

    # -------------------------------------------------------------------------- ways to a state

    def claimed(self, **changes: Any) -> "Life":
        self.ship(**changes)
        assert self.is_in(State.CLAIMED)
        return self

    def dispatched(self, **changes: Any) -> "Life":
        self.claimed(**changes).upload()
        assert self.is_in(State.DISPATCHED)
        return self

    # ------------------------------------------------------------------------------ what came out

    @property
    def last(self) -> Decision:
        return self.decisions[-1]

    @property
    def notifications(self) -> list[Notification]:
        return [told for decision in self.decisions for told in decision.notifications]

    @property
    def told(self) -> list[tuple[Outcome, Reason | None]]:
        """Outcome and reason of every notification so far."""
        return [(each.outcome, each.reason) for each in self.notifications]

    def effects(self, kind: type[E]) -> list[E]:
        return [effect for effect in all_effects(self.decisions) if isinstance(effect, kind)]

    @property
    def calls(self) -> list[StartCall]:
        return self.effects(StartCall)


def all_effects(decisions: Iterable[Decision]) -> list[Effect]:
    return [effect for decision in decisions for effect in decision.effects]


def check_form(before: LedgerEntry | None, decision: Decision) -> None:
    """What holds for every decision whatever happened."""
    revision = before.revision if before else 0
    if decision.entry is None:
        assert not decision.notifications
        assert not decision.effects
        return
    assert decision.dead is None
    assert decision.entry.revision == revision + 1
    for name in ("notification_id", "shipment_id"):
        names = [getattr(each, name) for each in decision.notifications]
        assert len(set(names)) == len(names)
    for told in decision.notifications:
        assert told.entry_revision == decision.entry.revision
        assert told.order_key == decision.entry.key


def with_limits(**changes: Any) -> Limits:
    return replace(LIMITS, **changes)


NOTHING = Decision()


_ids = count(1)


def command(life: Life, kind: CommandKind, revision: int | None = None) -> Command:
    """A new command that saw the entry as it is, or another revision of it."""
    return Command(
        command_id=f"cmd-{next(_ids)}",
        order_key=KEY,
        kind=kind,
        entry_revision=life.entry.revision if revision is None else revision,
        who="ops",
        why="looked at Alibaba",
        issued_at=START,
    )


def order_to(life: Life, kind: CommandKind) -> Decision:
    """The operator decides now."""
    return life.tell(CommandArrived(command(life, kind)))


def none_twice(life: Life, status: OrderStatus = OrderStatus.AWAITING_SHIPMENT) -> None:
    """Alibaba is asked until its "none" counts, and once more."""
    for _ in range(40):
        if not life.is_in(State.IN_DOUBT):
            return
        life.come_due()
        life.none(status)
    raise AssertionError("the doubt does not end")
