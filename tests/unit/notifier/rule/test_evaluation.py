"""Where a shipment goes that arrives under given facts, and how it goes on by itself."""

from datetime import timedelta
from typing import Any

import pytest

from services.notifier.rule import Accepted, SendHint
from tests.unit.notifier.rule.builders import (
    NOTHING,
    SHA_B,
    START,
    Life,
    arrival,
    make_order,
    make_shipment,
    make_store,
)
from waybill.contracts.base import LogisticsType
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.order import NotImportable, OrderStatus
from waybill.contracts.shipment import Carrier, Coverage, Part
from waybill.contracts.store import StoreMode

LATER = START + timedelta(days=1)


def test_a_complete_shipment_of_an_open_order_is_claimed_without_a_word() -> None:
    life = Life()
    life.ship()

    assert life.at == (State.CLAIMED, None)
    assert life.entry.claim is not None
    assert life.entry.claim.asks == 1
    assert life.entry.claimed_at == START
    assert life.entry.store_id == "store-1"
    assert life.told == []


@pytest.mark.parametrize(
    ("shipment", "reason"),
    [
        ({"is_return": True}, Reason.RETURN_SHIPMENT),
        ({"test": True}, Reason.TEST_SHIPMENT),
        ({"store_id": "store-2"}, Reason.ORDER_OF_ANOTHER_STORE),
        ({"shipped_at": START - timedelta(days=31)}, Reason.BEFORE_START),
        ({"part": Part(number=1)}, Reason.PARTIAL_SHIPMENT),
        ({"covers_order": Coverage.PARTIAL}, Reason.PARTIAL_SHIPMENT),
    ],
)
def test_a_shipment_that_a_rule_refuses(shipment: dict[str, Any], reason: Reason) -> None:
    life = Life()
    life.ship(**shipment)

    assert life.at == (State.REJECTED, reason)
    assert life.told == [(Outcome.REFUSED, reason)]
    assert life.entry.shipment is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (OrderStatus.CANCELLED, Reason.ORDER_CANCELLED),
        (OrderStatus.SHIPPED, Reason.SHIPPED_ELSEWHERE),
    ],
)
def test_an_order_that_is_past_shipping_refuses(status: OrderStatus, reason: Reason) -> None:
    life = Life(order=make_order(status))
    life.ship()

    assert life.at == (State.REJECTED, reason)
    assert life.told == [(Outcome.REFUSED, reason)]


def test_a_record_over_256_kib_is_refused_and_one_at_the_limit_is_not() -> None:
    large, fitting = Life(), Life()
    large.tell(arrival(make_shipment(), size_bytes=256 * 1024 + 1))
    fitting.tell(arrival(make_shipment(), size_bytes=256 * 1024))

    assert large.at == (State.REJECTED, Reason.TOO_LARGE)
    assert fitting.is_in(State.CLAIMED)


@pytest.mark.parametrize(
    ("life", "shipment", "reason"),
    [
        (Life(order=None, store=None), {}, Reason.ORDER_UNKNOWN),
        (Life(store=None), {}, Reason.STORE_NOT_CONNECTED),
        (Life(store=make_store(disconnected=True)), {}, Reason.STORE_NOT_CONNECTED),
        (
            Life(
                order=make_order(
                    importable=False, not_importable=(NotImportable.NO_DELIVERY_ADDRESS,)
                )
            ),
            {},
            Reason.ORDER_HELD,
        ),
        *(
            (Life(order=make_order(status)), {}, Reason.ORDER_NOT_SHIPPABLE_YET)
            for status in (
                OrderStatus.AWAITING_PAYMENT,
                OrderStatus.ON_HOLD,
                OrderStatus.UNMAPPED,
                OrderStatus.UNRECOGNISED,
            )
        ),
        (Life(), {"tracking_number": None}, Reason.NO_TRACKING_NUMBER),
        (Life(), {"tracking_number": "--"}, Reason.NO_TRACKING_NUMBER),
        (Life(), {"carrier": Carrier(code="gls")}, Reason.CARRIER_UNMAPPED),
    ],
)
def test_a_shipment_that_has_to_wait(life: Life, shipment: dict[str, Any], reason: Reason) -> None:
    life.ship(**shipment)

    assert life.at == (State.WAITING, reason)
    assert life.told == [(Outcome.WAITING, reason)]
    assert life.entry.shipment is not None


