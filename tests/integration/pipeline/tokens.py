"""The tokens of a shop's stores, from Alibaba's side and from the topic."""

from typing import Any

import httpx

from tests.integration.pipeline.shop import Shop
from waybill.cli.store_book import StoreBook
from waybill.contracts import StoreTokens
from waybill.demo.sandbox_admin import Seller


def admin_call(shop: Shop, method: str, path: str, body: Any = None) -> Any:
    """A call to the admin interface of the shop's sandbox."""
    url = f"{shop.installation.sandbox_url}/admin{path}"
    return httpx.request(method, url, json=body, timeout=20).raise_for_status().json()


def end_tokens(shop: Shop, seller: Seller, **which: bool) -> None:
    """Alibaba ends the store's tokens now: `access`, `refresh`."""
    admin_call(shop, "POST", f"/sellers/{seller.id}/end-tokens", which)


def tokens_of(shop: Shop, seller: Seller) -> StoreTokens:
    """The store's newest tokens on the topic."""
    found = StoreBook(shop.installation.cluster).tokens(f"sandbox-{seller.id}")
    assert found is not None
    return found


def refreshes(shop: Shop) -> list[dict[str, Any]]:
    """The refreshes that Alibaba granted."""
    journal = admin_call(shop, "GET", "/journal?after=0&limit=10000&kind=tokens_issued")["entries"]
    return [entry for entry in journal if entry.get("replaces")]
