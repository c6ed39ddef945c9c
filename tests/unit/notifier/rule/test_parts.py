"""Several shipments that together cover one order, where the store collects them."""

from decimal import Decimal
from typing import Any

import pytest

from services.notifier.rule import (
    Accepted,
    NotSent,
    OrderChanged,
    RejectedByAlibaba,
    StoreChanged,
    Unclear,
    claim_of,
)
from services.notifier.rule import parts as parts_module
from tests.unit.notifier.rule.builders import (
    NOTHING,
    START,
    Life,
    arrival,
    make_order,
    make_shipment,
    make_store,
    none_twice,
    order_to,
)
from waybill.contracts import Shipment
from waybill.contracts.command import CommandKind
from waybill.contracts.ledger import SeenEnd, State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderItem, OrderStatus
from waybill.contracts.shipment import Action, Carrier, Coverage, Part, ShipmentItem
from waybill.contracts.store import PartialPolicy

COLLECTING = make_store(partial_policy=PartialPolicy.COLLECT)
LAMPS = (ShipmentItem(line_id="L1", quantity=Decimal(2), unit="Piece"),)
ONE_LAMP = (ShipmentItem(line_id="L1", quantity=Decimal(1), unit="Piece"),)
CABLE = (ShipmentItem(line_id="L2", quantity=Decimal("1.5"), unit="m"),)


def part(number: int, *, final: bool = False, revision: int = 1, **changes: Any) -> Shipment:
    """Part `number`, with a tracking number of its own."""
    fields = {"tracking_number": f"TN-{number}", **changes}
    return make_shipment(f"P{number}", revision, part=Part(number=number, final=final), **fields)


def collecting(*shipments: Shipment, **changes: Any) -> Life:
    """The store collects parts, and these came."""
    life = Life(store=COLLECTING, **changes)
    for shipment in shipments:
        life.tell(arrival(shipment))
    return life


def whole() -> tuple[Shipment, Shipment]:
    """Two parts that cover the order."""
    return part(1, items=LAMPS), part(2, items=CABLE)


def ends(life: Life) -> dict[str, SeenEnd]:
    return {seen.shipment_id: seen.end for seen in life.entry.seen}


def test_a_part_waits_for_the_others_and_its_publisher_is_told() -> None:
    life = collecting(part(1, items=LAMPS))

    assert life.at == (State.WAITING, Reason.PARTS_MISSING)
    assert life.told == [(Outcome.WAITING, Reason.PARTS_MISSING)]


def test_parts_that_cover_the_order_go_as_one_with_the_first_tracking_number() -> None:
    life = collecting(*whole())

    assert life.at == (State.CLAIMED, None)
    assert ends(life) == {"P1": SeenEnd.CURRENT, "P2": SeenEnd.PART}
    claim = claim_of(life.entry, life.facts())
    assert claim is not None
    assert claim.shipment == arrival(whole()[0]).raw
    assert claim.parts == (arrival(whole()[1]).raw,)
    life.upload()
    assert [call.request.tracking_number for call in life.calls] == ["TN-1"]
    life.end_call(Accepted("v-1"))
    assert life.at == (State.CONFIRMED, None)
    assert life.notifications[-1].shipment_id == "P1"
    assert life.notifications[-1].part_shipment_ids == ("P2",)
    assert life.entry.parts == ()


def test_the_first_part_leads_however_they_arrive() -> None:
    first, second = whole()
    there, back = collecting(first, second), collecting(second, first)

    assert there.entry.shipment == back.entry.shipment
    assert there.entry.parts == back.entry.parts
    assert back.entry.shipment_id == "P1"


def test_a_part_without_a_tracking_number_does_not_lead() -> None:
    life = collecting(part(1, items=LAMPS, tracking_number=None), part(2, items=CABLE))

    assert life.at == (State.CLAIMED, None)
    assert life.entry.shipment_id == "P2"


def test_parts_that_all_lack_a_tracking_number_wait_for_one() -> None:
    life = collecting(*(one.model_copy(update={"tracking_number": None}) for one in whole()))
    assert life.at == (State.WAITING, Reason.NO_TRACKING_NUMBER)

    life.tell(arrival(part(2, items=CABLE, revision=2)))

    assert life.is_in(State.CLAIMED)


