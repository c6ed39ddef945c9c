"""Limits: outages of Alibaba, stores that cannot send for weeks, and software that is itself at fault."""

from pathlib import Path

import pytest

from services.notifier.rule import Accepted, NotSent, UploadFailed
from services.notifier.scheduling import Breaker
from tests.unit.notifier.conftest import OpenDesk
from tests.unit.notifier.rule.builders import make_store
from tests.unit.notifier.world import Desk, key_of
from waybill.streaming.errors import FatalError
from waybill.streaming.failures import FAILURES_MAX, FailureTally

_FORTNIGHT_S = 14 * 24 * 3600.0


# ------------------------------------------------------------------------------ Alibaba is not there


def _publish(desk: Desk, count: int, first: int = 0, store_id: str = "store-1") -> list[str]:
    keys = [key_of(first + number) for number in range(count)]
    for key in keys:
        desk.process(desk.order(key, store_id=store_id), desk.shipment(key))
    return keys


def _fail_what_is_tried(desk: Desk, seconds: float) -> None:
    """Time passes second by second; proofs come, and every upload ends without an answer."""
    answered = failed = 0
    for _ in range(round(seconds)):
        desk.wait(1)
        claims = desk.claims()
        for claim in claims[answered:]:
            desk.process(desk.proof(claim.order_key))
        answered = len(claims)
        for upload in desk.caller.uploads[failed:]:
            desk.answer(upload.key, UploadFailed(NotSent("unavailable")))
        failed = len(desk.caller.uploads)


def test_an_outage_makes_few_writes_however_many_wait(open_desk: OpenDesk) -> None:
    desk = open_desk(settings={"works_per_store_max": 8})
    keys = _publish(desk, 300)
    assert all(desk.at(key) == "claimed" for key in keys)  # intake waited for nobody
    _fail_what_is_tried(desk, 60)
    before = len(desk.to("ledger")), len(desk.caller.uploads)

    _fail_what_is_tried(desk, 600)

    assert len(desk.caller.uploads) - before[1] <= 25
    assert len(desk.to("ledger")) - before[0] <= 2 * 25, "a try and its end, and nothing else"
    assert not desk.shared.is_open("store-1")


def test_after_an_outage_one_order_tries_and_then_all_go_oldest_first(open_desk: OpenDesk) -> None:
    desk = open_desk(settings={"works_per_store_max": 8})
    keys = _publish(desk, 60)
    _fail_what_is_tried(desk, 120)
    tried = len(desk.claims())
    while len(desk.claims()) == tried:
        desk.wait(1)
    first = desk.claims()[-1].order_key
    desk.wait(1)
    assert len(desk.claims()) == tried + 1, "only one order tries"

    desk.process(desk.proof(first))
    desk.answer(first, desk.uploaded(first))
    desk.answer(first, desk.called(first, Accepted("V1")))
    desk.wait(1)

    went = [claim.order_key for claim in desk.claims()[tried:]]
    assert len(went) >= 8
    # those that failed moments ago still pause; of the others the oldest go
    rest = [key for key in keys if key in went]
    assert sorted(went[1:]) == went[1:]
    assert set(rest) == set(went)


def test_an_outage_of_one_store_is_not_one_of_another(open_desk: OpenDesk) -> None:
    desk = open_desk(stores=(make_store(), make_store(store_id="store-2")))
    _publish(desk, 40)
    _fail_what_is_tried(desk, 60)
    assert not desk.shared.is_open("store-1")

    (key,) = _publish(desk, 1, first=1_000, store_id="store-2")

    assert desk.claims(key), "its claim is out at once"


def test_pauses_double_up_to_half_a_minute_and_end_with_an_answer() -> None:
    breaker, now_s, pauses = Breaker(), 100.0, []
    for _ in range(9):
        assert breaker.unanswered("s", now_s) is None
    for _ in range(7):
        pause_s = breaker.unanswered("s", now_s)
        assert pause_s is not None
        assert breaker.unanswered("s", now_s + pause_s / 2) is None, "it pauses already"
        pauses.append(pause_s)
        now_s += pause_s
    assert pauses == [2, 4, 8, 16, 30, 30, 30]
    assert breaker.room("s") == 1

    breaker.answered("s")

    assert breaker.room("s") is None
    assert breaker.unanswered("s", now_s) is None


