"""What has to hold: after every step that matters, and when all has come to rest."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from services.notifier.view import Card, entry_key, unpack
from tests.endings import told_of, wrongly_told
from tests.simulation import records
from tests.simulation.alibaba import Call
from tests.simulation.broker import Fate, Transaction
from tests.simulation.people import Published
from tests.simulation.process import GROUP, settings
from waybill.contracts import LedgerEntry, Notification
from waybill.contracts.command import CommandKind
from waybill.contracts.headers import LEDGER_CARD
from waybill.contracts.ledger import SeenEnd, State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Action
from waybill.streaming.partition import Phase
from waybill.streaming.ports import Place
from waybill.streaming.records import Inbound

if TYPE_CHECKING:
    from tests.simulation.world import World

SETTLED = {State.REJECTED, State.VOIDED}
UNDER_WAY = {State.CLAIMED, State.DISPATCHED, State.IN_DOUBT}


class Written(NamedTuple):
    """A committed entry."""

    record: Inbound
    began_s: float
    """When its transaction began."""
    losses: int
    """How often the ledger had lost something before."""


class Watch:
    """Sees every transaction and every call at the moment from which it counts."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.written: dict[str, list[Written]] = {}
        """Committed entries of each order, also those that the ledger lost later."""
        self.confirmed: Counter[str] = Counter()
        """How often each order became confirmed."""
        self.asked: Counter[str] = Counter()
        """How often a person asked for look-ups of each order."""
        self.losses: Counter[int] = Counter()
        """How often the ledger of a partition lost something."""
        self._latest: dict[str, Inbound] = {}
        self._called: set[tuple[str, int, int]] = set()
        self._carried_out: set[tuple[str, int]] = set()
        self._cancelled: set[tuple[str, str | None, int | None, int]] = set()
        self._processed: dict[Place, int] = {}
        self._since: dict[Place, int] = {}
        """From where on what was processed is known: before, the ledger may have forgotten it."""

    def lost(self, number: int) -> None:
        """The ledger of a partition lost something: what is left is the truth."""
        self.losses[number] += 1
        place = Place("shipments", number)
        # without a position everything is read again, and known again
        is_read_on = place in self._processed
        self._since[place] = len(self.world.broker.log(place).slots) if is_read_on else 0
        self._latest = {k: r for k, r in self._latest.items() if records.home(k) != number}
        log = self.world.broker.log(Place("ledger", number))
        for record, transaction in log.slots[log.start :]:
            is_committed = transaction is None or transaction.fate is Fate.COMMITTED
            if record is not None and record.key is not None and is_committed:
                self._latest[record.key.decode()] = record

    def begun_anew(self) -> None:
        """The group's positions are gone: everything is read again."""
        self._processed.clear()

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
        if transaction not in log.open:
            return  # the records are lost already
        loss = self.losses[place.partition]
        for record, owner in log.slots[log.open[transaction] :]:
            if owner is not transaction or record is None or record.key is None:
                continue
            key, before = record.key.decode(), self._latest.get(record.key.decode())
            card = Card.parse(_card(record))
            self.written.setdefault(key, []).append(Written(record, transaction.began_s, loss))
            self._latest[key] = record
            self.world.note(transactional_id, "commits", key[-2:], card.state, card.reason)
            was = Card.parse(_card(before)).state if before else None
            if card.state == State.CONFIRMED and was != State.CONFIRMED:
                self.confirmed[key] += 1
            if key in self.world.operator.commanded:
                self._commanded(key, before, record, loss)
            if card.state == State.DISPATCHED:
                self._dispatched(key, record, loss)

    def _commanded(self, key: str, before: Inbound | None, record: Inbound, loss: int) -> None:
        """A command is carried out once, and on the revision that its operator saw."""
        after = records.CODECS.ledger.decode(record.value)
        known = records.CODECS.ledger.decode(before.value) if before else None
        if known is None or after.last_command_id in (None, known.last_command_id):
            return
        command = self.world.operator.commands[after.last_command_id]
        self.world.note("ledger", "carries out", command.command_id, command.kind)
        if (command.command_id, loss) in self._carried_out:
            raise self.world.violated(f"{key}: {command.command_id} was carried out twice")
        self._carried_out.add((command.command_id, loss))
        if not known.revision <= command.entry_revision < after.revision:
            raise self.world.violated(
                f"{key}: {command.command_id} saw r{command.entry_revision}, it was r{known.revision}"
            )
        if command.kind in (CommandKind.RELEASE, CommandKind.RESEND):
            self.asked[key] += 1
        if after.reason is Reason.CANCELLED_BY_OPERATOR:
            self._cancelled.add((key, after.shipment_id, after.shipment_revision, loss))

    def _dispatched(self, key: str, record: Inbound, loss: int) -> None:
        """The first entry of an attempt: it has to be what the shipping system said last."""
        entry = records.CODECS.ledger.decode(record.value)
        assert entry.attempt is not None
        if (key, entry.shipment_id, entry.shipment_revision, loss) in self._cancelled:
            raise self.world.violated(f"{key}: dispatched after an operator cancelled it")
        if entry.attention is not None:
            return  # what came too late is somebody's to look at
        self._is_newest(key, entry.shipment_id, entry.attempt.tracking_number)
        for part in entry.parts:
            sent = records.CODECS.recent_shipments.decode(part.shipment)
            self._is_newest(key, part.shipment_id, sent.tracking_number)
        if not are_all_there(entry):
            raise self.world.violated(f"{key}: dispatched without all of its parts")

    def _is_newest(self, key: str, shipment_id: str | None, tracking_number: str | None) -> None:
        newest = self._newest(key, shipment_id)
        if newest is None:
            return
        if newest.action is Action.VOID:
            raise self.world.violated(f"{key}: dispatched after its void was processed")
        if newest.tracking_number != tracking_number:
            raise self.world.violated(f"{key}: dispatched without its correction")

    def _newest(self, key: str, shipment_id: str | None) -> Published | None:
        """The highest revision of a dispatched shipment that was processed so far."""
        place = Place("shipments", records.home(key))
        log = self.world.broker.log(place)
        end = self._processed.get(place, 0)
        found = [
            records.CODECS.recent_shipments.decode(record.value)
            for record in log.committed(max(log.start, self._since.get(place, 0)), end)
            if record.key == key.encode()
        ]
        mine = [one for one in found if one.shipment_id == shipment_id]
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
        entry, began_s, loss = announced
        assert entry.attempt is not None
        attempt = (key, entry.attempt.number, loss)
        if attempt in self._called:
            raise self.world.violated(f"{key}: attempt {entry.attempt.number} was called twice")
        self._called.add(attempt)
        if call.started_s - began_s > settings().call_start_s:
            raise self.world.violated(f"{key}: the call started after its lease")
        shown = {self.world.alibaba.files[path] for path in call.file_paths}
        if entry.claim is None or shown != {f"PNG {entry.claim.claim_id}".encode()}:
            raise self.world.violated(f"{key}: called with the proof of another claim")

    def _announced(self, key: str, call: Call) -> tuple[LedgerEntry, float, int] | None:
        for record, began_s, loss in reversed(self.written.get(key, [])):
            entry = records.CODECS.ledger.decode(record.value)
            attempt = entry.attempt
            if entry.state is not State.DISPATCHED or attempt is None:
                continue
            if attempt.file_paths == call.file_paths:
                return entry, began_s, loss
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
        return self._latest

    def in_state_since(self, key: str) -> float:
        """When the order came to the state in which it is."""
        steps = self.written[key]
        state = Card.parse(_card(steps[-1].record)).state
        since_s = steps[-1].began_s
        for record, began_s, _ in reversed(steps):
            if Card.parse(_card(record)).state != state:
                break
            since_s = began_s
        return since_s


