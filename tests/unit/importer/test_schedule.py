"""What is done next: polls, hints, readings again, and rest after failures."""

from datetime import datetime, timedelta
from random import Random

import pytest

from services.importer.schedule import HintResult, PollStore, ReadOrders, Schedule, Task
from services.importer.settings import ImporterSettings
from waybill.contracts.imports import HintReason, OrderHint
from waybill.contracts.store import Store

SECOND = timedelta(seconds=1)


@pytest.fixture
def schedule(settings: ImporterSettings) -> Schedule:
    return Schedule(settings, Random(1))


def store_named(store: Store, store_id: str, **settings: object) -> Store:
    return store.model_copy(update={"store_id": store_id, **settings})


def hint_of(key: str, at: datetime, store_id: str | None = "s-1") -> OrderHint:
    return OrderHint(order_key=key, store_id=store_id, reason=HintReason.PUSHED, hinted_at=at)


def taken(schedule: Schedule, now: datetime) -> Task:
    task = schedule.take(now)
    assert task is not None
    return task


def poll(schedule: Schedule, now: datetime, *, more: bool = False) -> PollStore:
    """Take a poll and end it at once."""
    task = taken(schedule, now)
    assert isinstance(task, PollStore)
    schedule.finished(task, now, more=more)
    return task


