"""What a new owner finds, and what an owner leaves behind when its partition goes."""

from collections.abc import Sequence

import pytest

from services.notifier.handler import NotifierPartition
from services.notifier.rule import Accepted, Holds, HoldsNone, LookupFailed, NotSent, Unclear
from services.notifier.rule.types import UploadFailed
from services.notifier.view import entry_key
from tests.unit.notifier.conftest import OpenDesk
from tests.unit.notifier.rule.builders import make_store
from tests.unit.notifier.world import Desk, key_of, outbound_as_inbound
from waybill.contracts.order import OrderStatus
from waybill.streaming.records import Inbound

KEY, OTHER = key_of(1), key_of(2)


def _taken_over(before: Desk, after: Desk, orders: Sequence[Inbound] = ()) -> NotifierPartition:
    """Another process restores what the first one wrote."""
    handler = after.notifier.open(0, "identity")
    assert isinstance(handler, NotifierPartition)
    handler.absorb([*outbound_as_inbound(before.outputs, "ledger"), *orders])
    after.clock.passed_s = before.clock.passed_s
    after.shared.tick()
    handler.opened()
    return handler


@pytest.fixture
def next_owner(open_desk: OpenDesk) -> Desk:
    desk = open_desk(folder="next")
    desk.handler().close()
    return desk


def test_a_call_of_the_former_owner_is_looked_up_before_anything_else(
    desk: Desk, next_owner: Desk
) -> None:
    desk.calling(KEY)
    _taken_over(desk, next_owner, [next_owner.order(KEY)])

    next_owner.turn()
    next_owner.turn()

    assert next_owner.at(KEY) == "in_doubt: outcome_unknown"
    assert next_owner.caller.lookups == [KEY]
    assert next_owner.caller.declares == []


def test_a_doubt_of_the_former_owner_counts_anew_on_the_new_owners_clock(
    desk: Desk, next_owner: Desk
) -> None:
    desk.calling(KEY)
    desk.answer(KEY, desk.called(KEY, Unclear()))
    horizon_s = desk.shared.settings.call_horizon_s
    desk.clock.passed_s += horizon_s - 1
    _taken_over(desk, next_owner, [next_owner.order(KEY)])
    next_owner.turn()

    for _ in range(2):  # two answers "none", but counted from the takeover they come too early
        next_owner.clock.passed_s += 121
        answer = HoldsNone(OrderStatus.AWAITING_SHIPMENT)
        next_owner.answer(KEY, next_owner.looked_up(answer))

    assert next_owner.at(KEY) == "in_doubt: outcome_unknown"


def test_a_look_up_that_finds_our_shipment_confirms_it(desk: Desk, next_owner: Desk) -> None:
    desk.calling(KEY)
    _taken_over(desk, next_owner, [next_owner.order(KEY)])
    next_owner.turn()
    number = desk.caller.declares[0].request.tracking_number

    next_owner.answer(KEY, next_owner.looked_up(Holds(((number, "FEDEX", "V-9"),))))

    assert next_owner.at(KEY) == "confirmed: found_by_lookup"


def test_claimed_orders_ask_again_and_get_the_same_proof(desk: Desk, next_owner: Desk) -> None:
    desk.uploading(KEY)  # its image is in the memory of a process that is gone
    _taken_over(desk, next_owner, [next_owner.order(KEY)])

    next_owner.turn()
    next_owner.turn()

    assert next_owner.claims(KEY) == desk.claims(KEY)


def test_a_queue_of_the_former_owner_goes_on_oldest_first(
    open_desk: OpenDesk, next_owner: Desk
) -> None:
    desk = open_desk(settings={"works_per_store_max": 1}, folder="small")
    keys = [key_of(number) for number in (5, 3, 9, 1)]
    for key in keys:
        desk.process(desk.order(key), desk.shipment(key))
        desk.clock.passed_s += 1
    assert len(desk.claims()) == 1

    _taken_over(desk, next_owner, [next_owner.order(key) for key in keys])
    next_owner.turn()
    next_owner.turn()

    assert [claim.order_key for claim in next_owner.claims()] == keys