def are_all_there(entry: LedgerEntry) -> bool:
    """Whether what the entry holds is a whole shipment, or every part up to the last one."""
    bodies = [entry.shipment or b"", *(part.shipment for part in entry.parts)]
    held = [records.CODECS.recent_shipments.decode(body) for body in bodies]
    parts = [one.part for one in held if one.part is not None]
    if not parts:
        return len(held) == 1
    last = max((part.number for part in parts if part.final), default=None)
    return last is not None and {part.number for part in parts} >= set(range(1, last + 1))


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
    # by hand: a real Alibaba would have refused ours then
    if accepted and not (is_known or by_hand or _could_not_know(world, key, entry, accepted[0])):
        yield f"{key}: Alibaba has its shipment, the ledger says {state} {entry.reason}"
    if state is State.CONFIRMED:
        sent = entry.attempt.tracking_number if entry.attempt else None
        if [call.tracking_number for call in accepted] != [sent]:
            yield f"{key}: confirmed, but Alibaba does not have {sent}"
    mine = [one for one in told if one.order_key == key]
    yield from _told(world, key, entry, mine)
    if not world.watch.losses[records.home(key)]:
        yield from (f"{key}: {wrong}" for wrong in wrongly_told(entry, told_of(mine)))


def _told(world: "World", key: str, entry: LedgerEntry, told: list[Notification]) -> Iterator[str]:
    """Every confirmation goes out once; a second one of an order only after a look-up anew."""
    watch, lost = world.watch, world.watch.losses[records.home(key)]
    confirmations = sum(
        one.outcome is Outcome.CONFIRMED and one.reason is not Reason.ACKNOWLEDGED for one in told
    )
    # a confirmation shows in no entry when a command followed in its transaction, or its record is lost
    unseen = watch.asked[key] + lost
    if not watch.confirmed[key] <= confirmations <= watch.confirmed[key] + unseen:
        yield f"{key}: {entry.state}, confirmed {confirmations} times to the outside"
    if confirmations > 1 + unseen:
        yield f"{key}: became confirmed {confirmations} times"
    if len({one.notification_id for one in told}) != len(told) and not lost:
        yield f"{key}: a notification was published twice"


