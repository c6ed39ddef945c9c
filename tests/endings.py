"""What the publisher of a shipment was told last, held against how it ended in the ledger. Pure.

The property tests ask after every step, the simulation and a fire at their end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from waybill.contracts import LedgerEntry, Notification
from waybill.contracts.ledger import Seen, SeenEnd, State
from waybill.contracts.notification import Outcome

_HELD: Mapping[State, frozenset[Outcome]] = {
    State.CONFIRMED: frozenset({Outcome.CONFIRMED, Outcome.TOO_LATE}),
    State.WAITING: frozenset({Outcome.WAITING, Outcome.DRY_RUN}),
    State.PARKED: frozenset({Outcome.PARKED, Outcome.TOO_LATE}),
}
_ENDED: Mapping[SeenEnd, frozenset[Outcome]] = {
    SeenEnd.VOIDED: frozenset({Outcome.VOIDED}),
    SeenEnd.SAME_PARCEL: frozenset({Outcome.DUPLICATE}),
    SeenEnd.REFUSED: frozenset({Outcome.REFUSED, Outcome.REJECTED}),
}

Told = dict[str, list[Notification]]


def told_of(notifications: Iterable[Notification]) -> Told:
    """Notifications about one order by shipment id, in their order; one about a set is about each part."""
    told: Told = defaultdict(list)
    for note in notifications:
        for shipment_id in (note.shipment_id or "", *note.part_shipment_ids):
            told[shipment_id].append(note)
    return told


def outcomes(seen: Seen, entry: LedgerEntry) -> frozenset[Outcome]:
    """What the last notification about a shipment may say; empty while it is under way."""
    is_looked_up_again = entry.state is State.IN_DOUBT and seen.shipment_id == entry.shipment_id
    if is_looked_up_again or seen.end in (SeenEnd.CURRENT, SeenEnd.PART):
        return _HELD.get(entry.state, frozenset())
    return _ENDED.get(seen.end, frozenset())


def wrongly_told(entry: LedgerEntry, told: Mapping[str, list[Notification]]) -> Iterator[str]:
    """Each shipment of the order whose publisher does not know how it stands."""
    for seen in entry.seen:
        allowed = outcomes(seen, entry)
        last = told.get(seen.shipment_id, [None])[-1]
        if allowed and (last is None or last.outcome not in allowed or _is_old(entry, last)):
            found = f"told {last.outcome} ({last.reason})" if last else "told nothing"
            yield f"{seen.shipment_id} is {seen.end} in {entry.state} ({entry.reason}): {found}"


def _is_old(entry: LedgerEntry, last: Notification) -> bool:
    """Whether it waits for something else by now."""
    waits = entry.state is State.WAITING and last.outcome is Outcome.WAITING
    return waits and entry.reason is not last.reason