def test_an_order_absorbed_while_nobody_looked_wakes_what_waits_for_it(
    desk: Desk, next_owner: Desk
) -> None:
    desk.process(desk.shipment(KEY))
    assert desk.at(KEY) == "waiting: order_unknown"

    _taken_over(desk, next_owner, [next_owner.order(KEY)])
    next_owner.turn()

    assert next_owner.at(KEY) == "claimed"
    assert len(next_owner.claims(KEY)) == 1


def test_a_store_that_changed_while_nobody_looked_wakes_what_waits_for_it(
    desk: Desk, open_desk: OpenDesk
) -> None:
    desk.process(desk.order(KEY), desk.shipment(KEY, carrier={"code": "yodel"}))
    assert desk.at(KEY) == "waiting: carrier_unmapped"
    mapped = make_store(revision=2, carrier_map={"yodel": "YODEL"})
    after = open_desk(folder="next", stores=(mapped,))
    after.handler().close()

    _taken_over(desk, after, [after.order(KEY)])
    after.turn()
    after.turn()

    assert after.at(KEY) == "claimed"


def test_a_claimed_order_that_was_cancelled_while_nobody_looked_is_not_sent(
    desk: Desk, next_owner: Desk
) -> None:
    desk.claimed(KEY)
    cancelled = next_owner.order(KEY, status=OrderStatus.CANCELLED, content_sha256="b" * 64)

    _taken_over(desk, next_owner, [cancelled])
    next_owner.turn()
    next_owner.turn()

    assert next_owner.told(KEY) == ["refused: order_cancelled"]
    assert next_owner.claims() == []


