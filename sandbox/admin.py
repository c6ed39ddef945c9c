"""The admin API under ``/admin``: JSON in and out, no signatures. See the package's docstring."""

from __future__ import annotations

from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from sandbox import payloads
from sandbox.auth import MONTHS
from sandbox.events import OrderChanged, OrdersCreated, ShippedElsewhere, TokensEnded
from sandbox.faults import SPECS, Active, Faults, Spec
from sandbox.gateway import SHIPPING_PATH, Gateway
from sandbox.orders import Order
from sandbox.push import Push
from sandbox.settings import DAY_S, ORDERS_MAX
from sandbox.world import World

LIST_MAX = 10_000
"""Orders or journal entries of one answer."""
CREATE_MAX = 100_000
"""Orders made by one call."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CreateOrders(_Body):
    """Body of ``POST /admin/orders``."""

    seller: str | None = None
    """Store id; None: the first store."""
    count: int = Field(default=1, ge=1, le=CREATE_MAX)
    status: str = Field(default="undeliver", min_length=1, max_length=64)
    """``mixed``: the mix of a new sandbox. Any other status: all orders have it, and an address."""
    payload: dict[str, Any] | None = None
    """A JSON merge patch over each order's detail: null removes a field."""


class Elsewhere(_Body):
    """A shipment that did not come through the API."""

    service_provider: str = "DHL"
    tracking_number: str = Field(min_length=1)
    logistics_type: Literal["EXPRESS", "POST"] = "EXPRESS"


class ChangeOrder(_Body):
    """Body of ``PATCH /admin/orders/{trade_id}``."""

    status: str | None = Field(default=None, min_length=1, max_length=64)
    payload: dict[str, Any] | None = None
    shipped_elsewhere: Elsewhere | None = None


class IssueCode(_Body):
    """Body of ``POST /admin/codes``."""

    seller: str
    months: Literal["1", "3", "6"] = "6"
    authorisation_s: int | None = Field(default=None, ge=1, le=366 * DAY_S)
    """Instead of months: how long the authorisation lasts."""


class EndTokens(_Body):
    """Body of ``POST /admin/sellers/{seller}/end-tokens``."""

    access: bool = True
    refresh: bool = False


class Lenient(_Body):
    """Body of ``PUT /admin/lenient``."""

    lenient: bool


class PushTarget(_Body):
    """Body of ``PUT /admin/push``; null switches push off."""

    url: str | None = Field(default=None, pattern=r"^https?://")


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


async def bad_body(_request: Request, error: Exception) -> Response:
    """HTTP 422 that names every field that is wrong."""
    problems = (
        error.errors(include_url=False, include_input=False)
        if isinstance(error, ValidationError)
        else []
    )
    fields = [
        {"field": ".".join(map(str, problem["loc"])) or "body", "problem": problem["msg"]}
        for problem in problems
    ]
    return _json({"error": "the body does not fit", "fields": fields}, 422)


async def not_found(_request: Request, error: Exception) -> Response:
    """HTTP errors as JSON."""
    status, detail = (
        (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "error")
    )
    return _json({"error": detail}, status)


