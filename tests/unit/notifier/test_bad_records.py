"""Records that cannot be read, lie on the wrong partition, or meet a defect: none stops the stream."""

from io import BytesIO
from typing import Any

import fastavro
import pytest

from services.notifier.rule import Accepted, Decision, Event, Facts, decide
from services.notifier.view import Card
from tests.unit.notifier.conftest import OpenDesk
from tests.unit.notifier.rule.builders import make_store
from tests.unit.notifier.world import Desk, key_of
from waybill.contracts import LedgerEntry, Shipment
from waybill.contracts.codec import (
    SINGLE_OBJECT,
    Codec,
    SchemaBook,
    schema_fingerprint,
    schema_record,
)
from waybill.contracts.headers import LEDGER_CARD, ORDER_STATUS
from waybill.contracts.keys import partition_of
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason
from waybill.contracts.shipment import Action
from waybill.streaming.errors import FatalError
from waybill.streaming.records import Inbound

KEY, OTHER = key_of(1), key_of(2)
UNKNOWN_SCHEMA = SINGLE_OBJECT + b"\x01\x02\x03\x04\x05\x06\x07\x08" + b"body"


def _dead(desk: Desk) -> list[dict[str, bytes | None]]:
    return [dict(output.headers) for output in desk.to("dead-letters")]


def _dead_reasons(desk: Desk) -> list[bytes | None]:
    return [headers["dlq.reason"] for headers in _dead(desk)]


# ----------------------------------------------------------------------------------- dead letters


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"garbage", b"unknown_form"),
        (UNKNOWN_SCHEMA, b"unknown_schema"),
        (b'{"order_key": "x"}', b"invalid"),
        (b"{", b"invalid"),
        (b"\x00\x00\x00\x00\x05body", b"unknown_schema"),
        (None, b"no_value"),
    ],
)
def test_a_shipment_that_cannot_be_read_is_a_dead_letter_and_the_next_goes_on(
    desk: Desk, value: bytes | None, reason: bytes
) -> None:
    bad = desk.record("shipments", KEY, value)

    desk.process(desk.order(OTHER), bad, desk.shipment(OTHER))

    assert _dead_reasons(desk) == [reason]
    assert desk.to("dead-letters")[0].value == value
    assert _dead(desk)[0]["dlq.origin-offset"] == str(bad.offset).encode()
    assert desk.at(OTHER) == "claimed"
    assert desk.metric("waybill_dead_letters_total", reason=reason.decode()) == 1


def test_a_record_without_a_key_is_a_dead_letter(desk: Desk) -> None:
    value = desk.shared.codecs.shipment.encode(desk.make_shipment(KEY))

    desk.process(desk.record("shipments", None, value))

    assert _dead_reasons(desk) == [b"no_key"]


