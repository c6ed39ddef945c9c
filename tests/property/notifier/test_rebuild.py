"""Whatever happened: a view rebuilt from the topics is the writer's own, and every order is somebody's.

Orders, shipments, proofs, results and changes of stores come in any order and in any batches; the runtime
is played with its faults (a transaction that is lost, a partition that is opened anew). In the end another
process restores ledger and orders, and both views are compared.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.notifier.handler import NotifierPartition
from services.notifier.rule import (
    Accepted,
    CallEnded,
    CallNeverStarted,
    CallOutcome,
    Contradicts,
    Event,
    Holds,
    HoldsNone,
    LookedUp,
    LookupAnswer,
    LookupFailed,
    NotSent,
    RejectedByAlibaba,
    Throttled,
    Unauthorised,
    Unclear,
    Uploaded,
)
from services.notifier.rule.types import UploadFailed
from services.notifier.scheduling import Phase
from services.notifier.view import Card, entry_key, order_key, unpack
from tests.property.notifier.memory import MemoryStore
from tests.unit.notifier.rule.builders import make_store
from tests.unit.notifier.world import SHA, Desk, key_of, outbound_as_inbound
from waybill.contracts import Store
from waybill.contracts.ledger import State
from waybill.contracts.order import OrderStatus
from waybill.contracts.store import StoreMode
from waybill.streaming.records import Inbound

KEYS = [key_of(number) for number in range(3)]
keys = st.sampled_from(KEYS)
statuses = st.sampled_from(
    [OrderStatus.AWAITING_SHIPMENT] * 4 + [OrderStatus.CANCELLED, OrderStatus.SHIPPED]
)
INDEXES = (b"q/", b"d/", b"w/", b"x/")
soon = st.sampled_from([True, True, True, False])
"""Whether what came is dealt with before anything else happens."""


class Notifier(RuleBasedStateMachine):
    """One partition of a notifier; see the module."""

    def __init__(self) -> None:
        super().__init__()
        self.patched = patch("services.notifier.app.RocksStore", MemoryStore)
        self.patched.start()
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        limits = {"works_per_store_max": 2, "lookups_max": 2, "call_horizon_s": 20}
        self.desk = Desk(Path(), settings=limits)
        self.desk.open()
        self.orders: list[Inbound] = []
        self.waiting: list[Inbound] = []
        self.revision = 1
        self.store_revision = 1
        self.ended: set[Any] = set()

    def teardown(self) -> None:
        structlog.reset_defaults()
        self.patched.stop()

    @property
    def view(self) -> MemoryStore:
        store: Any = self.desk.handler()._store
        assert isinstance(store, MemoryStore)
        return store

    # ------------------------------------------------------------------------------------ what comes

    @initialize(stages=st.lists(st.integers(1, 5), min_size=len(KEYS), max_size=len(KEYS)))
    def in_the_middle(self, stages: list[int]) -> None:
        """Each order is somewhere on its way already."""
        for key, stage in zip(KEYS, stages, strict=True):
            self.order_comes(key, OrderStatus.AWAITING_SHIPMENT)
            self.shipment_comes(key, "S1", old=False, yodel=False)
            self.deal(soon=True)
            if stage > 1:
                self.proofgen_answers(soon=True)
            if stage > 2 and (uploads := self.open_ones(self.desk.caller.uploads)):
                self.end(uploads[-1], self.desk.uploaded(uploads[-1].key), soon=True)
            if stage > 3 and (calls := self.open_ones(self.desk.caller.declares)):
                self.end(calls[-1], CallEnded(Unclear(), calls[-1].attempt), soon=True)

    def end(self, call: Any, how: Event, *, soon: bool) -> None:
        """A call that was under way comes back."""
        self.ended.add(id(call))
        self.desk.background.done.append(self.desk.done(call.key, how))
        self.deal(soon)

    @rule(key=keys, status=statuses)
    def order_comes(self, key: str, status: OrderStatus) -> None:
        sha = f"{len(self.orders):064d}"
        record = self.desk.order(key, status=status, content_sha256=sha)
        self.orders.append(record)
        self.waiting.append(record)

    @rule(key=keys)
    def order_is_erased(self, key: str) -> None:
        record = self.desk.record("orders", key, None)
        self.orders.append(record)
        self.waiting.append(record)

    @rule(
        key=keys, shipment_id=st.sampled_from(["S1", "S2"]), old=st.booleans(), yodel=st.booleans()
    )
    def shipment_comes(self, key: str, shipment_id: str, old: bool, yodel: bool) -> None:
        self.revision += not old
        carrier = {"code": "yodel" if yodel else "fedex"}
        number = f"{shipment_id}{self.revision}"
        changes: Any = {"revision": self.revision, "carrier": carrier, "tracking_number": number}
        self.waiting.append(self.desk.shipment(key, shipment_id, **changes))

    @rule(mapped=st.booleans(), paused=st.booleans(), live=st.booleans())
    def store_changes(self, mapped: bool, paused: bool, live: bool) -> None:
        self.store_revision += 1
        carriers = {"fedex": "FEDEX"} | ({"yodel": "YODEL"} if mapped else {})
        mode = StoreMode.LIVE if live else StoreMode.DRY_RUN
        changes = {"revision": self.store_revision, "paused": paused, "carrier_map": carriers}
        self.desk.connect(make_store(mode, **changes))

    @rule(soon=soon)
    def proofgen_answers(self, soon: bool) -> None:
        """All that is asked for; what is uploaded stays open."""
        for work in self.desk.shared.works:
            if work.phase is Phase.ASKED:
                self.waiting.append(self.desk.proof(work.key, claim_id=work.claim_id))
        self.deal(soon)

    def deal(self, soon: bool) -> None:
        """With all that waits; twice, since what a commit starts is seen in the next turn."""
        if soon:
            self.batch(len(self.waiting), committed=True)
            self.desk.turn()

    @rule(data=st.data())
    @precondition(lambda self: self.desk.claims())
    def proof_comes(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.desk.claims()[-5:]))
        refused: Any = {"pages": (), "refusal": "no_ship_date"} if data.draw(st.booleans()) else {}
        record = self.desk.proof(claim.order_key, claim_id=claim.claim_id, **refused)
        self.waiting.append(record)

    @rule(data=st.data(), soon=soon)
    @precondition(lambda self: self.open_ones(self.desk.caller.uploads))
    def upload_ends(self, data: st.DataObject, soon: bool) -> None:
        upload = data.draw(st.sampled_from(self.open_ones(self.desk.caller.uploads)))
        failed = data.draw(st.sampled_from([False, False, False, True]))
        good = Uploaded(("/f/1.png",), (SHA,), upload.claim_id)
        end = UploadFailed(NotSent()) if failed else good
        self.end(upload, end, soon=soon)

    @rule(data=st.data(), soon=soon)
    @precondition(lambda self: self.open_ones(self.desk.caller.declares))
    def call_ends(self, data: st.DataObject, soon: bool) -> None:
        declare = data.draw(st.sampled_from(self.open_ones(self.desk.caller.declares)))
        later = self.desk.clock.now()
        outcomes: list[CallOutcome] = [
            Unclear(),
            Unclear(),
            Accepted("V"),
            NotSent(),
            Throttled(later),
            Unauthorised(),
        ]
        outcome = data.draw(st.sampled_from([*outcomes, RejectedByAlibaba("402"), None]))
        end: Event = (
            CallEnded(outcome, declare.attempt) if outcome else CallNeverStarted(declare.attempt)
        )
        self.end(declare, end, soon=soon)

    def open_ones(self, calls: Sequence[Any]) -> list[Any]:
        """Calls whose end was not heard yet."""
        return [call for call in calls if id(call) not in self.ended]

    @rule(data=st.data(), soon=soon)
    @precondition(lambda self: self.desk.shared.lookups.under_way)
    def look_up_ends(self, data: st.DataObject, soon: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.desk.shared.lookups.under_way)))
        answers: list[LookupAnswer] = [
            Holds((("7767", "FEDEX", None),)),
            HoldsNone(OrderStatus.AWAITING_SHIPMENT),
            Contradicts(),
            LookupFailed("500"),
        ]
        answer = data.draw(st.sampled_from(answers))
        self.looked_up(key, answer)
        self.deal(soon)

    def looked_up(self, key: str, answer: LookupAnswer) -> None:
        end = LookedUp(answer, self.desk.clock.now())
        self.desk.background.done.append(self.desk.done(key, end))

    # -------------------------------------------------------------------------------------- the runtime

    @rule(count=st.integers(1, 12), committed=st.sampled_from([True] * 7 + [False]))
    @precondition(lambda self: self.waiting or self.desk.background.done)
    def batch(self, count: int, committed: bool) -> None:
        """Some of what waits is decided; its transaction may be lost, and then it is read again."""
        records = self.waiting[:count]
        self.desk.notifier.turn()
        batch = self.desk.decide(*records)
        if committed:
            self.desk.commit(batch)
            del self.waiting[:count]
        else:
            self.reopen()

    @rule(seconds=st.sampled_from([0.01, 1, 10, 70]))
    def time_passes(self, seconds: float) -> None:
        self.desk.wait(seconds)

    @rule()
    def reopen(self) -> None:
        """The partition is opened anew, on its own view."""
        before = self.view
        self.desk.handler().close()
        with patch.object(self.desk.notifier, "_open_store", lambda _folder, _identity: before):
            self.desk.open()

    # --------------------------------------------------------------------------------------- invariants

    @invariant()
    def works_are_bounded(self) -> None:
        assert len(self.desk.shared.works) <= 2

    @invariant()
    def a_call_was_announced(self) -> None:
        """Every call's attempt was written before it: by some entry that was dispatched."""
        announced = set()
        for output in self.desk.to("ledger"):
            entry = self.desk.shared.codecs.ledger.decode(output.value)
            if entry.state is State.DISPATCHED and entry.attempt is not None:
                announced.add((entry.key, entry.attempt.number))
        assert {(call.key, call.attempt) for call in self.desk.caller.declares} <= announced

    @invariant()
    def a_rebuilt_view_is_the_writers(self) -> None:
        handler = self.rebuilt()
        store: Any = handler._store
        processed = {r.key for r in self.orders if r not in self.waiting}
        assert store.part(b"e/") == self.view.part(b"e/")
        for key in processed:
            place = order_key((key or b"").decode())
            assert store.get_many([place]) == self.view.get_many([place])
        assert self.without_used_times(store) == self.without_used_times(self.view)

    def rebuilt(self) -> NotifierPartition:
        """What another process restores."""
        fresh = MemoryStore(Path(), "1")
        handler = NotifierPartition(0, fresh, self.desk.shared)
        orders = [record for record in self.orders if record not in self.waiting]
        handler.absorb([*outbound_as_inbound(self.desk.outputs, "ledger"), *orders])
        return handler

    def without_used_times(self, store: MemoryStore) -> set[bytes]:
        """The indexes, less due times that are over: one that led to nothing is used up, without a write."""
        now = b"d/" + self.desk.shared.now_ms.to_bytes(8, "big") + b"\xff"
        return {key for key in store.part(*INDEXES) if not key.startswith(b"d/") or key > now}

    @invariant()
    def the_indexes_are_those_of_the_entries(self) -> None:
        cards = {key: unpack(value)[0] for key, value in self.view.part(b"e/").items()}
        for key in KEYS:
            card = cards.get(entry_key(key))
            if card is not None:
                entry = self.desk.entry(key)
                assert card == Card.of(entry), "the card says something else than the entry"


