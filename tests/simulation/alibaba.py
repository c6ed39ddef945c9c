"""A lenient model of Alibaba, and a client that fails in every way the real one's errors tell of.

It accepts a second shipment of an order, so that whoever sends twice is caught. It acts late, but no
later than the horizon after the call ended for its caller; it answers queries from the past, but from no
longer ago than two look-ups are apart. Both are what the product states as its assumptions.

The strict one takes what is to be shipped and refuses the rest, and may take a call hours later: beyond
the horizon only Alibaba's own rule protects.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pydantic import SecretStr

from tests.simulation.background import SteppedLoop
from waybill.alibaba import errors
from waybill.alibaba.models import DeclaredShipment, Logistics, RawOrder, ShippingRequest

CALL_S = 30.0
"""Total time of a call, as the client has it."""


@dataclass(slots=True, eq=False)
class Call:
    """A declaration on the wire."""

    trade_id: str
    tracking_number: str
    file_paths: tuple[str, ...]
    started_s: float
    ends_s: float
    """When it is over for its caller, whatever it hears."""
    acts_s: float | None
    """When Alibaba takes it; None for never."""
    process: str
    acted: bool = False
    refused: bool = False
    """It came to a strict Alibaba that had nothing to ship any more."""


@dataclass(slots=True)
class TradeOrder:
    """An order at Alibaba; every change with its time, since queries may see the past."""

    changes: list[tuple[float, str]]
    shipments: list[tuple[float, Call | None, str]] = field(default_factory=list)
    """When, by which call of ours (None: somebody else's), tracking number."""

    def status(self, as_of_s: float) -> str:
        """Raw status as of then; the first one is as old as the order."""
        known = [raw for at_s, raw in self.changes if at_s <= as_of_s]
        return known[-1] if known else self.changes[0][1]

    def held(self, as_of_s: float) -> list[str]:
        """Tracking numbers known by then."""
        return [number for at_s, _, number in self.shipments if at_s <= as_of_s]


@dataclass(frozen=True, slots=True)
class Moods:
    """How often what goes wrong; all of it is zero when faults are off."""

    unclear: float = 0.0
    """A declaration ends without a clear answer."""
    refused: float = 0.0
    """Throttled, 5xx before acting, no connection."""
    rejected: float = 0.0
    slow: float = 0.0
    stale: float = 0.0


class ModelAlibaba:
    """The server's side."""

    def __init__(
        self,
        clock_s: Callable[[], float],
        rng: Random,
        horizon_s: float,
        lag_s: float,
        on_act: Callable[[Call], None],
        *,
        strict: bool = False,
    ) -> None:
        self.strict = strict
        self.orders: dict[str, TradeOrder] = {}
        self.calls: list[Call] = []
        self.moods = Moods()
        self.good_tokens: set[str] = set()
        self.files: dict[str, bytes] = {}
        """What lies under which path."""
        self.horizon_s, self.lag_s = horizon_s, lag_s
        self.rng = rng
        self.clock_s = clock_s
        self._on_act = on_act

    def trade(self, trade_id: str, raw_status: str) -> None:
        """A buyer orders."""
        self.orders[trade_id] = TradeOrder([(self.clock_s(), raw_status)])

    def becomes(self, trade_id: str, raw_status: str) -> None:
        """Its status changes."""
        self.orders[trade_id].changes.append((self.clock_s(), raw_status))

    def ship_by_hand(self, trade_id: str, number: str) -> None:
        """The seller declares a shipment on Alibaba's pages."""
        self.orders[trade_id].shipments.append((self.clock_s(), None, number))
        self.becomes(trade_id, "delivering")

    def arrived(self, call: Call) -> None:
        """The first byte of a call left its process."""
        self.calls.append(call)
        self.act()

    def act(self) -> None:
        """Take what is due."""
        now_s = self.clock_s()
        for call in self.calls:
            if call.acts_s is None or call.acts_s > now_s or call.acted or call.refused:
                continue
            if self.strict and not self.may_ship(call.trade_id):
                call.refused = True
                continue
            call.acted = True
            order = self.orders[call.trade_id]
            order.shipments.append((now_s, call, call.tracking_number))
            order.changes.append((now_s, "delivering"))
            self._on_act(call)

    def may_ship(self, trade_id: str) -> bool:
        """Alibaba's own rule: paid, not shipped, neither held nor closed."""
        order = self.orders[trade_id]
        return not order.shipments and order.status(float("inf")) == "undeliver"

    def is_late(self, call: Call) -> bool:
        """Whether it acts beyond the horizon."""
        return call.acts_s is not None and call.acts_s > call.ends_s + self.horizon_s

    def late_s(self, ends_s: float) -> float:
        """A time after the end of a call at which it may still act."""
        rng, latest_s = self.rng, ends_s + self.horizon_s
        if not self.strict:
            return rng.choice((rng.uniform(ends_s, latest_s), latest_s - rng.uniform(0, 0.5)))
        return latest_s + rng.uniform(0, rng.choice((30.0, 60.0, 600.0, 7_200.0)))

    def next_act_s(self) -> float | None:
        """When the next call acts."""
        waiting = (call for call in self.calls if not (call.acted or call.refused))
        return min((call.acts_s for call in waiting if call.acts_s is not None), default=None)

    def died(self, process: str) -> None:
        """A process is gone: for it, its calls ended now."""
        now_s = self.clock_s()
        for call in self.calls:
            if call.process == process and call.ends_s > now_s:
                call.ends_s = now_s
                if call.acts_s is not None and not self.strict:
                    call.acts_s = min(call.acts_s, now_s + self.horizon_s)

    def accepted(self, trade_id: str) -> list[Call]:
        """Calls of ours that acted."""
        return [call for _, call, _ in self.orders[trade_id].shipments if call is not None]

    def stored(self, content: bytes) -> str:
        """A file was uploaded."""
        path = f"/f/{len(self.files) + 1}.png"
        self.files[path] = content
        return path


class ModelClient:
    """As much of `AlibabaClient` as the notifier uses, for one process."""

    def __init__(
        self,
        server: ModelAlibaba,
        process: str,
        loop: SteppedLoop,
        on_call: Callable[[Call, ShippingRequest], None],
    ) -> None:
        self._server = server
        self._process = process
        self._loop = loop
        self._on_call = on_call

    async def upload_attachment(
        self,
        name: str,  # noqa: ARG002 - as the real client has it
        content: bytes,
        *,
        access_token: SecretStr,
    ) -> str:
        """See `AlibabaClient.upload_attachment`."""
        await self._repeatable("upload_attachment", access_token)
        return self._server.stored(content)

    async def get_order(self, trade_id: str, *, access_token: SecretStr) -> RawOrder:
        """See `AlibabaClient.get_order`."""
        as_of_s = self._as_of_s()
        await self._repeatable("get_order", access_token)
        status = self._server.orders[trade_id].status(as_of_s)
        return RawOrder(trade_id, status, None, {})

    async def get_logistics(self, trade_id: str, *, access_token: SecretStr) -> Logistics:
        """See `AlibabaClient.get_logistics`."""
        as_of_s = self._as_of_s()
        await self._repeatable("get_logistics", access_token)
        held = self._server.orders[trade_id].held(as_of_s)
        shipments = tuple(DeclaredShipment(number, "FEDEX", "EXPRESS") for number in held)
        status = "DELIVERING" if held else "UNDELIVERED"
        return Logistics(status, shipments, not held, {})

    def _as_of_s(self) -> float:
        """Queries answer from the past, but never from before an answer could matter."""
        server = self._server
        stale = server.rng.random() < server.moods.stale
        return server.clock_s() - (server.rng.uniform(0, server.lag_s) if stale else 0.0)

    async def _repeatable(self, operation: str, token: SecretStr) -> None:
        server, rng = self._server, self._server.rng
        await self._wait(0.02)
        if token.get_secret_value() not in server.good_tokens:
            raise errors.Unauthorised("token", operation=operation, code="IllegalAccessToken")
        if rng.random() < server.moods.slow:
            await self._wait(rng.choice((1.0, 6.0, 40.0)))
        if rng.random() < server.moods.refused:
            raise _refusal(rng, operation)

    async def _wait(self, longest_s: float) -> None:
        future = self._loop.create_future()
        pause_s = min(self._server.rng.uniform(0, longest_s), CALL_S)
        self._loop.call_later(pause_s, _wake, future)
        await future

    async def declare_shipment(
        self,
        request: ShippingRequest,
        *,
        access_token: SecretStr,
        may_start: Callable[[], bool] | None = None,
    ) -> str:
        """See `AlibabaClient.declare_shipment`."""
        server, rng, operation = self._server, self._server.rng, "declare_shipment"
        if may_start is not None and not may_start():
            raise errors.NotSent("start", operation=operation)
        await self._wait(8.0 if rng.random() < server.moods.slow else 0.02)
        if may_start is not None and not may_start():
            raise errors.NotSent("its start was not allowed any more", operation=operation)
        if access_token.get_secret_value() not in server.good_tokens:
            raise errors.Unauthorised("token", operation=operation, code="IllegalAccessToken")
        if rng.random() < server.moods.refused:
            raise _refusal(rng, operation)
        if server.strict and not server.may_ship(request.trade_id):
            raise _not_to_be_shipped()
        if rng.random() < server.moods.rejected:
            raise errors.Rejected("no", operation=operation, code="402")
        return await self._declared(request)

    async def _declared(self, request: ShippingRequest) -> str:
        server, rng = self._server, self._server.rng
        unclear = rng.random() < server.moods.unclear
        call = self._call(request, unclear)
        self._on_call(call, request)
        server.arrived(call)
        future = self._loop.create_future()
        self._loop.call_later(call.ends_s - call.started_s, _wake, future)
        await future
        if unclear:
            raise errors.OutcomeUnknown("no answer", operation="declare_shipment")
        if call.refused:
            raise _not_to_be_shipped()
        return f"V-{len(server.calls)}"

    def _call(self, request: ShippingRequest, unclear: bool) -> Call:
        """On the wire from now on; what it does and when is decided."""
        server, rng, now_s = self._server, self._server.rng, self._server.clock_s()
        slow = rng.random() < server.moods.slow
        ends_s = now_s + (rng.uniform(0, CALL_S) if slow else rng.uniform(0, 0.05))
        acts_s: float | None = now_s + rng.uniform(0, ends_s - now_s)
        if unclear:
            late_s = server.late_s(ends_s)
            acts_s = rng.choice((acts_s, None, late_s))
        return Call(
            request.trade_id,
            request.tracking_number,
            tuple(page.file_path for page in request.attachments),
            now_s,
            ends_s,
            acts_s,
            self._process,
        )


def _not_to_be_shipped() -> errors.AlibabaError:
    """How the client classifies words about the order's state; Alibaba's code for it is not known."""
    return errors.NeedsLookup("already shipped", operation="declare_shipment")


def _refusal(rng: Random, operation: str) -> errors.AlibabaError:
    """Surely without effect; a 5xx of a call that may be repeated is `Unavailable`."""
    if rng.random() < 0.4:
        pause_s = rng.choice((None, 0.5, 3.0))
        return errors.Throttled("slow down", operation=operation, retry_after_s=pause_s)
    if operation != "declare_shipment" and rng.random() < 0.5:
        return errors.Unavailable("5xx", operation=operation, http_status=503)
    return errors.NotSent("no connection", operation=operation)


def _wake(future: Any) -> None:
    if not future.done():
        future.set_result(None)