def test_a_key_that_contradicts_the_body_is_a_dead_letter_that_repeats_neither(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    value = desk.shared.codecs.shipment.encode(desk.make_shipment(KEY))

    desk.process(desk.record("shipments", "ada.king@example.org", value))

    assert _dead_reasons(desk) == [b"key_mismatch"]
    told = _dead(desk)[0]["dlq.error"] or b""
    captured = capsys.readouterr()
    assert b"ada.king" not in told
    assert "ada.king" not in captured.out + captured.err
    assert KEY.encode() in told, "the right key is what helps"


def test_an_order_under_another_key_is_a_dead_letter_and_no_order(desk: Desk) -> None:
    value = desk.shared.codecs.order.encode(desk.make_order(KEY))
    headers = ((ORDER_STATUS, b"awaiting_shipment"),)

    desk.process(desk.record("orders", OTHER, value, headers), desk.shipment(OTHER))

    assert _dead_reasons(desk) == [b"key_mismatch"]
    assert desk.at(OTHER) == "waiting: order_unknown"


def test_too_many_shipment_ids_are_dead_letters(desk: Desk) -> None:
    desk.process(desk.order(KEY))
    for number in range(desk.shared.limits.seen_max):
        desk.process(desk.shipment(KEY, f"S{number}", tracking_number=f"1Z{number:05d}"))

    desk.process(desk.shipment(KEY, "S-last", tracking_number="1Z77777"))

    assert _dead_reasons(desk) == [b"too_many_shipments"]
    assert b"too many" in (_dead(desk)[0]["dlq.error"] or b"")


def test_a_word_of_a_newer_contract_is_a_dead_letter_that_says_so(desk: Desk) -> None:
    shipment = desk.make_shipment(KEY, action=Action.UNRECOGNISED)
    value = desk.shared.codecs.shipment.encode(shipment)

    desk.process(desk.order(KEY), desk.record("shipments", KEY, value))

    assert _dead_reasons(desk) == [b"invalid"]
    assert b"too many" not in (_dead(desk)[0]["dlq.error"] or b"")


# -------------------------------------------------------------------------------- wrong partition


@pytest.fixture
def two(open_desk: OpenDesk) -> Desk:
    """A notifier that owns two partitions."""
    return open_desk(0, 1, partitions=2)


def _misplaced(desk: Desk, key: str = KEY, **more: Any) -> tuple[Inbound, int, int]:
    right = partition_of(key, 2)
    wrong = 1 - right
    return desk.shipment(key, partition=wrong, **more), wrong, right


def test_a_record_on_the_wrong_partition_is_forwarded_to_the_right_one(two: Desk) -> None:
    lying, wrong, right = _misplaced(two)

    batch = two.process(lying, number=wrong)

    (sent,) = batch.outputs
    assert (sent.topic, sent.partition, sent.key, sent.value) == (
        "shipments",
        right,
        lying.key,
        lying.value,
    )
    assert dict(sent.headers)["wb-rerouted"] == str(wrong).encode()
    assert two.metric("waybill_records_rerouted_total", topic="shipments") == 1


def test_the_second_time_it_is_a_dead_letter(two: Desk) -> None:
    lying, wrong, _ = _misplaced(two)
    value = lying.value

    two.process(two.record("shipments", KEY, value, (("wb-rerouted", b"1"),), wrong), number=wrong)

    assert _dead_reasons(two) == [b"wrong_partition"]
    assert two.to("shipments") == []


def test_a_forwarded_record_on_its_right_partition_is_taken(two: Desk) -> None:
    right = partition_of(KEY, 2)
    value = two.shared.codecs.shipment.encode(two.make_shipment(KEY))
    marked = two.record("shipments", KEY, value, (("wb-rerouted", b"1"),), right)

    two.process(two.order(KEY, partition=right), marked, number=right)

    assert two.at(KEY, right) == "claimed"


def test_a_misplaced_record_that_cannot_be_forwarded_is_a_dead_letter(two: Desk) -> None:
    """With its mark it may be larger than its topic takes: the transaction would abort for ever."""
    _, wrong, _ = _misplaced(two)
    lying = two.record("shipments", KEY, b"x" * (1024 * 1024 - 100), (), wrong)

    two.process(lying, number=wrong)

    assert two.to("shipments") == []
    assert _dead_reasons(two) == [b"wrong_partition"]


# -------------------------------------------------------------------------------- defects of ours


def _broken_for(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule with a defect: it fails over everything about one order."""

    def broken(entry: LedgerEntry | None, event: Event, facts: Facts) -> Decision:
        if facts.key == key:
            raise ZeroDivisionError("Ada King, 12 St James's Square")
        return decide(entry, event, facts)

    monkeypatch.setattr("services.notifier.handler.decide", broken)


def test_a_defect_over_a_record_is_a_dead_letter_and_the_stream_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _broken_for(KEY, monkeypatch)

    desk.process(desk.shipment(KEY), desk.order(OTHER), desk.shipment(OTHER))

    assert _dead_reasons(desk) == [b"processing_failed"]
    assert _dead(desk)[0]["dlq.error"] == b"ZeroDivisionError"
    assert desk.at(OTHER) == "claimed"


def test_defects_over_most_records_end_the_process(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _broken_for(KEY, monkeypatch)
    for revision in range(1, 10):
        desk.process(desk.shipment(KEY, revision=revision))

    with pytest.raises(FatalError, match="ZeroDivisionError"):
        desk.decide(desk.shipment(KEY, revision=10))


def test_defects_over_few_records_do_not(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _broken_for(KEY, monkeypatch)
    for revision in range(1, 30):
        good = [desk.shipment(OTHER, revision=revision) for _ in range(12)]
        desk.process(desk.shipment(KEY, revision=revision), *good)

    assert len(_dead(desk)) == 29


def test_bad_input_never_counts_as_a_defect(desk: Desk) -> None:
    desk.process(*(desk.record("shipments", KEY, b"garbage") for _ in range(100)))

    assert len(_dead(desk)) == 100


# ------------------------------------------------------------------------------ unreadable entries


def _ledger_record(
    desk: Desk, value: bytes | None, card: Card | bytes | None, key: str = KEY
) -> Inbound:
    text = card.encoded() if isinstance(card, Card) else card
    headers = [(LEDGER_CARD, text)] if text is not None else []
    return desk.record("ledger", key, value, headers)


def _with_unreadable_entry(desk: Desk, card: Card | bytes | None) -> Desk:
    """A partition whose ledger holds an entry that this version cannot read."""
    handler = desk.notifier.open(0, "identity")
    handler.absorb([desk.order(KEY), _ledger_record(desk, UNKNOWN_SCHEMA, card)])
    desk.shared.tick()
    handler.opened()
    return desk


DUE_MS = 1_000


@pytest.fixture
def closed(open_desk: OpenDesk) -> Desk:
    """A notifier that owns nothing yet."""
    desk = open_desk()
    desk.handler().close()
    return desk


CARDS = [
    None,
    Card(State.CLAIMED, "store-1", "", 0, 1),
    Card(State.CLAIMED, "store-1", "", DUE_MS, 1),
    Card(State.WAITING, "", "order_unknown", DUE_MS, 0),
    Card(State.WAITING, "store-1", "carrier_unmapped", 0, 0),
    Card(State.DISPATCHED, "store-1", "", DUE_MS, 1),
    Card(State.IN_DOUBT, "store-1", "", DUE_MS, 1),
    Card(State.CONFIRMED, "store-1", "", 0, 1),
    b"claimed|store-1||0|1|a field that a newer version added",
    b"\xff",
]


@pytest.mark.parametrize("card", CARDS, ids=str)
def test_an_unreadable_entry_answers_every_event_and_makes_no_call(
    closed: Desk, card: Card | bytes | None
) -> None:
    desk = _with_unreadable_entry(closed, card)
    for _ in range(3):
        desk.wait(100)

    before = len(desk.notifications(KEY))
    desk.process(desk.shipment(KEY))
    assert [told.reason for told in desk.notifications(KEY)][before:] == [Reason.LEDGER_UNREADABLE]
    desk.process(desk.order(KEY, content_sha256="b" * 64))
    desk.turn()

    assert len(desk.notifications(KEY)) == before + 2
    assert all(told.needs_operator for told in desk.notifications(KEY))
    assert desk.to("dead-letters") == []
    assert desk.to("ledger") == [], "the entry must stay as it is"
    assert desk.to("claims") == []
    assert desk.caller.lookups == []
    assert desk.metric("waybill_ledger_unreadable_total") >= 2
    assert before <= 2, "it must not be told again and again without an event"


def test_an_unreadable_entry_holds_up_no_other_order(closed: Desk) -> None:
    desk = _with_unreadable_entry(closed, Card(State.DISPATCHED, "store-1", "", DUE_MS, 1))

    desk.wait(1_000)
    desk.calling(OTHER)
    desk.answer(OTHER, desk.called(OTHER, Accepted("V")))

    assert desk.at(OTHER) == "confirmed"


def test_an_entry_with_words_of_a_newer_version_is_left_alone(closed: Desk) -> None:
    """It can be read, but not understood: hands off, and no endless loop of proofs."""
    donor = closed
    donor.open()
    donor.claimed(KEY)
    entry = donor.entry(KEY).model_copy(update={"reason": Reason.UNRECOGNISED})
    donor.handler().close()
    donor.outputs.clear()
    handler = donor.notifier.open(0, "identity")
    framed = donor.shared.codecs.ledger.encode(entry)
    handler.absorb([_ledger_record(donor, framed, Card.of(entry))])
    handler.opened()

    for _ in range(5):
        donor.wait(70)

    assert donor.outputs == []
    assert donor.caller.uploads == []


# ------------------------------------------------------------------------------- unreadable orders


@pytest.mark.parametrize("status", [b"awaiting_shipment", b"shipped", None])
def test_an_unreadable_order_found_at_a_takeover_stops_nothing(
    closed: Desk, status: bytes | None
) -> None:
    headers = [(ORDER_STATUS, status)] if status else []
    bad = closed.record("orders", KEY, UNKNOWN_SCHEMA, headers)
    handler = closed.notifier.open(0, "identity")

    handler.absorb([bad, closed.order(OTHER)])
    handler.opened()
    closed.process(closed.shipment(KEY), closed.shipment(OTHER))
    closed.wait(100)

    assert closed.at(OTHER) == "claimed"
    assert closed.at(KEY) == "waiting: order_unknown"
    assert closed.to("dead-letters") == []
    closed.process(closed.order(KEY))
    assert closed.at(KEY) == "claimed"


def test_an_unreadable_order_that_comes_now_is_a_dead_letter_and_the_known_one_stays(
    desk: Desk,
) -> None:
    desk.process(desk.order(KEY), desk.record("orders", KEY, UNKNOWN_SCHEMA), desk.shipment(KEY))

    assert _dead_reasons(desk) == [b"unknown_schema"]
    assert desk.at(KEY) == "claimed"


@pytest.mark.parametrize("value", [UNKNOWN_SCHEMA, b"", b"garbage"])
def test_a_table_row_that_cannot_be_read_leaves_the_store_as_it_was(
    desk: Desk, value: bytes
) -> None:
    for topic in ("stores", "store-tokens", "schemas"):
        desk.table(topic, value)
    desk.table("stores", None)

    desk.calling(KEY)


def test_a_schema_that_is_none_is_no_end(open_desk: OpenDesk) -> None:
    desk = open_desk(usual_schemas=False)
    desk.table("schemas", b'{"type": "nonsense"}')
    desk.table("schemas", b"[1, 2]")

    desk.calling(KEY)


def test_a_schema_of_a_newer_writer_is_learnt_from_its_topic(open_desk: OpenDesk) -> None:
    desk = open_desk(usual_schemas=False)
    newer = dict(desk.shared.codecs.shipment.schema)
    fields = [*newer["fields"], {"name": "newest", "type": "string", "default": ""}]
    newer = newer | {"fields": fields}
    out = BytesIO(SINGLE_OBJECT + schema_fingerprint(newer))
    out.seek(0, 2)
    row = desk.make_shipment(KEY).model_dump() | {"newest": "x"}
    fastavro.schemaless_writer(out, fastavro.parse_schema(newer), row)

    desk.process(desk.order(KEY), desk.record("shipments", KEY, out.getvalue()))
    assert _dead_reasons(desk) == [b"unknown_schema"]

    desk.table("schemas", schema_record(newer)[1])
    desk.process(desk.record("shipments", KEY, out.getvalue()))
    assert desk.at(KEY) == "claimed"
    (claim,) = desk.claims(KEY)
    shown = Codec(Shipment, "shipment", SchemaBook()).decode(claim.shipment)  # as proofgen reads it
    assert shown == desk.make_shipment(KEY)
    assert desk.entry(KEY).shipment == out.getvalue(), "the ledger keeps it untouched"


def test_the_store_decides_not_the_shipment(open_desk: OpenDesk) -> None:
    desk = open_desk(stores=(make_store(), make_store(store_id="store-2")))
    desk.process(desk.order(KEY), desk.shipment(KEY, store_id="store-2"))

    assert desk.told(KEY) == ["refused: order_of_another_store"]
