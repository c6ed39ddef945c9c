"""The story of an order, from records as they lie on the topics."""

from datetime import UTC, datetime, timedelta

import pytest

from waybill.cli.order_story import Story, as_json, order_facts, shipment_facts, tell
from waybill.contracts import RECORDS, Command, LedgerEntry, Notification, Order, Proof, Shipment
from waybill.contracts.base import Address, Money, Record, millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.command import CommandKind
from waybill.contracts.ledger import Attempt, Result, ResultVia, State, Step
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import OrderStatus, Totals
from waybill.contracts.proof import ProofPage
from waybill.contracts.shipment import Carrier
from waybill.contracts.topics import topics
from waybill.streaming.records import Header, Inbound

KEY = "sandbox:255201166001024316"
OTHER = "sandbox:255201166001024317"
T0 = datetime(2026, 11, 23, 15, tzinfo=UTC)
SHA = "ab" * 32
BOOK = SchemaBook()


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def record(
    topic: str, value: Record | bytes | None, seconds: float = 0, headers: tuple[Header, ...] = ()
) -> Inbound:
    name = topics()[topic].record or ""
    framed = value
    if isinstance(value, Record):
        framed = Codec(RECORDS[name], name, BOOK).encode(value)
    assert not isinstance(framed, Record)
    return Inbound(topic, 3, 0, KEY.encode(), framed, headers, millis(at(seconds)))


ORDER = Order(
    key=KEY,
    site="sandbox",
    trade_id="255201166001024316",
    store_id="sandbox-2011492515",
    order_number="255201166001024316",
    status=OrderStatus.AWAITING_SHIPMENT,
    raw_status="undeliver",
    mapping_version="1",
    importable=True,
    modified_at=at(-60),
    ship_to=Address(name="Jana Nováková", lines=("Dlouhá 12",), country_code="CZ"),
    totals=Totals(grand=Money(amount="12.5000", currency="EUR")),
    content_sha256=SHA,
    imported_at=at(-50),
)
SHIPMENT = Shipment(
    order_key=KEY,
    shipment_id="wms-1",
    revision=2,
    occurred_at=at(0),
    shipped_at=at(0),
    tracking_number="776705370628",
    carrier=Carrier(code="fedex"),
)
ENTRY = LedgerEntry(
    key=KEY,
    revision=5,
    state=State.CONFIRMED,
    shipment_id="wms-1",
    shipment_revision=2,
    attempt=Attempt(
        number=1,
        request_sha256=SHA,
        tracking_number="776705370628",
        carrier_code="FEDEX",
        logistics_type="EXPRESS",
    ),
    result=Result(voucher_id="3000000001", via=ResultVia.CALL, at=at(3)),
    history=(Step(at=at(1), state=State.CLAIMED), Step(at=at(2), state=State.DISPATCHED)),
    partition_count=12,
    writer="test",
)
NOTE = Notification(
    notification_id="n1",
    order_key=KEY,
    trade_id="255201166001024316",
    shipment_id="wms-1",
    outcome=Outcome.CONFIRMED,
    message="Alibaba accepted the shipment.",
    entry_revision=5,
    decided_at=at(3),
)
PROOF = Proof(
    claim_id="c1",
    order_key=KEY,
    store_id="sandbox-2011492515",
    pages=(ProofPage(image=b"\x89PNG", media_type="image/png", sha256=SHA),),
    template_version="1",
)


def whole() -> Story:
    records = [
        record("notifications", NOTE, 3.1),
        record("ledger", ENTRY, 3.1),
        record("orders", ORDER, -50),
        record("shipments", SHIPMENT, 0.2),
        record("proofs", PROOF, 1.5),
    ]
    return tell(KEY, records, BOOK)


def test_the_steps_of_all_topics_stand_in_the_order_of_their_times() -> None:
    story = whole()

    assert [(step.topic, step.what) for step in story.steps] == [
        ("orders", "order awaiting_shipment"),
        ("shipments", "shipment create"),
        ("ledger", "claimed"),
        ("proofs", "proof drawn"),
        ("ledger", "dispatched"),
        ("notifications", "told: confirmed"),
    ]


