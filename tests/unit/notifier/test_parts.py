"""Parts of one order through the notifier: kept over a change of owner, and all of them on the proof."""

from decimal import Decimal
from typing import Any

from services.notifier.rule import Accepted, NotSent
from services.proofgen.claims import document_of
from tests.unit.notifier.conftest import OpenDesk
from tests.unit.notifier.rule.builders import make_store
from tests.unit.notifier.world import Desk, key_of, outbound_as_inbound
from waybill.contracts import Shipment
from waybill.contracts.shipment import Part, ShipmentItem
from waybill.contracts.store import PartialPolicy
from waybill.streaming.records import Inbound

KEY = key_of(1)
ITEMS = (
    (ShipmentItem(line_id="L1", quantity=Decimal(2)),),
    (ShipmentItem(line_id="L2", quantity=Decimal("1.5")),),
)


def collecting(desk: Desk, revision: int = 2, **changes: Any) -> Desk:
    store = make_store(revision=revision, partial_policy=PartialPolicy.COLLECT, **changes)
    desk.table("stores", desk.shared.codecs.store.encode(store))
    return desk


def part(desk: Desk, number: int, **changes: Any) -> Inbound:
    fields = {"tracking_number": f"TN{number}", "items": ITEMS[number - 1], **changes}
    return desk.shipment(KEY, f"P{number}", part=Part(number=number), **fields)


def shown(desk: Desk) -> list[Shipment]:
    """What the latest claim asks to be drawn."""
    claim = desk.claims(KEY)[-1]
    return [desk.shared.codecs.shipment.decode(raw) for raw in (claim.shipment, *claim.parts)]


def test_parts_that_come_one_after_the_other_go_out_as_one_with_all_parcels_shown(
    desk: Desk,
) -> None:
    collecting(desk)
    desk.process(desk.order(KEY), part(desk, 2))
    assert desk.at(KEY) == "waiting: parts_missing"
    assert desk.claims(KEY) == []
    desk.process(part(desk, 1))

    assert [one.shipment_id for one in shown(desk)] == ["P1", "P2"]
    first, *others = shown(desk)
    claim = desk.claims(KEY)[-1]
    order = desk.shared.codecs.order.decode(claim.order)
    document = document_of(claim, first, order, tuple(others))
    assert document.tracking_number == "TN1"
    assert [parcel.tracking_number for parcel in document.parcels] == ["TN1", "TN2"]
    assert [item.quantity for item in document.items] == [Decimal(2), Decimal("1.5")]

    desk.process(desk.proof(KEY))
    desk.answer(KEY, desk.uploaded(KEY))
    desk.answer(KEY, desk.called(KEY, Accepted("v-1")))
    assert [declare.request.tracking_number for declare in desk.caller.declares] == ["TN1"]
    assert desk.at(KEY) == "confirmed"


def test_parts_in_one_batch_are_one_shipment(desk: Desk) -> None:
    collecting(desk)

    desk.process(part(desk, 1), part(desk, 2), desk.order(KEY))

    assert len(desk.claims(KEY)) == 1
    assert len(shown(desk)) == 2


def test_parts_that_wait_are_taken_over_by_the_next_owner(desk: Desk, open_desk: OpenDesk) -> None:
    collecting(desk)
    desk.process(desk.order(KEY), part(desk, 1))
    after = collecting(open_desk(folder="next"))
    after.handler().close()
    handler = after.notifier.open(0, "identity")
    handler.absorb([*outbound_as_inbound(desk.outputs, "ledger"), after.order(KEY)])
    after.shared.tick()
    handler.opened()
    after.turn()

    after.process(part(after, 2))

    assert [one.shipment_id for one in shown(after)] == ["P1", "P2"]


def test_a_part_corrected_while_the_proof_is_drawn_asks_for_a_new_proof(desk: Desk) -> None:
    collecting(desk)
    desk.process(desk.order(KEY), part(desk, 1), part(desk, 2))
    old = desk.proof(KEY)

    desk.process(part(desk, 2, revision=2, tracking_number="TN9"))
    desk.process(old)

    assert desk.caller.uploads == []
    assert [one.tracking_number for one in shown(desk)] == ["TN1", "TN9"]


def test_a_store_that_begins_to_collect_does_so_without_a_restart(desk: Desk) -> None:
    desk.process(desk.order(KEY), part(desk, 1))
    assert desk.at(KEY) == "rejected: partial_shipment"
    collecting(desk)

    desk.process(part(desk, 1, revision=2), part(desk, 2, revision=2))

    assert desk.at(KEY) == "claimed"


def test_parts_whose_call_failed_go_again_together(desk: Desk) -> None:
    collecting(desk)
    desk.process(desk.order(KEY), part(desk, 1), part(desk, 2))
    desk.process(desk.proof(KEY))
    desk.answer(KEY, desk.uploaded(KEY))
    desk.answer(KEY, desk.called(KEY, NotSent()))
    desk.wait(60)

    assert len(desk.claims(KEY)) == 2
    assert len(shown(desk)) == 2