def test_shipments_that_cover_a_part_are_parts_without_being_called_so() -> None:
    life = collecting(make_shipment("S1", items=LAMPS, tracking_number="A1"))
    assert life.at == (State.WAITING, Reason.PARTS_MISSING)

    life.ship("S2", items=CABLE, tracking_number="B2")

    assert life.is_in(State.CLAIMED)


def test_the_final_part_ends_the_waiting_even_where_something_is_missing() -> None:
    life = collecting(part(1, items=ONE_LAMP))

    life.tell(arrival(part(2, final=True, items=CABLE)))

    assert life.at == (State.CLAIMED, None)


def test_the_final_part_waits_for_those_numbered_before_it() -> None:
    life = collecting(part(3, final=True), part(1))
    assert life.at == (State.WAITING, Reason.PARTS_MISSING)
    assert life.notifications[-1].shipment_id == "P1"
    assert life.notifications[-1].message.endswith("Parts not seen yet: 2.")

    life.tell(arrival(part(2)))

    assert life.is_in(State.CLAIMED)


def test_parts_that_name_no_items_go_when_the_last_one_is_here_and_not_before() -> None:
    life = collecting(part(1), part(2))
    assert life.at == (State.WAITING, Reason.PARTS_MISSING)

    life.tell(arrival(part(3, final=True)))

    assert life.is_in(State.CLAIMED)


@pytest.mark.parametrize(
    "items",
    [
        (ShipmentItem(name="Lamp, cable", quantity=Decimal(9)),),
        (*LAMPS, ShipmentItem(line_id="L2", quantity=Decimal(9), unit="box")),
    ],
    ids=["no line and no sku", "another unit"],
)
def test_what_cannot_be_compared_never_stands_for_a_missing_part(
    items: tuple[ShipmentItem, ...],
) -> None:
    life = collecting(part(1, items=items))

    assert life.at == (State.WAITING, Reason.PARTS_MISSING)


def test_a_line_without_a_sku_is_missed_even_where_the_others_are_covered_by_sku() -> None:
    order = make_order(
        items=(
            OrderItem(line_id="L1", sku="LAMP", name="Lamp", quantity=Decimal(2)),
            OrderItem(line_id="L2", name="Cable", quantity=Decimal(1)),
        )
    )
    life = collecting(part(1, items=(ShipmentItem(sku="LAMP", quantity=Decimal(2)),)), order=order)

    assert life.at == (State.WAITING, Reason.PARTS_MISSING)


# ----------------------------------------------------------------------------- who is turned away


def test_a_part_that_holds_more_than_is_left_is_refused_alone() -> None:
    life = collecting(part(1, items=LAMPS), part(2, items=LAMPS))

    assert life.at == (State.WAITING, Reason.PARTS_MISSING)
    assert life.told[-1] == (Outcome.REFUSED, Reason.ITEMS_NOT_IN_ORDER)
    assert ends(life) == {"P1": SeenEnd.CURRENT, "P2": SeenEnd.REFUSED}


def test_a_shipment_of_the_whole_order_does_not_join_parts() -> None:
    life = collecting(part(1, items=LAMPS))

    life.ship("S9")

    assert life.told[-1] == (Outcome.REFUSED, Reason.ORDER_ALREADY_SHIPPED)


def test_a_part_does_not_join_a_shipment_of_the_whole_order() -> None:
    life = collecting(make_shipment("S1"), part(1, items=LAMPS))

    assert life.at == (State.CLAIMED, None)
    assert life.told[-1] == (Outcome.REFUSED, Reason.ORDER_ALREADY_SHIPPED)


def test_the_same_part_under_another_id_counts_once() -> None:
    first = part(1, items=LAMPS)
    life = collecting(first, first.model_copy(update={"shipment_id": "P1-again"}))

    assert life.told[-1] == (Outcome.DUPLICATE, Reason.SAME_PARCEL)
    assert life.entry.parts == ()


def test_two_parts_may_travel_in_one_parcel() -> None:
    first, second = whole()
    life = collecting(first, second.model_copy(update={"tracking_number": "TN-1"}))

    assert life.at == (State.CLAIMED, None)


