"""From a shipment to Alibaba's confirmation, one batch after the other."""

import pytest

from services.notifier.rule import Accepted, CallNeverStarted, NotSent, RejectedByAlibaba, Unclear
from tests.unit.notifier.conftest import OpenDesk
from tests.unit.notifier.rule.builders import make_store
from tests.unit.notifier.world import IMAGE, Desk, key_of
from waybill.contracts.headers import LEDGER_CARD
from waybill.contracts.order import OrderStatus
from waybill.contracts.store import StoreMode

KEY = key_of(1)


def test_a_shipment_of_a_known_order_asks_for_its_proof_in_the_same_transaction(
    desk: Desk,
) -> None:
    desk.process(desk.order(KEY))
    batch = desk.decide(desk.shipment(KEY))

    assert sorted(output.topic for output in batch.outputs) == ["claims", "ledger"]
    assert all(output.partition == 0 and output.key == KEY.encode() for output in batch.outputs)
    desk.commit(batch)
    (claim,) = desk.claims()
    assert claim.claim_id == (desk.entry(KEY).claim or pytest.fail("no claim")).claim_id
    assert len(desk.shared.works) == 1


def test_order_and_shipment_in_one_batch_see_each_other(desk: Desk) -> None:
    desk.process(desk.shipment(KEY), desk.order(KEY))

    assert desk.at(KEY) == "claimed"
    assert desk.told(KEY) == ["waiting: order_unknown"]
    assert len(desk.claims()) == 1


def test_only_the_last_entry_of_a_batch_is_written(desk: Desk) -> None:
    batch = desk.process(desk.shipment(KEY), desk.order(KEY), desk.shipment(KEY, revision=2))

    assert [output.topic for output in batch.outputs].count("ledger") == 1
    assert desk.entry(KEY).revision == 3  # unknown, claimed, the same facts again


def test_an_entry_carries_its_card_for_whoever_rebuilds(desk: Desk) -> None:
    desk.claimed(KEY)

    (written,) = desk.to("ledger")
    card = dict(written.headers)[LEDGER_CARD]
    assert card is not None
    assert card.split(b"|")[:2] == [b"claimed", b"store-1"]


def test_an_unknown_order_is_waited_for_and_asked_for(desk: Desk) -> None:
    desk.process(desk.shipment(KEY))

    assert desk.at(KEY) == "waiting: order_unknown"
    (hint,) = desk.to("order-hints")
    assert hint.key == KEY.encode()
    assert desk.claims() == []

    desk.process(desk.order(KEY))

    assert desk.at(KEY) == "claimed"
    assert len(desk.claims()) == 1


def test_a_proof_is_uploaded_before_any_commit(desk: Desk) -> None:
    desk.claimed(KEY)

    batch = desk.decide(desk.proof(KEY))

    (upload,) = desk.caller.uploads
    assert [page.image for page in upload.pages] == [IMAGE]
    assert batch.outputs == [], "a proof is no state"


def test_the_call_starts_only_when_its_announcement_is_committed(desk: Desk) -> None:
    desk.uploading(KEY)
    desk.handler().result(KEY, desk.uploaded(KEY))

    batch = desk.decide()

    assert [output.topic for output in batch.outputs] == ["ledger"]
    assert desk.caller.declares == [], "the call came before its record"
    desk.commit(batch)
    (declare,) = desk.caller.declares
    assert desk.at(KEY) == "dispatched"
    assert declare.request.tracking_number == desk.make_shipment(KEY).tracking_number
    assert declare.may_start()


def test_the_lease_counts_from_before_the_commit_was_sent(desk: Desk) -> None:
    desk.uploading(KEY)
    desk.handler().result(KEY, desk.uploaded(KEY))
    call_start_s = desk.shared.settings.call_start_s
    batch = desk.decide()

    desk.commit(batch, took_s=call_start_s - 1)
    (declare,) = desk.caller.declares
    assert declare.may_start()
    desk.clock.passed_s += 1.001

    assert not declare.may_start()


def test_a_commit_that_took_longer_than_the_lease_calls_nothing(desk: Desk) -> None:
    desk.uploading(KEY)
    desk.handler().result(KEY, desk.uploaded(KEY))
    batch = desk.decide()

    desk.commit(batch, took_s=desk.shared.settings.call_start_s + 0.001)

    (declare,) = desk.caller.declares
    assert not declare.may_start()


