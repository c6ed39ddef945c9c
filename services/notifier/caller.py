"""The calls to Alibaba, on the asyncio thread: upload, declare, look up. Each ends in one event for the rule.

Nothing is retried here: what happened goes back to the ledger, and the rule decides. Declares go before
uploads when connections are scarce, because their lease runs.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import SecretStr

from services.notifier.rule import (
    Accepted,
    CallEnded,
    CallNeverStarted,
    Contradicts,
    DeclareRequest,
    Holds,
    HoldsNone,
    LookedUp,
    LookupFailed,
    NotSent,
    RejectedByAlibaba,
    Throttled,
    Unauthorised,
    Unclear,
    Uploaded,
    UploadFailed,
)
from services.notifier.rule.types import CallOutcome, Event, Failure, LookupAnswer
from waybill.alibaba import errors
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.models import Attachment, Logistics, LogisticsType, RawOrder, ShippingRequest
from waybill.alibaba.ratelimit import AsyncLimiter
from waybill.alibaba.statuses import OrderStatus as RawMeaning
from waybill.alibaba.statuses import order_status
from waybill.clock import Clock
from waybill.contracts.order import OrderStatus

_DECLARE_FIRST, _UPLOAD_NEXT = 0, 1


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a proof, on its way to Alibaba."""

    name: str
    image: bytes = field(repr=False)
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A call ended: the event for the rule, and what it says of the store."""

    partition: int
    key: str
    event: Event
    store_id: str
    gate: str | None = None
    gate_s: float | None = None
    token: SecretStr | None = field(default=None, compare=False)
    """By which it was made: what it says of the store's tokens holds for this one alone."""
    detail: str | None = field(default=None, compare=False)
    """Why the gate closes, in words for an operator; holds no personal data."""


class CallSlots:
    """At most so many calls at once; whoever declares goes before whoever uploads."""

    def __init__(self, calls_max: int) -> None:
        self._free = calls_max
        self._calls_max = calls_max
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    @property
    def in_use(self) -> int:
        """Calls under way."""
        return self._calls_max - self._free

    @asynccontextmanager
    async def taken(self, priority: int) -> Any:
        """Hold one slot; lower priority numbers go first."""
        if self._free > 0:
            self._free -= 1
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (priority, next(self._order), turn))
            await turn
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


@dataclass(slots=True)
class StoreLine:
    """What calls for one store need; made anew when its tokens change."""

    store_id: str
    client: AlibabaClient
    token: SecretStr
    limiter: AsyncLimiter
    slots: CallSlots
    status_map: Mapping[str, str]


