"""What has to hold: after every step that matters, and when all has come to rest."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from services.notifier.view import Card, entry_key, unpack
from tests.simulation import records
from tests.simulation.alibaba import Call
from tests.simulation.broker import Transaction
from tests.simulation.people import Published
from tests.simulation.process import GROUP, settings
from waybill.contracts import LedgerEntry, Notification
from waybill.contracts.headers import LEDGER_CARD
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Action
from waybill.streaming.partition import Phase
from waybill.streaming.ports import Place
from waybill.streaming.records import Inbound

if TYPE_CHECKING:
    from tests.simulation.world import World

UNDER_WAY = {State.CLAIMED, State.DISPATCHED, State.IN_DOUBT}


class Watch:
    """Sees every transaction and every call at the moment from which it counts."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.written: dict[str, list[tuple[Inbound, float]]] = {}
        """Committed entries of each order, with the time at which their transaction began."""
        self._called: set[tuple[str, int]] = set()
        self._processed: dict[Place, int] = {}

    def committed(self, transactional_id: str, transaction: Transaction) -> None:
        """A transaction counts from now on."""
        for group, place, offset, _ in transaction.offsets:
            if group == GROUP:
                self._forward(place, offset)
        for place in transaction.places:
            if place.topic == "ledger":
                self._entries(transactional_id, transaction, place)

    def _forward(self, place: Place, offset: int) -> None:
        if offset < self._processed.get(place, 0):
            raise self.world.violated(f"the position of {place} went back to {offset}")
        self._processed[place] = offset

    def _entries(self, transactional_id: str, transaction: Transaction, place: Place) -> None:
        log = self.world.broker.log(place)
        for record, owner in log.slots[log.open[transaction] :]:
            if owner is not transaction or record is None or record.key is None:
                continue
            key = record.key.decode()
            self.written.setdefault(key, []).append((record, transaction.began_s))
            card = Card.parse(record.header(LEDGER_CARD) or b"")
            self.world.note(transactional_id, "commits", key[-2:], card.state, card.reason)
            if card.state == State.DISPATCHED:
                self._dispatched(key, record)

    def _dispatched(self, key: str, record: Inbound) -> None:
        """The first entry of an attempt: it has to be what the shipping system said last."""
        entry = records.CODECS.ledger.decode(record.value)
        assert entry.attempt is not None
        if entry.attention is not None:
            return  # what came too late is somebody's to look at
        newest = self._newest(key, entry)
        if newest is None:
            return
        if newest.action is Action.VOID:
            raise self.world.violated(f"{key}: dispatched after its void was processed")
        if newest.tracking_number != entry.attempt.tracking_number:
            raise self.world.violated(f"{key}: dispatched without its correction")

    def _newest(self, key: str, entry: LedgerEntry) -> Published | None:
        """The highest revision of the dispatched shipment that was processed so far."""
        place = Place("shipments", records.home(key))
        log = self.world.broker.log(place)
        end = self._processed.get(place, 0)
        found = [
            records.CODECS.recent_shipments.decode(record.value)
            for record in log.committed(log.start, end)
            if record.key == key.encode()
        ]
        mine = [one for one in found if one.shipment_id == entry.shipment_id]
        if not mine:
            return None
        top = max(mine, key=lambda one: one.effective_revision)
        assert top.revision is not None
        return Published(key, top.shipment_id, top.revision, top.action, top.tracking_number)

    def called(self, call: Call) -> None:
        """A call leaves a process: only what was announced by a committed entry, once, and in time."""
        key = f"alibaba:{call.trade_id}"
        announced = self._announced(key, call)
        if announced is None:
            raise self.world.violated(f"{key}: a call that no committed entry announced")
        entry, began_s = announced
        assert entry.attempt is not None
        attempt = (key, entry.attempt.number)
        if attempt in self._called:
            raise self.world.violated(f"{key}: attempt {entry.attempt.number} was called twice")
        self._called.add(attempt)
        if call.started_s - began_s > settings().call_start_s:
            raise self.world.violated(f"{key}: the call started after its lease")
        shown = {self.world.alibaba.files[path] for path in call.file_paths}
        if entry.claim is None or shown != {f"PNG {entry.claim.claim_id}".encode()}:
            raise self.world.violated(f"{key}: called with the proof of another claim")

    def _announced(self, key: str, call: Call) -> tuple[LedgerEntry, float] | None:
        for record, began_s in reversed(self.written.get(key, [])):
            entry = records.CODECS.ledger.decode(record.value)
            attempt = entry.attempt
            if entry.state is not State.DISPATCHED or attempt is None:
                continue
            if attempt.file_paths == call.file_paths:
                return entry, began_s
        return None

    def acted(self, call: Call) -> None:
        """Alibaba accepted a shipment: the promise of the product."""
        accepted = self.world.alibaba.accepted(call.trade_id)
        if len(accepted) > 1:
            numbers = ", ".join(one.tracking_number for one in accepted)
            raise self.world.violated(f"Alibaba holds two shipments of {call.trade_id}: {numbers}")

    def is_settled(self, next_s: float) -> bool:
        """Whether nothing is under way, and nothing will happen soon."""
        if any(Card.parse(_card(r)).state in UNDER_WAY for r in self.latest().values()):
            return False
        world = self.world
        running = [
            partition.number
            for process in world.processes
            if process is not None and process.runs
            for partition in process.runtime.partitions
            if partition.phase is Phase.RUNNING and partition.commit is None and not partition.inbox
        ]
        is_whole = sorted(running) == list(range(records.PARTITIONS))
        return is_whole and next_s > world.now_s + 1.0

    def latest(self) -> dict[str, Inbound]:
        """The last committed entry of each order."""
        return {key: entries[-1][0] for key, entries in self.written.items()}


