"""What becomes of a raw order: its identity, status, reasons to hold it, dates and notes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.importer.normalise import Draft, UnreadableOrder, normalise
from waybill.alibaba.statuses import ALIASES, OFFICIAL
from waybill.contracts.base import LogisticsType
from waybill.contracts.order import NotImportable, Order, OrderStatus, Progress
from waybill.contracts.store import Store

Read = Callable[..., Order]
Payload = dict[str, Any]

EXPECTED = {
    "to_be_audited": OrderStatus.AWAITING_PAYMENT,
    "unpay": OrderStatus.AWAITING_PAYMENT,
    "paying": OrderStatus.AWAITING_PAYMENT,
    "relating": OrderStatus.AWAITING_PAYMENT,
    "paid": OrderStatus.AWAITING_PAYMENT,
    "captured": OrderStatus.AWAITING_PAYMENT,
    "undeliver": OrderStatus.AWAITING_SHIPMENT,
    "delivering": OrderStatus.SHIPPED,
    "wait_confirm_receipt": OrderStatus.SHIPPED,
    "trade_success": OrderStatus.SHIPPED,
    "trade_close": OrderStatus.CANCELLED,
    "charge_back": OrderStatus.CANCELLED,
    "wait_confirm_modify": OrderStatus.ON_HOLD,
    "trade_unavailable": OrderStatus.ON_HOLD,
    "frozen": OrderStatus.ON_HOLD,
    "partial_delivering": OrderStatus.SHIPPED,
    "waiting_for_delivery_confirmation": OrderStatus.SHIPPED,
    "waiting_for_shipment": OrderStatus.SHIPPED,
}


def with_map(store: Store, **table: str) -> Store:
    return store.model_copy(update={"status_map": table})


def test_an_order_ready_to_ship_is_importable_and_keyed_by_site_and_number(
    read: Read, payload: Payload
) -> None:
    order = read(payload)
    assert order.key == "alibaba:255201166001024316"
    assert order.order_number == order.trade_id == "255201166001024316"
    assert order.store_id == "s-1"
    assert order.status is OrderStatus.AWAITING_SHIPMENT
    assert order.importable
    assert order.not_importable == ()
    assert order.provenance == {}


def test_the_answer_may_be_wrapped_or_bare(read: Read, payload: Payload) -> None:
    bare = read(payload)
    wrapped = {"code": "0", "value": payload, "request_id": "r"}
    top = {"alibaba_seller_order_get_response": {"result": {"success": "true", "value": payload}}}
    assert read(wrapped).content_sha256 == bare.content_sha256
    assert read(top).content_sha256 == bare.content_sha256


def test_the_answer_may_hold_its_value_as_json_text(read: Read, payload: Payload) -> None:
    assert read({"value": json.dumps(payload)}).content_sha256 == read(payload).content_sha256


def test_every_known_code_is_expected_here() -> None:
    assert set(EXPECTED) | {"intention_processing"} == set(OFFICIAL) | set(ALIASES)


@pytest.mark.parametrize("raw", EXPECTED)
def test_known_status_codes_are_translated(read: Read, payload: Payload, raw: str) -> None:
    order = read(payload | {"trade_status": raw})
    assert order.status is EXPECTED[raw]
    assert order.raw_status == raw
    assert order.importable


@pytest.mark.parametrize("raw", ["export_review_hold", "UNDELIVER", "waitsellersend", "ä ö"])
def test_an_unknown_status_is_held_and_never_guessed(
    read: Read, payload: Payload, raw: str
) -> None:
    order = read(payload | {"trade_status": raw})
    assert order.status is OrderStatus.UNMAPPED
    assert order.raw_status == raw
    assert order.not_importable == (NotImportable.UNMAPPED_STATUS,)
    assert not order.importable


def test_a_store_may_translate_a_code_itself(read: Read, payload: Payload, store: Store) -> None:
    mine = with_map(store, waiting_for_shipment="awaiting_shipment", odd="on_hold")
    assert read(payload | {"trade_status": "waiting_for_shipment"}, of=mine).status == (
        OrderStatus.AWAITING_SHIPMENT
    )
    assert read(payload | {"trade_status": "odd"}, of=mine).importable


def test_a_typing_error_in_the_stores_table_holds_the_order(
    read: Read, payload: Payload, store: Store
) -> None:
    order = read(payload, of=with_map(store, undeliver="shiped"))
    assert order.not_importable == (NotImportable.UNMAPPED_STATUS,)
    assert "status_map" in order.provenance["status"]


def test_the_mapping_version_names_the_table_in_force(
    read: Read, payload: Payload, store: Store
) -> None:
    usual = read(payload).mapping_version
    assert read(payload, of=with_map(store)).mapping_version == usual
    assert read(payload, of=with_map(store, undeliver="awaiting_shipment")).mapping_version == usual
    assert read(payload, of=with_map(store, odd="on_hold")).mapping_version != usual


def test_a_draft_is_no_order(payload: Payload, store: Store, now: datetime) -> None:
    payload["trade_status"] = "intention_processing"
    del payload["order_products"]
    found = normalise(payload, payments=None, site="alibaba", store=store, imported_at=now)
    assert found == Draft(
        "alibaba:255201166001024316",
        "s-1",
        datetime(2025, 8, 1, 4, 9, 36, tzinfo=UTC),
        "intention_processing",
    )


def test_a_store_may_publish_drafts_as_held_orders(
    read: Read, payload: Payload, store: Store
) -> None:
    payload["trade_status"] = "intention_processing"
    order = read(payload, of=with_map(store, intention_processing="on_hold"))
    assert order.status is OrderStatus.ON_HOLD


@pytest.mark.parametrize(
    ("raw", "progress"),
    [
        ("undeliver", Progress.NONE),
        ("partial_delivering", Progress.PARTIAL),
        ("trade_success", Progress.FULL),
        ("delivering", None),
        ("frozen", None),
    ],
)
def test_progress_is_told_only_where_the_status_tells_it(
    read: Read, payload: Payload, raw: str, progress: Progress | None
) -> None:
    assert read(payload | {"trade_status": raw}).progress is progress


@pytest.mark.parametrize("address", [None, "null", "", {}, {"city": "London"}, {"address": "x"}])
def test_an_order_without_delivery_address_goes_out_held(
    read: Read, payload: Payload, address: object
) -> None:
    order = read(payload | {"shipping_address": address})
    assert order.not_importable == (NotImportable.NO_DELIVERY_ADDRESS,)


def test_all_reasons_are_given(read: Read, payload: Payload) -> None:
    del payload["shipping_address"], payload["order_products"]
    assert read(payload | {"trade_status": "odd"}).not_importable == (
        NotImportable.NO_DELIVERY_ADDRESS,
        NotImportable.UNMAPPED_STATUS,
        NotImportable.NO_ITEMS,
    )


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("trade_id", None, "nothing"),
        ("trade_id", "21***54", "a text of 7 characters, masked with *"),
        ("trade_id", ["1"], "a list of 1"),
        ("trade_id", 2.552011660010243e17, "a value of type float"),
        ("trade_status", {"code": "undeliver"}, "an object of 1 fields"),
        ("trade_status", "null", "a text of 4 characters"),
        ("trade_status", "x" * 129, "a text of 129 characters"),
        ("modify_date", None, "nothing"),
        ("modify_date", "yesterday noon", "a text of 14 characters"),
        ("modify_date", {"format_date": "soon"}, "an object of 1 fields"),
        ("modify_date", "999999999999999", "a text of 15 characters"),
    ],
)
def test_without_number_status_or_time_there_is_no_record(
    read: Read, payload: Payload, field: str, value: object, found: str
) -> None:
    with pytest.raises(UnreadableOrder) as caught:
        read(payload | {field: value})
    assert caught.value.field == field
    assert caught.value.found == found
    assert str(value) not in str(caught.value) or value is None


def test_a_time_far_in_the_future_is_unreadable_because_it_would_outrank_all_later_states(
    read: Read, payload: Payload, now: datetime
) -> None:
    payload["modify_date"] = int((now + timedelta(hours=23)).timestamp() * 1000)
    assert read(payload).modified_at == now + timedelta(hours=23)
    payload["modify_date"] = int((now + timedelta(hours=25)).timestamp() * 1000)
    with pytest.raises(UnreadableOrder, match="in the future"):
        read(payload)


@pytest.mark.parametrize(
    "value",
    [
        {"format_date": "Jul. 31, 2025, 21:09:36 PDT.", "timestamp": "1754021376000"},
        {"format_date": "Jul. 31, 2025, 21:09:36 PDT."},
        "Jul 31, 2025 21:09:36",
        "2025-07-31 21:09:36",
        "2025-08-01T04:09:36Z",
        1754021376000,
        "1754021376000",
        1754021376,
    ],
)
def test_dates_are_read_in_all_forms_and_texts_are_pacific(
    read: Read, payload: Payload, value: object
) -> None:
    order = read(payload | {"modify_date": value, "create_date": value})
    assert order.modified_at == order.ordered_at == datetime(2025, 8, 1, 4, 9, 36, tzinfo=UTC)


def test_of_the_hour_that_occurs_twice_the_later_reading_counts(
    read: Read, payload: Payload
) -> None:
    order = read(payload | {"create_date": "2024-11-03 01:30:00"})
    assert order.ordered_at == datetime(2024, 11, 3, 9, 30, tzinfo=UTC)


def test_an_unreadable_field_is_null_with_a_note_that_does_not_repeat_it(
    read: Read, payload: Payload
) -> None:
    payload["create_date"] = "a secret text"
    payload["total_amount"] = {"amount": "12,50", "currency": "USD"}
    payload["buyer"] = 17
    order = read(payload)
    assert order.ordered_at is None
    assert order.totals is not None
    assert order.totals.grand is None
    assert order.buyer is None
    assert order.importable
    expected = dict.fromkeys(("ordered_at", "totals.grand", "buyer"), "unreadable")
    assert order.provenance == expected


def test_what_the_site_does_not_give_is_null_without_a_note(read: Read, payload: Payload) -> None:
    for name in ("create_date", "buyer", "remark", "carrier", "shipment_date", "shipment_method"):
        payload[name] = "null"
    order = read(payload)
    assert order.buyer is None
    assert order.notes is None
    assert order.requested_service is None
    assert order.ship_by_at is None
    assert order.provenance == {}


def test_only_an_absolute_date_tells_until_when_to_ship(read: Read, payload: Payload) -> None:
    assert read(payload).ship_by_at == datetime(2025, 8, 8, 4, 0, tzinfo=UTC)
    payload["shipment_date"] = {"type": "relative", "duration": "7", "date": "null"}
    assert read(payload).ship_by_at is None


def test_the_requested_service_and_the_sites_facts(read: Read, payload: Payload) -> None:
    order = read(payload)
    assert order.requested_service is not None
    assert order.requested_service.text == "EXPRESS"
    assert order.requested_service.code == "FEDEX"
    assert order.requested_service.logistics_type is LogisticsType.EXPRESS
    assert order.marketplace is not None
    assert order.marketplace.carrier_name == "FedEx"
    assert order.marketplace.trade_term == "DAP"


def test_a_shipment_method_that_is_neither_express_nor_post_is_not_guessed(
    read: Read, payload: Payload
) -> None:
    service = read(payload | {"shipment_method": "sea"}).requested_service
    assert service is not None
    assert service.text == "sea"
    assert service.logistics_type is None


def test_the_buyers_remark_is_a_customer_note_and_a_list_remark_stays_internal(
    read: Read, payload: Payload
) -> None:
    notes = read(payload | {"list_remark": "watch this buyer"}).notes
    assert notes is not None
    assert [note.text for note in notes.customer] == ["Please ring twice"]
    assert [note.text for note in notes.internal] == ["watch this buyer"]
    assert notes.to_buyer is None


def test_a_remark_that_is_too_long_is_cut_with_a_note(read: Read, payload: Payload) -> None:
    order = read(payload | {"remark": "ä" * 10_001})
    assert order.notes is not None
    assert len(order.notes.customer[0].text) == 10_000
    assert order.provenance == {"notes.customer": "cut"}


def test_text_that_no_store_could_keep_is_cleaned(read: Read, payload: Payload) -> None:
    order = read(payload | {"remark": " a\x00b\nc\ud83d \ud83d\ude00 &amp; "})
    assert order.notes is not None
    assert order.notes.customer[0].text == "ab\nc\ufffd \U0001f600 &amp;"


def test_the_raw_hash_names_the_answers_whatever_the_order_of_their_keys(
    read: Read, payload: Payload, funds: Payload
) -> None:
    turned = dict(reversed(payload.items()))
    assert read(turned).raw_sha256 == read(payload).raw_sha256
    assert read(payload, payments=funds).raw_sha256 != read(payload).raw_sha256