class Caller:
    """Makes the calls of one process; stateless but for limits, so that losing it loses nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def upload(
        self, line: StoreLine, partition: int, key: str, claim_id: str, pages: Sequence[Page]
    ) -> Done:
        """Upload the pages, then wait for a permit to declare, so that the lease is not spent waiting."""
        paths = []
        try:
            for page in pages:
                async with line.slots.taken(_UPLOAD_NEXT):
                    paths.append(await self._limited(line, partial(self._sent, line, page)))
            await line.limiter.acquire()
        except errors.AlibabaError as error:
            return self._done(line, partition, key, UploadFailed(self._failure(error)), error)
        hashes = tuple(page.sha256 for page in pages)
        return self._done(line, partition, key, Uploaded(tuple(paths), hashes, claim_id))

    async def _sent(self, line: StoreLine, page: Page) -> str:
        return await line.client.upload_attachment(page.name, page.image, access_token=line.token)

    async def _limited(self, line: StoreLine, call: Callable[[], Any]) -> Any:
        return await line.limiter.run(call)

    async def declare(
        self,
        line: StoreLine,
        partition: int,
        key: str,
        request: DeclareRequest,
        attempt: int,
        may_start: Callable[[], bool],
    ) -> Done:
        """The one call that must not happen twice. `may_start` is asked right before the first byte."""
        async with line.slots.taken(_DECLARE_FIRST):
            if not may_start():
                return self._done(line, partition, key, CallNeverStarted(attempt))
            try:
                wire = to_wire(request)
                voucher = await line.limiter.reported(
                    lambda: line.client.declare_shipment(
                        wire, access_token=line.token, may_start=may_start
                    ),
                    self._clock.boot_s(),
                )
            except errors.AlibabaError as error:
                outcome: CallOutcome = self._outcome(error)
                return self._done(line, partition, key, CallEnded(outcome, attempt), error)
        return self._done(line, partition, key, CallEnded(Accepted(voucher), attempt))

    async def look_up(self, line: StoreLine, partition: int, key: str, trade_id: str) -> Done:
        """Ask for order status and logistics; both have to say "none" for it to be none."""
        asked_at = self._clock.now()
        try:
            order, logistics = await asyncio.gather(
                self._limited(
                    line, lambda: line.client.get_order(trade_id, access_token=line.token)
                ),
                self._limited(
                    line, lambda: line.client.get_logistics(trade_id, access_token=line.token)
                ),
            )
        except errors.AlibabaError as error:
            answer: LookupAnswer = LookupFailed(error.code)
            return self._done(line, partition, key, LookedUp(answer, asked_at), error)
        answer = what_alibaba_holds(order, logistics, line.status_map)
        return self._done(line, partition, key, LookedUp(answer, asked_at))

    def _done(
        self,
        line: StoreLine,
        partition: int,
        key: str,
        event: Event,
        error: errors.AlibabaError | None = None,
    ) -> Done:
        gate: tuple[str | None, float | None] = (None, None)
        if isinstance(error, errors.Unauthorised):
            gate = ("unauthorised", None)
        elif isinstance(error, errors.Misconfigured):
            gate = ("misconfigured", 60.0)  # an operator repairs it; look again every minute
        elif isinstance(error, errors.Throttled):
            gate = (
                "throttled",
                max(0.0, line.limiter.limiter.banned_until_s - self._clock.boot_s()),
            )
        detail = str(error) if gate[0] is not None else None
        return Done(partition, key, event, line.store_id, *gate, line.token, detail)

    def _failure(self, error: errors.AlibabaError) -> Failure:
        """An upload may be repeated, so nothing about it is unclear."""
        outcome = self._outcome(error)
        return NotSent(error.outcome) if isinstance(outcome, Unclear) else outcome

    def _outcome(self, error: errors.AlibabaError) -> Failure:
        match error:
            case errors.Throttled():
                pause_s = error.retry_after_s if error.retry_after_s is not None else 1.0
                return Throttled(self._clock.now() + timedelta(seconds=pause_s))
            case errors.Unauthorised() | errors.Misconfigured():
                return Unauthorised()
            case errors.Rejected() | errors.InvalidRequest():
                return RejectedByAlibaba(error.code or error.outcome, error.request_id)
            case errors.NotDone():
                return NotSent(error.outcome)
            case _:
                return Unclear(error.code or error.outcome, error.request_id)


def to_wire(request: DeclareRequest) -> ShippingRequest:
    """Alibaba's form of the request; raises InvalidRequest when a field breaks its limits."""
    try:
        return ShippingRequest(
            trade_id=request.trade_id,
            service_provider=request.carrier_code,
            logistics_type=LogisticsType(request.logistics_type.value),
            tracking_number=request.tracking_number,
            contact_mobile=request.contact_mobile,
            attachments=tuple(
                Attachment(file_name=f"proof-{number}.png", file_path=path)
                for number, path in enumerate(request.file_paths, start=1)
            ),
        )
    except ValueError as error:
        raise errors.InvalidRequest(
            "the request breaks a limit", operation="declare_shipment"
        ) from error


_NOT_SHIPPED = {
    RawMeaning.AWAITING_PAYMENT: OrderStatus.AWAITING_PAYMENT,
    RawMeaning.AWAITING_SHIPMENT: OrderStatus.AWAITING_SHIPMENT,
    RawMeaning.CANCELLED: OrderStatus.CANCELLED,
    RawMeaning.ON_HOLD: OrderStatus.ON_HOLD,
}


def _not_shipped(raw: str | None, status_map: Mapping[str, str]) -> OrderStatus | None:
    try:
        return _NOT_SHIPPED.get(order_status(raw, status_map))
    except ValueError:  # a typing error in the store's table leaves doubt, and ends no process
        return None


def what_alibaba_holds(
    order: RawOrder, logistics: Logistics, status_map: Mapping[str, str]
) -> LookupAnswer:
    """One answer out of order status and logistics. Any shipment counts; "none" only when both say so."""
    if logistics.shipments:
        held = [(s.tracking_number, s.service_provider, None) for s in logistics.shipments]
        return Holds(tuple(held))
    status = _not_shipped(order.status, status_map)
    if logistics.nothing_shipped and status is not None:
        return HoldsNone(status)
    return Contradicts()
