"""One order under random events: at most one call acts, nothing is forgotten, nothing is stuck."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from services.notifier.rule import (
    Contradicts,
    HoldsNone,
    LookupAnswer,
    LookupFailed,
    NotSent,
    OrderChanged,
    ProofArrived,
    ProofOverdue,
    RejectedByAlibaba,
    StoreChanged,
    Unauthorised,
    Unclear,
    UploadFailed,
)
from tests.property.notifier.model import (
    FINISHED,
    HARMLESS,
    HORIZON_S,
    LAG_MAX_S,
    NONE,
    Fate,
    World,
)
from tests.unit.notifier.rule.builders import (
    NOTHING,
    SHA_A,
    SHA_B,
    SHA_C,
    make_order,
    make_shipment,
    make_store,
    make_void,
)
from waybill.contracts.command import CommandKind
from waybill.contracts.ledger import State
from waybill.contracts.order import OrderStatus
from waybill.contracts.proof import Branding
from waybill.contracts.shipment import Action, Carrier, Part, ShipmentItem
from waybill.contracts.store import PartialPolicy, ResendPolicy, StoreMode

after_s = st.sampled_from([0, 10, 300, 880, HORIZON_S])
accepted = st.builds(Fate, st.just("accepted"), after_s)
unclear = st.builds(Fate, st.just("unclear"), st.one_of(st.none(), after_s))
harmless = st.builds(Fate, st.sampled_from(HARMLESS), st.none())
steps_forward = st.integers(1, 6)
answers: st.SearchStrategy[LookupAnswer] = st.sampled_from(
    [
        *[NONE] * 8,
        HoldsNone(OrderStatus.CANCELLED),
        HoldsNone(OrderStatus.ON_HOLD),
        Contradicts(),
        LookupFailed("x"),
    ]
)
kinds = st.sampled_from(list(CommandKind))
ids = st.sampled_from(["S1", "S1", "S1", "S2", "S3"])
revisions = st.sampled_from([None, None, None, None, 1, 3])
"""None: the next one; the others come late, or leave room below."""
PARTS: dict[str | None, dict[str, Any]] = {
    None: {},
    "1": {"part": Part(number=1)},
    "last of 2": {"part": Part(number=2, final=True)},
    "last of 3": {"part": Part(number=3, final=True)},
    "the lamps": {"items": (ShipmentItem(line_id="L1", quantity=Decimal(2)),)},
    "the cable": {"items": (ShipmentItem(line_id="L2", quantity=Decimal("1.5")),)},
}
"""What a shipment says of its share of the order; None: it is the whole one."""


class OneOrder(RuleBasedStateMachine):
    """Few rules, so that most steps go forward; see `World` for what they do."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(part=st.sampled_from([None, None, "1"]))
    def a_shipment_is_published(self, part: str | None) -> None:
        if part is not None:
            self.world.life.store = make_store(partial_policy=PartialPolicy.COLLECT)
        self.world.publish(make_shipment("S1", 1, tracking_number="AB 1", **PARTS[part]))

    # -------------------------------------------------------------------------------- forward

    @rule(fate=accepted, steps=steps_forward)
    def go_on(self, fate: Fate, steps: int) -> None:
        for _ in range(steps):
            self.world.go_on(fate)

    @rule(fate=harmless, steps=steps_forward)
    def go_on_while_calls_have_no_effect(self, fate: Fate, steps: int) -> None:
        self.go_on(fate, steps)

    @rule(fate=unclear, steps=steps_forward, otherwise=answers)
    def go_on_while_calls_are_unclear(
        self, fate: Fate, steps: int, otherwise: LookupAnswer
    ) -> None:
        for _ in range(steps):
            self.world.go_on(fate, otherwise)

    @precondition(lambda self: self.world.entry.state is State.IN_DOUBT)
    @rule()
    def the_doubt_is_settled(self) -> None:
        self.world.settle_doubt()

    @precondition(lambda self: self.world.entry.state is State.IN_DOUBT)
    @rule(then=st.sampled_from([CommandKind.RELEASE, CommandKind.RESEND]))
    def alibaba_contradicts_itself_until_an_operator_decides(self, then: CommandKind) -> None:
        self.world.contradict()
        self.world.command(then)

    @precondition(lambda self: self.world.entry.state in (*FINISHED, State.PARKED, State.WAITING))
    @rule(number=st.sampled_from(["AB 1", "CD 2"]))
    def everything_gets_better(self, number: str) -> None:
        self.world.get_better(number)

    # ----------------------------------------------------------------------- shipping systems

    @rule(
        shipment_id=ids,
        revision=revisions,
        number=st.sampled_from(["AB 1", "ab-1", "CD 2", "CD 2", None]),
        action=st.sampled_from([Action.CREATE, Action.CREATE, Action.CORRECT]),
        odd=st.sampled_from([*[None] * 6, "return", "gls", "dhl express"]),
        part=st.sampled_from([None, None, *PARTS]),
    )
    def publish(
        self,
        shipment_id: str,
        revision: int | None,
        number: str | None,
        action: Action,
        odd: str | None,
        part: str | None,
    ) -> None:
        shipment = make_shipment(
            shipment_id,
            revision or self.world.next_revision(shipment_id),
            tracking_number=number,
            carrier=Carrier(code="fedex" if odd in (None, "return") else odd),
            action=action,
            is_return=odd == "return",
            **PARTS[part],
        )
        self.world.publish(shipment)

    @rule(void_first=st.booleans(), number=st.sampled_from(["AB 1", "CD 2"]))
    def two_parts_that_are_all(self, void_first: bool, number: str) -> None:
        """Rarely met by chance: both are there, and neither is more than a part."""
        self.world.life.store = make_store(partial_policy=PartialPolicy.COLLECT)
        self.world.tell(StoreChanged())
        if void_first:
            self.void("S1", None)
        for shipment_id, part in (("S2", "last of 2"), ("S1", "1")):
            revision = self.world.next_revision(shipment_id)
            mine = {"tracking_number": f"{shipment_id} {number}", **PARTS[part]}
            self.world.publish(make_shipment(shipment_id, revision, **mine))

    @precondition(lambda self: self.world.entry.parts)
    @rule(
        index=st.integers(0, 2),
        action=st.sampled_from([Action.CORRECT, Action.VOID, Action.VOID]),
        fate=st.one_of(harmless, unclear, accepted),
        is_under_way=st.booleans(),
    )
    def something_comes_to_a_part(
        self, index: int, action: Action, fate: Fate, is_under_way: bool
    ) -> None:
        """While it waits, or while the call is under way and however that ends."""
        entry = self.world.entry
        held = [entry.shipment_id or "", *(part.shipment_id for part in entry.parts)]
        shipment_id = held[index % len(held)]
        if is_under_way and entry.state is State.CLAIMED:
            self.world.go_on(fate)
        revision = self.world.next_revision(shipment_id)
        if action is Action.VOID:
            self.world.publish(make_void(shipment_id, revision))
        else:
            part = PARTS["1" if shipment_id == "S1" else "last of 2"]
            more = {"action": action, "tracking_number": f"{shipment_id} {revision}", **part}
            self.world.publish(make_shipment(shipment_id, revision, **more))
        self.world.go_on(fate)
        self.world.go_on(fate)

    @rule(shipment_id=ids, revision=revisions)
    def void(self, shipment_id: str, revision: int | None) -> None:
        revision = revision or self.world.next_revision(shipment_id)
        self.world.publish(make_void(shipment_id, revision))

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(self.world.published))

        assert self.world.tell(event) == NOTHING

    # ------------------------------------------------------------------------------ operators

    @rule(kind=kinds, behind=st.sampled_from([*[0] * 6, 1, 2]))
    def an_operator_decides(self, kind: CommandKind, behind: int) -> None:
        self.world.command(kind, behind)

    @precondition(lambda self: self.world.commands)
    @rule(data=st.data())
    def a_command_is_read_again(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(self.world.commands))

        assert self.world.tell(event) == NOTHING

    @precondition(lambda self: any(call.acts for call in self.world.calls))
    @rule(then=st.sampled_from([None, CommandKind.RESEND]))
    def the_shipment_is_deleted_at_alibaba(self, then: CommandKind | None) -> None:
        self.world.vanish()
        if then is not None:
            self.world.command(then)

    # ------------------------------------------------------------------------- orders and stores

    @rule(
        status=st.sampled_from([*[OrderStatus.AWAITING_SHIPMENT] * 6, None, *OrderStatus]),
        sha=st.sampled_from([SHA_A, SHA_B]),
        is_heard=st.booleans(),
    )
    def order(self, status: OrderStatus | None, sha: str, is_heard: bool) -> None:
        """None: erased. The event of a change may come behind others that see it already."""
        self.world.life.order = make_order(status, content_sha256=sha) if status else None
        if is_heard:
            self.world.tell(OrderChanged())

    @rule(
        mode=st.sampled_from([*[StoreMode.LIVE] * 4, StoreMode.DRY_RUN]),
        policy=st.sampled_from([*[ResendPolicy.RESEND] * 3, ResendPolicy.ASK_OPERATOR]),
        brand=st.sampled_from([None, "Lamps"]),
        verify_first=st.sampled_from([False, False, True]),
        connected=st.sampled_from([*[True] * 5, False]),
        partial=st.sampled_from(
            [PartialPolicy.COLLECT, PartialPolicy.COLLECT, PartialPolicy.REFUSE]
        ),
    )
    def store(
        self,
        mode: StoreMode,
        policy: ResendPolicy,
        brand: str | None,
        verify_first: bool,
        connected: bool,
        partial: PartialPolicy,
    ) -> None:
        self.world.life.store = make_store(
            mode,
            resend_policy=policy,
            branding=Branding(name=brand),
            verify_first=verify_first,
            disconnected=not connected,
            partial_policy=partial,
        )
        self.world.tell(StoreChanged())

    # -------------------------------------------------------------------- stray, late and lost

    @precondition(lambda self: self.world.claim_ids)
    @rule(data=st.data(), what=st.sampled_from(["proof", "refusal", "upload", "upload"]))
    def something_comes_of_a_recent_claim(self, data: st.DataObject, what: str) -> None:
        claim_id = data.draw(st.sampled_from(self.world.claim_ids[-2:]))
        if what == "upload":
            self.world.upload(claim_id, data.draw(st.one_of(accepted, unclear, harmless)))
        elif what == "proof":
            self.world.tell(ProofArrived(claim_id, (SHA_C,)))
        else:
            self.world.tell(ProofArrived(claim_id, (), "bad"))

    @precondition(lambda self: self.world.entry.state is State.CLAIMED)
    @rule(times=st.integers(1, 5))
    def proofs_are_overdue(self, times: int) -> None:
        for _ in range(times):
            self.world.tell(ProofOverdue())

    @precondition(lambda self: self.world.entry.state is State.CLAIMED)
    @rule(failure=st.sampled_from([NotSent(), Unauthorised(), Unclear(), RejectedByAlibaba("1")]))
    def an_upload_fails(
        self, failure: NotSent | Unauthorised | Unclear | RejectedByAlibaba
    ) -> None:
        self.world.tell(UploadFailed(failure))

    @precondition(lambda self: self.world.unreported())
    @rule(data=st.data(), is_lost=st.sampled_from([False, False, True]))
    def some_call_ends(self, data: st.DataObject, is_lost: bool) -> None:
        call = data.draw(st.sampled_from(self.world.unreported()))
        self.world.end(call, is_lost=is_lost)

    @precondition(lambda self: self.world.questions)
    @rule(data=st.data(), otherwise=answers)
    def some_look_up_is_answered(self, data: st.DataObject, otherwise: LookupAnswer) -> None:
        question = data.draw(st.sampled_from(self.world.questions))
        self.world.questions.remove(question)
        self.world.answer(question, otherwise)

    @rule(number=st.sampled_from(["SF 9", "AB 1"]), is_done=st.sampled_from([*[False] * 9, True]))
    def somebody_ships_on_the_website(self, number: str, is_done: bool) -> None:
        if is_done:
            self.world.elsewhere.append(number)

    @rule(seconds=st.sampled_from([1, 40, 130, 500]), lag_s=st.sampled_from([0, LAG_MAX_S]))
    def time_passes(self, seconds: int, lag_s: int) -> None:
        self.world.lag_s = lag_s
        self.world.pass_time(seconds)

    @rule(skew_s=st.sampled_from([0.0, 0.0, -700.0, 2_000.0]))
    def another_owner_takes_over(self, skew_s: float) -> None:
        self.world.take_over(skew_s)

    @invariant()
    def it_holds(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        self.world.check_the_end()


TestOneOrder = pytest.mark.timeout(300)(OneOrder.TestCase)
TestOneOrder.settings = settings(stateful_step_count=30, max_examples=500, deadline=None)
