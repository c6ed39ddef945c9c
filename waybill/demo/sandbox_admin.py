"""The stand-in's admin interface: its orders and tokens, its faults, and the journal of what it accepted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

_CALL_S = 10.0
"""It answers in milliseconds; a loaded machine needs longer."""
_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Seller:
    """A store of the stand-in, with its tokens."""

    id: str
    number: int
    name: str
    orders: int
    access_token: str
    refresh_token: str


@dataclass(frozen=True, slots=True)
class SiteOrder:
    """An order as the stand-in has it: the truth that the import is compared with."""

    trade_id: str
    seller: str
    status: str
    has_address: bool


class SandboxAdmin:
    """Calls to one stand-in; errors of the connection are httpx's."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=f"{url}/admin", timeout=_CALL_S, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _get(self, path: str, **query: str | int) -> Any:
        return self._http.get(path, params=query).raise_for_status().json()

    def _send(self, method: str, path: str, body: Any) -> Any:
        return self._http.request(method, path, json=body).raise_for_status().json()

    def app(self) -> tuple[str, str]:
        """Key and secret of the application."""
        found = self._get("/sellers")
        return found["app_key"], found["app_secret"]

    def sellers(self) -> list[Seller]:
        """All stores."""
        return [
            Seller(
                id=row["id"],
                number=row["number"],
                name=row["store"],
                orders=row["orders"],
                access_token=row["access_token"],
                refresh_token=row["refresh_token"],
            )
            for row in self._get("/sellers")["sellers"]
        ]

    def orders(self) -> list[SiteOrder]:
        """All orders, in the order in which they were made."""
        return [self._order(row) for row in self._get("/orders", limit=_PAGE)["orders"]]

    def _order(self, row: dict[str, Any]) -> SiteOrder:
        payload = self._get(f"/orders/{row['trade_id']}")["payload"]
        has_address = isinstance(payload.get("shipping_address"), dict)
        return SiteOrder(row["trade_id"], row["seller"], row["status"], has_address)

    def create_order(self, seller: str) -> str:
        """One order that waits for its shipment; returns its trade id."""
        created = self._send("POST", "/orders", {"seller": seller, "count": 1})["created"]
        return str(created[0]["trade_id"])

    def set_status(self, trade_id: str, status: str) -> None:
        """Move an order, as its buyer or Alibaba would."""
        self._send("PATCH", f"/orders/{trade_id}", {"status": status})

    def add_faults(self, faults: Sequence[dict[str, Any]]) -> None:
        """Let it misbehave."""
        self._send("POST", "/faults", list(faults))

    def journal(self, after: int) -> Iterator[dict[str, Any]]:
        """What it accepted and refused, from the entry after this number on."""
        while entries := self._get("/journal", after=after, limit=_PAGE)["entries"]:
            yield from entries
            after = entries[-1]["seq"]

    def totals(self) -> dict[str, Any]:
        """Its own sums over the journal."""
        found: dict[str, Any] = self._get("/totals")
        return found
