"""Deliberate faults: what a careless change would break. Each has to be found, or the simulation is blind.

A fault replaces a piece of the product (or of the port that carries the promise) while a seed runs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from services.notifier.batch import Requeue
from services.notifier.caller import Done
from services.notifier.handler import NotifierPartition
from services.notifier.rule import (
    StartCall,
    answers,
    calls,
    collecting,
    doubt,
    entry,
    evaluate,
    lookups,
    shipments,
)
from services.notifier.rule.decision import HANDLERS
from services.notifier.rule.outcomes import come_back
from services.notifier.rule.settle import Comeback
from services.notifier.rule.types import (
    NOTHING,
    CallEnded,
    Decision,
    DueReached,
    Facts,
    NotSent,
    TakenOver,
    Unclear,
)
from services.notifier.scheduling import Work
from services.notifier.shared import Shared
from tests.simulation.broker import ModelBroker
from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import SeenEnd, State
from waybill.streaming.errors import UnclearError
from waybill.streaming.partition import Commit, OwnedPartition
from waybill.streaming.ports import Batch

Fault = Callable[[], Any]


def skip_the_fence() -> Any:
    """A takeover goes on under the predecessor's epoch and leaves its transaction alone."""
    original = ModelBroker.initialise

    def initialise(self: ModelBroker, transactional_id: str) -> int:
        known = self._coordinators.get(transactional_id)
        if known is None or not transactional_id.startswith("ledger"):
            return original(self, transactional_id)
        return known.epoch

    return patch.object(ModelBroker, "initialise", initialise)


def send_before_commit() -> Any:
    """The call starts when `dispatched` is decided, not when it is committed."""
    original = NotifierPartition.process

    def process(self: NotifierPartition, records: Sequence[Any]) -> Batch:
        batch = original(self, records)
        for effect in [e for e in batch.effects if _is_call(e)]:
            batch.effects.remove(effect)
            key, call = effect
            self._shared.declare(self, key, call, self._shared.now_s + 5.0)
        return batch

    return patch.object(NotifierPartition, "process", process)


def _is_call(effect: object) -> bool:
    return isinstance(effect, tuple) and isinstance(effect[1], StartCall)


def retry_without_looking() -> Any:
    """An unclear call counts as one that was not sent."""
    original = calls.call_ended

    def call_ended(found: LedgerEntry, event: CallEnded, facts: Facts) -> Decision:
        if isinstance(event.outcome, Unclear):
            event = replace(event, outcome=NotSent())
        return original(found, event, facts)

    return _in_handlers(CallEnded, call_ended)


def one_none_is_enough() -> Any:
    """The first "none" that counts ends the doubt."""
    original = lookups._holds_none

    def holds_none(found: LedgerEntry, answer: Any, event: Any, facts: Facts) -> Decision:
        known = found.lookups
        past = facts.now >= doubt.horizon_of(found, facts)
        if known is not None and not known.none_at and past:
            before = facts.now - timedelta(seconds=facts.limits.lookup_gap_s + 120)
            update = {"lookups": known.model_copy(update={"none_at": (before,)})}
            found = found.model_copy(update=update)
        return original(found, answer, event, facts)

    return patch.object(lookups, "_holds_none", holds_none)


def ignore_the_horizon() -> Any:
    """A "none" counts at once, while the call may still act."""

    def horizon_of(found: LedgerEntry, facts: Facts) -> Any:
        quiet_since = found.attempt.quiet_since if found.attempt else None
        return quiet_since or facts.now

    return _both(
        patch.object(lookups, "horizon_of", horizon_of),
        patch.object(doubt, "horizon_of", horizon_of),
    )


def ignore_the_lease() -> Any:
    """A call starts however long ago its record was written."""
    original = Shared.declare

    def declare(self: Shared, owner: Any, key: str, call: StartCall, lease_s: float) -> None:
        original(self, owner, key, call, lease_s + 10_000.0)

    return patch.object(Shared, "declare", declare)


def forget_revisions() -> Any:
    """The entry does not remember which revisions it has seen."""
    return patch.object(shipments, "seen_of", lambda _entry, _shipment_id: None)


def effects_of_failed_commits() -> Any:
    """An unclear commit is taken for one that counts."""
    original = OwnedPartition._finish

    def finish(self: OwnedPartition, commit: Commit) -> None:
        if commit.future.done() and isinstance(commit.future.exception(), UnclearError):
            self.commit = None
            self._apply(commit.batch, commit.positions, commit.sent_at_s)
            return
        original(self, commit)

    return patch.object(OwnedPartition, "_finish", finish)


def view_before_commit() -> Any:
    """The local view is written when something is decided, not when it is committed."""
    original = NotifierPartition.process

    def process(self: NotifierPartition, records: Sequence[Any]) -> Batch:
        batch = original(self, records)
        self._store.apply(batch.changes, {})
        return batch

    return patch.object(NotifierPartition, "process", process)


