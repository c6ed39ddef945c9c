"""Operators' commands as records: read, checked, carried out once, and never carried out by chance."""

from typing import Any

import pytest

from services.notifier.rule import Accepted, HoldsNone, Unclear
from services.notifier.view import Card, entry_key, pack
from tests.unit.notifier.rule.builders import START
from tests.unit.notifier.world import Desk, key_of
from waybill.contracts import Command
from waybill.contracts.codec import SINGLE_OBJECT
from waybill.contracts.command import CommandKind
from waybill.contracts.headers import LEDGER_ATTENTION
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Action
from waybill.streaming.records import Inbound
from waybill.streaming.store import Changes

KEY, OTHER = key_of(1), key_of(2)


def command(desk: Desk, kind: CommandKind, key: str = KEY, **changes: Any) -> Inbound:
    """A command on its topic that saw the entry as it is."""
    fields: dict[str, Any] = {
        "command_id": f"cmd-{kind.value}",
        "order_key": key,
        "kind": kind,
        "entry_revision": desk.entry(KEY).revision,
        "who": "ops",
        "why": "looked at Alibaba",
        "issued_at": START,
    }
    record = Command.model_validate(fields | changes)
    return desk.record("commands", KEY, desk.shared.codecs.command.encode(record))


def parked(desk: Desk) -> Desk:
    """The proof was refused: no call was made."""
    desk.claimed(KEY)
    desk.process(desk.proof(KEY, pages=(), refusal="no_ship_date", refusal_detail=None))
    assert desk.at(KEY) == "parked: proof_refused"
    return desk


def confirmed(desk: Desk) -> Desk:
    desk.calling(KEY)
    desk.answer(KEY, desk.called(KEY, Accepted("v-1")))
    assert desk.at(KEY) == "confirmed"
    return desk


def counted(desk: Desk, kind: CommandKind) -> tuple[float, float]:
    """How many applied, and how many did not."""
    name = "waybill_commands_total"
    applied = desk.metric(name, kind=kind.value, outcome="applied")
    return applied, desk.metric(name, kind=kind.value, outcome="ignored")


def test_a_released_order_asks_for_its_proof_at_once_and_is_called_once(desk: Desk) -> None:
    parked(desk)
    claims = len(desk.claims(KEY))

    desk.process(command(desk, CommandKind.RELEASE))

    assert len(desk.claims(KEY)) == claims + 1
    assert desk.told(KEY)[-1] == "waiting: released"
    desk.process(desk.proof(KEY))
    desk.answer(KEY, desk.uploaded(KEY))
    desk.answer(KEY, desk.called(KEY, Accepted("v-1")))
    assert desk.at(KEY) == "confirmed"
    assert len(desk.caller.declares) == 1


def test_read_again_a_command_writes_nothing_and_tells_nobody(desk: Desk) -> None:
    parked(desk)
    release = command(desk, CommandKind.RELEASE)
    desk.process(release)
    written, told = len(desk.to("ledger")), len(desk.notifications())

    desk.process(release, release)

    assert len(desk.to("ledger")) == written
    assert len(desk.notifications()) == told
    assert counted(desk, CommandKind.RELEASE) == (1, 2)


def test_of_two_commands_about_the_same_revision_the_first_applies(desk: Desk) -> None:
    parked(desk)
    cancel = command(desk, CommandKind.CANCEL)

    desk.process(command(desk, CommandKind.RELEASE), cancel)

    assert desk.at(KEY) == "claimed"
    assert counted(desk, CommandKind.CANCEL) == (0, 1)


def test_a_command_about_an_order_that_has_no_entry_does_nothing(desk: Desk) -> None:
    parked(desk)
    record = command(desk, CommandKind.RELEASE)
    fresh = desk.record("commands", KEY, record.value)
    desk.outputs.clear()
    desk.handler().close()
    desk.folder = desk.folder / "other"
    desk.notifier._folder = desk.folder
    desk.open()

    desk.process(fresh)

    assert desk.outputs == []


def test_resend_looks_alibaba_up_and_calls_nobody(desk: Desk) -> None:
    confirmed(desk)

    desk.process(command(desk, CommandKind.RESEND))
    desk.turn()

    assert desk.at(KEY) == "in_doubt: resend_asked"
    assert desk.caller.lookups == [KEY]
    assert len(desk.caller.declares) == 1