def test_a_new_store_is_polled_at_once_and_then_after_the_interval(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    assert schedule.due_at(now) is None
    assert schedule.put(store, now)
    assert schedule.due_at(now) == now
    poll(schedule, now)
    assert schedule.take(now) is None
    due = schedule.due_at(now)
    assert due is not None
    assert now + 60 * SECOND <= due <= now + 66 * SECOND
    assert schedule.take(due - SECOND) is None
    poll(schedule, due)


def test_a_window_that_goes_on_is_polled_again_at_once(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    poll(schedule, now, more=True)
    poll(schedule, now)


def test_a_store_has_one_task_at_a_time(schedule: Schedule, store: Store, now: datetime) -> None:
    schedule.put(store, now)
    task = taken(schedule, now)
    schedule.hint(hint_of("alibaba:1", now), now)
    assert schedule.take(now) is None
    assert schedule.due_at(now) is None
    schedule.finished(task, now)
    assert isinstance(schedule.take(now), ReadOrders)


def test_stores_are_polled_in_turn(schedule: Schedule, store: Store, now: datetime) -> None:
    for name in ("s-1", "s-2", "s-3"):
        schedule.put(store_named(store, name), now)
    order = [poll(schedule, now, more=True).store_id for _ in range(6)]
    assert order == ["s-1", "s-2", "s-3"] * 2


def test_a_hint_goes_before_polls(schedule: Schedule, store: Store, now: datetime) -> None:
    for name in ("s-1", "s-2"):
        schedule.put(store_named(store, name), now)
    assert schedule.hint(hint_of("alibaba:7", now, "s-2"), now) is HintResult.QUEUED
    task = taken(schedule, now)
    assert task == ReadOrders(task.number, "s-2", ("alibaba:7",))


def test_a_hint_wakes_a_store_that_is_not_due(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    poll(schedule, now)
    schedule.hint(hint_of("alibaba:7", now), now)
    assert schedule.due_at(now) == now
    assert isinstance(schedule.take(now), ReadOrders)


def test_a_flood_of_hints_stops_neither_its_stores_polls_nor_other_stores(
    settings: ImporterSettings, store: Store, now: datetime
) -> None:
    schedule = Schedule(settings.model_copy(update={"read_batch": 1}), Random(1))
    for name in ("s-1", "s-2"):
        schedule.put(store_named(store, name), now)
    for number in range(9):
        schedule.hint(hint_of(f"alibaba:{number}", now), now)
    work = []
    for _ in range(6):
        task = taken(schedule, now)
        work.append((task.store_id, type(task).__name__))
        schedule.finished(task, now, more=True)
    assert work.count(("s-1", "ReadOrders")) >= 2
    assert work.count(("s-1", "PollStore")) >= 1
    assert work.count(("s-2", "PollStore")) >= 2


def test_hints_are_read_in_batches_in_their_order(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    poll(schedule, now)
    for number in range(25):
        schedule.hint(hint_of(f"alibaba:{number}", now), now)
    first = taken(schedule, now)
    schedule.finished(first, now)
    second = taken(schedule, now)
    assert isinstance(first, ReadOrders)
    assert isinstance(second, ReadOrders)
    read = (*first.order_keys, *second.order_keys)
    assert read == tuple(f"alibaba:{number}" for number in range(25))


def test_hints_that_help_nothing_are_refused(
    settings: ImporterSettings, store: Store, now: datetime
) -> None:
    schedule = Schedule(settings.model_copy(update={"hints_max": 2}), Random(1))
    assert schedule.hint(hint_of("alibaba:1", now), now) is HintResult.NO_STORE
    schedule.put(store, now)
    assert schedule.hint(hint_of("sandbox:1", now, None), now) is HintResult.NO_STORE
    assert schedule.hint(hint_of("21***54", now), now) is HintResult.MALFORMED
    assert schedule.hint(hint_of("alibaba:1", now - 601 * SECOND), now) is HintResult.STALE
    assert schedule.hint(hint_of("alibaba:1", now - 600 * SECOND), now) is HintResult.QUEUED
    assert schedule.hint(hint_of("alibaba:1", now), now) is HintResult.DUPLICATE
    assert schedule.hint(hint_of("alibaba:2", now), now) is HintResult.QUEUED
    assert schedule.hint(hint_of("alibaba:3", now), now) is HintResult.FULL


def test_an_order_hinted_while_it_is_read_is_read_once_more(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    """The reading under way may have been answered before the change that is hinted at."""
    schedule.put(store, now)
    poll(schedule, now)
    schedule.hint(hint_of("alibaba:1", now), now)
    first = taken(schedule, now)
    assert schedule.hint(hint_of("alibaba:1", now), now) is HintResult.QUEUED
    schedule.finished(first, now)
    again = taken(schedule, now)
    assert isinstance(again, ReadOrders)
    assert again.order_keys == ("alibaba:1",)


def test_a_hint_without_a_store_asks_every_store_of_its_site(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    for name, site in (("s-1", "alibaba"), ("s-2", "alibaba"), ("s-3", "sandbox")):
        schedule.put(store_named(store, name, site=site), now)
    assert schedule.hint(hint_of("alibaba:1", now, None), now) is HintResult.QUEUED
    tasks = [taken(schedule, now), taken(schedule, now)]
    assert {task.store_id for task in tasks} == {"s-1", "s-2"}
    assert all(isinstance(task, ReadOrders) for task in tasks)


def test_failures_are_waited_out_longer_each_time_and_for_ever(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    waits = []
    for _ in range(60):
        schedule.failed(taken(schedule, now), now)
        due = schedule.due_at(now)
        assert due is not None
        assert schedule.take(due - timedelta(milliseconds=1)) is None
        waits.append((due - now).total_seconds())
        now = due
    assert 2.5 <= waits[0] <= 5
    assert 5 <= waits[1] <= 10
    assert all(450 <= wait <= 900 for wait in waits[10:])
    assert len(set(waits)) == 60


def test_a_success_ends_the_growing_of_waits(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    for _ in range(10):
        schedule.failed(taken(schedule, now), now)
        now = schedule.due_at(now) or now
    poll(schedule, now, more=True)
    schedule.failed(taken(schedule, now), now)
    due = schedule.due_at(now)
    assert due is not None
    assert due <= now + 5 * SECOND


def test_a_store_that_fails_holds_up_no_other(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    for name in ("s-1", "s-2"):
        schedule.put(store_named(store, name), now)
    schedule.failed(taken(schedule, now), now)
    assert poll(schedule, now).store_id == "s-2"


def test_a_ban_is_waited_for(schedule: Schedule, store: Store, now: datetime) -> None:
    schedule.put(store, now)
    schedule.hint(hint_of("alibaba:1", now), now)
    schedule.failed(taken(schedule, now), now, retry_at=now + 120 * SECOND)
    assert schedule.due_at(now) == now + 120 * SECOND
    assert schedule.take(now + 119 * SECOND) is None
    assert schedule.take(now + 120 * SECOND) is not None


def test_an_outage_loses_no_hint(schedule: Schedule, store: Store, now: datetime) -> None:
    schedule.put(store, now)
    schedule.hint(hint_of("alibaba:1", now), now)
    for _ in range(50):
        assert schedule.failed(taken(schedule, now), now) == ()
        now = schedule.due_at(now) or now
    tasks = []
    for _ in range(2):
        tasks.append(taken(schedule, now))
        schedule.finished(tasks[-1], now)
    assert any(isinstance(task, ReadOrders) for task in tasks)


def test_an_order_that_always_fails_while_the_site_answers_is_let_go(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    schedule.hint(hint_of("alibaba:1", now), now)
    schedule.hint(hint_of("alibaba:2", now), now)
    let_go: list[tuple[str, ...]] = []
    while task := schedule.take(now):
        if isinstance(task, ReadOrders):
            let_go.append(schedule.finished(task, now, unread=["alibaba:1"]))
        else:
            schedule.finished(task, now)
    assert let_go == [(), (), (), (), ("alibaba:1",)]


def test_an_order_that_makes_the_whole_task_fail_is_let_go_if_polls_work(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    schedule.hint(hint_of("alibaba:1", now), now)
    dropped: tuple[str, ...] = ()
    for _ in range(20):
        task = schedule.take(now)
        if isinstance(task, ReadOrders):
            dropped += schedule.failed(task, now)
        elif task:
            schedule.finished(task, now, more=True)
        now = schedule.due_at(now) or now
    assert dropped == ("alibaba:1",)


@pytest.mark.parametrize("change", [{"paused": True}, {"disconnected": True}])
def test_a_store_that_is_paused_rests_and_is_due_when_it_goes_on(
    schedule: Schedule, store: Store, now: datetime, change: dict[str, bool]
) -> None:
    schedule.put(store, now)
    poll(schedule, now)
    schedule.put(store.model_copy(update={"revision": 2, **change}), now)
    assert schedule.hint(hint_of("alibaba:1", now), now) is HintResult.QUEUED
    assert schedule.take(now + 3_600 * SECOND) is None
    assert schedule.due_at(now) is None
    schedule.put(store.model_copy(update={"revision": 3}), now)
    works = [taken(schedule, now)]
    schedule.finished(works[0], now)
    works.append(taken(schedule, now))
    assert {type(work) for work in works} == {PollStore, ReadOrders}


def test_connecting_again_ends_the_rest_at_once(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    schedule.failed(taken(schedule, now), now)
    assert schedule.take(now) is None
    schedule.put(store.model_copy(update={"revision": 2, "token_generation": 2}), now)
    poll(schedule, now)


def test_new_tokens_end_the_rest_at_once(schedule: Schedule, store: Store, now: datetime) -> None:
    schedule.put(store, now)
    schedule.failed(taken(schedule, now), now)
    assert schedule.take(now) is None
    schedule.wake(store.store_id)
    schedule.wake("a store of another process")
    poll(schedule, now)


def test_a_changed_table_asks_for_held_and_open_orders(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    named = store.model_copy(update={"revision": 2, "name": "Other"})
    assert not schedule.put(named, now)
    mapped = store.model_copy(update={"revision": 3, "status_map": {"odd": "on_hold"}})
    assert schedule.put(mapped, now)
    assert not schedule.put(named, now), "an older revision is ignored"
    assert not schedule.put(mapped, now)


def test_orders_are_read_again_after_hints_and_between_the_pages_of_a_long_import(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    assert schedule.reread("s-1", ["alibaba:1", "alibaba:2", "alibaba:1"]) == 0
    schedule.hint(hint_of("alibaba:2", now), now)
    work = []
    for _ in range(4):
        task = taken(schedule, now)
        work.append(task.order_keys if isinstance(task, ReadOrders) else "poll")
        schedule.finished(task, now, more=True)
    assert work == [("alibaba:2",), "poll", ("alibaba:1",), "poll"]


def test_what_waits_to_be_read_again_is_bounded_and_what_found_no_room_is_told(
    settings: ImporterSettings, store: Store, now: datetime
) -> None:
    schedule = Schedule(settings.model_copy(update={"rereads_max": 2}), Random(1))
    assert schedule.reread("s-1", ["alibaba:1"]) == 1
    schedule.put(store, now)
    assert schedule.reread("s-1", ["alibaba:1", "alibaba:2", "alibaba:1", "alibaba:3"]) == 1


def test_the_end_of_a_task_whose_store_is_gone_changes_nothing(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    old = taken(schedule, now)
    schedule.remove("s-1")
    schedule.remove("s-1")
    assert schedule.finished(old, now) == ()
    schedule.put(store, now)
    new = taken(schedule, now)
    assert schedule.failed(old, now) == ()
    assert schedule.take(now) is None, "the new task is still under way"
    schedule.finished(new, now)


def test_history_is_read_between_everything_else_and_only_while_it_is_due(
    schedule: Schedule, store: Store, now: datetime
) -> None:
    schedule.put(store, now)
    schedule.backfill(store.store_id, due=True)
    kinds = []
    kinds = [poll(schedule, now, more=True).backfill for _ in range(4)]
    assert kinds == [False, True, False, True]
    schedule.backfill(store.store_id, due=False)
    assert not poll(schedule, now, more=True).backfill


def test_a_page_of_history_does_not_put_off_the_next_poll(
    schedule: Schedule, store: Store, settings: ImporterSettings, now: datetime
) -> None:
    schedule.put(store, now)
    poll(schedule, now)
    schedule.backfill(store.store_id, due=True)
    later = now + timedelta(seconds=settings.poll_interval_s * 2)
    assert poll(schedule, later, more=False).backfill
    assert not poll(schedule, later).backfill
