"""The notifier's part in a ledger that lost records: who accepts, and what is looked up afterwards."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.notifier.conftest import OpenDesk
from tests.unit.notifier.world import Desk, key_of
from waybill.contracts import Command
from waybill.contracts.command import CommandKind, loss_key
from waybill.contracts.keys import partition_of
from waybill.streaming.records import Inbound

KEY = key_of(1)


def _acceptance(
    desk: Desk, *, partition: int = 0, record_key: str | None = None, **changes: Any
) -> Inbound:
    fields: dict[str, Any] = {
        "command_id": "c-1",
        "order_key": loss_key(partition),
        "kind": CommandKind.ACCEPT_LOSS,
        "entry_revision": 0,
        "loss_id": "loss-1",
        "who": "operator",
        "why": "disaster recovery",
        "issued_at": desk.clock.now(),
    }
    command = Command.model_validate(fields | changes)
    value = desk.shared.codecs.command.encode(command)
    key = record_key or command.order_key
    return desk.record("commands", key, value, partition=partition)


def test_an_acceptance_is_heard_with_the_loss_that_it_names(desk: Desk) -> None:
    command = desk.notifier.accepted_loss(_acceptance(desk, partition=3))

    assert command is not None
    assert command.loss_id == "loss-1"


def test_what_is_no_acceptance_of_this_partition_accepts_nothing(desk: Desk) -> None:
    about_another = _acceptance(desk, partition=3, order_key=loss_key(4), record_key=loss_key(3))
    about_an_order = _acceptance(desk, order_key=KEY, kind=CommandKind.RESEND)
    unreadable = desk.record("commands", loss_key(0), b"garbage")
    empty = desk.record("commands", loss_key(0), None)
    other_kind = _acceptance(desk, kind=CommandKind.CANCEL)

    for record in (about_another, about_an_order, unreadable, empty, other_kind):
        assert desk.notifier.accepted_loss(record) is None


@pytest.mark.parametrize("number", range(4))
def test_a_replayed_acceptance_stays_where_it_lies_and_does_nothing(
    open_desk: OpenDesk, number: int
) -> None:
    desk = open_desk(number, partitions=4)
    places = {partition_of(loss_key(number).encode(), 4) for number in range(4)}
    assert len(places) > 1, "the keys hash to other partitions than they lie on"

    batch = desk.process(_acceptance(desk, partition=number), number=number)

    assert batch.outputs == []


def test_an_order_from_before_the_acceptance_is_looked_up_before_its_first_call(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk()
    desk.handler().opened(desk.clock.now())
    late = key_of(2)
    placed_at = desk.clock.now() + timedelta(days=2)
    desk.process(desk.order(KEY), desk.order(late, ordered_at=placed_at))
    desk.process(desk.shipment(KEY), desk.shipment(late))

    for key in (KEY, late):
        desk.process(desk.proof(key))
        desk.answer(key, desk.uploaded(key))

    assert desk.at(KEY) == "in_doubt"
    assert desk.at(late) == "dispatched"
