"""What is published while it burns: shipments of every kind, in every order, from a seed. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from waybill.contracts import Shipment
from waybill.contracts.codec import DeadReason
from waybill.contracts.headers import WB_REROUTED
from waybill.demo.sandbox_admin import SiteOrder
from waybill.demo.shipments import Maker, unreadable_records
from waybill.streaming.records import Outbound

BAD = "fire-bad"
"""Header of a record that is published to become a dead letter; its value is the reason."""
NOBODYS = tuple(f"9990000000000001{number:02d}" for number in range(3))
"""Order numbers that nobody has."""
_PARTS = 2
_SHARE_OF_SPAN = 0.7
"""The last story begins then, so that its later events still fall into the fire."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A record and when it is published, in seconds from the start of the fire."""

    at_s: float
    record: Outbound


@dataclass(frozen=True, slots=True)
class Story:
    """What is published for one order."""

    name: str
    weight: int
    tell: Callable[["Teller", str], list[Outbound]]
    any_order: bool = False
    """Whether the records may arrive in every order; revisions say which is newer."""


class Teller:
    """Makes the records of the stories."""

    def __init__(self, make: Maker) -> None:
        self.make = make

    def void(self, trade_id: str, revision: int, suffix: str = "") -> Outbound:
        """The shipment is taken back."""
        shipment = self.make.void(trade_id, revision)
        _, shipment_id = self.make.key(trade_id, suffix)
        return self.make.avro(shipment.model_copy(update={"shipment_id": shipment_id}))

    def plain(self, trade_id: str, **changes: Any) -> Outbound:
        """A usual shipment with these changes."""
        return self.make.avro(self.make.shipment(trade_id, **changes))

    def other(self, trade_id: str, suffix: str = "b") -> Outbound:
        """Another parcel for the same order."""
        return self.plain(trade_id, suffix=suffix, tracking=self.make.other(trade_id) + suffix)


def _good(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade)]


def _json(t: Teller, trade: str) -> list[Outbound]:
    return [t.make.json(t.make.shipment(trade))]


def _misplaced(t: Teller, trade: str) -> list[Outbound]:
    return [t.make.misplaced(t.make.shipment(trade))]


def _three_times(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade), t.plain(trade), *_misplaced(t, trade)]


def _conflict(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade), t.other(trade)]


def _crowd(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade), t.other(trade), t.other(trade, "c"), t.void(trade, 2, "b")]


def _same_parcel(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade), t.plain(trade, suffix="c")]


def _corrected(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade), t.make.avro(t.make.corrected(trade, 2))]


def _renumbered(t: Teller, trade: str) -> list[Outbound]:
    number = t.make.other(trade)
    return [t.plain(trade), t.plain(trade, revision=2, action="correct", tracking=number)]


def _voided(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade), t.void(trade, 2)]


def _replaced(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade), t.void(trade, 2), t.other(trade)]


def _taken_back_and_again(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade), t.void(trade, 2), t.plain(trade, revision=3)]


def _number_later(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade, tracking=None), t.plain(trade, revision=2)]


def _never_numbered(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade, tracking=None)]


def _unmapped(t: Teller, trade: str) -> list[Outbound]:
    return [t.plain(trade, carrier="hermes")]


def _refused(t: Teller, trade: str) -> list[Outbound]:
    kinds: tuple[Callable[[str], Shipment], ...] = (
        t.make.partial,
        t.make.returned,
        t.make.test,
        t.make.foreign,
        t.make.long_ago,
        t.make.strange_item,
    )
    return [t.make.avro(kinds[int(trade) % len(kinds)](trade))]


def _part(t: Teller, trade: str, number: int, **changes: Any) -> Outbound:
    """The last of two parts is final; the first one's number goes to Alibaba."""
    suffix = f"-part-{number}"
    tracking = t.make.other(trade) + str(number) if number > 1 else t.make.number(trade)
    part = {"number": number, "final": number == _PARTS}
    return t.plain(trade, suffix=suffix, tracking=tracking, part=part, **changes)


def _parts(t: Teller, trade: str) -> list[Outbound]:
    return [_part(t, trade, 1), _part(t, trade, 2), _part(t, trade, 2)]


