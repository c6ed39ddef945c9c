"""Settings of a store that are changed while the whole product runs: parts, window, delay."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.waiting import wait_until
from waybill.cli.store_book import StoreBook
from waybill.cli.store_changes import changed
from waybill.contracts import Proof, Store
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.notification import Outcome, Reason
from waybill.contracts.shipment import Action, Part

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]

_QUIET_S = 3.0
"""Long enough for a shipment that is not held back to be confirmed many times over."""


def _set(shop: Shop, *assignments: str) -> None:
    """As `waybill stores set` does, for every store."""
    book = StoreBook(shop.installation.cluster)

    def change(former: Store | None) -> tuple[Store, None]:
        assert former is not None
        return changed(former, assignments), None

    for store_id in book.stores():
        book.change(store_id, change)


def _closed_now() -> str:
    """A window on the other side of the day."""
    opens = datetime.now(UTC) + timedelta(hours=11)
    return f"notify_window={opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}"


def _told(shop: Shop, key: str) -> list[tuple[Outcome, Reason | None]]:
    return [(one.outcome, one.reason) for one in shop.notifications() if one.order_key == key]


@with_orders(4)
def test_a_changed_setting_counts_without_a_restart_and_nothing_is_sent_twice(shop: Shop) -> None:
    parted, windowed, delayed, *_ = shop.wait_imported()

    # the last part first, while the store refuses parts; then the store collects them
    parts = [
        shop.shipment(
            parted, shipment_id=f"part-{n}", tracking_number=f"PART{n}{parted[-6:]}", part=part
        )
        for n, part in enumerate((Part(number=1), Part(number=2, final=True)), start=1)
    ]
    shop.publish([parts[1]])
    wait_until(
        lambda: _told(shop, parted) == [(Outcome.REFUSED, Reason.PARTIAL_SHIPMENT)],
        SETTLE_S,
        every_s=0.5,
    )
    _set(shop, "partial_policy=collect")
    time.sleep(1.0)  # a setting is read within a second or so
    again = [part.model_copy(update={"revision": 2 * 10**12}) for part in parts]
    shop.publish([again[1]])
    wait_until(
        lambda: _told(shop, parted)[-1] == (Outcome.WAITING, Reason.PARTS_MISSING),
        SETTLE_S,
        every_s=0.5,
    )
    shop.publish([again[0], again[1]])
    shop.wait_confirmed(1)
    confirmed = next(one for one in shop.notifications() if one.outcome is Outcome.CONFIRMED)
    assert (confirmed.shipment_id, confirmed.part_shipment_ids) == ("part-1", ("part-2",))
    assert confirmed.tracking_number == parts[0].tracking_number
    assert shop.admin.totals()["shipments"] == 1
    proofs = [Codec(Proof, "proof", SchemaBook()).decode(r.value) for r in shop.read("proofs")]
    assert [(proof.shipment_id, bool(proof.pages)) for proof in proofs] == [("part-1", True)]

    # outside of the window nothing goes; without one it goes by itself
    _set(shop, _closed_now())
    time.sleep(1.0)
    shop.publish([shop.shipment(windowed)])
    wait_until(
        lambda: shop.metric("notifier", "waybill_stores_gated", reason="outside_window") == 2,
        SETTLE_S,
        every_s=0.5,
    )
    time.sleep(_QUIET_S)
    assert _told(shop, windowed) == []
    _set(shop, "notify_window=")
    shop.wait_confirmed(2)

    # within its delay a shipment can be taken back
    _set(shop, "notify_delay_min=60")
    time.sleep(1.0)
    shipment = shop.shipment(delayed, revision=1)
    shop.publish([shipment])
    time.sleep(_QUIET_S)
    assert _told(shop, delayed) == []
    shop.publish([shipment.model_copy(update={"revision": 2, "action": Action.VOID})])
    wait_until(
        lambda: _told(shop, delayed) == [(Outcome.VOIDED, Reason.TAKEN_BACK)],
        SETTLE_S,
        every_s=0.5,
    )
    assert shop.admin.totals()["shipments"] == 2
    shop.assert_one_shipment_each()