def test_parts_that_are_too_large_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(arrival(part(1, items=LAMPS)).raw)
    monkeypatch.setattr("services.notifier.rule.collecting.SET_BYTES_MAX", 2 * size)
    life = collecting(part(1, items=ONE_LAMP), part(2, items=ONE_LAMP, note_to_buyer="x" * 99))

    assert parts_module.SET_BYTES_MAX == 2 * 1024 * 1024
    assert life.told[-1] == (Outcome.REFUSED, Reason.TOO_LARGE)
    assert life.entry.parts == ()


def test_a_part_that_comes_after_the_call_is_one_too_many() -> None:
    life = collecting(*whole())
    life.upload()

    life.tell(arrival(part(3)))

    assert life.is_in(State.DISPATCHED)
    assert life.told[-1] == (Outcome.REFUSED, Reason.ORDER_ALREADY_SHIPPED)


# -------------------------------------------------------------------------- before the order is known


def test_parts_that_come_before_their_order_are_kept_together() -> None:
    life = collecting(*whole(), order=None)
    assert life.at == (State.WAITING, Reason.ORDER_UNKNOWN)
    assert [told.shipment_id for told in life.notifications] == ["P1", "P2"]

    life.order_becomes(make_order())

    assert life.is_in(State.CLAIMED)
    assert life.entry.shipment_id == "P1"


def test_parts_of_a_store_that_does_not_collect_are_refused_together_when_the_order_comes() -> None:
    life = Life(order=None, store=make_store())
    for shipment in whole():
        life.tell(arrival(shipment))

    life.order_becomes(make_order())

    assert life.at == (State.REJECTED, Reason.PARTIAL_SHIPMENT)
    assert life.notifications[-1].part_shipment_ids == ("P2",)
    assert ends(life) == {"P1": SeenEnd.REFUSED, "P2": SeenEnd.REFUSED}


def test_a_store_that_stops_collecting_refuses_the_parts_that_wait() -> None:
    life = collecting(part(1, items=LAMPS))

    life.store_becomes(make_store())

    assert life.at == (State.REJECTED, Reason.PARTIAL_SHIPMENT)


def test_parts_whose_order_is_cancelled_are_refused_together() -> None:
    life = collecting(*whole())

    life.order_becomes(OrderStatus.CANCELLED)

    assert life.at == (State.REJECTED, Reason.ORDER_CANCELLED)
    assert life.notifications[-1].part_shipment_ids == ("P2",)


# --------------------------------------------------------------------------- corrections and voids


def test_a_corrected_part_takes_its_own_place_and_asks_for_a_new_proof() -> None:
    life = collecting(*whole())
    before = life.entry.claim

    life.tell(arrival(part(2, items=CABLE, revision=2, tracking_number="TN-9")))

    assert life.at == (State.CLAIMED, None)
    assert life.entry.claim != before
    assert len(life.entry.parts) == 1
    assert life.entry.parts[0].revision == 2


def test_a_part_published_again_as_it_was_changes_only_its_revision() -> None:
    life = collecting(*whole())
    before = life.entry

    life.tell(arrival(part(2, items=CABLE, revision=2)))

    assert life.entry.claim == before.claim
    assert life.last.notifications == ()


@pytest.mark.parametrize(("gone", "stays"), [(1, "P2"), (2, "P1")])
def test_a_part_taken_back_leaves_the_others_waiting(gone: int, stays: str) -> None:
    life = collecting(*whole())

    life.void(f"P{gone}")

    assert life.at == (State.WAITING, Reason.PARTS_MISSING)
    assert life.entry.shipment_id == stays
    assert ends(life) == {f"P{gone}": SeenEnd.VOIDED, stays: SeenEnd.CURRENT}
    told = [(each.outcome, each.shipment_id) for each in life.last.notifications]
    assert told == [(Outcome.VOIDED, f"P{gone}"), (Outcome.WAITING, stays)]


def test_the_last_part_taken_back_frees_the_order() -> None:
    life = collecting(*whole())
    life.void("P1")

    life.void("P2")

    assert life.at == (State.VOIDED, Reason.TAKEN_BACK)


def test_a_part_taken_back_may_come_again() -> None:
    life = collecting(*whole())
    life.void("P1")

    life.tell(arrival(part(1, items=LAMPS, revision=3)))

    assert life.at == (State.CLAIMED, None)
    assert life.entry.shipment_id == "P1"


