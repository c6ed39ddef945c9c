"""Which records a replay takes, and how its options are read."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.reprocessing.records import KEY, OTHER, PARTITIONS, T0, T0_MS, shipment_record
from waybill.contracts.topics import topics
from waybill.reprocessing.selection import (
    Choice,
    Selection,
    Tally,
    as_offsets,
    order_keys,
    parse_offsets,
    parse_time,
)
from waybill.reprocessing.stamps import REPLAY, redriven, replayed, run_id
from waybill.reprocessing.topics import WRITTEN_AGAIN, why_not
from waybill.streaming.records import Inbound

RUN = run_id(REPLAY, T0, "3fa2")
ALL = Selection(PARTITIONS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T14:00Z", datetime(2026, 11, 23, 14, tzinfo=UTC)),
        ("2026-11-23T15:00+01:00", datetime(2026, 11, 23, 14, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("90m", T0 - timedelta(minutes=90)),
        ("2h", T0 - timedelta(hours=2)),
        ("7d", T0 - timedelta(days=7)),
    ],
)
def test_a_time_is_a_moment_a_day_or_how_long_ago(text: str, expected: datetime) -> None:
    assert parse_time(text, T0) == expected


@pytest.mark.parametrize("text", ["yesterday", "", "12", "2026-11-23T15:00", "7w"])
def test_a_time_that_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"want a time|in which zone"):
        parse_time(text, T0)


def test_offsets_are_read_and_written_in_the_same_form() -> None:
    assert parse_offsets("3:88, 0:1200", 12) == {0: 1200, 3: 88}
    assert as_offsets({3: 88, 0: 1200}) == "0:1200,3:88"


@pytest.mark.parametrize(
    ("text", "told"),
    [("0", "PARTITION:OFFSET"), ("12:1", "has 12"), ("1:2,1:3", "twice"), ("0:-1", "PARTITION")],
)
def test_offsets_that_mean_nothing_are_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_offsets(text, 12)


def test_an_order_key_is_checked() -> None:
    assert order_keys([KEY.decode()]) == {KEY}
    with pytest.raises(ValueError, match="want <site>:<trade_id>"):
        order_keys(["255201166001024316"])


def test_every_topic_is_either_written_again_or_refused_with_what_to_do() -> None:
    assert {topic for topic in topics() if why_not(topic) is None} == WRITTEN_AGAIN
    assert all(len(why_not(topic) or "") > 40 for topic in set(topics()) - WRITTEN_AGAIN)


@pytest.mark.parametrize(
    ("selection", "record", "choice"),
    [
        (ALL, shipment_record(), Choice.TAKEN),
        (ALL, shipment_record(None), Choice.NO_KEY),
        (ALL, shipment_record(value=None), Choice.NO_VALUE),
        (Selection(PARTITIONS, frozenset({OTHER})), shipment_record(), Choice.OTHER_ORDER),
        (Selection(PARTITIONS, until_ms=T0_MS), shipment_record(), Choice.TAKEN),
        (Selection(PARTITIONS, until_ms=T0_MS - 1), shipment_record(), Choice.AFTER_END),
        (ALL, shipment_record(headers=(("wb-replayed", RUN.encode()),)), Choice.COPY),
        (ALL, shipment_record(headers=(("wb-replayed", b"redrive-1"),)), Choice.TAKEN),
        (
            Selection(PARTITIONS, copies=True),
            shipment_record(headers=(("wb-replayed", RUN.encode()),)),
            Choice.TAKEN,
        ),
        (ALL, shipment_record(headers=(("wb-rerouted", b"1"),)), Choice.TAKEN),
    ],
)
def test_a_record_is_taken_or_left_for_a_reason(
    selection: Selection, record: Inbound, choice: Choice
) -> None:
    assert selection.choose(record) is choice


def test_what_lies_on_a_wrong_partition_is_left_to_its_forwarded_copy() -> None:
    right = shipment_record().partition

    astray = shipment_record(partition=(right + 1) % PARTITIONS)

    assert ALL.choose(astray) is Choice.MISPLACED


def test_a_replayed_record_is_the_same_but_for_two_headers() -> None:
    record = shipment_record(headers=(("traceparent", b"00-1"), ("odd", None)))

    again = replayed(record, RUN)

    assert (again.topic, again.partition) == ("shipments", record.partition)
    assert (again.key, again.value) == (record.key, record.value)
    assert list(again.headers) == [
        ("traceparent", b"00-1"),
        ("odd", None),
        ("wb-replayed", RUN.encode()),
        ("wb-replayed-from", f"shipments/{record.partition}/7".encode()),
    ]


def test_a_redriven_record_starts_anew_on_the_partition_of_its_key() -> None:
    record = shipment_record(
        partition=1,
        headers=(
            ("ce_id", b"1"),
            ("wb-rerouted", b"1"),
            ("wb-replayed", b"redrive-0"),
            ("wb-replayed-from", b"dead-letters/1/1"),
            ("dlq.reason", b"wrong_partition"),
            ("dlq.made-up", None),
        ),
    )

    again = redriven(record, "shipments", PARTITIONS, "redrive-1")

    assert again.partition == shipment_record().partition
    assert [name for name, _ in again.headers] == ["ce_id", "wb-replayed", "wb-replayed-from"]


def test_a_tally_counts_and_keeps_a_few_keys_only() -> None:
    tally = Tally()
    for number in range(100):
        tally.take(shipment_record(f"sandbox:{number}".encode(), at_ms=T0_MS + number))
    tally.leave(Choice.COPY.value)

    assert tally.taken == 100
    assert len(tally.sample) == 5
    assert min(extent.first_ms or 0 for extent in tally.extents.values()) == T0_MS
    assert max(extent.last_ms or 0 for extent in tally.extents.values()) == T0_MS + 99
    assert tally.left == {Choice.COPY.value: 1}
