"""What the demo publishes, and what is to come of it. Pure: the same stock gives the same scenario.

Two waves: the second one begins when the first has come to rest. It brings what the first lacked (a
tracking number, a payment, an order, a known carrier), and what comes too late.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from waybill.contracts import Shipment
from waybill.contracts.codec import DeadReason
from waybill.contracts.notification import Outcome, Reason
from waybill.demo.sandbox_admin import SiteOrder
from waybill.demo.shipments import Maker, unreadable_records
from waybill.streaming.records import Outbound

ShipmentKey = tuple[str, str]
"""Order key and shipment id."""

_DRAFTS = frozenset({"intention_processing"})
"""Orders that are only being talked about: the importer counts them and does not publish them."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a shipment ends as, by the last notification about it."""

    outcome: Outcome
    reason: Reason | None = None

    def matches(self, outcome: Outcome, reason: Reason | None) -> bool:
        """How a confirmation was learnt depends on which answers were lost, so it may be any way."""
        if self.outcome is Outcome.CONFIRMED:
            return outcome is Outcome.CONFIRMED
        return (self.outcome, self.reason) == (outcome, reason)


CONFIRMED = Expected(Outcome.CONFIRMED)


def waits(reason: Reason) -> Expected:
    """Waits for something that does not come."""
    return Expected(Outcome.WAITING, reason)


def refused(reason: Reason) -> Expected:
    """Is turned away by a rule."""
    return Expected(Outcome.REFUSED, reason)


@dataclass(frozen=True, slots=True)
class Wave:
    """What happens in one go: first at Alibaba, then records are published."""

    paid: tuple[str, ...] = ()
    """Trade ids whose payment arrives."""
    created: tuple[str, ...] = ()
    """Sellers for whom an order comes to be."""
    records: tuple[Outbound, ...] = ()
    expected: dict[ShipmentKey, Expected] = field(default_factory=dict)
    """What every shipment published so far is then."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """All of it, with the sums that the final check compares."""

    waves: tuple[Wave, Wave]
    cases: dict[ShipmentKey, str]
    """What each shipment shows, in words."""
    dead: Counter[str]
    """Dead letters by reason."""
    accepted: dict[str, str]
    """Trade id to the tracking number that Alibaba is to hold, one each."""
    misplaced: int
    """Records that lie on the wrong partition at first."""
    orders: frozenset[str]
    """Trade ids that the importer is to publish, at the end."""

    @property
    def final(self) -> dict[ShipmentKey, Expected]:
        """What every shipment ends as."""
        return self.waves[1].expected


def imported(stock: Sequence[SiteOrder]) -> frozenset[str]:
    """The orders that the importer publishes."""
    return frozenset(order.trade_id for order in stock if order.status not in _DRAFTS)


def build(stock: Sequence[SiteOrder], future: dict[str, str], make: Maker) -> Scenario:
    """The scenario for the orders that the stand-in holds; `future` is each seller's next trade id."""
    return _Builder(stock, future, make).built()