def _could_not_know(world: "World", key: str, entry: LedgerEntry, call: Call) -> bool:
    """A call that acted after the order was settled, or one that the ledger lost and replay took back."""
    if (entry.state, entry.reason) == (State.REJECTED, Reason.SHIPPED_ELSEWHERE):
        return world.alibaba.is_late(call) or world.watch.losses[records.home(key)] > 0
    if world.watch.losses[records.home(key)] and entry.state is State.VOIDED:
        return True
    was_settled = world.watch.in_state_since(key) <= (call.acts_s or 0.0)
    return world.alibaba.is_late(call) and was_settled and entry.state in SETTLED


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
    is_so = {
        Reason.ORDER_UNKNOWN: status is None,
        Reason.ORDER_NOT_SHIPPABLE_YET: status
        in (OrderStatus.AWAITING_PAYMENT, OrderStatus.ON_HOLD),
        Reason.NO_TRACKING_NUMBER: True,  # the checks at dispatch compare numbers
        Reason.CARRIER_UNMAPPED: not store["yodel"],
        Reason.DRY_RUN: not store["live"],
        Reason.PARTS_MISSING: store["collects"] and _lacks_parts(world, key, entry),
    }
    return entry.reason is not None and is_so.get(entry.reason, False)


def _lacks_parts(world: "World", key: str, entry: LedgerEntry) -> bool:
    return not are_all_there(entry) and not _left_out(world, key, entry)


def _left_out(world: "World", key: str, entry: LedgerEntry) -> set[str]:
    """Parts that were published, are neither refused nor taken back, and yet not in the set."""
    published = {one.shipment_id for one in world.inputs.published if one.key == key}
    gone = {
        seen.shipment_id
        for seen in entry.seen
        if seen.end in (SeenEnd.REFUSED, SeenEnd.VOIDED, SeenEnd.SAME_PARCEL)
    }
    held = {entry.shipment_id or "", *(part.shipment_id for part in entry.parts)}
    return published - gone - held


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