def test_many_takeovers_are_dealt_with_in_bounded_batches(
    desk: Desk, next_owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier.handler._SWEEP_MAX", 3)
    keys = [key_of(number) for number in range(8)]
    for key in keys:
        desk.calling(key)
    handler = _taken_over(desk, next_owner, [next_owner.order(key) for key in keys])

    next_owner.process()
    assert len(next_owner.to("ledger")) == 3
    for _ in range(4):
        next_owner.turn()

    assert sorted(next_owner.caller.lookups) == keys
    assert not handler._takeovers


# ------------------------------------------------------------------------ the partition comes back


def _reopened(desk: Desk) -> None:
    """The end of a transaction was unclear: the partition is closed and opened on the same disk."""
    desk.handler().close()
    desk.open()


def test_a_call_of_our_own_still_comes_back_after_the_partition_was_reopened(desk: Desk) -> None:
    desk.calling(KEY)

    _reopened(desk)
    desk.turn()
    assert desk.at(KEY) == "dispatched", "no need to look up what is under way here"
    desk.answer(KEY, desk.called(KEY, Accepted("V-1")))

    assert desk.at(KEY) == "confirmed"
    assert desk.caller.lookups == []
    assert len(desk.shared.works) == 0


def test_a_call_of_the_owner_in_between_is_looked_up_although_an_older_one_of_our_own_still_hangs(
    desk: Desk, next_owner: Desk
) -> None:
    desk.calling(KEY)  # it hangs, and the partition goes
    desk.handler().close()
    _taken_over(desk, next_owner, [next_owner.order(KEY)])
    next_owner.turn()
    for _ in range(2):
        next_owner.wait(desk.shared.settings.call_horizon_s + 60)
        next_owner.answer(KEY, next_owner.looked_up(HoldsNone(OrderStatus.AWAITING_SHIPMENT)))
    next_owner.turn()
    next_owner.process(next_owner.proof(KEY))
    next_owner.answer(KEY, next_owner.uploaded(KEY))
    assert next_owner.at(KEY) == "dispatched", "the second attempt"

    desk.clock.passed_s = next_owner.clock.passed_s
    handler = desk.notifier.open(0, "identity")
    handler.absorb(outbound_as_inbound(next_owner.outputs, "ledger"))
    handler.opened()
    desk.turn()

    assert desk.at(KEY) == "in_doubt: outcome_unknown"


def test_the_end_of_a_call_that_was_lost_with_its_handler_leads_to_a_look_up(desk: Desk) -> None:
    """The answer came while a transaction was under way whose end was unclear."""
    desk.calling(KEY)
    desk.background.done.append(desk.done(KEY, desk.called(KEY, Accepted("V-1"))))
    desk.notifier.turn()  # handed to the partition, which waits for its transaction

    _reopened(desk)
    desk.turn()
    desk.turn()

    assert desk.at(KEY) == "in_doubt: outcome_unknown"
    assert desk.caller.lookups == [KEY]
    assert len(desk.shared.works) == 0, "its place in the works was never given back"
    assert desk.notifier.idle() is False  # the look-up is under way
    desk.answer(KEY, desk.looked_up(LookupFailed()))
    assert desk.notifier.idle()


def test_a_lost_partition_leaves_no_places_in_the_works_behind(desk: Desk) -> None:
    for number, way in enumerate((desk.claimed, desk.uploading, desk.calling)):
        way(key_of(number))
    desk.background.done.append(desk.done(key_of(2), desk.called(key_of(2), NotSent())))
    desk.notifier.turn()

    desk.handler().close()

    assert len(desk.shared.works) == 0
    assert desk.notifier.idle()


def test_a_call_of_a_lost_partition_keeps_its_place_until_it_ends(desk: Desk) -> None:
    desk.calling(KEY)
    desk.handler().close()
    assert not desk.notifier.idle()

    desk.answer(KEY, desk.called(KEY, Accepted()))

    assert desk.notifier.idle()
    assert len(desk.shared.works) == 0


def test_an_upload_that_outlived_its_partition_starts_nothing(desk: Desk) -> None:
    """Its place in the works went with the partition: a call now would be outside of every limit."""
    desk.uploading(KEY)
    _reopened(desk)
    desk.shared.works._works_max = 0  # nobody asks for it again yet

    desk.answer(KEY, desk.uploaded(KEY))
    desk.turn()

    assert desk.at(KEY) == "claimed"
    assert desk.caller.declares == []


@pytest.mark.parametrize("failed", [False, True], ids=["uploaded", "upload failed"])
def test_an_upload_that_outlived_its_partition_does_not_disturb_the_next_one(
    desk: Desk, failed: bool
) -> None:
    desk.uploading(KEY)
    late = UploadFailed(NotSent()) if failed else desk.uploaded(KEY)
    _reopened(desk)
    desk.turn()
    desk.turn()
    assert len(desk.claims(KEY)) == 2, "asked again"
    desk.process(desk.proof(KEY))
    assert len(desk.caller.uploads) == 2

    desk.answer(KEY, late)
    desk.turn()
    if desk.at(KEY) == "claimed":
        desk.answer(KEY, desk.uploaded(KEY))
        desk.turn()
    for _ in range(3):
        if not desk.caller.declares:
            desk.wait(5)
            desk.turn()
            desk.process(desk.proof(KEY))
            desk.answer(KEY, desk.uploaded(KEY))

    assert len(desk.caller.declares) == 1


def test_results_of_a_partition_that_is_being_restored_are_dropped(desk: Desk) -> None:
    desk.calling(KEY)
    desk.handler().close()
    handler = desk.notifier.open(0, "identity")
    desk.answer(KEY, desk.called(KEY, Accepted("V-1")))
    handler.opened()
    desk.turn()
    desk.turn()

    assert desk.at(KEY) == "in_doubt: outcome_unknown"
    assert desk.caller.lookups == [KEY]


def test_look_ups_of_a_lost_partition_are_not_started(open_desk: OpenDesk) -> None:
    desk = open_desk(settings={"lookups_max": 1})
    for key in (KEY, OTHER):
        desk.calling(key)
        desk.answer(key, desk.called(key, Unclear()))
    desk.notifier.turn()
    assert len(desk.caller.lookups) == 1

    desk.handler().close()
    (started,) = desk.caller.lookups
    desk.answer(started, desk.looked_up(LookupFailed()))
    desk.notifier.turn()

    assert len(desk.caller.lookups) == 1
    assert desk.notifier.idle()


def test_an_erased_order_and_a_forgotten_entry_are_gone_from_the_view(
    desk: Desk, next_owner: Desk
) -> None:
    desk.claimed(KEY)
    handler = next_owner.notifier.open(0, "identity")
    assert isinstance(handler, NotifierPartition)
    handler.absorb([*outbound_as_inbound(desk.outputs, "ledger"), next_owner.order(KEY)])
    forgotten = next_owner.record("ledger", KEY, None)

    handler.absorb([forgotten, next_owner.record("orders", KEY, None)])
    handler.opened()
    next_owner.turn()

    assert handler._store.get_many([entry_key(KEY), b"o/" + KEY.encode()]) == [None, None]
    assert next_owner.outputs == []
