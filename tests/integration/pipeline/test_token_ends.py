"""Tokens that end in the middle of a run: their store waits, the other goes on, nothing lost or doubled."""

import subprocess
from collections import Counter

import httpx
import pytest

from tests.integration.pipeline.leaks import assert_nothing_leaked, pages_of
from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.integration.pipeline.terminal import WAYBILL, environment
from tests.integration.pipeline.tokens import (
    admin_call,
    end_tokens,
    refreshes,
    tokens_of,
)
from tests.waiting import wait_until
from waybill.contracts.notification import Outcome
from waybill.demo.installation import SERVICES
from waybill.demo.sandbox_admin import Seller

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(400)]

_SLOW = {"kind": "latency", "ms": 300, "path": "/alibaba/*"}
"""So that the run has a middle."""


def _of_store(shop: Shop, seller: Seller) -> set[str]:
    """Order keys of a store, as Alibaba has them."""
    return {
        f"sandbox:{order.trade_id}" for order in shop.admin.orders() if order.seller == seller.id
    }


def _confirmed(shop: Shop) -> set[str]:
    told = shop.notifications()
    return {one.order_key for one in told if one.outcome is Outcome.CONFIRMED}


def _connect_again(shop: Shop, seller: Seller) -> None:
    """`waybill stores connect STORE`, and what the seller does on Alibaba's page."""
    options = ["--authorization", "1m", "--no-browser", f"sandbox-{seller.id}"]
    terminal = subprocess.Popen(  # noqa: S603 - our own command
        [*WAYBILL, "stores", "connect", *options],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(shop),
    )
    try:
        assert terminal.stdout is not None
        link = next(line for line in terminal.stdout if "/oauth/authorize" in line).split()[-1]
        confirm = link.replace("/oauth/authorize?", "/oauth/authorize/confirm?")
        answer = httpx.get(
            f"{confirm}&seller={seller.id}&months=1", follow_redirects=True, timeout=60
        )
        assert answer.is_success
        assert terminal.wait(60) == 0
    finally:
        terminal.kill()
        terminal.communicate(timeout=20)


@with_orders(30)
def test_a_store_whose_tokens_end_waits_and_finishes_after_it_is_connected_again(
    shop: Shop,
) -> None:
    first, second = shop.admin.sellers()
    keys = set(shop.wait_imported())
    mine, others = keys & _of_store(shop, first), keys & _of_store(shop, second)
    shop.admin.add_faults([_SLOW])
    shop.publish(shop.shipment(key) for key in sorted(keys))
    shop.wait_confirmed(3)

    end_tokens(shop, first, access=True, refresh=True)
    wait_until(lambda: tokens_of(shop, first).ended_at is not None, SETTLE_S, every_s=0.5)
    wait_until(lambda: others <= _confirmed(shop), SETTLE_S, every_s=0.5)

    ended = tokens_of(shop, first)
    assert (ended.generation, ended.ended_reason) == (1, "refresh_refused")
    assert not mine <= _confirmed(shop), "the run was over before its tokens ended"
    wait_until(
        lambda: shop.metric("notifier", "waybill_stores_gated", reason="needs_reauth") == 1,
        SETTLE_S,
    )
    assert shop.metric("importer", "waybill_stores_needing_reauth") == 1
    late = f"sandbox:{shop.admin.create_order(first.id)}"
    shop.publish([shop.shipment(late)])
    asked = shop.metric("importer", "waybill_token_refreshes_total")
    written = len([entry for entry in shop.ledger() if entry.key in mine])
    there = f"sandbox:{shop.admin.create_order(second.id)}"
    wait_until(lambda: there in shop.orders(), SETTLE_S, every_s=0.5)
    assert late not in shop.orders(), "its import has stopped"
    assert shop.metric("importer", "waybill_token_refreshes_total") == asked
    assert len([entry for entry in shop.ledger() if entry.key in mine]) == written

    _connect_again(shop, first)

    shop.wait_outcomes({"confirmed": len(keys) + 1})
    assert tokens_of(shop, first).generation == 2
    assert shop.metric("importer", "waybill_stores_needing_reauth") == 0
    shop.assert_one_shipment_each()
    assert_nothing_leaked(shop, pages_of(shop, SERVICES))


@with_orders(30)
def test_tokens_are_refreshed_in_the_middle_of_a_run_and_nobody_notices(shop: Shop) -> None:
    """An access token that ends early, and then tokens of eight seconds, all through the run."""
    keys = set(shop.wait_imported())
    first, second = shop.admin.sellers()
    shop.admin.add_faults([_SLOW])
    admin_call(shop, "PATCH", "/settings", {"access_token_s": 8, "refresh_token_s": 3600})
    shop.publish(shop.shipment(key) for key in sorted(keys))
    shop.wait_confirmed(3)

    end_tokens(shop, first, access=True, refresh=False)
    end_tokens(shop, second, access=True, refresh=False)

    shop.wait_outcomes({"confirmed": len(keys)})
    wait_until(lambda: _least(shop) >= 3, SETTLE_S, every_s=0.5)
    replaced = Counter(entry["replaces"] for entry in refreshes(shop))
    assert max(replaced.values()) == 1, "a refresh token was used twice"
    for seller in (first, second):
        tokens = tokens_of(shop, seller)
        assert (tokens.generation, tokens.ended_at) == (1, None)
    shop.assert_one_shipment_each()
    assert_nothing_leaked(shop, pages_of(shop, SERVICES))


def _least(shop: Shop) -> int:
    """Refreshes of the store with the fewest."""
    per_seller = Counter(entry["seller"] for entry in refreshes(shop))
    return min(per_seller.values(), default=0) if len(per_seller) == 2 else 0