def test_the_newest_ledger_entry_tells_its_history_once() -> None:
    earlier = ENTRY.model_copy(update={"revision": 4, "state": State.DISPATCHED})

    story = tell(KEY, [record("ledger", earlier), record("ledger", ENTRY)], BOOK)

    assert [step.what for step in story.steps] == ["claimed", "dispatched"]
    assert story.entry == ENTRY


def test_what_operators_decided_is_a_step_with_who_and_why() -> None:
    command = Command(
        command_id="cmd-1",
        order_key=KEY,
        kind=CommandKind.RESEND,
        entry_revision=7,
        who="ops",
        why="deleted at Alibaba",
        issued_at=at(60),
    )

    (step,) = tell(KEY, [record("commands", command)], BOOK).steps

    assert (step.at, step.what) == (at(60), "operator: resend")
    assert step.detail == "ops, at ledger revision 7: deleted at Alibaba"


def test_other_orders_of_the_partition_are_passed_over() -> None:
    other = Inbound("orders", 3, 0, OTHER.encode(), b"unreadable", (), 0)

    assert not tell(KEY, [other], BOOK).known


def test_facts_and_steps_name_no_buyer() -> None:
    story = whole()

    told = str([order_facts(ORDER), shipment_facts(story), story.steps, as_json(story, full=False)])

    assert "CZ" in told
    assert not any(word in told for word in ("Jana", "Nováková", "Dlouhá"))


def test_the_whole_records_are_told_on_request() -> None:
    records = as_json(whole(), full=True)["records"]

    assert records["order"]["ship_to"]["name"] == "Jana Nováková"
    assert records["shipments"][0]["shipment_id"] == "wms-1"


def test_the_facts_are_those_of_the_shipment_that_holds_the_order() -> None:
    late = SHIPMENT.model_copy(update={"shipment_id": "wms-2", "tracking_number": "1"})
    story = tell(
        KEY,
        [record("shipments", SHIPMENT), record("shipments", late, 9), record("ledger", ENTRY)],
        BOOK,
    )

    facts = shipment_facts(story)

    assert facts["shipment"] == "wms-1 revision 2"
    assert facts["state"] == "confirmed"
    assert facts["declared as"] == "FEDEX 776705370628"
    assert facts["voucher"] == "3000000001"
    assert "next look" not in facts


def test_amounts_are_told_without_idle_zeros() -> None:
    assert order_facts(ORDER)["total"] == "12.50 EUR"


@pytest.mark.parametrize(
    ("inbound", "what", "detail"),
    [
        (
            record(
                "dead-letters", b"x", 0, (("dlq.reason", b"invalid"), ("dlq.error", b"no time"))
            ),
            "dead letter from a topic: invalid",
            "no time",
        ),
        (record("orders", None), "erased", ""),
        (
            record("shipments", b"oops"),
            "cannot be read",
            "unknown_form: the value starts with 6f6f",
        ),
        (
            record("shipments", SHIPMENT, 0, (("wb-rerouted", b"7"),)),
            "shipment create",
            "forwarded from partition 7",
        ),
        (
            record(
                "notifications",
                NOTE.model_copy(
                    update={"outcome": Outcome.WAITING, "reason": Reason.NO_TRACKING_NUMBER}
                ),
            ),
            "told: waiting (no_tracking_number)",
            "wms-1: ",
        ),
        (
            record(
                "proofs", PROOF.model_copy(update={"pages": (), "refusal": "no_tracking_number"})
            ),
            "proof refused: no_tracking_number",
            "",
        ),
    ],
)
def test_each_kind_of_record_is_told(inbound: Inbound, what: str, detail: str) -> None:
    (step,) = tell(KEY, [inbound], BOOK).steps

    assert step.what == what
    assert detail in step.detail
