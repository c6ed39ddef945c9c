"""Operators' commands through the whole product: shipped once, found and not sent, never twice."""

import pytest

from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.waiting import wait_until
from waybill.cli.orders_commands import Wish, carry
from waybill.cli.orders_read import Standing, standings
from waybill.cli.store_book import StoreBook
from waybill.cli.store_changes import changed
from waybill.contracts.command import CommandKind
from waybill.contracts.notification import Reason
from waybill.contracts.shipment import Action

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]

_SHIPPING = "/alibaba/v2/order/shipping"


def _decide(shop: Shop, kind: CommandKind, key: str) -> None:
    """As `waybill orders <kind> <key>` does; raises when it does not apply."""
    wish = Wish(kind, key, "looked at Alibaba", "ops", SETTLE_S, False, False, SETTLE_S)
    carry(shop.installation.cluster, wish)


def _ask_operators(shop: Shop) -> None:
    book = StoreBook(shop.installation.cluster)
    for store_id in book.stores():
        book.change(
            store_id,
            lambda former: (
                (changed(former, ["resend_policy=ask_operator"]), None)
                if former
                else pytest.fail("no store")
            ),
        )


def _need_a_person(shop: Shop) -> list[str]:
    found: list[Standing] = standings(shop.installation.cluster, lambda one: one.needs_operator)
    return [one.key for one in found]


def _last_reason(shop: Shop, key: str) -> Reason | None:
    return [told.reason for told in shop.notifications() if told.order_key == key][-1]


@with_orders(6)
def test_operators_decide_once_and_nothing_is_sent_twice(shop: Shop) -> None:
    lost, voided, cancelled, later, *_ = shop.wait_imported()
    _ask_operators(shop)
    shop.admin.add_faults([{"kind": "cut_before", "path": _SHIPPING, "times": 1}])

    # the answer was lost and Alibaba has nothing: a person is asked
    shop.publish([shop.shipment(lost)])
    shop.wait_outcomes({"parked": 1})
    assert _need_a_person(shop) == [lost]
    _decide(shop, CommandKind.RELEASE, lost)
    shop.wait_outcomes({"confirmed": 1})
    assert shop.admin.totals()["shipments"] == 1

    # confirmed, and thought to be missing: it is found, and nothing is sent
    calls = shop.admin.totals()["shipping_calls_received"]
    _decide(shop, CommandKind.RESEND, lost)
    wait_until(lambda: _last_reason(shop, lost) is Reason.FOUND_BY_LOOKUP, SETTLE_S, every_s=0.5)
    assert shop.admin.totals()["shipping_calls_received"] == calls

    # a void that came too late, dealt with; and a shipment taken back before it went
    shop.publish([shop.shipment(voided), shop.shipment(cancelled, tracking_number=None)])
    shop.wait_outcomes({"confirmed": 2, "waiting": 1})
    shop.publish([shop.shipment(voided, action=Action.VOID, revision=2**50)])
    wait_until(lambda: _need_a_person(shop) == [voided], SETTLE_S, every_s=0.5)
    _decide(shop, CommandKind.ACKNOWLEDGE, voided)
    _decide(shop, CommandKind.CANCEL, cancelled)
    shop.wait_outcomes({"confirmed": 2, "voided": 1})
    assert _need_a_person(shop) == []

    # all commands a second time
    told, written = len(shop.notifications()), len(shop.ledger())
    calls = shop.admin.totals()["shipping_calls_received"]
    running = shop.installation.processes.find("notifier")
    assert running is not None
    assert running.stop()
    shop.rewind("waybill.commands.v1")
    shop.installation.start_services(print)
    wait_until(
        lambda: (
            shop.metric("notifier", "waybill_commands_total", outcome="ignored")
            == len(shop.read("commands"))
        ),
        SETTLE_S,
        every_s=0.5,
    )
    shop.publish([shop.shipment(later)])
    shop.wait_outcomes({"confirmed": 3, "voided": 1})

    assert len(shop.notifications()) == told + 1
    assert len(shop.ledger()) == written + 3  # claimed, dispatched, confirmed: of the new one alone
    assert shop.admin.totals()["shipping_calls_received"] == calls + 1
    shop.assert_one_shipment_each()
