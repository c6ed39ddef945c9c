"""When orders may go: a store's delay and its daily window, without a write for any order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.notifier.rule import Unclear
from services.notifier.timetable import (
    NO_SUCH_TIME_ZONE,
    OUTSIDE_WINDOW,
    claimed_by_ms,
    closed_because,
)
from tests.unit.notifier.rule.builders import START, make_store
from tests.unit.notifier.world import Desk, key_of
from waybill.contracts.base import millis


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def is_open(window: str, zone: str, moment: str) -> bool:
    store = make_store(notify_window=window, time_zone=zone)
    return closed_because(store, at(moment)) is None


# ------------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize(
    ("window", "zone", "moment", "expected"),
    [
        ("08:00-20:00", "UTC", "2026-11-23T07:59:59Z", False),
        ("08:00-20:00", "UTC", "2026-11-23T08:00:00Z", True),
        ("08:00-20:00", "UTC", "2026-11-23T19:59:59Z", True),
        ("08:00-20:00", "UTC", "2026-11-23T20:00:00Z", False),
        ("08:00-20:00", "Asia/Shanghai", "2026-11-23T00:00:00Z", True),
        ("08:00-20:00", "Asia/Shanghai", "2026-11-23T12:00:00Z", False),
        ("08:00-20:00", "Asia/Kathmandu", "2026-11-23T02:14:00Z", False),
        ("08:00-20:00", "Asia/Kathmandu", "2026-11-23T02:15:00Z", True),
        ("22:00-06:00", "UTC", "2026-11-23T23:30:00Z", True),
        ("22:00-06:00", "UTC", "2026-11-23T05:59:00Z", True),
        ("22:00-06:00", "UTC", "2026-11-23T06:00:00Z", False),
        ("00:00-24:00", "UTC", "2026-11-23T23:59:59Z", True),
        ("20:00-24:00", "UTC", "2026-11-24T00:00:00Z", False),
        ("08:00-08:00", "UTC", "2026-11-24T07:59:00Z", True),
    ],
)
def test_a_window_opens_and_closes_by_the_store_s_own_clock(
    window: str, zone: str, moment: str, expected: bool
) -> None:
    assert is_open(window, zone, moment) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-28T06:30:00Z", False),  # winter: 07:30 in Berlin
        ("2026-03-28T07:00:00Z", True),
        ("2026-03-29T06:00:00Z", True),  # the clock went forward in the night: 08:00
        ("2026-03-29T18:00:00Z", False),
        ("2026-10-24T06:00:00Z", True),  # summer: 08:00
        ("2026-10-25T06:00:00Z", False),  # it went back: 07:00
        ("2026-10-25T07:00:00Z", True),
    ],
)
def test_a_window_follows_the_clock_change(moment: str, expected: bool) -> None:
    assert is_open("08:00-20:00", "Europe/Berlin", moment) is expected


def test_in_spring_a_window_that_begins_in_the_missing_hour_opens_at_its_end() -> None:
    assert not is_open("02:30-04:00", "Europe/Berlin", "2026-03-29T00:59:59Z")  # 01:59:59
    assert is_open("02:30-04:00", "Europe/Berlin", "2026-03-29T01:00:00Z")  # 03:00:00


def test_in_autumn_the_repeated_hour_opens_it_twice() -> None:
    minutes = (datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=n) for n in range(180))
    store = make_store(notify_window="02:00-02:30", time_zone="Europe/Berlin")

    assert sum(closed_because(store, minute) is None for minute in minutes) == 60


def test_without_a_window_it_is_open_whatever_the_zone() -> None:
    assert closed_because(make_store(time_zone="Mars/Base"), START) is None


def test_a_window_in_a_zone_that_nobody_knows_stays_shut_and_says_why() -> None:
    store = make_store(time_zone="Mars/Base", notify_window="00:00-24:00")

    assert closed_because(store, START) == NO_SUCH_TIME_ZONE


@pytest.mark.parametrize("window", ["8:00-20:00", "24:00-08:00", "08:60-09:00", "08:00", "-"])
def test_a_window_that_is_none_is_no_setting(window: str) -> None:
    with pytest.raises(ValidationError, match="notify_window"):
        make_store(notify_window=window)


def test_the_delay_counts_from_the_claim() -> None:
    store = make_store(notify_delay_min=30)
    claimed = millis(START)

    assert claimed > claimed_by_ms(store, claimed + 30 * 60_000 - 1)
    assert claimed <= claimed_by_ms(store, claimed + 30 * 60_000)


# ------------------------------------------------------------------------------------ orders in line


def change(desk: Desk, revision: int, **settings: Any) -> None:
    store = make_store(revision=revision, **settings)
    desk.table("stores", desk.shared.codecs.store.encode(store))


def test_a_delayed_order_goes_by_itself_and_is_written_once_for_it(desk: Desk) -> None:
    change(desk, 2, notify_delay_min=10)
    key = key_of(1)
    desk.process(desk.order(key), desk.shipment(key))
    desk.wait(599)
    assert desk.claims(key) == []

    desk.wait(1)

    assert len(desk.claims(key)) == 1
    assert len(desk.to("ledger")) == 1


def test_a_correction_within_the_delay_is_in_time(desk: Desk) -> None:
    change(desk, 2, notify_delay_min=10)
    key = key_of(1)
    desk.process(desk.order(key), desk.shipment(key))
    desk.wait(300)
    desk.process(desk.shipment(key, revision=2, tracking_number="CORRECTED"))
    assert desk.claims(key) == []

    desk.wait(300)

    (claim,) = desk.claims(key)
    shown = desk.shared.codecs.shipment.decode(claim.shipment)
    assert shown.tracking_number == "CORRECTED"


def test_a_shorter_delay_counts_at_once_and_a_longer_one_too(desk: Desk) -> None:
    change(desk, 2, notify_delay_min=10)
    first, second = key_of(1), key_of(2)
    desk.process(desk.order(first), desk.shipment(first))
    change(desk, 3, notify_delay_min=0)
    desk.wait(1)
    assert len(desk.claims(first)) == 1

    change(desk, 4, notify_delay_min=60)
    desk.process(desk.order(second), desk.shipment(second))
    desk.wait(600)
    assert desk.claims(second) == []


def test_a_delayed_order_holds_up_no_other_store(desk: Desk) -> None:
    change(desk, 2, notify_delay_min=10)
    desk.connect(make_store(store_id="store-2"))
    slow, quick = key_of(1), key_of(2)
    desk.process(desk.order(slow), desk.shipment(slow))
    desk.process(desk.order(quick, store_id="store-2"), desk.shipment(quick))

    assert desk.claims(slow) == []
    assert len(desk.claims(quick)) == 1


def test_orders_wait_for_the_window_and_go_when_it_opens_without_a_write(desk: Desk) -> None:
    change(desk, 2, notify_window="13:00-14:00")  # it is noon
    keys = [key_of(number) for number in range(3)]
    for key in keys:
        desk.process(desk.order(key), desk.shipment(key))
    desk.wait(3_599)
    desk.shared.observe()
    assert desk.claims() == []
    assert desk.metric("waybill_stores_gated", reason=OUTSIDE_WINDOW) == 1

    desk.wait(1)
    desk.shared.observe()

    assert {claim.order_key for claim in desk.claims()} == set(keys)
    assert len(desk.to("ledger")) == len(keys)
    assert desk.metric("waybill_stores_gated", reason=OUTSIDE_WINDOW) == 0


def test_a_window_that_is_taken_away_lets_orders_go_at_once(desk: Desk) -> None:
    change(desk, 2, notify_window="13:00-14:00")
    key = key_of(1)
    desk.process(desk.order(key), desk.shipment(key))

    change(desk, 3)
    desk.wait(1)

    assert len(desk.claims(key)) == 1


def test_look_ups_do_not_wait_for_the_window(desk: Desk) -> None:
    key = desk.calling(key_of(1))
    change(desk, 2, notify_window="13:00-14:00")

    desk.answer(key, desk.called(key, Unclear()))
    desk.wait(10)

    assert key in desk.caller.lookups


def test_a_changed_start_rate_counts_for_the_next_call(desk: Desk) -> None:
    key = desk.uploading(key_of(1))
    limiter = desk.caller.lines[key].limiter.limiter
    assert limiter.rate_per_s == 1_000

    change(desk, 2, rate_per_s=5)

    assert limiter.rate_per_s == 5