class Admin:
    """The calls of the admin API."""

    def __init__(self, world: World, faults: Faults, gateway: Gateway, push: Push) -> None:
        self._world = world
        self._faults = faults
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
            Route("/admin/faults", self.list_faults, methods=["GET"]),
            Route("/admin/faults", self.add_faults, methods=["POST"]),
            Route("/admin/faults", self.clear_faults, methods=["DELETE"]),
            Route("/admin/faults/{fault:int}", self.remove_fault, methods=["DELETE"]),
            Route("/admin/lenient", self.set_lenient, methods=["PUT"]),
            Route("/admin/push", self.set_push, methods=["PUT"]),
            Route("/admin/journal", self.journal),
            Route("/admin/totals", self.totals),
            Route("/admin/files/{sha256}", self.file),
        ]

    async def health(self, _request: Request) -> Response:
        """Whether the sandbox serves, and in which mode."""
        return _json({"status": "ok", "lenient": self._world.lenient})

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
        return _json({"app_key": world.app.key, "app_secret": world.app.secret, "sellers": stores})

    async def end_tokens(self, request: Request) -> Response:
        """End a store's tokens now."""
        seller = self._seller(request.path_params["seller"])
        body = EndTokens.model_validate_json(await request.body() or b"{}")
        self._world.record(
            TokensEnded(
                at_ms=self._world.now_ms(), seller=seller, access=body.access, refresh=body.refresh
            )
        )
        return _json({"seller": seller, **body.model_dump()})

    async def issue_code(self, request: Request) -> Response:
        """An authorisation code, as if a seller had gone through the authorize page."""
        body = IssueCode.model_validate_json(await request.body())
        length_s = body.authorisation_s or MONTHS[body.months]
        code = self._world.tokens.new_code(
            self._seller(body.seller), length_s, self._world.now_ms()
        )
        self._world.record(code)
        return _json({"code": code.code, "seller": code.seller, "ends_ms": code.ends_ms}, 201)

    async def list_orders(self, request: Request) -> Response:
        """Orders in the order they were made, filtered by store and status."""
        query = request.query_params
        seller, status = query.get("seller"), query.get("status")
        found = [
            order
            for order in self._world.orders.by_id.values()
            if seller in {None, order.seller.id} and status in {None, order.status}
        ]
        offset, limit = _number(request, "offset", 0), _number(request, "limit", 1_000)
        rows = [_order_row(order) for order in found[offset : offset + min(limit, LIST_MAX)]]
        return _json({"total": len(found), "orders": rows})

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
        return _json({"created": [_order_row(order) for order in created]}, 201)

    async def show_order(self, request: Request) -> Response:
        """One order with its detail as the API answers it and its shipments."""
        order = self._order(request)
        return _json(
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
            )
        )
        return _json(_order_row(order))

    async def list_faults(self, _request: Request) -> Response:
        """The faults in force."""
        return _json({"faults": [_fault_row(active) for active in self._faults.active()]})

    async def add_faults(self, request: Request) -> Response:
        """One fault, or a list of them."""
        body = await request.body()
        specs = SPECS.validate_json(body if body.lstrip().startswith(b"[") else b"[%b]" % body)
        for spec in specs:
            self._can_hit(spec)
        try:
            added = [self._faults.add(spec) for spec in specs]
        except ValueError as error:
            raise HTTPException(409, str(error)) from error
        return _json({"faults": [_fault_row(active) for active in added]}, 201)

    async def clear_faults(self, _request: Request) -> Response:
        """End all faults."""
        self._faults.clear()
        return _json({"faults": []})

    async def remove_fault(self, request: Request) -> Response:
        """End one fault."""
        if not self._faults.remove(request.path_params["fault"]):
            raise HTTPException(404, "no such fault in force")
        return await self.list_faults(request)

    async def set_lenient(self, request: Request) -> Response:
        """Accept every shipment from now on, or not."""
        self._world.lenient = Lenient.model_validate_json(await request.body()).lenient
        return _json({"lenient": self._world.lenient})

    async def set_push(self, request: Request) -> Response:
        """Where push messages go."""
        self._push.url = PushTarget.model_validate_json(await request.body()).url
        return _json({"url": self._push.url})

    async def journal(self, request: Request) -> Response:
        """Journal entries after a sequence number, oldest first."""
        limit = min(_number(request, "limit", 1_000), LIST_MAX)
        kind = request.query_params.get("kind")
        entries = self._world.journal.read(_number(request, "after", 0), limit, kind)
        return _json({"last": self._world.journal.entries, "entries": entries})

    async def totals(self, request: Request) -> Response:
        """Sums over the journal and, since the start, over requests."""
        world, gateway = self._world, self._gateway
        sums = {
            **asdict(world.totals),
            "lenient": world.lenient,
            "shipping_calls_received": gateway.received[SHIPPING_PATH],
            "requests": dict(gateway.received),
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
        return _json(sums)

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

    def _can_hit(self, spec: Spec) -> None:
        if spec.seller is not None:
            self._seller(spec.seller)
        paths = self._gateway.paths
        if spec.path is not None and not any(fnmatchcase(path, spec.path) for path in paths):
            raise HTTPException(422, f"path matches none of {', '.join(paths)}")

    def _seller(self, seller: str) -> str:
        if seller not in self._world.sellers:
            raise HTTPException(404, f"no store has the id {seller[:40]}")
        return seller

    def _order(self, request: Request) -> Order:
        order = self._world.orders.by_id.get(request.path_params["trade_id"])
        if order is None:
            raise HTTPException(404, "no order has this trade id")
        return order


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name) or str(default)
    if not text.isascii() or not text.isdigit():
        raise HTTPException(400, f"{name} must be a whole number")
    return int(text)


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


def _fault_row(active: Active) -> dict[str, Any]:
    return {"id": active.id, "hits": active.hits, "left": active.left, **active.spec.model_dump()}