def test_a_part_that_turns_out_to_be_a_return_leaves_the_others() -> None:
    life = collecting(*whole())

    life.tell(arrival(part(1, items=LAMPS, revision=2, is_return=True)))

    assert life.at == (State.WAITING, Reason.PARTS_MISSING)
    assert life.told[-2:] == [
        (Outcome.REFUSED, Reason.RETURN_SHIPMENT),
        (Outcome.WAITING, Reason.PARTS_MISSING),
    ]
    assert ends(life)["P1"] is SeenEnd.REFUSED


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("change", "end", "told"),
    [
        ({"action": Action.VOID}, SeenEnd.VOIDED, (Outcome.VOIDED, Reason.TAKEN_BACK)),
        ({"is_return": True}, SeenEnd.REFUSED, (Outcome.REFUSED, Reason.RETURN_SHIPMENT)),
    ],
)
def test_a_part_that_is_none_any_more_leaves_the_others_if_the_call_had_no_effect(
    number: int, change: dict[str, Any], end: SeenEnd, told: tuple[Outcome, Reason]
) -> None:
    life = collecting(*whole())
    life.upload()

    life.tell(arrival(part(number, revision=2, **change)))
    assert life.is_in(State.DISPATCHED)
    assert life.told[-1][0] is Outcome.TOO_LATE
    life.end_call(NotSent())

    stays = f"P{3 - number}"
    assert life.at == (State.WAITING, Reason.PARTS_MISSING)
    assert life.entry.attention is None
    assert ends(life) == {f"P{number}": end, stays: SeenEnd.CURRENT}
    notes = {each.shipment_id: (each.outcome, each.reason) for each in life.last.notifications}
    assert notes == {
        f"P{number}": told,
        stays: (Outcome.WAITING, Reason.PARTS_MISSING),
    }


def test_parts_that_are_all_taken_back_while_the_call_is_under_way_free_the_order() -> None:
    life = collecting(*whole())
    life.upload()
    life.void("P2")
    life.void("P1")

    life.end_call(NotSent())

    assert life.at == (State.VOIDED, Reason.TAKEN_BACK)
    assert set(ends(life).values()) == {SeenEnd.VOIDED}
    told = [(each.outcome, each.shipment_id) for each in life.last.notifications]
    assert sorted(told) == [(Outcome.VOIDED, "P1"), (Outcome.VOIDED, "P2")]


def test_a_part_taken_back_too_late_and_published_again_goes_with_the_others() -> None:
    life = collecting(*whole())
    life.upload()
    life.void("P2")

    life.tell(arrival(part(2, items=CABLE, revision=3)))
    life.end_call(NotSent())

    assert life.is_in(State.CLAIMED)
    assert ends(life) == {"P1": SeenEnd.CURRENT, "P2": SeenEnd.PART}


def test_a_part_that_makes_the_others_wait_again_tells_them_so() -> None:
    life = collecting(part(2, final=True), part(1))
    assert life.is_in(State.CLAIMED)

    life.tell(arrival(part(3, final=True).model_copy(update={"shipment_id": "P2", "revision": 2})))

    assert life.at == (State.WAITING, Reason.PARTS_MISSING)
    told = [(each.outcome, each.shipment_id) for each in life.last.notifications]
    assert told == [(Outcome.WAITING, "P2"), (Outcome.WAITING, "P1")]


def test_what_one_decision_tells_several_publishers_has_an_id_each() -> None:
    life = collecting(*whole())

    first = life.void("P2").notifications
    again = collecting(*whole()).void("P2").notifications

    assert len({each.notification_id for each in first}) == 2
    assert [each.notification_id for each in first] == [each.notification_id for each in again]


def test_parts_that_alibaba_lost_are_kept_again_as_they_are_published_again() -> None:
    life = collecting(*whole())
    life.upload()
    life.end_call(Accepted("v-1"))
    order_to(life, CommandKind.RESEND)
    for number, items in ((1, LAMPS), (2, CABLE)):
        life.tell(arrival(part(number, items=items, revision=2)))

    none_twice(life)

    assert life.is_in(State.CLAIMED)
    assert ends(life) == {"P1": SeenEnd.CURRENT, "P2": SeenEnd.PART}


