"""Many seeded walks of one order: deeper and more varied than the state machine, which can shrink instead.

A failure names its seed; `walk(seed)` repeats it.
"""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from services.notifier.rule import (
    Contradicts,
    Failure,
    HoldsNone,
    LookupAnswer,
    LookupFailed,
    NotSent,
    OrderChanged,
    ProofArrived,
    ProofOverdue,
    RejectedByAlibaba,
    StoreChanged,
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
from waybill.contracts.notification import Reason
from waybill.contracts.order import OrderStatus
from waybill.contracts.proof import Branding
from waybill.contracts.shipment import Action, Carrier
from waybill.contracts.store import ResendPolicy, StoreMode

STEPS = 40
Step = Callable[[World, Random], None]


def draw_fate(chance: Random) -> Fate:
    """Mostly of a call that goes wrong: a call that is accepted and heard of ends the story."""
    after_s = chance.choice([0, 10, 300, 880, HORIZON_S])
    ends = [Fate("accepted", after_s), Fate("unclear", after_s), Fate("unclear", None)]
    return chance.choice([*ends, Fate(chance.choice(HARMLESS), None)])


def go_on(world: World, chance: Random) -> None:
    odd: list[LookupAnswer] = [Contradicts(), HoldsNone(OrderStatus.CANCELLED)]
    world.go_on(draw_fate(chance), chance.choice([*[NONE] * 9, *odd]))


def settle_doubt(world: World, chance: Random) -> None:
    world.settle_doubt()


def contradict(world: World, chance: Random) -> None:
    if world.entry.state is State.IN_DOUBT:
        world.contradict()
        world.command(chance.choice([CommandKind.RELEASE, CommandKind.RESEND]))


def get_better(world: World, chance: Random) -> None:
    if world.entry.state in (*FINISHED, State.PARKED, State.WAITING):
        world.get_better(chance.choice(["AB 1", "CD 2"]))


def publish(world: World, chance: Random) -> None:
    shipment_id = chance.choice(["S1", "S1", "S1", "S2", "S3"])
    odd = chance.choice([*[None] * 8, "return", "gls"])
    shipment = make_shipment(
        shipment_id,
        chance.choice([1, 3, *[world.next_revision(shipment_id)] * 6]),
        tracking_number=chance.choice(["AB 1", "ab-1", "CD 2", "CD 2", None]),
        carrier=Carrier(code="gls" if odd == "gls" else "fedex"),
        action=chance.choice([Action.CREATE, Action.CORRECT]),
        is_return=odd == "return",
    )
    world.publish(shipment)


def void(world: World, chance: Random) -> None:
    shipment_id = chance.choice(["S1", "S1", "S2"])
    world.publish(make_void(shipment_id, world.next_revision(shipment_id)))


def replay(world: World, chance: Random) -> None:
    assert world.tell(chance.choice(world.published)) == NOTHING


def operate(world: World, chance: Random) -> None:
    world.command(chance.choice(list(CommandKind)), chance.choice([*[0] * 6, 1, 2]))


def operate_again(world: World, chance: Random) -> None:
    if world.commands:
        assert world.tell(chance.choice(world.commands)) == NOTHING


def vanish(world: World, chance: Random) -> None:
    world.vanish()
    if chance.random() < 0.7:
        world.command(CommandKind.RESEND)


def change_order(world: World, chance: Random) -> None:
    good = [OrderStatus.AWAITING_SHIPMENT] * 8
    status = chance.choice([*good, OrderStatus.CANCELLED, OrderStatus.SHIPPED, None])
    sha = chance.choice([SHA_A, SHA_B])
    world.life.order = make_order(status, content_sha256=sha) if status else None
    if chance.random() < 0.7:
        world.tell(OrderChanged())


def change_store(world: World, chance: Random) -> None:
    world.life.store = make_store(
        chance.choice([*[StoreMode.LIVE] * 5, StoreMode.DRY_RUN]),
        resend_policy=chance.choice([*[ResendPolicy.RESEND] * 4, ResendPolicy.ASK_OPERATOR]),
        branding=Branding(name=chance.choice([None, "Lamps"])),
        verify_first=chance.random() < 0.2,
    )
    world.tell(StoreChanged())


def stray_proof(world: World, chance: Random) -> None:
    if world.claim_ids:
        claim_id = chance.choice(world.claim_ids[-2:])
        is_refused = chance.random() < 0.3
        world.tell(
            ProofArrived(claim_id, () if is_refused else (SHA_C,), "x" if is_refused else None)
        )


def stray_upload(world: World, chance: Random) -> None:
    if world.claim_ids:
        world.upload(chance.choice(world.claim_ids[-2:]), draw_fate(chance))


def no_proof(world: World, chance: Random) -> None:
    for _ in range(chance.choice([1, 5])):
        world.tell(ProofOverdue())


def fail_upload(world: World, chance: Random) -> None:
    failures: list[Failure] = [NotSent(), Unclear(), NotSent(), RejectedByAlibaba("1")]
    world.tell(UploadFailed(chance.choice(failures)))


def end_some_call(world: World, chance: Random) -> None:
    if world.unreported():
        world.end(chance.choice(world.unreported()), is_lost=chance.random() < 0.3)


def answer_some_question(world: World, chance: Random) -> None:
    if world.questions:
        question = world.questions.pop(chance.randrange(len(world.questions)))
        answers: list[LookupAnswer] = [NONE, NONE, LookupFailed("x")]
        world.answer(question, chance.choice(answers))


def ship_elsewhere(world: World, chance: Random) -> None:
    world.elsewhere.append(chance.choice(["SF 9", "AB 1"]))


def pass_time(world: World, chance: Random) -> None:
    world.lag_s = chance.choice([0, LAG_MAX_S])
    world.pass_time(chance.choice([1, 40, 130, 500]))


def take_over(world: World, chance: Random) -> None:
    world.take_over(chance.choice([0.0, 0.0, -700.0, 2_000.0]))


WEIGHTS: dict[Step, float] = {
    go_on: 30,
    settle_doubt: 3,
    contradict: 3,
    get_better: 5,
    publish: 6,
    void: 4,
    replay: 2,
    operate: 9,
    operate_again: 2,
    vanish: 1,
    change_order: 5,
    change_store: 2,
    stray_proof: 2,
    stray_upload: 3,
    no_proof: 1,
    fail_upload: 2,
    end_some_call: 6,
    answer_some_question: 4,
    ship_elsewhere: 0.3,
    pass_time: 6,
    take_over: 4,
}


def walk(seed: int) -> World:
    """One order's life under this seed."""
    chance = Random(seed)
    world = World()
    world.publish(make_shipment("S1", 1, tracking_number="AB 1"))
    for step in chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS):
        step(world, chance)
        world.check()
    return world