def test_an_upload_under_way_of_a_cancelled_order_leads_to_no_call(desk: Desk) -> None:
    desk.uploading(KEY)

    desk.process(command(desk, CommandKind.CANCEL))
    desk.answer(KEY, desk.uploaded(KEY))

    assert desk.at(KEY) == "voided: cancelled_by_operator"
    assert desk.caller.declares == []
    assert len(desk.shared.works) == 0


def test_a_proof_of_a_cancelled_order_gives_its_place_to_another(desk: Desk) -> None:
    desk.claimed(KEY)
    proof = desk.proof(KEY)

    desk.process(command(desk, CommandKind.CANCEL))
    desk.process(proof)

    assert desk.caller.uploads == []
    assert len(desk.shared.works) == 0


def test_a_released_doubt_goes_out_after_none_twice(desk: Desk) -> None:
    desk.calling(KEY)
    desk.answer(KEY, desk.called(KEY, Unclear()))
    desk.process(command(desk, CommandKind.RESEND))
    none = HoldsNone(OrderStatus.AWAITING_SHIPMENT)

    for _ in range(2):
        desk.wait(1_000)
        assert len(desk.caller.declares) == 1
        desk.answer(KEY, desk.looked_up(none))

    assert desk.at(KEY) == "claimed"


def test_what_needs_a_person_stands_in_the_ledgers_headers_until_it_is_acknowledged(
    desk: Desk,
) -> None:
    confirmed(desk)
    desk.process(desk.shipment(KEY, action=Action.VOID, revision=2, tracking_number=None))
    assert dict(desk.to("ledger")[-1].headers)[LEDGER_ATTENTION] == b"void_too_late"

    desk.process(command(desk, CommandKind.ACKNOWLEDGE))

    assert LEDGER_ATTENTION not in dict(desk.to("ledger")[-1].headers)
    assert desk.told(KEY)[-1] == "confirmed: acknowledged"


# ------------------------------------------------------------------------------------- bad records


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"garbage", b"unknown_form"),
        (SINGLE_OBJECT + b"\x01\x02\x03\x04\x05\x06\x07\x08body", b"unknown_schema"),
        (b'{"order_key": "x"}', b"unknown_form"),
        (None, b"no_value"),
    ],
)
def test_a_command_that_cannot_be_read_is_a_dead_letter_and_the_next_goes_on(
    desk: Desk, value: bytes | None, reason: bytes
) -> None:
    parked(desk)

    desk.process(desk.record("commands", KEY, value), command(desk, CommandKind.RELEASE))

    (dead,) = desk.to("dead-letters")
    assert dict(dead.headers)["dlq.reason"] == reason
    assert desk.at(KEY) == "claimed"


def test_a_command_under_another_key_is_a_dead_letter(desk: Desk) -> None:
    parked(desk)

    desk.process(command(desk, CommandKind.RELEASE, key=OTHER))

    (dead,) = desk.to("dead-letters")
    assert dict(dead.headers)["dlq.reason"] == b"key_mismatch"
    assert desk.at(KEY) == "parked: proof_refused"


def test_a_kind_of_a_newer_version_is_a_dead_letter(desk: Desk) -> None:
    parked(desk)

    desk.process(command(desk, CommandKind.UNRECOGNISED))

    (dead,) = desk.to("dead-letters")
    assert dict(dead.headers)["dlq.reason"] == b"invalid"


def test_a_command_about_an_entry_that_cannot_be_read_is_answered_and_does_nothing(
    desk: Desk,
) -> None:
    parked(desk)
    release = command(desk, CommandKind.RELEASE)
    handler = desk.handler()
    changes = Changes()
    changes.put(entry_key(KEY), pack(Card("UNRECOGNISED", "", "", 0, 0), b"\xc3\x01garbage!"))
    handler._store.apply(changes, {})
    handler._entries.clear()

    desk.process(release)

    assert desk.told(KEY)[-1] == "parked: ledger_unreadable"
    assert desk.to("dead-letters") == []