def test_a_partition_given_away_starts_no_call(desk: Desk) -> None:
    desk.calling(KEY)
    (declare,) = desk.caller.declares

    desk.handler().close()

    assert not declare.may_start()


def test_alibabas_yes_is_written_and_told_and_the_place_is_free(desk: Desk) -> None:
    desk.calling(KEY)

    desk.answer(KEY, desk.called(KEY, Accepted("V-1")))

    assert desk.at(KEY) == "confirmed"
    assert desk.told(KEY) == ["confirmed"]
    assert desk.notifications(KEY)[0].voucher_id == "V-1"
    assert len(desk.shared.works) == 0
    entry = desk.entry(KEY)
    assert entry.shipment is None
    assert entry.order is None


def test_alibabas_no_is_final_and_frees_the_place(desk: Desk) -> None:
    desk.calling(KEY)

    desk.answer(KEY, desk.called(KEY, RejectedByAlibaba("402")))

    assert desk.at(KEY) == "rejected: rejected_by_alibaba"
    assert len(desk.shared.works) == 0


def test_an_unclear_end_leads_to_a_look_up_and_to_no_second_call(desk: Desk) -> None:
    desk.calling(KEY)

    desk.answer(KEY, desk.called(KEY, Unclear("E500")))
    desk.turn()

    assert desk.at(KEY) == "in_doubt: outcome_unknown"
    assert desk.caller.lookups == [KEY]
    assert len(desk.caller.declares) == 1
    assert len(desk.shared.works) == 0


@pytest.mark.parametrize("never", [False, True], ids=["not sent", "never started"])
def test_a_call_that_did_not_happen_goes_again_after_a_pause(desk: Desk, never: bool) -> None:
    desk.calling(KEY)
    end = CallNeverStarted(1) if never else desk.called(KEY, NotSent())
    desk.answer(KEY, end)
    assert desk.at(KEY) == "claimed: not_sent"
    desk.turn()
    assert len(desk.claims(KEY)) == 1

    desk.wait(desk.shared.settings.retry_first_s * 1.3)
    desk.turn()
    desk.process(desk.proof(KEY))
    desk.answer(KEY, desk.uploaded(KEY))

    assert [declare.attempt for declare in desk.caller.declares] == [1, 2]
    assert desk.claims()[0].claim_id == desk.claims()[1].claim_id


def test_a_store_in_dry_run_calls_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(stores=(make_store(StoreMode.DRY_RUN),))
    desk.claimed(KEY)
    desk.process(desk.proof(KEY))

    assert desk.told(KEY) == ["dry_run: dry_run"]
    assert desk.caller.uploads == []
    assert desk.caller.declares == []
    assert len(desk.shared.works) == 0


def test_the_same_records_again_lead_to_nothing(desk: Desk) -> None:
    desk.calling(KEY)
    desk.answer(KEY, desk.called(KEY, Accepted("V-1")))
    proof = desk.proof(KEY)
    written, told = len(desk.outputs), len(desk.notifications())

    for _ in range(3):
        desk.process(desk.order(KEY), desk.shipment(KEY), proof)
        desk.turn()

    assert len(desk.outputs) == written
    assert len(desk.notifications()) == told
    assert len(desk.caller.uploads) == len(desk.caller.declares) == 1


def test_a_replay_in_the_middle_starts_nothing_twice(desk: Desk) -> None:
    desk.uploading(KEY)
    proof = desk.proof(KEY)

    desk.process(desk.shipment(KEY), proof, desk.order(KEY), proof)
    desk.turn()

    assert len(desk.claims()) == 1
    assert len(desk.caller.uploads) == 1


def test_a_second_shipment_of_an_order_is_refused(desk: Desk) -> None:
    desk.process(desk.order(KEY), desk.shipment(KEY, "S1"), desk.shipment(KEY, "S2"))

    desk.process(desk.shipment(KEY, "S3", tracking_number="1Z 999"))

    assert desk.told(KEY) == ["duplicate: same_parcel", "refused: order_already_shipped"]
    assert len(desk.claims(KEY)) == 1


