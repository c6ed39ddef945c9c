"""The tokens of a shop's stores, from Alibaba's side and from the topic."""

from typing import Any

import httpx

from tests.integration.pipeline.shop import Shop
from waybill.cli.store_book import StoreBook
from waybill.contracts import StoreTokens
from waybill.demo.installation import SERVICES
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


def assert_no_token_was_logged(shop: Shop) -> None:
    """None of the tokens that Alibaba ever gave stands in a log or a metric of a service."""
    journal = admin_call(shop, "GET", "/journal?after=0&limit=10000&kind=tokens_issued")["entries"]
    secrets = {entry[name] for entry in journal for name in ("access_token", "refresh_token")}
    assert len(secrets) >= 4
    for service in SERVICES:
        log = (shop.installation.folder / f"{service}.log").read_text("utf-8")
        told = log + httpx.get(f"{shop.installation.service_url(service)}/metrics", timeout=5).text
        found = [secret for secret in secrets if secret in told]
        assert not found, f"{len(found)} tokens in what {service} told"