@pytest.mark.timeout(300)
@pytest.mark.parametrize("block", range(8))
def test_whatever_happens_one_call_acts_and_nothing_is_lost_or_stuck(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        try:
            walk(seed).check_the_end()
        except AssertionError as error:
            error.add_note(f"repeat it with walk({seed})")
            raise


@pytest.mark.timeout(300)
def test_the_walks_reach_what_they_are_meant_to_test() -> None:
    """A model that stays on the surface would pass with any rule."""
    worlds = [walk(seed) for seed in range(200)]
    entered = {d.entry.state for world in worlds for d in world.life.decisions if d.entry}

    assert entered == set(State) - {State.UNRECOGNISED}
    assert sum(len(world.calls) > 1 for world in worlds) > 40
    assert sum(any(call.has_acted for call in world.calls) for world in worlds) > 100
    assert sum(world.entry.attention is not None for world in worlds) > 20


@pytest.mark.timeout(300)
def test_the_walks_reach_what_operators_do() -> None:
    worlds = [walk(seed) for seed in range(200)]
    written = [d.entry for world in worlds for d in world.life.decisions if d.entry]
    reasons = Counter(entry.reason for entry in written)
    told = Counter(each.reason for world in worlds for each in world.life.notifications)

    for reason in (Reason.RELEASED, Reason.RESEND_ASKED, Reason.CANCELLED_BY_OPERATOR):
        assert told[reason] > 3
    assert told[Reason.ACKNOWLEDGED] > 0
    assert reasons[Reason.NOT_AT_ALIBABA] > 0
    assert sum(call.has_vanished for world in worlds for call in world.calls) > 20