def test_a_correction_before_the_proof_asks_for_a_new_one_and_the_old_proof_is_nothing(
    desk: Desk,
) -> None:
    desk.claimed(KEY)
    old = desk.proof(KEY)
    desk.process(desk.shipment(KEY, revision=2, tracking_number="1Z999AA10123456784"))
    assert len(desk.claims(KEY)) == 2

    desk.process(old)
    assert desk.caller.uploads == []
    desk.process(desk.proof(KEY))
    desk.answer(KEY, desk.uploaded(KEY))

    assert [d.request.tracking_number for d in desk.caller.declares] == ["1Z999AA10123456784"]


def test_a_correction_during_the_upload_is_not_called_with_the_old_proof(desk: Desk) -> None:
    desk.uploading(KEY)
    desk.process(desk.shipment(KEY, revision=2, tracking_number="1Z999AA10123456784"))

    desk.answer(KEY, desk.uploaded(KEY))
    desk.turn()

    assert desk.caller.declares == []
    assert len(desk.claims(KEY)) == 2
    desk.process(desk.proof(KEY))
    desk.answer(KEY, desk.uploaded(KEY))
    assert [d.request.tracking_number for d in desk.caller.declares] == ["1Z999AA10123456784"]


def test_an_order_cancelled_during_the_upload_is_not_called(desk: Desk) -> None:
    desk.uploading(KEY)
    desk.process(desk.order(KEY, status=OrderStatus.CANCELLED, content_sha256="b" * 64))

    desk.answer(KEY, desk.uploaded(KEY))
    desk.turn()

    assert desk.told(KEY) == ["refused: order_cancelled"]
    assert desk.caller.declares == []
    assert len(desk.shared.works) == 0


def test_a_refused_proof_is_told_and_frees_the_place(desk: Desk) -> None:
    desk.claimed(KEY)

    desk.process(desk.proof(KEY, pages=(), refusal="no_ship_date", refusal_detail="shipped_at"))

    assert desk.at(KEY) == "parked: proof_refused"
    assert len(desk.shared.works) == 0


def test_an_answer_with_neither_pages_nor_a_reason_is_no_answer(desk: Desk) -> None:
    desk.claimed(KEY)

    for _ in range(3):
        desk.process(desk.proof(KEY, pages=()))
        desk.turn()

    assert desk.caller.uploads == []
    assert len(desk.claims(KEY)) == 1, "it was asked again at once, and again, without end"


def test_an_overdue_proof_is_asked_for_again_and_after_the_last_time_parked(desk: Desk) -> None:
    desk.claimed(KEY)
    for asked in range(2, desk.shared.settings.proof_asks_max + 1):
        desk.wait(desk.shared.settings.claim_timeout_s + 1)
        desk.turn()
        assert len(desk.claims(KEY)) == asked

    desk.wait(desk.shared.settings.claim_timeout_s + 1)

    assert desk.at(KEY) == "parked: no_proof"
    assert len({claim.claim_id for claim in desk.claims(KEY)}) == 1
    assert len(desk.shared.works) == 0


def test_a_proof_that_comes_after_all_wakes_the_order_that_was_parked_for_want_of_it(
    desk: Desk,
) -> None:
    desk.claimed(KEY)
    while desk.at(KEY) == "claimed":
        desk.wait(desk.shared.settings.claim_timeout_s + 1)
        desk.turn()
    assert desk.at(KEY) == "parked: no_proof"
    late = desk.proof(KEY)

    desk.process(late)
    assert desk.at(KEY) == "claimed"
    desk.process(desk.proof(KEY))
    desk.answer(KEY, desk.uploaded(KEY))

    assert len(desk.caller.declares) == 1


def test_trace_context_travels_along(desk: Desk) -> None:
    trace = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    desk.process(desk.order(KEY))
    value = desk.shared.codecs.shipment.encode(desk.make_shipment(KEY))
    desk.process(desk.record("shipments", KEY, value, (("traceparent", trace),)))

    assert dict(desk.to("claims")[0].headers)["traceparent"] == trace


def test_json_is_accepted_on_shipments(desk: Desk) -> None:
    shipment = desk.make_shipment(KEY)
    value = shipment.model_dump_json().encode()

    desk.process(desk.order(KEY), desk.record("shipments", KEY, value))

    assert desk.at(KEY) == "claimed"
    assert desk.claims(KEY)[0].shipment == value, "the publisher's own bytes go along"