def _until_quiet(machine: Notifier, act: Callable[[], None]) -> None:
    for _ in range(400):
        act()
        if all(_is_at_rest(machine, key) for key in KEYS):
            return
    stuck = {key: machine.desk.at(key) for key in KEYS if not _is_at_rest(machine, key)}
    raise AssertionError(f"nobody looks after these any more: {stuck}")


def _is_at_rest(machine: Notifier, key: str) -> bool:
    if entry_key(key) not in machine.view.data:
        return True
    return machine.desk.entry(key).state not in (State.CLAIMED, State.DISPATCHED, State.IN_DOUBT)


class NotifierThatEnds(Notifier):
    """The same; at its end the world is well, and no order may be forgotten."""

    def teardown(self) -> None:
        store: Store = make_store(revision=self.store_revision + 1)
        self.desk.connect(store)
        self.desk.reconnect("store-1")
        _until_quiet(self, self._all_goes_well)
        assert len(self.desk.shared.works) == 0
        event(f"calls: {min(len(self.desk.caller.declares), 9)}")
        super().teardown()

    def _all_goes_well(self) -> None:
        desk = self.desk
        desk.process(*self.waiting)
        self.waiting.clear()
        for work in list(desk.shared.works):
            if work.phase is Phase.ASKED:
                desk.process(desk.proof(work.key))
        for upload in self.open_ones(desk.caller.uploads):
            self.end(upload, desk.uploaded(upload.key), soon=False)
        for declare in self.open_ones(desk.caller.declares):
            self.end(declare, CallEnded(Accepted("V"), declare.attempt), soon=False)
        for key in list(desk.shared.lookups.under_way):
            attempt = desk.entry(key).attempt
            number = attempt.tracking_number if attempt else None
            self.looked_up(key, Holds(((number, "FEDEX", "V"),)))
        desk.wait(5)
        desk.turn()


def test_a_rebuilt_view_is_the_writers() -> None:
    run_state_machine_as_test(Notifier, settings=settings(max_examples=40, stateful_step_count=30))


def test_no_order_is_forgotten() -> None:
    run_state_machine_as_test(
        NotifierThatEnds, settings=settings(max_examples=60, stateful_step_count=30)
    )
