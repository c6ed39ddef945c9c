"""An importer that dies or is stopped amid a refresh: tokens are neither lost nor asked for twice at once."""

from itertools import pairwise

import pytest

from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.integration.pipeline.tokens import admin_call, end_tokens, refreshes, tokens_of
from tests.waiting import wait_until
from waybill.contracts import StoreTokens
from waybill.contracts.codec import Codec, SchemaBook
from waybill.demo.sandbox_admin import Seller

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(400)]

_LATE = {"kind": "latency", "ms": 2_000, "path": "/auth/token/refresh"}
"""So that there is a middle; shorter than a call may take."""
_QUIET_S = 5 + 3
"""How late a refresh may start after its announcement, and how long its call may take here."""


def _announced(shop: Shop, seller: Seller) -> bool:
    return tokens_of(shop, seller).refresh_sent_at is not None


def _history(shop: Shop, seller: Seller) -> list[StoreTokens]:
    """All records of the store's tokens, as they were written."""
    codec = Codec(StoreTokens, "store_tokens", SchemaBook())
    found = [codec.decode(r.value) for r in shop.read("store-tokens") if r.value is not None]
    return [tokens for tokens in found if tokens.store_id == f"sandbox-{seller.id}"]


def _in_the_middle(shop: Shop) -> Seller:
    """A seller whose tokens are being refreshed."""
    seller = shop.admin.sellers()[0]
    shop.admin.add_faults([_LATE])
    end_tokens(shop, seller, access=True, refresh=False)
    wait_until(lambda: _announced(shop, seller), SETTLE_S, every_s=0.1)
    return seller


def _goes_on(shop: Shop, seller: Seller) -> None:
    """The store has tokens that work: a new order is imported and its shipment declared."""
    wait_until(lambda: tokens_of(shop, seller).refresh_sent_at is None, SETTLE_S, every_s=0.5)
    key = f"sandbox:{shop.admin.create_order(seller.id)}"
    wait_until(lambda: key in shop.orders(), SETTLE_S, every_s=0.5)
    shop.publish([shop.shipment(key)])
    shop.wait_outcomes({"confirmed": 1})
    tokens = tokens_of(shop, seller)
    assert (tokens.generation, tokens.ended_at) == (1, None)


@with_orders(4)
def test_a_stopped_importer_takes_the_new_tokens_along(shop: Shop) -> None:
    shop.wait_imported()
    seller = _in_the_middle(shop)
    running = shop.installation.processes.find("importer")
    assert running is not None

    assert running.stop(), "it had to be killed"
    shop.installation.start_services(print)

    _goes_on(shop, seller)
    assert len(refreshes(shop)) == 1


@with_orders(4)
def test_a_killed_importer_leaves_its_refresh_to_the_next_one_which_waits_for_its_end(
    shop: Shop,
) -> None:
    shop.wait_imported()
    # a site that gives the same answer to a repeated refresh; another would want a new connection
    admin_call(shop, "PATCH", "/settings", {"refresh_grace_s": 300})
    seller = _in_the_middle(shop)
    running = shop.installation.processes.find("importer")
    assert running is not None

    running.kill()
    shop.installation.start_services(print)

    _goes_on(shop, seller)
    announced = sorted({t.refresh_sent_at for t in _history(shop, seller) if t.refresh_sent_at})
    gaps = [(after - before).total_seconds() for before, after in pairwise(announced)]
    assert all(gap >= _QUIET_S for gap in gaps), "two refreshes may have been under way at once"
