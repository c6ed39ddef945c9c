"""The admin API under ``/admin``: stores, orders, and what happened. See the package's docstring.

How the sandbox behaves is changed in :mod:`sandbox.controls`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from sandbox import payloads
from sandbox.adminjson import Body, number, reply
from sandbox.auth import MONTHS
from sandbox.events import OrderChanged, OrdersCreated, ShippedElsewhere, TokensEnded
from sandbox.gateway import Gateway
from sandbox.orders import Order
from sandbox.push import Push
from sandbox.settings import DAY_S, ORDERS_MAX
from sandbox.world import World

LIST_MAX = 10_000
"""Orders or journal entries of one answer."""
CREATE_MAX = 100_000
"""Orders made by one call."""


class CreateOrders(Body):
    """Body of ``POST /admin/orders``."""

    seller: str | None = None
    """Store id; None: the first store."""
    count: int = Field(default=1, ge=1, le=CREATE_MAX)
    status: str = Field(default="undeliver", min_length=1, max_length=64)
    """``mixed``: the mix of a new sandbox. Any other status: all orders have it, and an address."""
    payload: dict[str, Any] | None = None
    """A JSON merge patch over each order's detail: null removes a field."""


class Elsewhere(Body):
    """A shipment that did not come through the API."""

    service_provider: str = "DHL"
    tracking_number: str = Field(min_length=1)
    logistics_type: Literal["EXPRESS", "POST"] = "EXPRESS"


class ChangeOrder(Body):
    """Body of ``PATCH /admin/orders/{trade_id}``."""

    status: str | None = Field(default=None, min_length=1, max_length=64)
    payload: dict[str, Any] | None = None
    shipped_elsewhere: Elsewhere | None = None
    keep_modified: bool = False
    """Change it behind the back of its modification date."""


class IssueCode(Body):
    """Body of ``POST /admin/codes``."""

    seller: str
    months: Literal["1", "3", "6"] = "6"
    authorisation_s: int | None = Field(default=None, ge=1, le=366 * DAY_S)
    """Instead of months: how long the authorisation lasts."""


class EndTokens(Body):
    """Body of ``POST /admin/sellers/{seller}/end-tokens``."""

    access: bool = True
    refresh: bool = False
    authorisation: bool = False
    """The whole authorisation: no refresh goes past its end."""
    after_s: int = Field(default=0, ge=0, le=366 * DAY_S)
    """In how many seconds; nothing lasts longer than it would have."""