def test_failures_between_answers_close_nothing() -> None:
    breaker = Breaker()
    for _ in range(100):
        for _ in range(9):
            assert breaker.unanswered("s", 0.0) is None
        breaker.answered("s")


# ---------------------------------------------------------------- a store that cannot send for weeks


def test_a_store_that_is_paused_for_a_fortnight_slows_no_other(open_desk: OpenDesk) -> None:
    stores = (make_store(paused=True), make_store(store_id="store-2"))
    desk = open_desk(stores=stores, settings={"works_max": 16, "works_per_store_max": 16})
    waiting = _publish(desk, 500)
    writes = len(desk.to("ledger"))

    for day in range(14):
        desk.wait(_FORTNIGHT_S / 14)
        for key in _publish(desk, 5, first=10_000 + 10 * day, store_id="store-2"):
            desk.process(desk.proof(key))
            desk.answer(key, desk.uploaded(key))
            desk.answer(key, desk.called(key, Accepted("V1")))
            assert desk.at(key) == "confirmed"

    assert all(desk.at(key) == "claimed" for key in waiting[::50])
    assert len(desk.to("ledger")) == writes + 14 * 5 * 3, "those that wait are not written again"
    assert not set(waiting) & {claim.order_key for claim in desk.claims()}

    desk.connect(make_store(revision=2))
    desk.wait(1)

    # the claims were not out yet, so opening the gate lets the oldest go, as many as there is room for
    assert [claim.order_key for claim in desk.claims()][-16:] == waiting[:16]


# -------------------------------------------------------------------------- software that is at fault


def _fail(tally: FailureTally, count: int, topic: str = "shipments") -> None:
    for _ in range(count):
        tally.failed(topic, ZeroDivisionError())


def test_a_version_that_fails_over_everything_stops_however_slowly_records_come() -> None:
    tally = FailureTally()
    _fail(tally, FAILURES_MAX - 1)

    with pytest.raises(FatalError, match="shipments failed"):
        _fail(tally, 1)


def test_records_of_another_topic_do_not_hide_the_failures() -> None:
    tally = FailureTally()
    for _ in range(FAILURES_MAX - 1):
        _fail(tally, 1)
        for _ in range(1_000):
            tally.succeeded("orders")

    with pytest.raises(FatalError):
        _fail(tally, 1)


def test_a_defect_over_few_records_stops_nothing() -> None:
    tally = FailureTally()
    for _ in range(1_000):
        for _ in range(11):
            tally.succeeded("shipments")
        _fail(tally, 1)


def test_a_restart_gives_up_no_further_records(tmp_path: Path) -> None:
    file = tmp_path / "failures.json"
    with pytest.raises(FatalError):
        _fail(FailureTally(file, "0.2.0"), FAILURES_MAX)

    for _ in range(3):
        with pytest.raises(FatalError):
            _fail(FailureTally(file, "0.2.0"), 1)


def test_good_records_after_a_restart_make_up_for_old_failures(tmp_path: Path) -> None:
    file = tmp_path / "failures.json"
    _fail(FailureTally(file, "0.2.0"), FAILURES_MAX - 1)
    tally = FailureTally(file, "0.2.0")
    for _ in range(100):
        tally.succeeded("shipments")

    _fail(tally, FAILURES_MAX - 1)


def test_another_version_starts_from_nothing(tmp_path: Path) -> None:
    file = tmp_path / "failures.json"
    _fail(FailureTally(file, "0.2.0"), FAILURES_MAX - 1)

    _fail(FailureTally(file, "0.2.1"), FAILURES_MAX - 1)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"version": "1", "failed": {"a": "b"}}'])
def test_a_damaged_count_is_no_reason_to_stop(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "failures.json"
    file.write_bytes(content)

    _fail(FailureTally(file, "1"), FAILURES_MAX - 1)


def test_the_notifier_keeps_the_count_over_restarts_and_the_record_stays_unread(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("services.notifier.handler.decide", broken)
    desk = open_desk()
    for revision in range(1, FAILURES_MAX):
        desk.process(desk.shipment(key_of(1), revision=revision))
    with pytest.raises(FatalError):
        desk.decide(desk.shipment(key_of(1), revision=FAILURES_MAX))
    desk.handler().close()

    again = open_desk()
    with pytest.raises(FatalError):
        again.decide(again.shipment(key_of(1), revision=FAILURES_MAX))
    assert again.outputs == []
