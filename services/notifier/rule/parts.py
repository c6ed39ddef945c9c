"""Parts: several shipments that together cover one order and go to Alibaba as one.

The order of the parts is theirs and not that of their arrival, so the same parts lead to the same request
however they come: the first one with a tracking number leads, its number goes to Alibaba, and the proof
shows them all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.notifier.rule.coverage import Fit, fit, surely_covers
from services.notifier.rule.parcel import normalise_tracking
from waybill.contracts import Shipment
from waybill.contracts.order import OrderItem
from waybill.contracts.shipment import Coverage, ShipmentItem

SET_BYTES_MAX = 2 * 1024 * 1024
"""All parts of an order together: with the order they have to fit one ledger entry and one claim of 4 MiB."""

_UNNUMBERED = 65
"""After every number a part can have."""


@dataclass(frozen=True, slots=True)
class Member:
    """One shipment of a set: decoded, and untouched as it came."""

    shipment: Shipment
    raw: bytes


def in_order(members: Iterable[Member]) -> tuple[Member, ...]:
    """The leading one first; never depends on the order in which they are given."""
    return tuple(sorted(members, key=_place))


def _place(member: Member) -> tuple[bool, int, datetime, str]:
    shipment = member.shipment
    number = shipment.part.number if shipment.part else _UNNUMBERED
    left_at = shipment.shipped_at or shipment.occurred_at
    return not normalise_tracking(shipment.tracking_number), number, left_at, shipment.shipment_id


def says_part(shipment: Shipment) -> bool:
    """Whether the publisher calls it a part, whatever is in it."""
    return shipment.part is not None or shipment.covers_order is Coverage.PARTIAL


def are_partial(shipments: tuple[Shipment, ...], ordered: tuple[OrderItem, ...]) -> bool:
    """Whether these are a part or parts: several, called so, or short of items of the order.

    A publisher that says `full` is believed over its own list, which may leave out what it cannot name.
    """
    if len(shipments) > 1 or says_part(shipments[0]):
        return True
    is_full = shipments[0].covers_order is Coverage.FULL
    return not is_full and fit(shipments[0].items, ordered) is Fit.PARTIAL


def are_complete(shipments: tuple[Shipment, ...], ordered: tuple[OrderItem, ...]) -> bool:
    """Whether nothing is missing: they cover the order, or the last one and those before it are here.

    Where the publisher numbers or names its parts, items that cannot be told apart never stand for missing
    ones: it will say what is the last.
    """
    if _has_last(shipments) or any(each.covers_order is Coverage.FULL for each in shipments):
        return True
    items = items_of(shipments)
    if any(says_part(each) for each in shipments):
        return surely_covers(items, ordered)
    return fit(items, ordered) is Fit.WHOLE


def items_of(shipments: tuple[Shipment, ...]) -> tuple[ShipmentItem, ...]:
    """All that they name; a part that names nothing adds nothing."""
    return tuple(item for shipment in shipments for item in shipment.items)


def missing_numbers(shipments: tuple[Shipment, ...]) -> tuple[int, ...]:
    """The numbers below the highest one known that nobody published; parts without a number fill gaps."""
    numbers = {each.part.number for each in shipments if each.part}
    if not numbers:
        return ()
    gaps = [number for number in range(1, max(numbers)) if number not in numbers]
    unnumbered = sum(each.part is None for each in shipments)
    return tuple(gaps[unnumbered:])


def _has_last(shipments: tuple[Shipment, ...]) -> bool:
    is_last_here = any(each.part is not None and each.part.final for each in shipments)
    return is_last_here and not missing_numbers(shipments)


def repeats(one: Shipment, other: Shipment) -> bool:
    """Whether two parts of the same parcel are one: a parcel may hold two parts, but not one part twice."""
    return (one.items, one.part) == (other.items, other.part)