def _card(record: Inbound) -> bytes:
    return record.header(LEDGER_CARD) or b""


def at_the_end(world: "World") -> None:
    """Raise a violation for whatever did not come to a good end."""
    entries = {
        key: records.CODECS.ledger.decode(record.value)
        for key, record in world.watch.latest().items()
    }
    told = list(_notifications(world))
    for problem in (
        *_unprocessed(world),
        *_views(world),
        *(p for key, entry in entries.items() for p in _entry(world, key, entry, told)),
        *_forgotten(world, entries),
    ):
        raise world.violated(problem)


def _unprocessed(world: "World") -> Iterator[str]:
    found = world.broker.committed.get(GROUP, {})
    for number in range(records.PARTITIONS):
        place = Place("shipments", number)
        done = found[place].offset if place in found else 0
        rest = world.broker.log(place).slots[done:]
        if any(record is not None for record, _ in rest):
            yield f"{place}: records from {done} on were not processed"
        dead = world.broker.records("dead-letters", number)
        if dead:
            yield f"a dead letter out of good input: {dead[0].headers}"


def _views(world: "World") -> Iterator[str]:
    """Each owner's local view says what the ledger says."""
    latest = world.watch.latest()
    for process in filter(None, world.processes):
        for number, handler in process.notifier._handlers.items():
            mine = [key for key in latest if records.home(key) == number]
            stored = handler._store.get_many([entry_key(key) for key in mine])
            for key, value in zip(mine, stored, strict=True):
                if value is None or unpack(value)[1] != latest[key].value:
                    yield f"{key}: the view of {process.name} is not what the ledger says"


def _notifications(world: "World") -> Iterator[Notification]:
    for number in range(records.PARTITIONS):
        for record in world.broker.records("notifications", number):
            yield records.CODECS.notification.decode(record.value)


def _entry(world: "World", key: str, entry: LedgerEntry, told: list[Notification]) -> Iterator[str]:
    state = entry.state
    accepted = world.alibaba.accepted(records.trade_of(key))
    shipments = world.alibaba.orders[records.trade_of(key)].shipments
    by_hand = any(call is None for _, call, _ in shipments)
    if state in UNDER_WAY:
        yield f"{key}: stuck in {state}"
    if state is State.WAITING and not _is_true(world, key, entry):
        yield f"{key}: waits for {entry.reason}, which is not so"
    is_known = state is State.CONFIRMED or _is_for_a_person(entry)
    if accepted and not is_known and not by_hand:  # a real Alibaba would have refused ours then
        yield f"{key}: Alibaba has its shipment, the ledger says {state} {entry.reason}"
    if state is State.CONFIRMED:
        sent = entry.attempt.tracking_number if entry.attempt else None
        if [call.tracking_number for call in accepted] != [sent]:
            yield f"{key}: confirmed, but Alibaba does not have {sent}"
    mine = [one for one in told if one.order_key == key]
    confirmations = sum(one.outcome is Outcome.CONFIRMED for one in mine)
    if confirmations != (state is State.CONFIRMED):
        yield f"{key}: {state}, confirmed {confirmations} times to the outside"
    if len({one.notification_id for one in mine}) != len(mine):
        yield f"{key}: a notification was published twice"


def _is_for_a_person(entry: LedgerEntry) -> bool:
    return entry.state is State.PARKED and entry.reason in (
        Reason.LOOKUPS_CONTRADICT,
        Reason.ASK_OPERATOR,
    )


def _is_true(world: "World", key: str, entry: LedgerEntry) -> bool:
    """Whether the order waits for what is missing indeed."""
    inputs = world.inputs
    status = inputs.told.get(key)
    store = inputs.settings[inputs.stores[key]]
    match entry.reason:
        case Reason.ORDER_UNKNOWN:
            return status is None
        case Reason.ORDER_NOT_SHIPPABLE_YET:
            return status in (OrderStatus.AWAITING_PAYMENT, OrderStatus.ON_HOLD)
        case Reason.NO_TRACKING_NUMBER:
            return True  # the checks at dispatch compare numbers
        case Reason.CARRIER_UNMAPPED:
            return not store["yodel"]
        case Reason.DRY_RUN:
            return not store["live"]
        case _:
            return False


def _forgotten(world: "World", entries: dict[str, LedgerEntry]) -> Iterator[str]:
    """Every shipment that was published is remembered at its highest revision."""
    wanted: dict[tuple[str, str], int] = {}
    for one in world.inputs.published:
        place = (one.key, one.shipment_id)
        wanted[place] = max(wanted.get(place, 0), one.revision)
    for (key, shipment_id), revision in wanted.items():
        seen = (
            {each.shipment_id: each.revision for each in entries[key].seen}
            if key in entries
            else {}
        )
        if seen.get(shipment_id) != revision:
            yield f"{key}: {shipment_id} was published up to r{revision}, seen is {seen}"