def takeover_without_reading() -> Any:
    """A new owner acts before it has read what the old one wrote."""
    return patch.object(OwnedPartition, "missing", lambda _self: [])


def send_what_is_void() -> Any:
    """A void changes nothing but the revision that was seen."""

    def void(found: LedgerEntry | None, before: Any, event: Any, facts: Facts) -> Decision:
        if found is None:
            return _take_back(entry.blank(facts), event, facts)
        return answers.remember(found, event, facts, SeenEnd.CURRENT)

    _take_back = shipments._take_back
    return patch.object(shipments, "_void", void)


def parts_go_one_by_one() -> Any:
    """A part of an order goes although the others are missing."""
    return patch.object(evaluate, "are_complete", lambda *_: True)


def parts_stay_as_they_were() -> Any:
    """The correction of a part is only remembered."""

    def revise(found: LedgerEntry, event: Any, facts: Facts) -> Decision:
        return answers.remember(found, event, facts, SeenEnd.PART)

    return patch.object(collecting, "revise", revise)


def parts_that_come_later_are_lost() -> Any:
    """Only the first part of an order is kept."""
    return patch.object(collecting, "join", lambda *_: NOTHING)


def others_are_not_told() -> Any:
    """Of several publishers that a decision concerns, only one hears of it."""
    return patch.object(collecting, "told_apart", lambda *notes: notes[:1])


def old_claims_count() -> Any:
    """A proof that was uploaded for an older claim is used for a newer one."""

    def may_dispatch(found: LedgerEntry, event: Any) -> bool:
        return found.state is State.CLAIMED and found.claim is not None and bool(event.file_paths)

    return patch.object(calls, "_may_dispatch", may_dispatch)


def second_takes_the_place() -> Any:
    """Another shipment takes the order although the first one was dispatched."""

    def compete(found: LedgerEntry, before: Any, event: Any, facts: Facts) -> Decision:
        return shipments._take(found, event, facts)

    return patch.object(shipments, "_compete", compete)


def takeover_means_unsent() -> Any:
    """A new owner takes what the old one had dispatched for never called."""

    def taken_over(found: LedgerEntry, event: TakenOver, facts: Facts) -> Decision:
        if found.state is State.DISPATCHED:
            return come_back(found, Comeback(), facts)
        return HANDLERS[DueReached](found, event, facts)

    return _in_handlers(TakenOver, taken_over)


def gate_of_old_tokens() -> Any:
    """A call refused for tokens that were replaced meanwhile closes the gate of the new ones, for good."""

    def refused(self: Shared, done: Done) -> None:
        self._close_gate(done.store_id, "unauthorised")

    return patch.object(Shared, "_refused", refused)


def lost_place_in_line() -> Any:
    """An order that was granted a slot and got a new claim instead is not put back in line."""
    original = NotifierPartition._start

    def start(self: NotifierPartition, effect: object, lease_s: float) -> None:
        if not isinstance(effect, Requeue):
            original(self, effect, lease_s)

    return patch.object(NotifierPartition, "_start", start)


def results_by_order_alone() -> Any:
    """The call of an order is whichever it has under way: at a takeover, and when an end is heard.

    One of the two alone does no harm: either the later attempt is in doubt, or the end does not count.
    """

    def is_in_flight(found: LedgerEntry, attempt: int | None) -> bool:
        return found.state is State.DISPATCHED

    def is_calling(self: Work, attempt: Any) -> bool:
        return self.call is not None

    return _both(
        patch.object(calls, "_is_in_flight", is_in_flight),
        patch.object(Work, "is_calling", is_calling),
    )


def accept_without_looking() -> Any:
    """After an accepted loss the ledger counts as one that forgot nothing."""
    original = NotifierPartition.opened

    def opened(self: NotifierPartition, accepted_at: datetime | None = None) -> None:
        original(self, None)

    return patch.object(NotifierPartition, "opened", opened)


@contextmanager
def _both(*patches: Any) -> Iterator[None]:
    with patches[0], patches[1]:
        yield


def _in_handlers(kind: type[Any], handler: Callable[..., Decision]) -> Any:
    return patch.dict(HANDLERS, {kind: handler})


FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (
        skip_the_fence,
        send_before_commit,
        retry_without_looking,
        one_none_is_enough,
        ignore_the_horizon,
        ignore_the_lease,
        forget_revisions,
        effects_of_failed_commits,
        view_before_commit,
        takeover_without_reading,
        send_what_is_void,
        parts_go_one_by_one,
        parts_stay_as_they_were,
        parts_that_come_later_are_lost,
        others_are_not_told,
        old_claims_count,
        second_takes_the_place,
        takeover_means_unsent,
        gate_of_old_tokens,
        lost_place_in_line,
        results_by_order_alone,
        accept_without_looking,
    )
}
"""By name; each is found within 1,000 seeds."""