class Admin:
    """The calls of the admin API."""

    def __init__(self, world: World, gateway: Gateway, push: Push) -> None:
        self._world = world
        self._gateway = gateway
        self._push = push

    def routes(self) -> list[Route]:
        """All routes, to be mounted at the root."""
        return [
            Route("/admin/health", self.health),
            Route("/admin/sellers", self.sellers),
            Route("/admin/sellers/{seller}/end-tokens", self.end_tokens, methods=["POST"]),
            Route("/admin/codes", self.issue_code, methods=["POST"]),
            Route("/admin/orders", self.list_orders, methods=["GET"]),
            Route("/admin/orders", self.create_orders, methods=["POST"]),
            Route("/admin/orders/{trade_id}", self.show_order, methods=["GET"]),
            Route("/admin/orders/{trade_id}", self.change_order, methods=["PATCH"]),
            Route("/admin/journal", self.journal),
            Route("/admin/totals", self.totals),
            Route("/admin/files/{sha256}", self.file),
        ]

    async def health(self, _request: Request) -> Response:
        """Whether the sandbox serves, and in which mode."""
        return reply({"status": "ok", "lenient": self._world.lenient})

    async def sellers(self, _request: Request) -> Response:
        """The application, and every store with its newest tokens."""
        world = self._world
        stores = []
        for seller in world.sellers.values():
            tokens = world.tokens.newest(seller.id)
            stores.append(
                {
                    **asdict(seller),
                    "app_key": world.app.key,
                    "app_secret": world.app.secret,
                    "access_token": tokens.access_token,
                    "access_ends_ms": tokens.access_ends_ms,
                    "refresh_token": tokens.refresh_token,
                    "refresh_ends_ms": tokens.refresh_ends_ms,
                    "authorisation_ends_ms": tokens.authorisation_ends_ms,
                    "orders": world.orders.count(seller.id),
                }
            )
        return reply({"app_key": world.app.key, "app_secret": world.app.secret, "sellers": stores})

    async def end_tokens(self, request: Request) -> Response:
        """End a store's tokens, now or soon."""
        seller = self._seller(request.path_params["seller"])
        body = EndTokens.model_validate_json(await request.body() or b"{}")
        now_ms = self._world.now_ms()
        self._world.record(
            TokensEnded(
                at_ms=now_ms,
                seller=seller,
                access=body.access,
                refresh=body.refresh,
                authorisation=body.authorisation,
                ends_ms=now_ms + body.after_s * 1000,
            )
        )
        return reply({"seller": seller, **body.model_dump()})

    async def issue_code(self, request: Request) -> Response:
        """An authorisation code, as if a seller had gone through the authorize page."""
        body = IssueCode.model_validate_json(await request.body())
        length_s = body.authorisation_s or MONTHS[body.months]
        code = self._world.tokens.new_code(
            self._seller(body.seller), length_s, self._world.now_ms()
        )
        self._world.record(code)
        return reply({"code": code.code, "seller": code.seller, "ends_ms": code.ends_ms}, 201)

    async def list_orders(self, request: Request) -> Response:
        """Orders in the order they were made, filtered by store and status."""
        query = request.query_params
        seller, status = query.get("seller"), query.get("status")
        found = [
            order
            for order in self._world.orders.by_id.values()
            if seller in {None, order.seller.id} and status in {None, order.status}
        ]
        offset, limit = number(request, "offset", 0), number(request, "limit", 1_000)
        rows = [_order_row(order) for order in found[offset : offset + min(limit, LIST_MAX)]]
        return reply({"total": len(found), "orders": rows})

    async def create_orders(self, request: Request) -> Response:
        """New orders, made now."""
        body = CreateOrders.model_validate_json(await request.body() or b"{}")
        seller = self._seller(body.seller or next(iter(self._world.sellers)))
        if len(self._world.orders.by_id) + body.count > ORDERS_MAX:
            raise HTTPException(409, f"a sandbox holds at most {ORDERS_MAX} orders")
        first = self._world.orders.count(seller)
        created = self._world.record(
            OrdersCreated(
                at_ms=self._world.now_ms(),
                seller=seller,
                first=first,
                count=body.count,
                status=None if body.status == "mixed" else body.status,
                payload=body.payload,
            )
        )
        return reply({"created": [_order_row(order) for order in created]}, 201)

    async def show_order(self, request: Request) -> Response:
        """One order with its detail as the API answers it and its shipments."""
        order = self._order(request)
        return reply(
            {
                **_order_row(order),
                "payload": payloads.detail(self._world.settings.seed, order),
                "shipments": [asdict(voucher) for voucher in order.vouchers],
            }
        )

    async def change_order(self, request: Request) -> Response:
        """Change an order; its modification date moves on."""
        order = self._order(request)
        body = ChangeOrder.model_validate_json(await request.body())
        elsewhere = body.shipped_elsewhere
        self._world.record(
            OrderChanged(
                at_ms=self._world.now_ms(),
                trade_id=order.trade_id,
                status=body.status,
                payload=body.payload,
                shipped_elsewhere=(
                    None if elsewhere is None else ShippedElsewhere(**elsewhere.model_dump())
                ),
                keep_modified=body.keep_modified,
            )
        )
        return reply(_order_row(order))

    async def journal(self, request: Request) -> Response:
        """Journal entries after a sequence number, oldest first."""
        limit = min(number(request, "limit", 1_000), LIST_MAX)
        kind = request.query_params.get("kind")
        entries = self._world.journal.read(number(request, "after", 0), limit, kind)
        return reply({"last": self._world.journal.entries, "entries": entries})

    async def totals(self, request: Request) -> Response:
        """Sums over the journal and, since the start, over requests."""
        world, gateway = self._world, self._gateway
        sums = {
            **asdict(world.totals),
            "lenient": world.lenient,
            "shipping_calls_received": gateway.shipping_calls,
            "requests": dict(gateway.received),
            "requests_per_seller": _by_seller(gateway.received_of),
            "refused_per_seller": _by_seller(gateway.refused_of),
            "connections_cut": gateway.cut,
            "late_acts_pending": gateway.late_pending,
            "late_acts_done": gateway.late_done,
            "push": asdict(self._push.totals),
        }
        if request.query_params.get("per_order") == "true":
            sums["shipments_per_order"] = {
                order.trade_id: order.accepted
                for order in world.orders.by_id.values()
                if order.accepted
            }
        return reply(sums)

    async def file(self, request: Request) -> Response:
        """An uploaded file by its hash, if the sandbox keeps files."""
        folder = self._world.settings.data_dir / "files"
        found = [
            upload
            for upload in self._world.uploads.values()
            if upload.sha256 == request.path_params["sha256"]
        ]
        if not found:
            raise HTTPException(404, "no upload has this hash")
        extension = found[0].file_name.rpartition(".")[2].lower()
        path = folder / f"{found[0].sha256}.{extension}"
        if not path.exists():
            raise HTTPException(404, "the file was not kept; start the sandbox with --keep-files")
        return FileResponse(path, media_type=found[0].media_type)

    def _seller(self, seller: str) -> str:
        if seller not in self._world.sellers:
            raise HTTPException(404, f"no store has the id {seller[:40]}")
        return seller

    def _order(self, request: Request) -> Order:
        order = self._world.orders.by_id.get(request.path_params["trade_id"])
        if order is None:
            raise HTTPException(404, "no order has this trade id")
        return order


def _order_row(order: Order) -> dict[str, Any]:
    return {
        "trade_id": order.trade_id,
        "seller": order.seller.id,
        "status": order.status,
        "created_ms": order.created_ms,
        "modified_ms": order.modified_ms,
        "accepted_shipments": order.accepted,
        "could_have_acted": order.could_have_acted,
    }


def _by_seller(counts: dict[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {seller: dict(count) for seller, count in counts.items()}
