"""A claim's records become the facts of the page: taken over, matched, never guessed."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.proofgen.claims import document_of
from services.proofgen.document import Cost, ProofDocument, RenderedProof
from services.proofgen.grid import A4, LETTER
from services.proofgen.render import render
from waybill.contracts import Claim, Order, Shipment
from waybill.contracts.base import LogisticsType
from waybill.contracts.proof import Branding, Language, PaperSize

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"


def example(record: str, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((EXAMPLES / record / "v1" / f"{name}.json").read_text())[
        "value"
    ]
    return value


ORDER = Order.model_validate(example("order", "full"))
SHIPMENT = Shipment.model_validate(example("shipment", "full"))


def claim(**changes: Any) -> Claim:
    facts: dict[str, Any] = {
        "claim_id": "claim-1",
        "order_key": ORDER.key,
        "store_id": ORDER.store_id,
        "shipment": b"",
        "order": b"",
        "carrier_code": "FEDEX",
        "logistics_type": LogisticsType.EXPRESS,
        "branding": Branding(name="Shenzhen Example Technology Co., Ltd."),
        "time_zone": "Asia/Shanghai",
        "issued_at": datetime(2026, 11, 23, 15, 50, tzinfo=UTC),
    }
    return Claim.model_validate(facts | changes)


def document(shipment: Shipment = SHIPMENT, order: Order = ORDER, **changes: Any) -> ProofDocument:
    return document_of(claim(**changes), shipment, order)


def shipped(**changes: Any) -> Shipment:
    return SHIPMENT.model_copy(update=changes)


def test_every_fact_of_a_full_claim_is_taken_over() -> None:
    found = document()

    assert ("claim-1", ORDER.trade_id) == (found.document_id, found.order_id)
    assert (found.shipment_id, found.shipment_revision) == ("se-28529731", 3)
    assert found.tracking_number == "776705370628"
    assert (
        found.carrier_name,
        found.carrier_code,
        found.logistics_type,
    ) == ("FedEx", "FEDEX", "EXPRESS")
    assert found.service == "FedEx International Priority®"
    assert found.buyer_name == "Jana Kovářová"
    assert Cost(Decimal("61.25"), "USD") == found.cost
    assert found.note_to_buyer == "Thank you! 感谢您的订购。"
    assert isinstance(render(found), RenderedProof)


def test_times_are_shown_in_the_zone_of_the_shipment_and_of_the_store() -> None:
    found = document(shipment=shipped(shipped_at_zone="Europe/Berlin"))

    assert timedelta(hours=8) == found.issued_at.utcoffset()
    assert found.shipped_at is not None
    assert timedelta(hours=1) == found.shipped_at.utcoffset()
    assert SHIPMENT.shipped_at == found.shipped_at


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "\x00"])
def test_an_unknown_zone_is_shown_as_utc(zone: str) -> None:
    assert timedelta(0) == document(time_zone=zone).issued_at.utcoffset()


def test_the_end_of_time_can_be_shown() -> None:
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)

    assert last == document(issued_at=last).issued_at


def test_the_recipient_is_the_orders_even_if_the_label_says_otherwise() -> None:
    elsewhere = SHIPMENT.ship_to.model_copy(update={"city": "Brno"}) if SHIPMENT.ship_to else None
    found = document(shipment=shipped(ship_to=elsewhere))

    assert found.ship_to is not None
    assert "Praha 1, Praha, Hlavní město Praha 110 00" in found.ship_to.lines
    assert [difference.part for difference in found.address_match.differences] == ["city"]


def test_the_sender_is_the_shipments_else_the_stores_else_the_orders() -> None:
    branding = Branding(name="Store", address_lines=("Street 1", "Shenzhen"))

    by_shipment, by_store, by_order = (
        document(branding=branding).ship_from,
        document(shipment=shipped(ship_from=None), branding=branding).ship_from,
        document(shipment=shipped(ship_from=None)).ship_from,
    )

    assert by_shipment is not None
    assert by_shipment.name == "王小明"
    assert by_store is not None
    assert by_store.company == "Store"
    assert by_order is not None
    assert by_order.company == "深圳市示例科技有限公司"


def test_items_take_from_the_order_what_the_shipment_leaves_out() -> None:
    bare = [
        item.model_copy(update={"name": None, "unit": None, "options": (), "sku": None})
        for item in SHIPMENT.items
    ]
    first, second = document(shipment=shipped(items=tuple(bare))).items

    assert (first.name, first.sku, first.unit) == ("Desk lamp", "LAMP-RED-L", "Piece")
    assert first.options == (("Color", "red"), ("Size", "L"))
    assert second.name == "电缆 2 m"


def test_items_are_matched_by_sku_when_there_is_no_line_id() -> None:
    by_sku = SHIPMENT.items[0].model_copy(update={"line_id": None, "name": None})

    assert document(shipment=shipped(items=(by_sku,))).items[0].name == "Desk lamp"


def test_an_item_that_nobody_knows_keeps_its_gaps() -> None:
    unknown = SHIPMENT.items[0].model_copy(
        update={"line_id": "?", "sku": None, "name": None, "unit": None, "options": ()}
    )

    assert document(shipment=shipped(items=(unknown,))).items[0].name is None


def test_without_items_the_whole_order_is_listed_and_marked() -> None:
    removed = ORDER.items[0].model_copy(update={"line_id": "gone", "status": "delete"})
    order = ORDER.model_copy(update={"items": (*ORDER.items, removed)})
    found = document(shipment=shipped(items=()), order=order)

    assert found.items_are_whole_order
    assert [item.name for item in ORDER.items] == [item.name for item in found.items]


def test_collected_parts_become_one_list_of_items_parcels_and_cost() -> None:
    second = shipped(
        shipment_id="se-2", tracking_number="T2", packages=(), items=SHIPMENT.items[:1]
    )
    found = document_of(claim(), SHIPMENT, ORDER, (second,))

    assert [Decimal(40), Decimal("2.5")] == [item.quantity for item in found.items]
    assert found.parcels[-1].tracking_number == "T2"
    assert len(SHIPMENT.packages) + 1 == len(found.parcels)
    assert Cost(Decimal("122.50"), "USD", calculated=True) == found.cost


def test_a_cost_that_one_part_does_not_tell_is_not_summed() -> None:
    second = shipped(shipment_id="se-2", cost=None)

    assert document_of(claim(), SHIPMENT, ORDER, (second,)).cost is None


def test_the_notes_of_all_parts_are_shown_each_once() -> None:
    second, third = (shipped(shipment_id=name, note_to_buyer=name) for name in ("se-2", "se-2"))
    first = shipped(note_to_buyer="Thank you")

    assert document_of(claim(), first, ORDER, (second, third)).note_to_buyer == "Thank you\nse-2"


def test_the_stores_switch_leaves_the_cost_out() -> None:
    assert not document(branding=Branding(show_cost=False)).shows_cost


def test_the_note_comes_from_the_order_when_the_shipment_has_none() -> None:
    assert (
        document(shipment=shipped(note_to_buyer=None)).note_to_buyer == "Thank you for your order."
    )


def test_the_least_that_is_valid_gives_a_page() -> None:
    least = Shipment.model_validate(example("shipment", "minimal"))
    order = Order.model_validate(example("order", "without-postal-code"))
    found = document_of(claim(), least.model_copy(update={"tracking_number": "T1"}), order)

    assert isinstance(render(found), RenderedProof)


def test_nothing_that_a_reviewer_must_not_see_reaches_the_document() -> None:
    facts = repr(document())

    for secret in (
        "jana@example.com",
        "Pack with foam",
        "Všechno nejlepší",
        "1184.5",
        "NOV100",
        "/lamp.jpg",
    ):
        assert secret not in facts


def test_paper_and_third_language_are_the_stores() -> None:
    branding = Branding(paper=PaperSize.LETTER, third_language=Language.PL)
    found = document(branding=branding)

    assert (found.paper, found.third_language) == (LETTER, "pl")


@pytest.mark.parametrize(
    "branding",
    [
        Branding(),
        Branding.model_validate({"paper": "UNRECOGNISED", "third_language": "UNRECOGNISED"}),
    ],
)
def test_a_store_without_them_or_of_a_newer_version_gets_a4_and_two_languages(
    branding: Branding,
) -> None:
    found = document(branding=branding)

    assert (found.paper, found.third_language) == (A4, None)


@pytest.mark.parametrize(
    ("policy", "must_match"),
    [("warn", False), ("refuse", True), ("UNRECOGNISED", True)],
)
def test_the_stores_policy_for_addresses_is_taken_over(policy: str, must_match: bool) -> None:
    branding = Branding.model_validate({"address_mismatch": policy})

    assert document(branding=branding).address_must_match is must_match
