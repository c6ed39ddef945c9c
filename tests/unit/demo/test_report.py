"""The final check: a run as it was to be passes, and each thing that can go wrong is told."""

import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from rich.console import Console

from waybill.contracts import Order
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus
from waybill.demo.report import differences, latency, table
from waybill.demo.scenario import CONFIRMED, Expected, Scenario, Wave, waits
from waybill.demo.watch import Accepted, Observed, Told, take_journal

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
SHA = "ab" * 32
ONE, TWO = ("sandbox:1", "wms-1"), ("sandbox:2", "wms-2")
EXPECTED: dict[tuple[str, str], Expected] = {ONE: CONFIRMED, TWO: waits(Reason.CARRIER_UNMAPPED)}
SCENARIO = Scenario(
    waves=(Wave(expected=EXPECTED), Wave(expected=EXPECTED)),
    cases={ONE: "as usual", TWO: "unknown carrier"},
    dead=Counter({"invalid": 1}),
    accepted={"1": "7767"},
    misplaced=1,
    orders=frozenset({"1", "2"}),
)
TOTALS = {"connections_cut": 2, "shipping_calls_received": 3}


def order(trade_id: str) -> Order:
    return Order(
        key=f"sandbox:{trade_id}",
        site="sandbox",
        trade_id=trade_id,
        store_id="sandbox-1",
        order_number=trade_id,
        status=OrderStatus.AWAITING_SHIPMENT,
        raw_status="undeliver",
        mapping_version="1",
        importable=True,
        modified_at=NOW,
        content_sha256=SHA,
        imported_at=NOW,
    )


def told(outcome: Outcome, reason: Reason | None = None) -> Told:
    return Told(outcome, reason, 1, 2_000)


def good() -> Observed:
    return Observed(
        orders={f"sandbox:{one}": order(one) for one in ("1", "2")},
        shipments_read=3,
        first_published_ms={(*ONE, 1): 1_000, (*TWO, 1): 1_000},
        rerouted=1,
        told={
            ONE: [told(Outcome.CONFIRMED)],
            TWO: [told(Outcome.WAITING, Reason.CARRIER_UNMAPPED)],
        },
        notification_ids=Counter({"a": 1, "b": 1}),
        states={"sandbox:1": State.CONFIRMED, "sandbox:2": State.WAITING},
        proof_hashes={SHA},
        dead=Counter({"invalid": 1}),
        accepted={"1": [Accepted("7767", 1_040, (SHA,))]},
        uploads=1,
    )


def test_a_run_as_it_was_to_be_differs_in_nothing() -> None:
    assert differences(SCENARIO, good()) == []


def second_shipment(seen: Observed) -> None:
    seen.accepted["1"].append(Accepted("7767", 1_050, (SHA,)))


def other_number(seen: Observed) -> None:
    seen.accepted["1"] = [Accepted("9", 1_040, (SHA,))]


def foreign_proof(seen: Observed) -> None:
    seen.accepted["1"] = [Accepted("7767", 1_040, ("cd" * 32,))]


def no_proof(seen: Observed) -> None:
    seen.accepted["1"] = [Accepted("7767", 1_040, ())]


def lost_order(seen: Observed) -> None:
    del seen.orders["sandbox:2"]


def lost_shipment(seen: Observed) -> None:
    del seen.told[TWO]


def unwanted_shipment(seen: Observed) -> None:
    seen.accepted["2"] = [Accepted("1", 1, (SHA,))]


def confirmed_twice(seen: Observed) -> None:
    seen.told[ONE].append(told(Outcome.CONFIRMED, Reason.FOUND_BY_LOOKUP))


def other_outcome(seen: Observed) -> None:
    seen.told[TWO].append(told(Outcome.REFUSED, Reason.ORDER_CANCELLED))


def told_of_nothing(seen: Observed) -> None:
    seen.told["sandbox:3", "wms-3"] = [told(Outcome.CONFIRMED)]


def repeated(seen: Observed) -> None:
    seen.notification_ids["a"] += 1


def dead(seen: Observed) -> None:
    seen.dead["unreadable"] += 1


def not_forwarded(seen: Observed) -> None:
    seen.rerouted = 0


def under_way(seen: Observed) -> None:
    seen.states["sandbox:2"] = State.IN_DOUBT


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (second_shipment, "order 1: Alibaba holds 2 shipments, not one"),
        (other_number, "order 1: Alibaba holds 9, not 7767"),
        (foreign_proof, "carries no proof that proofgen drew"),
        (no_proof, "carries no proof that proofgen drew"),
        (lost_order, "1 order(s) not imported: 2"),
        (lost_shipment, "(unknown carrier): told nothing, not waiting (carrier_unmapped)"),
        (unwanted_shipment, "1 order(s) shipped at Alibaba that should not be: 2"),
        (confirmed_twice, "confirmed 2 times"),
        (other_outcome, "told refused (order_cancelled), not waiting (carrier_unmapped)"),
        (told_of_nothing, "told 1 time(s), but never published"),
        (repeated, "1 notification(s) were published more than once"),
        (dead, "dead letters {'invalid': 1, 'unreadable': 1}, not {'invalid': 1}"),
        (not_forwarded, "0 record(s) forwarded, not 1"),
        (under_way, "1 order(s) are still under way in the ledger"),
    ],
)
def test_each_difference_is_told(spoil: Callable[[Observed], None], words: str) -> None:
    seen = good()
    spoil(seen)

    found = differences(SCENARIO, seen)

    assert len(found) == 1
    assert words in found[0]


def test_latency_counts_only_what_had_nothing_to_wait_for() -> None:
    seen = good()
    seen.told["sandbox:4", "w"] = [told(Outcome.IN_DOUBT), told(Outcome.CONFIRMED)]
    seen.accepted["4"] = [Accepted("4", 999_999, (SHA,))]

    found = latency(seen)

    assert found is not None
    assert (found.count, found.median_ms, found.p99_ms) == (1, 40, 40)


def test_nothing_accepted_has_no_latency() -> None:
    assert latency(Observed()) is None


def test_the_table_counts_what_was_read() -> None:
    page = io.StringIO()

    Console(width=200, file=page).print(table(good(), TOTALS, 61.0))

    lines = [" ".join(line.split()) for line in page.getvalue().splitlines()]
    assert "shipments confirmed 1 1 by Alibaba's own answer" in lines
    assert "shipments waiting 1 1 carrier_unmapped" in lines
    assert "dead letters 1 1 invalid" in lines
    assert any(line.startswith("largest number of shipments 1 ") for line in lines)


def test_the_journal_is_counted_by_kind() -> None:
    seen = Observed()
    shipment = {"tracking_number": "7767", "at_ms": 5, "attachments": [{"sha256": SHA}]}

    take_journal(seen, {"seq": 1, "kind": "upload"})
    take_journal(seen, {"seq": 2, "kind": "shipment", "trade_id": "1", **shipment})
    take_journal(seen, {"seq": 3, "kind": "shipment_refused", "code": "402"})
    take_journal(seen, {"seq": 4, "kind": "orders_created"})

    assert (seen.uploads, seen.journal_seq) == (1, 4)
    assert seen.accepted == {"1": [Accepted("7767", 5, (SHA,))]}
    assert seen.refused_by_site == {"402": 1}