@pytest.mark.parametrize(
    ("carrier", "code"),
    [
        (Carrier(code="FedEx"), "FEDEX"),
        (Carrier(code="fedex", name="DHL Express"), "FEDEX"),
        (Carrier(code="dhl_express", name="DHL Express"), "DHL"),
        (Carrier(name=" dhl express "), "DHL"),
        (Carrier(code="DHL"), "DHL"),  # Alibaba's own code
    ],
)
def test_carriers_are_found_by_code_then_by_name_then_as_alibabas_code(
    carrier: Carrier, code: str
) -> None:
    life = Life().dispatched(carrier=carrier)

    assert life.calls[0].request.carrier_code == code


def test_the_type_of_transport_is_express_unless_the_shipment_says_otherwise() -> None:
    express = Life().dispatched()
    post = Life().dispatched(logistics_type=LogisticsType.POST)

    assert express.calls[0].request.logistics_type is LogisticsType.EXPRESS
    assert post.calls[0].request.logistics_type is LogisticsType.POST


def test_what_is_none_for_alibaba_is_refused_before_the_order_is_known() -> None:
    life = Life(order=None, store=None)
    life.ship(is_return=True)

    assert life.at == (State.REJECTED, Reason.RETURN_SHIPMENT)


def test_a_cancelled_order_refuses_although_it_is_held_as_well() -> None:
    life = Life(order=make_order(OrderStatus.CANCELLED, importable=False))
    life.ship()

    assert life.at == (State.REJECTED, Reason.ORDER_CANCELLED)


@pytest.mark.parametrize("mode", [StoreMode.DRY_RUN, StoreMode.UNRECOGNISED])
def test_a_store_that_is_not_live_has_its_proofs_made_as_well(mode: StoreMode) -> None:
    life = Life(store=make_store(mode))
    life.ship()

    assert life.is_in(State.CLAIMED)


# ------------------------------------------------------------------------- going on by itself


def test_each_missing_fact_lets_the_shipment_go_on_by_itself_and_is_told_once() -> None:
    life = Life(order=None, store=None)
    life.ship(tracking_number=None, carrier=Carrier(code="gls"))
    life.order_becomes(make_order(OrderStatus.AWAITING_PAYMENT))
    life.store_becomes(make_store())
    life.order_becomes(make_order(importable=False))
    life.order_becomes(make_order())
    life.ship(revision=2, carrier=Carrier(code="gls"))
    life.store_becomes(make_store(carrier_map={"gls": "GLS"}))

    assert life.is_in(State.CLAIMED)
    assert [reason for _, reason in life.told] == [
        Reason.ORDER_UNKNOWN,
        Reason.STORE_NOT_CONNECTED,
        Reason.ORDER_NOT_SHIPPABLE_YET,
        Reason.ORDER_HELD,
        Reason.NO_TRACKING_NUMBER,
        Reason.CARRIER_UNMAPPED,
    ]


def test_waiting_for_the_same_reason_writes_and_tells_nothing() -> None:
    life = Life(order=make_order(OrderStatus.AWAITING_PAYMENT))
    life.ship()

    assert life.order_becomes(OrderStatus.ON_HOLD) == NOTHING
    assert life.store_becomes(make_store(revision=2)) == NOTHING