def _parts_with_a_change(t: Teller, trade: str) -> list[Outbound]:
    tracking = t.make.other(trade) + "9"
    changed = t.plain(
        trade,
        suffix="-part-2",
        tracking=tracking,
        part={"number": 2, "final": True},
        revision=2,
        action="correct",
    )
    return [*_parts(t, trade), changed]


def _part_taken_back(t: Teller, trade: str) -> list[Outbound]:
    return [_part(t, trade, 1), _part(t, trade, 2), t.void(trade, 2, "-part-2")]


def _first_part(t: Teller, trade: str) -> list[Outbound]:
    return [_part(t, trade, 1)]


STORIES = (
    Story("good", 16, _good),
    Story("json", 4, _json),
    Story("misplaced", 4, _misplaced),
    Story("three times", 5, _three_times, any_order=True),
    Story("conflict", 6, _conflict, any_order=True),
    Story("crowd", 3, _crowd, any_order=True),
    Story("same parcel", 3, _same_parcel, any_order=True),
    Story("corrected", 5, _corrected, any_order=True),
    Story("renumbered", 4, _renumbered, any_order=True),
    Story("voided", 5, _voided, any_order=True),
    Story("replaced", 6, _replaced, any_order=True),
    Story("taken back and again", 4, _taken_back_and_again, any_order=True),
    Story("number later", 3, _number_later, any_order=True),
    Story("never numbered", 1, _never_numbered),
    Story("unmapped carrier", 1, _unmapped),
    Story("refused", 3, _refused),
    Story("parts", 6, _parts, any_order=True),
    Story("parts with a change", 3, _parts_with_a_change, any_order=True),
    Story("part taken back", 3, _part_taken_back, any_order=True),
    Story("first part", 1, _first_part),
)


def planned(rng: Random, make: Maker, stock: Sequence[SiteOrder], span_s: float) -> list[Planned]:
    """Everything to publish, by time: a story for each order, unknown orders and bad records."""
    found = [
        *_of_orders(rng, Teller(make), stock, span_s),
        *_of_nobody(rng, Teller(make), span_s),
        *_bad(rng, make, stock, span_s),
    ]
    return sorted(found, key=lambda each: each.at_s)


def _of_orders(
    rng: Random, teller: Teller, stock: Sequence[SiteOrder], span_s: float
) -> Iterator[Planned]:
    weights = [story.weight for story in STORIES]
    for order in stock:
        ships = order.status == "undeliver"
        (story,) = rng.choices(STORIES, weights) if ships else (STORIES[0],)
        records = story.tell(teller, order.trade_id)
        if story.any_order:
            rng.shuffle(records)
        at_s = rng.uniform(0, span_s * _SHARE_OF_SPAN)
        for record in records:
            yield Planned(at_s, record)
            # at once, while the first is on its way, or when that is long settled
            at_s = min(span_s, at_s + rng.choice((0.0, rng.uniform(0, 1), rng.uniform(0, 8))))


def _of_nobody(rng: Random, teller: Teller, span_s: float) -> Iterator[Planned]:
    for trade_id in NOBODYS:
        yield Planned(rng.uniform(0, span_s), teller.plain(trade_id))


def _bad(rng: Random, make: Maker, stock: Sequence[SiteOrder], span_s: float) -> Iterator[Planned]:
    """Records that nobody can read, each kind for two orders that have shipments of their own."""
    for order in rng.sample(stock, 2):
        for reason, record in _bad_records(make, order.trade_id):
            marked = [*record.headers, (BAD, reason.value.encode())]
            at_s = rng.uniform(0, span_s)
            yield Planned(
                at_s, Outbound(record.topic, record.partition, record.key, record.value, marked)
            )


def _bad_records(make: Maker, trade_id: str) -> Iterator[tuple[DeadReason, Outbound]]:
    yield from unreadable_records(make, trade_id)
    shipment = make.shipment(trade_id, suffix="y")
    good, astray = make.avro(shipment), make.misplaced(shipment)
    yield DeadReason.NO_VALUE, Outbound(good.topic, good.partition, good.key, None)
    moved = [*astray.headers, (WB_REROUTED, b"0")]
    yield (
        DeadReason.WRONG_PARTITION,
        Outbound(astray.topic, astray.partition, astray.key, astray.value, moved),
    )
    yield (
        DeadReason.UNREADABLE,
        Outbound(astray.topic, astray.partition, astray.key, (good.value or b"")[:30]),
    )
