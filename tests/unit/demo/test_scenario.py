"""The demo's scenario: every case of it is there, once, whatever orders the stand-in holds."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from waybill.contracts import Shipment
from waybill.contracts.codec import Codec, DecodeError, SchemaBook
from waybill.contracts.identity import check_key
from waybill.contracts.keys import order_key, partition_of
from waybill.contracts.notification import Outcome
from waybill.demo.sandbox_admin import SiteOrder
from waybill.demo.scenario import CONFIRMED, Scenario, build, imported
from waybill.demo.shipments import Maker
from waybill.streaming.records import Outbound

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
FUTURE = {"s1": "7000000001", "s2": "7000000002"}
CODEC = Codec(Shipment, "shipment", SchemaBook())


def stock(count: int) -> list[SiteOrder]:
    """Orders as the stand-in has them: seven of ten wait for shipment, one has no address."""
    statuses = ["undeliver"] * 8 + ["delivering", "trade_close"]
    odd = ["unpay", "frozen", "export_review_hold", "intention_processing"]
    orders = [
        SiteOrder(f"{6_000_000_000 + n}", f"s{n % 2 + 1}", statuses[n % 10], n % 10 != 7)
        for n in range(count)
    ]
    return orders + [SiteOrder(f"{5_000_000_000 + n}", "s1", odd[n], True) for n in range(len(odd))]


def scenario(count: int = 200) -> Scenario:
    return build(stock(count), FUTURE, Maker(NOW, 12))


def readable(record: Outbound) -> Shipment | None:
    try:
        shipment = CODEC.decode(record.value, allow_json=True)
        check_key(record.key, shipment)
    except DecodeError:
        return None
    return shipment


def test_the_same_orders_give_the_same_scenario() -> None:
    assert scenario() == scenario()


@pytest.mark.parametrize("count", [0, 10, 60, 400])
def test_it_fits_any_number_of_orders(count: int) -> None:
    made = scenario(count)

    assert made.final.keys() == made.cases.keys()
    assert made.orders >= set(made.accepted)


def test_it_holds_every_case() -> None:
    assert Counter(scenario().cases.values()).keys() == {
        "a return",
        "a test",
        "an item the order lacks",
        "as usual",
        "cancelled order",
        "carrier corrected",
        "corrected too late",
        "exact duplicate",
        "first of two",
        "left before the store began",
        "mistyped order number",
        "names another store",
        "on the wrong partition",
        "order comes later",
        "order on hold",
        "order without address",
        "paid later",
        "part of the order",
        "plain JSON",
        "same parcel, other id",
        "second shipment",
        "shipped elsewhere",
        "status nobody knows",
        "three parcels",
        "tracking number later",
        "unknown carrier",
        "voided in time",
        "voided too late",
    }


def test_what_nobody_can_read_is_what_it_expects_as_dead_letters() -> None:
    found = [record for wave in scenario().waves for record in wave.records]

    unreadable = sum(readable(record) is None for record in found)

    assert unreadable == scenario().dead.total() == 6


def test_records_lie_where_their_keys_belong_but_for_the_misplaced_ones() -> None:
    made = scenario()
    shipments = [(r, readable(r)) for wave in made.waves for r in wave.records]

    wrong = [r for r, s in shipments if s and r.partition != partition_of(s.order_key, 12)]

    assert len(wrong) == made.misplaced == 3


def test_a_shipment_that_comes_second_is_published_after_the_first_one() -> None:
    records = [readable(record) for record in scenario().waves[0].records]
    ids = [shipment.shipment_id for shipment in records if shipment]

    for first in [one for one in ids if f"{one}b" in ids]:
        assert ids.index(first) < ids.index(f"{first}b")


def test_every_order_gets_at_most_one_shipment_with_a_number_of_its_own() -> None:
    made = scenario()

    assert len(set(made.accepted.values())) == len(made.accepted)
    confirmed = {key for wave in made.waves for key, e in wave.expected.items() if e == CONFIRMED}
    assert {key for key, _ in confirmed} == {order_key("sandbox", one) for one in made.accepted}


def test_the_second_wave_changes_what_the_first_one_left_open_or_finished() -> None:
    first, second = scenario().waves
    changed = {key for key, e in second.expected.items() if first.expected[key] != e}

    shipments = [readable(record) for record in second.records]
    touched = {(s.order_key, s.shipment_id) for s in shipments if s}
    by_the_world = {
        key for key in changed if key[0].partition(":")[2] in {*second.paid, *FUTURE.values()}
    }
    assert changed == touched | by_the_world


def test_drafts_are_not_to_be_imported() -> None:
    orders = [
        SiteOrder("1", "s1", "undeliver", True),
        SiteOrder("2", "s1", "intention_processing", True),
    ]

    assert imported(orders) == {"1"}


def test_only_a_confirmation_may_be_learnt_in_any_way() -> None:
    assert CONFIRMED.matches(Outcome.CONFIRMED, None)
    assert not CONFIRMED.matches(Outcome.IN_DOUBT, None)
