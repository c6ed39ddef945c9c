"""One owned partition of the notifier: records and results in, one transaction out.

Within a batch an overlay stands over the view, so that the second event of an order sees what the first
one led to; nothing of it counts before the commit. Calls start after the commit that announces them;
only what may be repeated (asking, uploading) needs no commit first.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from services.notifier import restoring, view
from services.notifier.batch import Remember, Requeue, Turn
from services.notifier.orders import kept_form
from services.notifier.rule import (
    CommandArrived,
    DueReached,
    Event,
    Forgotten,
    LookedUp,
    OrderChanged,
    ProofArrived,
    ProofOverdue,
    ShipmentArrived,
    StartCall,
    StartLookUp,
    StoreChanged,
    TakenOver,
    Uploaded,
    UploadFailed,
    decide,
    judge,
    quiet_after_fence,
)
from services.notifier.scheduling import Phase, StoreQueue
from services.notifier.shared import Shared
from waybill.contracts import LedgerEntry
from waybill.contracts.base import millis
from waybill.contracts.codec import CONFLUENT, DeadReason, DecodeError
from waybill.contracts.command import CommandKind, is_loss_key
from waybill.contracts.headers import WB_REROUTED
from waybill.contracts.identity import check_key
from waybill.contracts.ledger import State
from waybill.contracts.topics import topics
from waybill.streaming.dead_letters import dead_letter, fits, forwarded, misplaced
from waybill.streaming.errors import FatalError
from waybill.streaming.ports import Batch
from waybill.streaming.records import Inbound
from waybill.streaming.store import LocalStore

log = structlog.get_logger()

_SWEEP_MAX = 200
"""Due entries, takeovers or re-evaluations per batch, so that a batch stays short."""
_ENTRIES_CACHED_MAX = 4_096
_WHY_DEAD = {
    DeadReason.TOO_MANY_SHIPMENTS: "the order has seen too many shipment ids; an operator has to look",
    DeadReason.INVALID: "action, covers_order or logistics_type has a word that this version does not "
    "know; bring it back after an upgrade",
}


class NotifierPartition:
    """See `waybill.streaming.ports.Handler`."""

    def __init__(self, number: int, store: LocalStore, shared: Shared) -> None:
        self.number = number
        self._store = store
        self._shared = shared
        self._results: deque[tuple[str, Event]] = deque()
        self._granted: deque[str] = deque()
        self._takeovers: deque[str] = deque()
        self._stores_changed: deque[tuple[str, bytes]] = deque()
        self._queues: dict[str, StoreQueue] = {}
        self._next_due_ms: int | None = None
        self._next_overdue_s = 0.0
        self._entries: OrderedDict[str, LedgerEntry] = OrderedDict()
        self._running = False
        self._forgotten: Forgotten | None = None

    # ------------------------------------------------------------------------------- restoring

    def position(self, topic: str) -> int | None:
        """See `Handler.position`."""
        return self._store.position(topic)

    def absorb(self, records: Sequence[Inbound]) -> None:
        """See `Handler.absorb`."""
        restoring.absorb(self._store, self._shared.codecs, records)

    def opened(self, accepted_at: datetime | None = None) -> None:
        """See `Handler.opened`: calls of a former owner are in doubt, and settings may have changed."""
        self._running = True
        quiet_since = quiet_after_fence(self._shared.now, self._shared.limits)
        self._forgotten = Forgotten(accepted_at, quiet_since) if accepted_at else None
        for index, _ in self._store.scan(b"x/", 1_000_000):
            key = index.split(b"\0", 1)[1].decode()
            work = self._shared.works.get(key)
            if (
                work is None or work.phase is not Phase.CALLING
            ):  # a call of our own still comes back
                self._takeovers.append(key)
        # orders that came while nobody looked were absorbed without an event: ask the rule again
        for store_id in ("", *self._shared.stores):
            self.store_changed(store_id)
        self._peek_due()

    def store_changed(self, store_id: str) -> None:
        """Settings of a store changed: look again at what waits for them."""
        # one that is under way saw older settings: it does not count
        if self._running and (store_id, b"") not in self._stores_changed:
            self._stores_changed.append((store_id, b""))

    # ----------------------------------------------------------------------------- for the scheduler

    def queue(self, store_id: str) -> StoreQueue:
        """The queue of a store."""
        if store_id not in self._queues:
            self._queues[store_id] = StoreQueue(self._store, store_id)
        return self._queues[store_id]

    def grant(self, key: str) -> None:
        """A slot is free for this order."""
        self._granted.append(key)

    def result(self, key: str, event: Event) -> None:
        """A call ended."""
        self._results.append((key, event))

    def wants_turn(self) -> bool:
        """See `Handler.wants_turn`."""
        waiting = self._results or self._granted or self._takeovers or self._stores_changed
        due = self._next_due_ms is not None and self._next_due_ms <= self._shared.now_ms
        return bool(waiting) or due or self._shared.now_s >= self._next_overdue_s

    # ------------------------------------------------------------------------------------ deciding

    def process(self, records: Sequence[Inbound]) -> Batch:
        """See `Handler.process`."""
        turn = Turn(self.number, self._shared, self._store, self._cached, self._forgotten)
        turn.prefetch([*(r.key for r in records if r.key), *(k.encode() for k, _ in self._results)])
        while self._results:
            self._one_result(turn, *self._results.popleft())
        for _ in range(min(len(self._takeovers), _SWEEP_MAX)):
            self._decide(turn, self._takeovers.popleft(), TakenOver())
        for record in records:
            self._record(turn, record)
        self._sweep_stores(turn)
        self._sweep_due(turn)
        self._sweep_overdue(turn)
        while self._granted or turn.ask_later:
            self._ask(turn, self._granted.popleft() if self._granted else turn.ask_later.pop())
        return turn.finished()

    def _record(self, turn: Turn, record: Inbound) -> None:
        """One record; what cannot be read is a dead letter, and the stream goes on."""
        turn.follow_trace(record)
        try:
            self._read(turn, record)
            self._shared.failures.succeeded(record.topic)
        except DecodeError as error:
            self._dead(turn, record, error.reason, error.detail)
        except FatalError:
            raise
        except Exception as error:
            log.exception("record_failed", topic=record.topic, offset=record.offset)
            self._shared.failures.failed(record.topic, error)
            self._dead(turn, record, DeadReason.PROCESSING_FAILED, type(error).__name__)

    def _read(self, turn: Turn, record: Inbound) -> None:
        if record.key is None:
            raise DecodeError(DeadReason.NO_KEY, "no key; want the order key <site>:<trade_id>")
        if record.topic == "commands" and is_loss_key(record.key):
            return  # for the runtime, of this partition whatever its key hashes to
        right = misplaced(record, self._shared.partitions)
        if right is not None:
            self._reroute(turn, record, right)
            return
        key = record.key.decode(errors="replace")
        match record.topic:
            case "shipments":
                self._shipment(turn, key, record)
            case "orders":
                self._order(turn, key, record)
            case "proofs":
                self._proof(turn, key, record)
            case "commands":
                self._command(turn, key, record)
            case _:
                raise RuntimeError(f"{record.topic} is no input of the notifier")

    def _reroute(self, turn: Turn, record: Inbound, right: int) -> None:
        if record.header(WB_REROUTED) is not None:
            raise DecodeError(
                DeadReason.WRONG_PARTITION,
                f"on partition {record.partition} a second time; the key belongs to {right}",
            )
        if not fits(sent := forwarded(record, right), topics()[record.topic].bytes_max):
            raise DecodeError(
                DeadReason.WRONG_PARTITION,
                f"the key belongs to partition {right}, and the record is too large to be forwarded",
            )
        self._shared.metrics.rerouted.labels(record.topic).inc()
        turn.batch.outputs.append(sent)

    def _dead(self, turn: Turn, record: Inbound, reason: DeadReason, detail: str) -> None:
        log.warning(
            "dead_letter",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason.value,
            detail=detail,
        )
        self._shared.metrics.dead_letters.labels(reason.value).inc()
        group, now_ms = self._shared.group, self._shared.now_ms
        turn.batch.outputs.append(dead_letter(record, reason, detail, group=group, now_ms=now_ms))

    def _shipment(self, turn: Turn, key: str, record: Inbound) -> None:
        shipment = self._shared.codecs.recent_shipments.decode(record.value)
        check_key(record.key, shipment)
        raw = record.value or b""
        if raw[:1] == CONFLUENT:  # the ledger must be readable without a registry
            raw = self._shared.codecs.shipment.encode(shipment)
        event = ShipmentArrived(shipment, raw, len(record.value or b""))
        dead = self._decide(turn, key, event)
        if dead is not None:
            raise DecodeError(dead, _WHY_DEAD[dead])

    def _command(self, turn: Turn, key: str, record: Inbound) -> None:
        """An operator's decision; one that does not apply changes nothing and tells nobody, since it may be
        read again years later. Whoever writes one judges it by the same rule and looks at the entry."""
        command = self._shared.codecs.command.decode(record.value)
        check_key(record.key, command)
        if command.kind is CommandKind.UNRECOGNISED:
            raise DecodeError(
                DeadReason.INVALID, "a kind of command that this version does not know"
            )
        if (before := turn.readable(key)) is None and turn.has_entry(key):
            return  # the entry cannot be read, which is answered
        verdict = judge(before, command)
        self._decide(turn, key, CommandArrived(command))
        applied = turn.entry(key) is not before
        outcome = "applied" if applied else "ignored"
        self._shared.metrics.commands.labels(command.kind.value, outcome).inc()
        log.info(
            "command",
            order_key=key,
            kind=command.kind.value,
            command_id=command.command_id,
            outcome=outcome,
            why=verdict.words,
        )

    def _order(self, turn: Turn, key: str, record: Inbound) -> None:
        if record.value is None:
            turn.order_gone(key)
        else:
            check_key(record.key, self._shared.codecs.recent_orders.decode(record.value))
            turn.order_seen(key, kept_form(record, self._shared.codecs.order))
        if turn.has_entry(key):
            self._decide(turn, key, OrderChanged())

    def _proof(self, turn: Turn, key: str, record: Inbound) -> None:
        proof = self._shared.codecs.proof.decode(record.value)
        if not proof.pages and proof.refusal is None:
            return  # no answer: it becomes overdue
        hashes = tuple(page.sha256 for page in proof.pages)
        event = ProofArrived(proof.claim_id, hashes, proof.refusal, proof.refusal_detail)
        work = self._shared.works.get(key)
        if work is None and (parked := turn.readable(key)) and parked.state is State.PARKED:
            self._decide(turn, key, event)  # after all: it was parked for want of this proof
        if work is None or work.phase is not Phase.ASKED or work.claim_id != proof.claim_id:
            return  # an older claim's, or asked for twice: the image is never state
        entry = turn.entry(key)
        self._decide(turn, key, event)
        after = turn.entry(key)
        claim_id = after.claim.claim_id if after is not None and after.claim else None
        untouched = after is not None and after is entry and after.state is State.CLAIMED
        goes_on = untouched and claim_id == proof.claim_id
        if not (goes_on and self._shared.upload(work, proof)):
            turn.release(key)

    def _one_result(self, turn: Turn, key: str, event: Event) -> None:
        """The end of an upload, a call or a look-up."""
        work = self._shared.works.get(key)
        uploading = work is not None and work.phase is Phase.UPLOADING
        if isinstance(event, Uploaded | UploadFailed) and not uploading:
            return  # begun before the partition was opened anew: its place in the works is gone
        self._decide(turn, key, event)
        if isinstance(event, LookedUp):
            return  # look-ups hold no place in the works
        if not (isinstance(event, Uploaded) and turn.is_in(key, State.DISPATCHED)):
            turn.release(key)

    def _decide(self, turn: Turn, key: str, event: Event) -> DeadReason | None:
        """Ask the rule, and put its answer into the batch."""
        try:
            entry = turn.entry(key)
            facts = turn.facts(key, entry)
        except DecodeError as error:
            turn.unreadable(key, error)
            return None
        decision = decide(entry, event, facts)
        if decision.entry is not None:
            turn.write(key, entry, decision)
        for effect in decision.effects:
            if isinstance(effect, StartCall | StartLookUp):
                turn.batch.effects.append((key, effect))
        self._ask_at_once(turn, key, decision.entry)
        return decision.dead

    def _ask_at_once(self, turn: Turn, key: str, entry: LedgerEntry | None) -> None:
        """Claimed while a slot is free and nobody waits: the claim goes out with the same transaction."""
        if entry is None or entry.state is not State.CLAIMED or entry.due_at is not None:
            return
        store_id = entry.store_id or ""
        work = self._shared.works.get(key)
        if work is not None:
            renewed = entry.claim is not None and entry.claim.claim_id != work.claim_id
            if work.phase is Phase.ASKED and renewed:
                turn.release(key)
                turn.ask_later.append(key)
            return
        if self._shared.may_go_at_once(store_id):
            turn.ask_later.append(key)

    def _ask(self, turn: Turn, key: str) -> None:
        """Publish the claim of an order that has a slot, unless something changed meanwhile."""
        entry = turn.readable(key)
        if entry is None or entry.state is not State.CLAIMED or entry.due_at is not None:
            return
        if key in self._shared.works or self._shared.works.free(entry.store_id or "") == 0:
            turn.batch.effects.append(Requeue(key))
        elif not turn.ask(key, entry):
            # its facts moved on while nobody looked: the rule makes a new claim, or none; with a new
            # one it stands where it stood in line, and the grant has taken it off
            self._decide(turn, key, OrderChanged())
            turn.batch.effects.append(Requeue(key))

    # ------------------------------------------------------------------------------------- sweeping

    def _sweep_due(self, turn: Turn) -> None:
        now_ms = self._shared.now_ms
        if self._next_due_ms is None or self._next_due_ms > now_ms:
            return
        for index, _ in self._store.scan(view.DUE, _SWEEP_MAX):
            due_ms, key = view.parse_due_key(index)
            if due_ms > now_ms:
                break
            self._due(turn, key, index)

    def _due(self, turn: Turn, key: str, index: bytes) -> None:
        entry = turn.readable(key)
        if entry is None:
            turn.batch.changes.delete(index)
            return
        if entry.due_at is None or millis(entry.due_at) > self._shared.now_ms:
            return  # decided in this very batch
        self._decide(turn, key, DueReached())
        after = turn.entry(key)
        if (
            after is entry
        ):  # the rule has nothing to write: only its place in the timetable is used up
            turn.due_used(key, entry, index)

    def _sweep_overdue(self, turn: Turn) -> None:
        if self._shared.now_s < self._next_overdue_s:
            return
        self._next_overdue_s = self._shared.now_s + 1.0
        for work in self._shared.works.of_partition(self.number):
            late_s = self._shared.now_s - work.since_s
            if work.phase is Phase.ASKED and late_s > self._shared.settings.claim_timeout_s:
                turn.release(work.key)
                self._decide(turn, work.key, ProofOverdue())

    def _sweep_stores(self, turn: Turn) -> None:
        if not self._stores_changed:
            return
        store_id, after = self._stores_changed.popleft()
        found = self._store.scan(view.waiting_prefix(store_id), _SWEEP_MAX, after)
        event = StoreChanged() if store_id else OrderChanged()
        for index, _ in found:
            self._decide(turn, index.rsplit(b"\0", 1)[1].decode(), event)
        if len(found) == _SWEEP_MAX:
            self._stores_changed.append((store_id, found[-1][0]))

    # ------------------------------------------------------------------------------ after the commit

    def committed(self, batch: Batch, positions: Mapping[str, int], sent_at_s: float) -> None:
        """See `Handler.committed`."""
        self._store.apply(batch.changes, dict(positions))
        for index in batch.changes.puts:
            if index.startswith(b"q/"):
                store_id = index[2:].split(b"\0", 1)[0].decode()
                self.queue(store_id).added(index)
                self._shared.line_moved = True
        self._peek_due()
        lease_s = sent_at_s + self._shared.settings.call_start_s
        for effect in batch.effects:
            self._start(effect, lease_s)

    def _start(self, effect: object, lease_s: float) -> None:
        match effect:
            case (str(key), StartCall() as call):
                self._shared.declare(self, key, call, lease_s)
            case (str(key), StartLookUp()):
                self._shared.look_up(self.number, key)
            case Remember(key, entry):
                self._remember(key, entry)
            case Requeue(key):
                self._requeue(key)
            case _:
                raise TypeError(f"an effect nobody knows: {type(effect).__name__}")

    def _requeue(self, key: str) -> None:
        self._shared.line_moved = True
        (value,) = self._store.get_many([view.entry_key(key)])
        card = view.unpack(value)[0] if value else None
        if card is not None and card.state == State.CLAIMED and not card.due_ms:
            self.queue(card.store_id).added(view.queue_key(card.store_id, card.claimed_ms, key))

    def _remember(self, key: str, entry: LedgerEntry) -> None:
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if len(self._entries) > _ENTRIES_CACHED_MAX:
            self._entries.popitem(last=False)

    def _cached(self, key: str) -> LedgerEntry | None:
        return self._entries.get(key)

    def _peek_due(self) -> None:
        first = self._store.scan(view.DUE, 1)
        self._next_due_ms = view.parse_due_key(first[0][0])[0] if first else None

    def store_of(self, key: str) -> str | None:
        """The store of an order, by its entry's card."""
        (value,) = self._store.get_many([view.entry_key(key)])
        return view.unpack(value)[0].store_id or None if value else None

    @property
    def running(self) -> bool:
        """Whether this handler may still start calls."""
        return self._running

    def close(self) -> None:
        """See `Handler.close`."""
        self._running = False
        heard = {key for key, event in self._results if not isinstance(event, LookedUp)}
        for work in self._shared.works.of_partition(self.number):
            if work.phase is not Phase.CALLING or work.key in heard:
                self._shared.works.remove(work.key)
        self._shared.closed(self)
        self._store.close()
