"""Whatever happens to stores: one task each at a time, nothing unbounded, nobody forgotten."""

from datetime import datetime, timedelta
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.importer.schedule import HintResult, PollStore, ReadOrders, Schedule, Task
from services.importer.settings import ImporterSettings
from tests.unit.importer.answers import NOW, STORE
from waybill.contracts.imports import HintReason, OrderHint

NAMES = st.sampled_from(["s-1", "s-2", "s-3"])
NUMBERS = st.integers(0, 30)
SETTINGS = ImporterSettings(hints_max=8, rereads_max=8, read_batch=3)


class Stores(RuleBasedStateMachine):
    """A process that owns stores for a while; calls succeed or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule = Schedule(SETTINGS, Random(0))
        self.now = NOW
        self.revision = 0
        self.active: dict[str, bool] = {}
        self.under_way: dict[str, Task] = {}
        self.hinted: set[tuple[str, str]] = set()

    @rule(name=NAMES, paused=st.booleans(), generation=st.integers(1, 3))
    def put(self, name: str, paused: bool, generation: int) -> None:
        self.revision += 1
        facts = {"store_id": name, "revision": self.revision, "paused": paused}
        facts |= {"token_generation": generation}
        self.schedule.put(STORE.model_copy(update=facts), self.now)
        self.active[name] = not paused

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        self.schedule.remove(name)
        self.active.pop(name, None)
        self.under_way.pop(name, None)
        self.hinted = {(store, key) for store, key in self.hinted if store != name}

    @rule(name=NAMES, number=NUMBERS)
    def hint(self, name: str, number: int) -> None:
        key = f"alibaba:{number}"
        hint = OrderHint(order_key=key, store_id=name, reason=HintReason.PUSHED, hinted_at=self.now)
        result = self.schedule.hint(hint, self.now)
        assert (result is HintResult.NO_STORE) == (name not in self.active)
        if result is HintResult.QUEUED:
            self.hinted.add((name, key))

    @rule(name=NAMES, numbers=st.lists(NUMBERS, max_size=12))
    def reread(self, name: str, numbers: list[int]) -> None:
        keys = [f"alibaba:{number}" for number in numbers]
        assert 0 <= self.schedule.reread(name, keys) <= len(keys)

    @rule(seconds=st.sampled_from([0, 1, 61, 1_000]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def take(self) -> None:
        due_at = self.schedule.due_at(self.now)
        task = self.schedule.take(self.now)
        assert (task is not None) == (due_at is not None and due_at <= self.now)
        if task is not None:
            assert self.active[task.store_id], "a paused store has no tasks"
            assert task.store_id not in self.under_way, "one task at a time"
            self.under_way[task.store_id] = task
        if isinstance(task, ReadOrders):
            assert 0 < len(task.order_keys) <= SETTINGS.read_batch

    @precondition(lambda self: self.under_way)
    @rule(chance=st.randoms(use_true_random=False), more=st.booleans())
    def finish(self, chance: Random, more: bool) -> None:
        task = self.under_way.pop(chance.choice(sorted(self.under_way)))
        assert self.schedule.finished(task, self.now, more=more) == ()
        self._read(task)

    @precondition(lambda self: self.under_way)
    @rule(chance=st.randoms(use_true_random=False), banned_s=st.sampled_from([0, 30]))
    def fail(self, chance: Random, banned_s: int) -> None:
        task = self.under_way.pop(chance.choice(sorted(self.under_way)))
        retry_at = self.now + timedelta(seconds=banned_s) if banned_s else None
        let_go = self.schedule.failed(task, self.now, retry_at=retry_at)
        self.hinted -= {(task.store_id, key) for key in let_go}

    @invariant()
    def nobody_is_forgotten(self) -> None:
        """Every active store without a task has a time at which it goes on, within the longest rest."""
        free = [name for name, on in self.active.items() if on and name not in self.under_way]
        due_at = self.schedule.due_at(self.now)
        assert (due_at is not None) == bool(free)
        if due_at is not None:
            assert due_at <= self.now + timedelta(seconds=SETTINGS.backoff_max_s)

    def teardown(self) -> None:
        """With the site well again, every hint is read and every store polled, in a bounded time."""
        for name in [name for name in self.active if not self.active[name]]:
            self.put(name=name, paused=False, generation=1)
        for task in self.under_way.values():
            self.schedule.finished(task, self.now)
            self._read(task)
        polled: set[str] = set()
        end = self.now + timedelta(seconds=2 * SETTINGS.backoff_max_s)
        while self.active and (polled < set(self.active) or self.hinted) and self.now < end:
            polled |= self._next()
        assert polled >= set(self.active)
        assert not self.hinted

    def _next(self) -> set[str]:
        task = self.schedule.take(self.now)
        if task is None:
            due_at = self.schedule.due_at(self.now)
            assert isinstance(due_at, datetime)
            self.now = due_at
            return set()
        self.now += timedelta(seconds=1)
        self.schedule.finished(task, self.now, more=True)
        self._read(task)
        return {task.store_id} if isinstance(task, PollStore) else set()

    def _read(self, task: Task) -> None:
        if isinstance(task, ReadOrders):
            self.hinted -= {(task.store_id, key) for key in task.order_keys}


TestStores = Stores.TestCase
TestStores.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