def test_an_unknown_order_is_hinted_at_again_and_again_with_a_growing_pause() -> None:
    life = Life(order=None, store=None)
    life.ship()
    pauses = []
    for _ in range(12):
        before = life.now
        life.come_due()
        pauses.append((life.now - before).total_seconds())

    assert len(life.effects(SendHint)) == 13
    assert len(life.told) == 1
    assert 30 <= pauses[0] <= 37.5
    assert all(3600 <= pause <= 4500 for pause in pauses[-4:])


def test_the_pause_before_the_next_hint_survives_a_correction() -> None:
    life = Life(order=None, store=None)
    life.ship()
    due_at = life.entry.due_at
    life.wait(5).ship(revision=2, tracking_number="1Z")

    assert life.entry.due_at == due_at
    assert len(life.effects(SendHint)) == 1


def test_an_order_that_is_erased_while_claimed_is_asked_for_again() -> None:
    life = Life().claimed()
    life.order_becomes(None)

    assert life.at == (State.WAITING, Reason.ORDER_UNKNOWN)
    assert life.last.effects == (SendHint(),)
    assert life.entry.order is None
    assert life.entry.claim is None


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.SHIPPED])
@pytest.mark.parametrize("paid", [True, False])
def test_an_order_that_ends_before_the_call_refuses_the_shipment(
    status: OrderStatus, paid: bool
) -> None:
    first = OrderStatus.AWAITING_SHIPMENT if paid else OrderStatus.AWAITING_PAYMENT
    life = Life(order=make_order(first))
    life.ship()
    life.order_becomes(status)
    reason = Reason.ORDER_CANCELLED if status is OrderStatus.CANCELLED else Reason.SHIPPED_ELSEWHERE

    assert life.at == (State.REJECTED, reason)
    assert life.told[-1] == (Outcome.REFUSED, reason)


def test_an_order_put_on_hold_while_claimed_waits_and_keeps_its_place_in_the_queue() -> None:
    life = Life().claimed()
    life.wait(60).order_becomes(OrderStatus.ON_HOLD)
    life.wait(60).order_becomes(OrderStatus.AWAITING_SHIPMENT)

    assert life.is_in(State.CLAIMED)
    assert life.entry.claimed_at == START
    assert life.told == [(Outcome.WAITING, Reason.ORDER_NOT_SHIPPABLE_YET)]


def test_a_rejected_shipment_is_not_revived_by_orders_or_stores() -> None:
    life = Life(order=make_order(OrderStatus.CANCELLED))
    life.ship()

    assert life.order_becomes(make_order()) == NOTHING
    assert life.store_becomes(make_store(revision=2)) == NOTHING
    assert life.is_in(State.REJECTED)


def test_a_new_ship_from_date_holds_for_what_is_claimed_already() -> None:
    life = Life().claimed()
    life.store_becomes(make_store(ship_from=LATER, revision=2))

    assert life.at == (State.REJECTED, Reason.BEFORE_START)


def test_events_about_an_order_nobody_shipped_change_nothing() -> None:
    life = Life()

    assert life.order_becomes(make_order(content_sha256=SHA_B)) == NOTHING
    assert life.store_becomes(make_store()) == NOTHING
    assert life.written is None


def test_a_carrier_without_a_code_is_named_so_that_somebody_can_map_it() -> None:
    life = Life()
    life.ship(carrier=Carrier(code="gls", name="GLS Europe"))

    (told,) = life.notifications
    assert told.reason is Reason.CARRIER_UNMAPPED
    assert told.message.endswith("Found: gls / GLS Europe.")


@pytest.mark.parametrize(
    ("store_mails", "system_mails", "expected"),
    [
        (True, None, True),
        (True, True, True),
        (True, False, False),
        (False, None, False),
    ],
)
def test_a_confirmation_says_whether_a_mailer_is_to_tell_the_buyer(
    store_mails: bool, system_mails: bool | None, expected: bool
) -> None:
    life = Life(store=make_store(buyer_mail=store_mails))
    life.dispatched(notify_buyer_by_email=system_mails).end_call(Accepted("v-1"))

    assert life.notifications[-1].mail_buyer is expected
