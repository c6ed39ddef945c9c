"""One owned partition of the notifier: records and results in, one transaction out.

Within a batch an overlay stands over the view, so that the second event of an order sees what the first
one led to; nothing of it counts before the commit. Calls start after the commit that announces them;
only what may be repeated (asking, uploading) needs no commit first.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.notifier import view
from services.notifier.batch import Remember, Requeue, Turn
from services.notifier.intake import Intake
from services.notifier.restoring import Restoring
from services.notifier.rule import (
    DueReached,
    Event,
    Forgotten,
    LookedUp,
    OrderChanged,
    ProofOverdue,
    StartCall,
    StartLookUp,
    StoreChanged,
    TakenOver,
    Uploaded,
    UploadFailed,
    decide,
    quiet_after_fence,
)
from services.notifier.scheduling import Phase, StoreQueue
from services.notifier.shared import Shared
from waybill.contracts import LedgerEntry
from waybill.contracts.base import millis
from waybill.contracts.codec import DeadReason, DecodeError
from waybill.contracts.ledger import State
from waybill.streaming.ports import Batch
from waybill.streaming.records import Inbound
from waybill.streaming.store import LocalStore

_SWEEP_MAX = 200
"""Due entries, takeovers or re-evaluations per batch, so that a batch stays short."""
_ENTRIES_CACHED_MAX = 512
"""Of one partition: more than all stores have in the works at a time. An entry takes about 8 kB, and twelve
partitions of 4,096 were seen to make 200,000 waiting shipments weigh 380 MB instead of 50."""


class NotifierPartition:
    """See `waybill.streaming.ports.Handler`."""

    def __init__(self, number: int, store: LocalStore, shared: Shared) -> None:
        self.number = number
        self._store = store
        self._shared = shared
        self._restoring: Restoring | None = Restoring(store, shared.codecs)
        self._intake = Intake(shared, self._decide)
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
        assert self._restoring is not None  # noqa: S101 - nothing is absorbed after `opened`
        self._restoring.absorb(records)

    def opened(self, accepted_at: datetime | None = None) -> None:
        """See `Handler.opened`: calls of a former owner are in doubt, and settings may have changed."""
        self._running = True
        self._restoring = None
        quiet_since = quiet_after_fence(self._shared.now, self._shared.limits)
        self._forgotten = Forgotten(accepted_at, quiet_since) if accepted_at else None
        for index, _ in self._store.scan(b"x/", 1_000_000):
            self._takeovers.append(index.split(b"\0", 1)[1].decode())
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
            self._take_over(turn, self._takeovers.popleft())
        for record in records:
            self._intake.take(turn, record)
        self._sweep_stores(turn)
        self._sweep_due(turn)
        self._sweep_overdue(turn)
        while self._granted or turn.ask_later:
            self._ask(turn, self._granted.popleft() if self._granted else turn.ask_later.pop())
        return turn.finished()

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
        if self._shared.may_go_at_once(store_id, entry.claimed_at):
            turn.ask_later.append(key)

    def _take_over(self, turn: Turn, key: str) -> None:
        """A call that nobody waits for is in doubt; one of our own from before still comes back."""
        work = self._shared.works.get(key)
        if work is not None and work.call is not None:
            entry = turn.readable(key)
            if entry is None or work.is_calling(entry.attempt):
                return
        self._decide(turn, key, TakenOver())

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
                self._shared.lookups.add(self.number, key)
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
