"""One order under random events, against a lenient Alibaba: it accepts every call, acts late, shows late.

The model knows the fate of each call when it starts: whether it acts, when Alibaba shows it, and what the
caller hears. It keeps to the stated assumption (nothing acts or shows later than the horizon after the call
was written down) and to nothing else: reports get lost or come late, proofs and uploads of older claims
arrive, owners change with clocks that disagree, the imported order says anything at any time.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.notifier.rule import (
    Accepted,
    CallEnded,
    CallNeverStarted,
    Contradicts,
    Decision,
    DueReached,
    Event,
    Holds,
    HoldsNone,
    LookedUp,
    LookupAnswer,
    LookupFailed,
    NotSent,
    OrderChanged,
    ProofArrived,
    ProofOverdue,
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
    UploadFailed,
)
from tests.unit.notifier.rule.builders import (
    NOTHING,
    SHA_A,
    SHA_B,
    SHA_C,
    START,
    Life,
    arrival,
    make_order,
    make_shipment,
    make_store,
    make_void,
)
from waybill.contracts import Shipment
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.proof import Branding
from waybill.contracts.shipment import Action, Carrier
from waybill.contracts.store import ResendPolicy, StoreMode

HORIZON_S = 900
HARMLESS = ("not_sent", "throttled", "unauthorised", "rejected", "never_started")
FINISHED = (State.CONFIRMED, State.REJECTED, State.VOIDED)

shown_after_s = st.sampled_from([0, 10, 300, 880, HORIZON_S])
call_fates = st.one_of(
    st.tuples(st.just("accepted"), shown_after_s),
    st.tuples(st.sampled_from(HARMLESS), st.none()),
    st.tuples(st.just("unclear"), st.none()),
    st.tuples(st.just("unclear"), shown_after_s),
)
"""How a call ends, and after how long Alibaba shows it; None if it does not act."""


@dataclass
class Call:
    """A call on its way: how it ends, and when Alibaba shows it, in seconds of true time."""

    attempt: int
    tracking_number: str
    end: str
    shown_at_s: float | None
    is_reported: bool = False

    @property
    def acts(self) -> bool:
        return self.shown_at_s is not None


@dataclass
class Question:
    """A look-up: what Alibaba showed when it was asked."""

    asked_at_s: float
    shown: tuple[str, ...]


class OneOrder(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()
        self.time_s = 0.0
        self.skew_s = 0.0
        self.published: list[ShipmentArrived] = []
        self.claim_ids: list[str] = []
        self.calls: list[Call] = []
        self.questions: list[Question] = []
        self.elsewhere: list[str] = []
        self.fate: tuple[str, int | None] = ("unclear", None)

    # ------------------------------------------------------------------------------ the world

    def tell(self, event: Event) -> Decision:
        self.life.now = START + timedelta(seconds=self.time_s + self.skew_s)
        decision = self.life.tell(event)
        for effect in decision.effects:
            if isinstance(effect, StartCall):
                self.start(effect)
            elif isinstance(effect, StartLookUp):
                self.questions = [*self.questions[-3:], Question(self.time_s, self.shown())]
        entry = self.life.written
        if entry and entry.claim and entry.claim.claim_id not in self.claim_ids:
            self.claim_ids.append(entry.claim.claim_id)
        return decision

    def start(self, effect: StartCall) -> None:
        """The promise: no call starts while an earlier one acted, or may still act."""
        assert not any(call.acts for call in self.calls), "two calls could act"
        assert all(call.attempt < effect.attempt for call in self.calls)
        self.check_what_is_sent(effect)
        end, delay_s = self.fate
        shown_at_s = None if delay_s is None else self.time_s + delay_s
        number = effect.request.tracking_number
        self.calls.append(Call(effect.attempt, number, end, shown_at_s))

    def check_what_is_sent(self, effect: StartCall) -> None:
        latest = self.latest(self.life.entry.shipment_id or "")
        order, store = self.life.order, self.life.store

        assert latest.action is not Action.VOID, "a void was sent"
        assert effect.request.tracking_number == latest.tracking_number, "an old number was sent"
        assert order is not None
        assert order.status is OrderStatus.AWAITING_SHIPMENT
        assert store is not None
        assert store.mode is StoreMode.LIVE

    def latest(self, shipment_id: str) -> Shipment:
        known = [each.shipment for each in self.published]
        mine = [each for each in known if each.shipment_id == shipment_id]
        return max(mine, key=lambda each: each.effective_revision)

    def shown(self) -> tuple[str, ...]:
        ours = [
            call.tracking_number
            for call in self.calls
            if call.shown_at_s is not None and call.shown_at_s <= self.time_s
        ]
        return (*ours, *self.elsewhere)

    # ----------------------------------------------------------------------- shipping systems

    @initialize()
    def a_shipment_is_published(self) -> None:
        self.arrive(make_shipment("S1", 1, tracking_number="AB 1"))

    @rule(
        shipment_id=st.sampled_from(["S1", "S1", "S2", "S3"]),
        revision=st.integers(1, 9),
        number=st.sampled_from(["AB 1", "ab-1", "CD 2", "CD 2", None]),
        action=st.sampled_from([Action.CREATE, Action.CREATE, Action.CORRECT]),
        odd=st.sampled_from([None] * 6 + ["return", "gls", "dhl express"]),
    )
    def publish(
        self, shipment_id: str, revision: int, number: str | None, action: Action, odd: str | None
    ) -> None:
        shipment = make_shipment(
            shipment_id,
            revision,
            tracking_number=number,
            carrier=Carrier(code="fedex" if odd in (None, "return") else odd),
            action=action,
            is_return=odd == "return",
        )
        self.arrive(shipment)

    @rule(shipment_id=st.sampled_from(["S1", "S1", "S2"]), revision=st.integers(1, 9))
    def void(self, shipment_id: str, revision: int) -> None:
        self.arrive(make_void(shipment_id, revision))

    def arrive(self, shipment: Shipment) -> None:
        """One revision has one content: a second one under the same number is not published at all."""
        told = {(e.shipment.shipment_id, e.shipment.effective_revision) for e in self.published}
        if (shipment.shipment_id, shipment.effective_revision) not in told:
            self.published.append(arrival(shipment))
            self.tell(self.published[-1])

    @rule(data=st.data())
    def replay(self, data: Any) -> None:
        assert self.tell(data.draw(st.sampled_from(self.published))) == NOTHING

    # ------------------------------------------------------------------------- orders and stores

    @rule()
    def order_and_store_are_fine(self) -> None:
        self.life.order, self.life.store = make_order(), make_store()
        self.tell(OrderChanged())

    @rule(
        status=st.one_of(st.none(), st.sampled_from(OrderStatus)),
        sha=st.sampled_from([SHA_A, SHA_B]),
        is_heard=st.booleans(),
    )
    def order(self, status: OrderStatus | None, sha: str, is_heard: bool) -> None:
        """None: erased. The event of a change may be behind others that see it already."""
        self.life.order = make_order(status, content_sha256=sha) if status else None
        if is_heard:
            self.tell(OrderChanged())

    @rule(
        mode=st.sampled_from([StoreMode.LIVE, StoreMode.LIVE, StoreMode.DRY_RUN]),
        policy=st.sampled_from([ResendPolicy.RESEND, ResendPolicy.ASK_OPERATOR]),
        brand=st.sampled_from([None, "Lamps"]),
        verify_first=st.sampled_from([False, False, True]),
        connected=st.sampled_from([True, True, True, False]),
    )
    def store(
        self,
        mode: StoreMode,
        policy: ResendPolicy,
        brand: str | None,
        verify_first: bool,
        connected: bool,
    ) -> None:
        self.life.store = make_store(
            mode,
            resend_policy=policy,
            branding=Branding(name=brand),
            verify_first=verify_first,
            disconnected=not connected,
        )
        self.tell(StoreChanged())

    # -------------------------------------------------------------------------- proofs and calls

    @precondition(lambda self: self.claim_ids)
    @rule(data=st.data(), refused=st.booleans())
    def proof(self, data: Any, refused: bool) -> None:
        claim_id = data.draw(st.sampled_from(self.claim_ids[-2:]))
        event = ProofArrived(claim_id, () if refused else (SHA_C,), "bad" if refused else None)
        self.tell(event)

    @rule(times=st.integers(1, 5))
    def proof_overdue(self, times: int) -> None:
        for _ in range(times):
            self.tell(ProofOverdue())

    @precondition(lambda self: self.life.entry.state is State.CLAIMED)
    @rule(fate=call_fates, age=st.sampled_from([1, 1, 1, 1, 2]))
    def upload(self, fate: tuple[str, int | None], age: int) -> None:
        """The pages of the current claim, or of the one before."""
        self.fate = fate
        self.tell(Uploaded(("/f/1",), (SHA_C,), self.claim_ids[-age:][0]))

    @precondition(lambda self: self.life.entry.state is State.CLAIMED)
    @rule(failure=st.sampled_from([NotSent(), Unauthorised(), Unclear(), RejectedByAlibaba("1")]))
    def upload_fails(self, failure: Any) -> None:
        self.tell(UploadFailed(failure))

    @precondition(lambda self: any(not call.is_reported for call in self.calls))
    @rule(data=st.data(), is_lost=st.sampled_from([False, False, True]))
    def call_ends(self, data: Any, is_lost: bool) -> None:
        """Any call that was not reported yet, an old one too; what an owner heard may be lost with it."""
        call = data.draw(st.sampled_from([call for call in self.calls if not call.is_reported]))
        call.is_reported = True
        if not is_lost:
            self.tell(self.report(call))

    def report(self, call: Call) -> Event:
        if call.end == "never_started":
            return CallNeverStarted(call.attempt)
        outcomes: dict[str, Any] = {
            "accepted": Accepted("v-1"),
            "not_sent": NotSent(),
            "throttled": Throttled(self.life.now + timedelta(seconds=10)),
            "unauthorised": Unauthorised(),
            "rejected": RejectedByAlibaba("402"),
            "unclear": Unclear("ServiceTimeout"),
        }
        return CallEnded(outcomes[call.end], call.attempt)

    @precondition(lambda self: self.questions)
    @rule(
        data=st.data(),
        otherwise=st.sampled_from(
            [
                *[HoldsNone(OrderStatus.AWAITING_SHIPMENT)] * 8,
                HoldsNone(OrderStatus.CANCELLED),
                HoldsNone(OrderStatus.ON_HOLD),
                Contradicts(),
                LookupFailed("x"),
            ]
        ),
    )
    def look_up_is_answered(self, data: Any, otherwise: LookupAnswer) -> None:
        question = data.draw(st.sampled_from(self.questions))
        self.questions.remove(question)
        self.answer(question, otherwise)

    def answer(self, question: Question, otherwise: LookupAnswer) -> None:
        """Alibaba may fail to answer or contradict itself, but shows what it shows."""
        held = tuple((number, None, None) for number in question.shown)
        if held and isinstance(otherwise, HoldsNone):
            otherwise = Holds(held)
        asked_at = START + timedelta(seconds=question.asked_at_s + self.skew_s)
        self.tell(LookedUp(otherwise, asked_at))

    @rule(number=st.sampled_from(["SF 9", "AB 1"]), is_done=st.sampled_from([False] * 9 + [True]))
    def somebody_ships_on_the_website(self, number: str, is_done: bool) -> None:
        if is_done:
            self.elsewhere.append(number)

    # ------------------------------------------------------------------------- time and owners

    @rule(seconds=st.sampled_from([1, 40, 130, 500]))
    def time_passes(self, seconds: int) -> None:
        self.time_s += seconds
        self.tell(DueReached())

    @precondition(lambda self: self.life.entry.due_at is not None)
    @rule()
    def it_comes_due(self) -> None:
        assert self.life.entry.due_at is not None
        due_s = (self.life.entry.due_at - START).total_seconds() - self.skew_s
        self.time_s = max(self.time_s, due_s)
        self.tell(DueReached())

    @precondition(lambda self: self.life.entry.state is State.IN_DOUBT)
    @rule()
    def the_next_look_up_finds_nothing(self) -> None:
        """The usual way of a doubt, in one step."""
        self.it_comes_due()
        if self.questions:
            self.answer(self.questions.pop(), HoldsNone(OrderStatus.AWAITING_SHIPMENT))

    @rule(skew_s=st.sampled_from([0.0, 0.0, -700.0, 2_000.0]))
    def another_owner_takes_over(self, skew_s: float) -> None:
        self.skew_s = skew_s
        self.questions = []  # the answers of the old owner go with it, its calls do not
        self.tell(TakenOver())

    # ------------------------------------------------------------------------- what always holds

    @invariant()
    def at_most_one_call_acts(self) -> None:
        assert sum(call.acts for call in self.calls) <= 1

    @invariant()
    def finished_entries_keep_no_bodies(self) -> None:
        entry = self.life.written
        if entry is not None and entry.state in FINISHED:
            assert (entry.shipment, entry.order, entry.claim, entry.parts) == (None, None, None, ())
            assert entry.due_at is None

    @invariant()
    def open_entries_keep_what_they_need(self) -> None:
        entry = self.life.written
        if entry is not None and entry.state not in FINISHED:
            assert entry.shipment is not None
            assert entry.state is not State.CLAIMED or (entry.claim and entry.order)
            assert entry.state is not State.IN_DOUBT or (entry.attempt and entry.due_at)
            assert entry.state is not State.DISPATCHED or entry.due_at

    @invariant()
    def a_call_that_acted_is_never_forgotten(self) -> None:
        """Whatever happened, the entry never says "free" or "refused" about a call that acts."""
        entry = self.life.written
        if entry is None or not any(call.acts for call in self.calls):
            return
        if entry.state in (State.REJECTED, State.VOIDED):
            assert entry.reason is Reason.SHIPPED_ELSEWHERE
            assert self.elsewhere

    def teardown(self) -> None:
        self.nothing_is_stuck()
        for event in self.published:
            assert self.life.tell(event) == NOTHING

    def nothing_is_stuck(self) -> None:
        """With good facts, working services and an Alibaba that answers, each order comes to an end."""
        self.life.store = make_store()
        self.life.order = make_order(content_sha256="d" * 64)
        self.tell(OrderChanged())
        for _ in range(100):
            if not self.step_towards_the_end():
                return
        raise AssertionError(f"stuck in {self.life.at}")

    def step_towards_the_end(self) -> bool:
        entry = self.life.entry
        if entry.state in (*FINISHED, State.PARKED):
            return False
        if entry.state is State.WAITING:
            assert entry.reason in (Reason.NO_TRACKING_NUMBER, Reason.CARRIER_UNMAPPED)
            return False
        if entry.due_at is not None:
            self.it_comes_due()
        if entry.state is State.IN_DOUBT and self.questions:
            self.answer(self.questions.pop(), HoldsNone(OrderStatus.AWAITING_SHIPMENT))
        if entry.state is State.CLAIMED and self.life.entry.claim is not None:
            self.fate = ("accepted", 0)
            self.tell(Uploaded(("/f/1",), (SHA_C,), self.life.entry.claim.claim_id))
            if self.calls and not self.calls[-1].is_reported:
                self.tell(self.report(self.calls[-1]))
        return True


TestOneOrder = pytest.mark.timeout(300)(OneOrder.TestCase)
TestOneOrder.settings = settings(stateful_step_count=40, deadline=None)