def test_a_part_that_alibaba_lost_and_that_is_taken_back_alone_frees_the_order() -> None:
    life = collecting(*whole())
    life.upload()
    life.end_call(Accepted("v-1"))
    order_to(life, CommandKind.RESEND)
    life.tell(arrival(part(1, items=LAMPS, revision=2)))
    none_twice(life)
    assert life.at == (State.WAITING, Reason.PARTS_MISSING)

    life.void("P1", 3)

    assert life.at == (State.VOIDED, Reason.TAKEN_BACK)
    assert set(ends(life).values()) == {SeenEnd.VOIDED}


@pytest.mark.parametrize("number", [1, 2])
def test_a_part_taken_back_while_the_call_is_under_way_needs_a_person_if_alibaba_has_it(
    number: int,
) -> None:
    life = collecting(*whole())
    life.upload()
    life.void(f"P{number}")

    life.end_call(Accepted("v-1"))

    assert life.is_in(State.CONFIRMED)
    assert life.entry.attention is not None
    assert life.notifications[-1].needs_operator


def test_a_part_corrected_while_the_call_is_under_way_goes_as_corrected_if_it_had_no_effect() -> (
    None
):
    life = collecting(*whole())
    life.upload()

    life.tell(arrival(part(2, items=CABLE, revision=2, tracking_number="TN-9")))
    assert life.told[-1] == (Outcome.TOO_LATE, Reason.CORRECTION_TOO_LATE)
    life.end_call(NotSent())

    assert life.is_in(State.CLAIMED)
    assert life.entry.attention is None
    assert life.entry.parts[0].revision == 2


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("action", [Action.CORRECT, Action.VOID])
def test_what_comes_to_a_part_after_the_end_is_too_late(number: int, action: Action) -> None:
    life = collecting(*whole())
    life.upload()
    life.end_call(Accepted("v-1"))
    late = part(number, revision=2, action=action, tracking_number="TN-9")

    life.tell(arrival(late))

    assert life.is_in(State.CONFIRMED)
    assert life.notifications[-1].outcome is Outcome.TOO_LATE
    assert life.notifications[-1].shipment_id == f"P{number}"
    assert life.entry.attention is not None


def test_parts_refused_by_alibaba_are_refused_together_and_may_come_again() -> None:
    life = collecting(*whole())
    life.upload()
    life.end_call(RejectedByAlibaba("402"))
    assert life.notifications[-1].part_shipment_ids == ("P2",)

    for number, items in ((2, CABLE), (1, LAMPS)):
        life.tell(arrival(part(number, items=items, revision=2)))

    assert life.at == (State.CLAIMED, None)


def test_parts_whose_call_left_no_trace_go_once_more_with_all_of_them() -> None:
    life = collecting(*whole())
    life.upload()
    life.end_call(Unclear())
    none_twice(life)

    assert life.is_in(State.CLAIMED)
    assert len(life.entry.parts) == 1


# ------------------------------------------------------------------------------------------ replays


def test_replaying_the_parts_changes_nothing_at_any_time() -> None:
    first, second = whole()
    life = collecting(first, second)

    def replay() -> list[object]:
        return [life.tell(arrival(one)) for one in (second, first, second)]

    assert replay() == [NOTHING] * 3
    life.upload()
    assert replay() == [NOTHING] * 3
    life.end_call(Accepted())
    assert replay() == [NOTHING] * 3


def test_the_same_facts_again_change_nothing() -> None:
    life = collecting(*whole())

    assert life.tell(OrderChanged()) == NOTHING
    assert life.tell(StoreChanged()) == NOTHING


def test_an_unmapped_carrier_of_a_part_that_does_not_lead_holds_up_nobody() -> None:
    first, second = whole()
    life = collecting(first, second.model_copy(update={"carrier": Carrier(code="gls")}))

    assert life.at == (State.CLAIMED, None)


def test_a_part_called_full_is_believed() -> None:
    life = collecting(part(1, covers_order=Coverage.FULL, items=LAMPS))

    assert life.at == (State.CLAIMED, None)


def test_parts_that_left_before_the_store_started_are_refused() -> None:
    life = collecting(part(1, shipped_at=START.replace(year=2020)))

    assert life.at == (State.REJECTED, Reason.BEFORE_START)
