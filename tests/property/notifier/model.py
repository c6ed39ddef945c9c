"""The world around one order: shipping systems, owners with clocks, and a lenient Alibaba.

Alibaba accepts every call, acts late and shows late. The model knows the fate of each call when it starts:
whether it acts, when it shows, and what the caller hears. It keeps to the stated assumptions (nothing shows
later than the horizon after the call was written down; the query side lags by less than the gap of two
look-ups) and to nothing else: reports get lost or come late, proofs and uploads of older claims arrive,
owners change with clocks that disagree, the imported order says anything at any time.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from services.notifier.rule import (
    Accepted,
    CallEnded,
    CallNeverStarted,
    CommandArrived,
    Contradicts,
    Decision,
    DueReached,
    Event,
    Holds,
    HoldsNone,
    LookedUp,
    LookupAnswer,
    NotSent,
    OrderChanged,
    RejectedByAlibaba,
    ShipmentArrived,
    StartCall,
    StartLookUp,
    StoreChanged,
    TakenOver,
    Throttled,
    Unauthorised,
    Unclear,
    Uploaded,
)
from services.notifier.rule.parcel import same_facts
from tests.endings import told_of, wrongly_told
from tests.unit.notifier.rule.builders import (
    ENTRIES,
    KEY,
    NOTHING,
    SHA_C,
    START,
    Life,
    arrival,
    make_order,
    make_shipment,
    make_store,
)
from waybill.contracts import Command, LedgerEntry, Shipment
from waybill.contracts.command import CommandKind
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Action
from waybill.contracts.store import PartialPolicy, StoreMode

HORIZON_S = 900
LAG_MAX_S = 119
NONE = HoldsNone(OrderStatus.AWAITING_SHIPMENT)
FINISHED = (State.CONFIRMED, State.REJECTED, State.VOIDED)
HARMLESS = ("not_sent", "throttled", "unauthorised", "rejected", "never_started")
"""Ends of a call that surely did not act."""


class Fate(NamedTuple):
    """How a call ends, and after how long Alibaba shows it; None if it does not act."""

    end: str
    shown_after_s: int | None


@dataclass
class Call:
    """A call on its way."""

    attempt: int
    tracking_number: str
    end: str
    shown_at_s: float | None
    is_reported: bool = False
    has_vanished: bool = False
    """Somebody deleted the shipment at Alibaba: what a `resend` is for."""

    @property
    def has_acted(self) -> bool:
        """Or will have."""
        return self.shown_at_s is not None

    @property
    def acts(self) -> bool:
        """Alibaba has its shipment, or will have it."""
        return self.has_acted and not self.has_vanished

    def report(self, now: Any) -> Event:
        """What the caller hears."""
        if self.end == "never_started":
            return CallNeverStarted(self.attempt)
        outcomes: dict[str, Any] = {
            "accepted": Accepted("v-1"),
            "not_sent": NotSent(),
            "throttled": Throttled(now + timedelta(seconds=10)),
            "unauthorised": Unauthorised(),
            "rejected": RejectedByAlibaba("402"),
            "unclear": Unclear("ServiceTimeout"),
        }
        return CallEnded(outcomes[self.end], self.attempt)


@dataclass
class Question:
    """A look-up: what Alibaba showed when it was asked."""

    asked_at_s: float
    shown: tuple[str, ...]


class World:
    """True time is `time_s`; the owner's clock differs from it by `skew_s`."""

    def __init__(self) -> None:
        self.life = Life(is_read_back=False)
        self.time_s = 0.0
        self.skew_s = 0.0
        self.lag_s = 0
        self.published: list[ShipmentArrived] = []
        self.commands: list[CommandArrived] = []
        self.cancelled: dict[str, int] = {}
        self.claim_ids: list[str] = []
        self.uploaded_claim_id = ""
        self.calls: list[Call] = []
        self.questions: list[Question] = []
        self.elsewhere: list[str] = []
        self.fate = Fate("unclear", None)

    @property
    def entry(self) -> LedgerEntry:
        return self.life.entry

    def tell(self, event: Event) -> Decision:
        """Ask the rule, write, and do what it wants done."""
        self.life.now = START + timedelta(seconds=self.time_s + self.skew_s)
        decision = self.life.tell(event)
        claim = self.entry.claim
        if claim and claim.claim_id not in self.claim_ids:
            self.claim_ids.append(claim.claim_id)
        for effect in decision.effects:
            if isinstance(effect, StartCall):
                self._start(effect)
            elif isinstance(effect, StartLookUp):
                self.questions = [*self.questions[-3:], Question(self.time_s, self._shown())]
        return decision

    # --------------------------------------------------------------------------------- Alibaba

    def _start(self, effect: StartCall) -> None:
        """The promise: no call starts while an earlier one acted, or may still act."""
        assert not any(call.acts for call in self.calls), "two calls could act"
        assert all(call.attempt < effect.attempt for call in self.calls)
        self._check_what_is_sent(effect)
        delay_s = self.fate.shown_after_s
        shown_at_s = None if delay_s is None else self.time_s + delay_s
        number = effect.request.tracking_number
        self.calls.append(Call(effect.attempt, number, self.fate.end, shown_at_s))

    def _check_what_is_sent(self, effect: StartCall) -> None:
        latest = self._latest(self.entry.shipment_id or "")
        order, store, claim = self.life.order, self.life.store, self.entry.claim

        assert claim is not None
        assert claim.claim_id == self.uploaded_claim_id, "the proof of an older claim was sent"
        assert latest.action is not Action.VOID, "a void was sent"
        cancelled = self.cancelled.get(latest.shipment_id, 0)
        assert latest.effective_revision > cancelled, "what an operator cancelled was sent"
        assert effect.request.tracking_number == latest.tracking_number, "an old number was sent"
        self._check_parts()
        assert order is not None
        assert order.status is OrderStatus.AWAITING_SHIPMENT
        assert store is not None
        assert store.mode is StoreMode.LIVE

    def _check_parts(self) -> None:
        """All that goes with it is as its publisher last said, and none of it is a second one's."""
        held = self.entry.parts
        assert len({part.shipment_id for part in held} | {self.entry.shipment_id}) == len(held) + 1
        for part in held:
            latest = self._latest(part.shipment_id)
            assert latest.action is not Action.VOID, "a part that was taken back was sent"
            shown = self._shipment_at(part.shipment_id, part.revision)
            assert same_facts(shown, latest), "an old part was sent"

    def _shipment_at(self, shipment_id: str, revision: int) -> Shipment:
        known = self._revisions(shipment_id)
        return next(each for each in known if each.effective_revision == revision)

    def _latest(self, shipment_id: str) -> Shipment:
        return max(self._revisions(shipment_id), key=lambda each: each.effective_revision)

    def _revisions(self, shipment_id: str) -> list[Shipment]:
        known = [event.shipment for event in self.published]
        return [shipment for shipment in known if shipment.shipment_id == shipment_id]

    def _shown(self) -> tuple[str, ...]:
        seen_s = self.time_s - self.lag_s
        calls = [call for call in self.calls if call.acts]
        ours = [call.tracking_number for call in calls if (call.shown_at_s or 0) <= seen_s]
        return (*ours, *self.elsewhere)

    # --------------------------------------------------------------------------- what may happen

    def publish(self, shipment: Shipment) -> None:
        """One revision has one content: a second one under the same number is not published."""
        revisions = self._revisions(shipment.shipment_id)
        if all(each.effective_revision != shipment.effective_revision for each in revisions):
            self.published.append(arrival(shipment))
            self.tell(self.published[-1])

    def command(self, kind: CommandKind, behind: int = 0) -> Decision:
        """An operator decides about the entry as it is, or as it was some revisions ago."""
        if self.life.written is None:
            return NOTHING
        shipment_id, calls = self.entry.shipment_id or "", len(self.calls)
        parts = [part.shipment_id for part in self.entry.parts]
        command = Command(
            command_id=f"cmd-{len(self.commands) + 1}",
            order_key=KEY,
            kind=kind,
            entry_revision=self.entry.revision - behind,
            who="ops",
            why="looked at Alibaba",
            issued_at=START,
        )
        self.commands.append(CommandArrived(command))
        decision = self.tell(self.commands[-1])
        assert len(self.calls) == calls, "a command called by itself"
        assert not (behind and decision.entry), "a command about another revision did something"
        if decision.entry is not None and kind is CommandKind.CANCEL:
            for each in (shipment_id, *parts):
                revisions = [one.effective_revision for one in self._revisions(each)]
                self.cancelled[each] = max(revisions, default=0)
        return decision

    def vanish(self) -> None:
        """What Alibaba shows of ours is deleted there."""
        for call in self.calls:
            if call.shown_at_s is not None and call.shown_at_s <= self.time_s:
                call.has_vanished = True

    def next_revision(self, shipment_id: str) -> int:
        """One more than the highest that was published."""
        revisions = [each.effective_revision for each in self._revisions(shipment_id)]
        return max(revisions, default=0) + 1

    def facts_are_fine(self) -> None:
        """Order and store allow everything."""
        policy = self.life.store.partial_policy if self.life.store else PartialPolicy.REFUSE
        self.life.order, self.life.store = make_order(), make_store(partial_policy=policy)
        self.tell(StoreChanged())
        self.tell(OrderChanged())

    def upload(self, claim_id: str, fate: Fate) -> None:
        """Pages of this claim are at Alibaba; a call that follows has this fate."""
        self.fate, self.uploaded_claim_id = fate, claim_id
        self.tell(Uploaded(("/f/1",), (SHA_C,), claim_id))

    def unreported(self) -> list[Call]:
        """Calls whose end nobody heard yet."""
        return [call for call in self.calls if not call.is_reported]

    def end(self, call: Call, *, is_lost: bool = False) -> None:
        """The call's end is heard, or lost with the owner that waited for it."""
        call.is_reported = True
        if not is_lost:
            self.tell(call.report(self.life.now))

    def answer(self, question: Question, otherwise: LookupAnswer) -> None:
        """Alibaba may fail to answer or contradict itself, but shows what it shows."""
        held = tuple((number, None, None) for number in question.shown)
        if held and isinstance(otherwise, HoldsNone):
            otherwise = Holds(held)
        asked_at = START + timedelta(seconds=question.asked_at_s + self.skew_s)
        self.tell(LookedUp(otherwise, asked_at))

    def pass_time(self, seconds: float) -> None:
        """And see whether the entry is due."""
        self.time_s += seconds
        self.tell(DueReached())

    def come_due(self) -> None:
        """Pass exactly the time until the entry is due."""
        if self.entry.due_at is not None:
            due_s = (self.entry.due_at - START).total_seconds() - self.skew_s
            self.pass_time(max(0.0, due_s - self.time_s))

    def take_over(self, skew_s: float) -> None:
        """Look-ups of the old owner are lost with it; its calls may still act, and be heard of."""
        self.skew_s = skew_s
        self.questions = []
        self.tell(TakenOver())

    # ------------------------------------------------------------------------------ going on

    def go_on(self, fate: Fate, otherwise: LookupAnswer = NONE) -> bool:
        """The natural next step of the entry; False when there is none."""
        entry = self.entry
        self.come_due()
        if entry.state is State.CLAIMED and entry.claim is not None:
            self.upload(entry.claim.claim_id, fate)
        elif entry.state is State.DISPATCHED and self.unreported():
            self.end(self.unreported()[-1])
        elif entry.state is State.IN_DOUBT and self.questions:
            self.answer(self.questions.pop(), otherwise)
        return self.entry.state in (State.CLAIMED, State.DISPATCHED, State.IN_DOUBT)

    def settle_doubt(self) -> None:
        """Look up until the doubt is over, or it clearly does not end."""
        for _ in range(40):
            if self.entry.state is State.IN_DOUBT:
                self.go_on(Fate("unclear", None))

    def contradict(self) -> None:
        """Alibaba's status and list disagree, whatever it holds, until a person has to look."""
        for _ in range(40):
            if self.entry.state is State.IN_DOUBT:
                self.go_on(Fate("unclear", None), Contradicts())

    def get_better(self, number: str) -> None:
        """Good facts, and the shipment once more in good shape."""
        self.facts_are_fine()
        shipment_id = self.entry.shipment_id or "S1"
        revision = self.next_revision(shipment_id)
        self.publish(make_shipment(shipment_id, revision, tracking_number=number))

    # -------------------------------------------------------------------------- what always holds

    def check(self) -> None:
        """After every step."""
        if self.life.written is None:
            return
        assert sum(call.acts for call in self.calls) <= 1
        self._check_bodies()
        self._check_nothing_is_forgotten()
        assert not [*wrongly_told(self.entry, told_of(self.life.notifications))]

    def _check_bodies(self) -> None:
        entry = self.entry
        if entry.state in FINISHED:
            assert (entry.shipment, entry.order, entry.claim, entry.parts) == (None, None, None, ())
            assert entry.due_at is None
            return
        was_finished = entry.state in (State.IN_DOUBT, State.PARKED) and entry.last_command_id
        assert entry.shipment is not None or was_finished
        assert entry.state is not State.CLAIMED or (entry.claim and entry.order)
        assert entry.state is not State.DISPATCHED or entry.due_at
        assert entry.state is not State.IN_DOUBT or (entry.attempt and entry.due_at)

    def _check_nothing_is_forgotten(self) -> None:
        """The order is never given free, nor its shipment refused, behind a call that acts."""
        acts = any(call.acts for call in self.calls)
        if acts and self.entry.state in (State.REJECTED, State.VOIDED):
            assert self.entry.reason is Reason.SHIPPED_ELSEWHERE
            assert self.elsewhere

    def check_the_end(self) -> None:
        """With good facts the order comes to an end, and replaying everything then changes nothing."""
        if self.life.written is None:
            return
        self.facts_are_fine()
        for _ in range(100):
            if not self.go_on(Fate("accepted", 0)):
                break
        missing = (Reason.NO_TRACKING_NUMBER, Reason.CARRIER_UNMAPPED, Reason.PARTS_MISSING)
        assert self.entry.state in (*FINISHED, State.PARKED) or self.entry.reason in missing
        self.check()
        assert ENTRIES.decode(ENTRIES.encode(self.entry)) == self.entry
        read_again: list[Event] = [*self.published, *self.commands]
        for event in read_again:
            assert self.tell(event) == NOTHING