class _Builder:
    """Deals out the orders to the cases; what is left over is shipped as usual."""

    def __init__(self, stock: Sequence[SiteOrder], future: dict[str, str], make: Maker) -> None:
        self.make = make
        self.stock = stock
        self.future = future
        self.plain = [o for o in _mixed(stock) if o.status == "undeliver" and o.has_address]
        self.first: list[Outbound] = []
        self.again: list[Outbound] = []
        self.second: list[Outbound] = []
        self.expected: dict[ShipmentKey, Expected] = {}
        self.changed: dict[ShipmentKey, Expected] = {}
        self.cases: dict[ShipmentKey, str] = {}
        self.accepted: dict[str, str] = {}
        self.paid: list[str] = []
        self.misplaced = 0

    def take(self, count: int) -> list[str]:
        """The next orders that wait for their shipment."""
        taken, self.plain = self.plain[:count], self.plain[count:]
        return [order.trade_id for order in taken]

    def with_status(self, status: str, count: int, *, has_address: bool = True) -> list[str]:
        """Orders in another status."""
        found = [
            order.trade_id
            for order in _mixed(self.stock)
            if order.status == status and order.has_address == has_address
        ]
        return found[:count]

    def publish(self, case: str, record: Outbound, key: ShipmentKey, expected: Expected) -> None:
        """In the first wave, with what is to come of it."""
        self.first.append(record)
        self.cases.setdefault(key, case)
        self.expected[key] = expected

    def built(self) -> Scenario:
        """Deal out, and put the waves together."""
        for deal in (
            self.odd_records,
            self.competition,
            self.refusals,
            self.waiting_for_good,
            self.waiting_for_more,
            self.taken_back,
            self.too_late,
            self.other_statuses,
            self.usual,
        ):
            deal()
        dead = Counter(str(reason) for reason, _ in self.dead())
        records = _spread([*self.first, *(record for _, record in self.dead())], self.again)
        first = Wave(records=tuple(records), expected=self.expected)
        second = Wave(
            tuple(self.paid),
            tuple(self.future),
            tuple(self.second),
            self.expected | self.changed,
        )
        orders = imported(self.stock) | frozenset(self.future.values())
        return Scenario((first, second), self.cases, dead, self.accepted, self.misplaced, orders)

    def dead(self) -> list[tuple[DeadReason, Outbound]]:
        """Records that nobody can read, one of each kind."""
        return list(unreadable_records(self.make, self.stock[0].trade_id))

    # ---------------------------------------------------------------------------------------- cases

    def confirmed(self, case: str, trade_id: str, record: Outbound, tracking: str) -> None:
        """A shipment that Alibaba accepts."""
        self.publish(case, record, self.make.key(trade_id), CONFIRMED)
        self.accepted[trade_id] = tracking

    def usual(self) -> None:
        """Everything that is left is shipped as usual."""
        for trade_id in self.take(len(self.plain)):
            shipment = self.make.shipment(trade_id)
            self.confirmed(
                "as usual", trade_id, self.make.avro(shipment), self.make.number(trade_id)
            )

    def odd_records(self) -> None:
        """Unusual ways to publish: twice, as JSON, on the wrong partition, in several parcels."""
        for trade_id in self.take(10):
            record = self.make.avro(self.make.shipment(trade_id))
            self.confirmed("exact duplicate", trade_id, record, self.make.number(trade_id))
            self.again.append(record)
        for trade_id in self.take(5):
            record = self.make.json(self.make.shipment(trade_id))
            self.confirmed("plain JSON", trade_id, record, self.make.number(trade_id))
        for trade_id in self.take(3):
            record = self.make.misplaced(self.make.shipment(trade_id))
            self.misplaced += 1
            self.confirmed("on the wrong partition", trade_id, record, self.make.number(trade_id))
        for trade_id in self.take(3):
            record = self.make.avro(self.make.parcels(trade_id, 3))
            self.confirmed("three parcels", trade_id, record, self.make.number(trade_id))

    def competition(self) -> None:
        """Two shipments for one order: another parcel, and the same parcel under another id."""
        for trade_id in self.take(6):
            self._first_of_two(trade_id)
            other = self.make.shipment(trade_id, suffix="b", tracking=self.make.other(trade_id))
            key = self.make.key(trade_id, "b")
            self._later(key, "second shipment", other, refused(Reason.ORDER_ALREADY_SHIPPED))
        for trade_id in self.take(3):
            self._first_of_two(trade_id)
            same = self.make.shipment(trade_id, suffix="c")
            expected = Expected(Outcome.DUPLICATE, Reason.SAME_PARCEL)
            self._later(self.make.key(trade_id, "c"), "same parcel, other id", same, expected)

    def _first_of_two(self, trade_id: str) -> None:
        record = self.make.avro(self.make.shipment(trade_id))
        self.confirmed("first of two", trade_id, record, self.make.number(trade_id))

    def _later(self, key: ShipmentKey, case: str, shipment: Shipment, expected: Expected) -> None:
        self.again.append(self.make.avro(shipment))
        self.cases[key] = case
        self.expected[key] = expected

    def refusals(self) -> None:
        """What a rule turns away."""
        make = self.make
        wanted = (
            ("part of the order", 4, Reason.PARTIAL_SHIPMENT, make.partial),
            ("left before the store began", 2, Reason.BEFORE_START, make.long_ago),
            ("a return", 1, Reason.RETURN_SHIPMENT, make.returned),
            ("a test", 1, Reason.TEST_SHIPMENT, make.test),
            ("names another store", 1, Reason.ORDER_OF_ANOTHER_STORE, make.foreign),
            ("an item the order lacks", 1, Reason.ITEMS_NOT_IN_ORDER, make.strange_item),
        )
        for case, count, reason, made in wanted:
            for trade_id in self.take(count):
                record = make.avro(made(trade_id))
                self.publish(case, record, make.key(trade_id), refused(reason))

    def waiting_for_good(self) -> None:
        """What waits for something that does not come while the demo runs."""
        make = self.make
        for trade_id in self.take(2):
            shipment = make.shipment(trade_id, carrier="hermes")
            expected = waits(Reason.CARRIER_UNMAPPED)
            self.publish("unknown carrier", make.avro(shipment), make.key(trade_id), expected)
        nobodys = "999000000000000001"
        expected = waits(Reason.ORDER_UNKNOWN)
        record = make.avro(make.shipment(nobodys))
        self.publish("mistyped order number", record, make.key(nobodys), expected)
        for trade_id in self.with_status("undeliver", 3, has_address=False):
            record = make.avro(make.shipment(trade_id))
            expected = waits(Reason.ORDER_HELD)
            self.publish("order without address", record, make.key(trade_id), expected)

    def waiting_for_more(self) -> None:
        """What lacks something at first and goes by itself when that arrives."""
        make = self.make
        for trade_id in self.take(3):
            bare = make.shipment(trade_id, tracking=None)
            self._wave_two("tracking number later", trade_id, bare, Reason.NO_TRACKING_NUMBER)
            self.second.append(make.avro(make.shipment(trade_id, revision=2)))
        for trade_id in self.take(2):
            wrong = make.shipment(trade_id, carrier="fedx")
            self._wave_two("carrier corrected", trade_id, wrong, Reason.CARRIER_UNMAPPED)
            self.second.append(make.avro(make.corrected(trade_id, revision=2)))
        for trade_id in self.with_status("unpay", 1):
            unpaid = make.shipment(trade_id)
            self._wave_two("paid later", trade_id, unpaid, Reason.ORDER_NOT_SHIPPABLE_YET)
            self.paid.append(trade_id)
        for trade_id in self.future.values():
            early = make.shipment(trade_id)
            self._wave_two("order comes later", trade_id, early, Reason.ORDER_UNKNOWN)

    def _wave_two(self, case: str, trade_id: str, shipment: Shipment, reason: Reason) -> None:
        """Waits in the first wave, is accepted in the second one."""
        key = self.make.key(trade_id)
        self.publish(case, self.make.avro(shipment), key, waits(reason))
        self.changed[key] = CONFIRMED
        self.accepted[trade_id] = self.make.number(trade_id)

    def taken_back(self) -> None:
        """Voided before it could be sent."""
        make = self.make
        for trade_id in self.take(2):
            key = make.key(trade_id)
            bare = make.avro(make.shipment(trade_id, tracking=None))
            self.publish("voided in time", bare, key, waits(Reason.NO_TRACKING_NUMBER))
            self.second.append(make.avro(make.void(trade_id, revision=2)))
            self.changed[key] = Expected(Outcome.VOIDED, Reason.TAKEN_BACK)

    def too_late(self) -> None:
        """Voided, or corrected, after Alibaba accepted it."""
        make = self.make
        for case, reason, made in (
            ("voided too late", Reason.VOID_TOO_LATE, make.void),
            ("corrected too late", Reason.CORRECTION_TOO_LATE, make.corrected),
        ):
            for trade_id in self.take(2):
                record = make.avro(make.shipment(trade_id))
                self.confirmed(case, trade_id, record, make.number(trade_id))
                self.second.append(make.avro(made(trade_id, revision=2)))
                self.changed[make.key(trade_id)] = Expected(Outcome.TOO_LATE, reason)

    def other_statuses(self) -> None:
        """Orders that do not wait for a shipment at Alibaba."""
        make = self.make
        wanted = (
            ("cancelled order", "trade_close", 2, refused(Reason.ORDER_CANCELLED)),
            ("shipped elsewhere", "delivering", 2, refused(Reason.SHIPPED_ELSEWHERE)),
            ("order on hold", "frozen", 1, waits(Reason.ORDER_NOT_SHIPPABLE_YET)),
            ("status nobody knows", "export_review_hold", 1, waits(Reason.ORDER_HELD)),
        )
        for case, status, count, expected in wanted:
            for trade_id in self.with_status(status, count):
                record = make.avro(make.shipment(trade_id))
                self.publish(case, record, make.key(trade_id), expected)


def _mixed(stock: Sequence[SiteOrder]) -> Iterator[SiteOrder]:
    """The stores in turn, so that each case meets both."""
    by_seller: dict[str, list[SiteOrder]] = {}
    for order in stock:
        by_seller.setdefault(order.seller, []).append(order)
    queues = [iter(orders) for orders in by_seller.values()]
    while queues:
        for queue in list(queues):
            try:
                yield next(queue)
            except StopIteration:
                queues.remove(queue)


def _spread(first: Sequence[Outbound], later: Sequence[Outbound]) -> Iterator[Outbound]:
    """The special ones among the usual ones, as chance has it; then those that come second to another."""
    yield from sorted(first, key=lambda record: crc32(record.key or b""))
    yield from later
