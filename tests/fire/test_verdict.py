"""The verdict finds every broken promise, and nothing wrong with a fire that ended well."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fire.evidence import Dead, Evidence, Published
from tests.fire.verdict import problems
from waybill.contracts import LedgerEntry, Notification, Shipment
from waybill.demo.sandbox_admin import SiteOrder

KEY, TRADE, NUMBER, PAGE = "sandbox:1", "1", "TRACK1", "a" * 64
NOW = datetime(2026, 5, 1, tzinfo=UTC)
ORIGIN = ("shipments", 0, 7)


def shipment(**changes: Any) -> Shipment:
    facts = {
        "order_key": KEY,
        "shipment_id": "s",
        "revision": 1,
        "occurred_at": NOW,
        "shipped_at": NOW,
        "tracking_number": NUMBER,
        "carrier": {"code": "fedex"},
    }
    return Shipment.model_validate(facts | changes)


def published(event: Shipment | None, offset: int = 0, **changes: Any) -> Published:
    place = ("shipments", 0, offset)
    one = Published(place, KEY.encode(), b"x", None, event, misplaced=False, rerouted=False)
    return replace(one, **changes)


def entry(revision: int, state: str, reason: str | None = None, **changes: Any) -> LedgerEntry:
    facts = {
        "key": KEY,
        "revision": revision,
        "state": state,
        "reason": reason,
        "shipment_id": "s",
        "shipment_revision": 1,
        "seen": [{"shipment_id": "s", "revision": 1, "end": "current"}],
        "partition_count": 6,
        "writer": "test",
    }
    return LedgerEntry.model_validate(facts | changes)


ATTEMPT = {
    "number": 1,
    "request_sha256": "b" * 64,
    "tracking_number": NUMBER,
    "carrier_code": "FEDEX",
    "logistics_type": "EXPRESS",
}


def note(revision: int, outcome: str, reason: str | None = None, **changes: Any) -> Notification:
    facts = {
        "notification_id": f"n{revision}",
        "order_key": KEY,
        "trade_id": TRADE,
        "shipment_id": "s",
        "outcome": outcome,
        "reason": reason,
        "message": "words",
        "entry_revision": revision,
        "decided_at": NOW,
    }
    return Notification.model_validate(facts | changes)


def upload(seq: int = 1) -> dict[str, Any]:
    return {"kind": "upload", "seq": seq, "file_path": "/p", "sha256": PAGE}


def accepted(seq: int = 2, **changes: Any) -> dict[str, Any]:
    row = {"kind": "shipment", "seq": seq, "trade_id": TRADE, "tracking_number": NUMBER}
    return row | {"attachments": [{"file_path": "/p"}], "late": False} | changes


CONFIRMED = Evidence(
    published=[published(shipment()), published(None, 7, bad="unreadable")],
    ledger=[
        entry(1, "claimed"),
        entry(2, "dispatched", attempt=ATTEMPT),
        entry(3, "confirmed", attempt=ATTEMPT),
    ],
    notifications=[note(3, "confirmed")],
    dead=[Dead(ORIGIN, "unreadable", "words", KEY.encode(), b"x")],
    proofs={KEY: frozenset({PAGE})},
    journal=[upload(), accepted()],
    site=[SiteOrder(TRADE, "seller", "delivering", has_address=True)],
    late_acts_pending=0,
)
WAITING = replace(
    CONFIRMED,
    published=[published(shipment(tracking_number=None)), published(None, 7, bad="unreadable")],
    ledger=[entry(1, "waiting", "no_tracking_number")],
    notifications=[note(1, "waiting", "no_tracking_number")],
    journal=[],
    site=[SiteOrder(TRADE, "seller", "undeliver", has_address=True)],
)

Change = Callable[[Evidence], Evidence]


def found(evidence: Evidence, rewinds: int = 0) -> str:
    return "; ".join(map(str, problems(evidence, rewinds)))


def test_a_fire_that_ended_well_has_no_problem() -> None:
    assert found(CONFIRMED) == ""
    assert found(WAITING) == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda e: replace(e, journal=[*e.journal, accepted(3)]), "2 calls acted"),
        (
            lambda e: replace(
                e,
                journal=[
                    *e.journal,
                    {"kind": "shipment_refused", "trade_id": TRADE, "only_by_status": True},
                ],
            ),
            "2 calls acted",
        ),
        (lambda e: replace(e, journal=[upload()]), "Alibaba has nothing"),
        (lambda e: replace(e, journal=[upload(), accepted(tracking_number="X")]), "confirmed with"),
        (lambda e: replace(e, journal=[accepted(1), upload(2)]), "not uploaded before"),
        (lambda e: replace(e, journal=[upload(), accepted(attachments=[])]), "without a proof"),
        (lambda e: replace(e, proofs={}), "nobody drew"),
        (lambda e: replace(e, ledger=e.ledger[:2]), "the ledger says dispatched"),
        (lambda e: replace(e, ledger=[]), "no ledger entry"),
        (lambda e: replace(e, ledger=[*e.ledger, e.ledger[-1]]), "revisions are [1, 2, 3, 3]"),
        (lambda e: replace(e, ledger=[*e.ledger, entry(4, "voided")]), "was confirmed and became"),
        (
            lambda e: replace(e, published=[*e.published, published(shipment(revision=2), 1)]),
            "s revision 2 was not taken in",
        ),
        (lambda e: replace(e, notifications=[]), "told nothing"),
        (lambda e: replace(e, notifications=e.notifications * 2), "2 times, the same content"),
        (
            lambda e: replace(
                e, notifications=[*e.notifications, note(3, "confirmed", message="other")]
            ),
            "different content",
        ),
        (
            lambda e: replace(
                e, notifications=[*e.notifications, note(2, "confirmed", notification_id="m")]
            ),
            "told as confirmed 2 times",
        ),
        (
            lambda e: replace(e, notifications=[*e.notifications, note(9, "too_late")]),
            "which the ledger lacks",
        ),
        (lambda e: replace(e, dead=[]), "no dead letter"),
        (lambda e: replace(e, dead=e.dead * 2), "2 dead letters"),
        (lambda e: replace(e, dead=[replace(e.dead[0], reason="invalid")]), "because of invalid"),
        (lambda e: replace(e, dead=[replace(e.dead[0], value=b"y")]), "not the untouched record"),
        (
            lambda e: replace(e, dead=[*e.dead, replace(e.dead[0], origin=("shipments", 0, 0))]),
            "a good record is a dead letter",
        ),
        (
            lambda e: replace(
                e, published=[*e.published, published(shipment(), 1, misplaced=True, value=b"z")]
            ),
            "was not forwarded",
        ),
        (lambda e: replace(e, late_acts_pending=1), "have not acted yet"),
    ],
)
def test_each_broken_promise_is_found(change: Change, told: str) -> None:
    assert told in found(change(CONFIRMED))


def test_a_record_that_was_read_again_after_a_rewind_may_be_a_dead_letter_again() -> None:
    twice = replace(CONFIRMED, dead=CONFIRMED.dead * 2)
    assert found(twice, rewinds=1) == ""


@pytest.mark.parametrize(
    ("reason", "is_true"),
    [
        ("no_tracking_number", True),
        ("order_unknown", False),
        ("order_held", False),
        ("order_not_shippable_yet", False),
        ("carrier_unmapped", False),
        ("store_not_connected", False),
    ],
)
def test_a_shipment_may_only_wait_for_what_is_really_missing(reason: str, is_true: bool) -> None:
    changed = replace(
        WAITING,
        ledger=[entry(1, "waiting", reason)],
        notifications=[note(1, "waiting", reason)],
    )
    assert ("is not true" in found(changed)) is not is_true


@pytest.mark.parametrize(
    ("reason", "changes", "is_true"),
    [
        ("test_shipment", {"test": True}, True),
        ("test_shipment", {}, False),
        ("partial_shipment", {}, False),
        ("order_cancelled", {}, False),
        ("shipped_elsewhere", {}, False),
    ],
)
def test_a_refusal_has_to_be_true(reason: str, changes: dict[str, Any], is_true: bool) -> None:
    seen = [{"shipment_id": "s", "revision": 1, "end": "refused"}]
    changed = replace(
        WAITING,
        published=[published(shipment(**changes)), WAITING.published[1]],
        ledger=[entry(1, "rejected", reason, seen=seen)],
        notifications=[note(1, "refused", reason)],
    )
    assert ("not true" in found(changed)) is not is_true
