"""Parts of one order in any order of arrival: one call, the same request, nothing counted twice."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.rule import Accepted, claim_of
from tests.unit.notifier.rule.builders import NOTHING, Life, arrival, make_order, make_shipment
from tests.unit.notifier.rule.builders import make_store as _make_store
from waybill.contracts import Claim, Shipment
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason
from waybill.contracts.order import OrderItem
from waybill.contracts.shipment import Part, ShipmentItem
from waybill.contracts.store import PartialPolicy, Store

pytestmark = pytest.mark.timeout(120)


def make_store() -> Store:
    return _make_store(partial_policy=PartialPolicy.COLLECT)


@st.composite
def sets(draw: st.DrawFn) -> list[Shipment]:
    """An order's lines divided among two to six parts; the parts are numbered, named, or neither."""
    count = draw(st.integers(2, 6))
    kind = draw(st.sampled_from(["numbered", "counted", "unmarked"]))
    cuts = draw(st.lists(st.integers(1, 99), min_size=count - 1, max_size=count - 1, unique=True))
    shares = [high - low for low, high in pairwise([0, *sorted(cuts), 100])]
    return [_part(number, count, share, kind) for number, share in enumerate(shares, start=1)]


def _part(number: int, count: int, share: int, kind: str) -> Shipment:
    items = (ShipmentItem(line_id="L1", quantity=Decimal(share)),)
    is_last = number == count
    return make_shipment(
        f"P{number}",
        tracking_number=f"TN {number}",
        items=() if kind == "counted" else items,
        part=None
        if kind == "unmarked"
        else Part(number=number, final=is_last and kind == "counted"),
    )


def _order_of_100() -> Life:
    item = OrderItem(line_id="L1", name="Lamp", quantity=Decimal(100))
    return Life(order=make_order(items=(item,)), store=make_store(), is_read_back=False)


def _claim(life: Life) -> Claim:
    claim = claim_of(life.entry, life.facts())
    assert claim is not None
    return claim


@given(parts=sets(), data=st.data())
def test_the_same_parts_lead_to_one_call_and_the_same_proof_however_they_arrive(
    parts: list[Shipment], data: st.DataObject
) -> None:
    straight, shuffled = _order_of_100(), _order_of_100()
    for shipment in parts:
        straight.tell(arrival(shipment))
    arrived: list[Shipment] = []
    for shipment in data.draw(st.permutations(parts)):
        if arrived:
            assert shuffled.at == (State.WAITING, Reason.PARTS_MISSING), "it went too early"
        shuffled.tell(arrival(shipment))
        arrived.append(shipment)
        again = data.draw(st.sampled_from(arrived))
        assert shuffled.tell(arrival(again)) == NOTHING

    assert shuffled.is_in(State.CLAIMED)
    assert _claim(shuffled) == _claim(straight)
    assert len(_claim(shuffled).parts) == len(parts) - 1
    shuffled.upload()
    shuffled.end_call(Accepted())
    for shipment in data.draw(st.permutations(parts)):
        assert shuffled.tell(arrival(shipment)) == NOTHING
    assert [call.request.tracking_number for call in shuffled.calls] == ["TN 1"]


@given(parts=sets(), data=st.data())
def test_parts_may_come_before_their_order(parts: list[Shipment], data: st.DataObject) -> None:
    """Those that say that they are parts; the others can only be told by the order."""
    life = _order_of_100()
    order = life.order
    known_after = data.draw(st.integers(0, len(parts)))
    if parts[0].part is None:
        known_after = min(known_after, 1)
    life.order = None
    for number, shipment in enumerate(data.draw(st.permutations(parts))):
        if number == known_after:
            life.order_becomes(order)
        life.tell(arrival(shipment))
    if known_after == len(parts):
        life.order_becomes(order)

    assert life.is_in(State.CLAIMED)
    assert life.entry.shipment_id == "P1"
    assert len(life.entry.parts) == len(parts) - 1


@given(parts=sets(), data=st.data())
def test_what_is_taken_back_and_published_again_ends_as_if_nothing_had_happened(
    parts: list[Shipment], data: st.DataObject
) -> None:
    life, straight = _order_of_100(), _order_of_100()
    for shipment in parts:
        straight.tell(arrival(shipment))
        life.tell(arrival(shipment))
    latest = list(parts)
    for index in data.draw(st.lists(st.integers(0, len(parts) - 1), max_size=4, unique=True)):
        life.void(parts[index].shipment_id, 2)
        assert not life.is_in(State.CLAIMED)
        latest[index] = parts[index].model_copy(update={"revision": 3})
    for shipment in data.draw(st.permutations(latest)):
        life.tell(arrival(shipment))

    assert life.is_in(State.CLAIMED)
    held = [life.entry.shipment_id, *(part.shipment_id for part in life.entry.parts)]
    assert held == [part.shipment_id for part in parts]
