"""What each end of a call means for the ledger, and who may call when; with a scripted client."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, cast

import pytest
from pydantic import SecretStr

from services.notifier.caller import Caller, CallSlots, Done, Page, StoreLine
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
from services.notifier.rule.types import CallOutcome, Failure
from tests.unit.notifier.rule.builders import START
from tests.unit.notifier.world import FakeClock
from waybill.alibaba import errors
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.models import DeclaredShipment, Logistics, RawOrder, ShippingRequest
from waybill.alibaba.ratelimit import AsyncLimiter, StoreLimiter
from waybill.alibaba.settings import RateLimitSettings
from waybill.contracts.base import LogisticsType
from waybill.contracts.order import OrderStatus

T = TypeVar("T")
KEY, TRADE_ID = "alibaba:255201166001024316", "255201166001024316"
TOKEN = SecretStr("access")
PAGES = [Page("proof-1.png", b"one", "a" * 64), Page("proof-2.png", b"two", "b" * 64)]
REQUEST = DeclareRequest(TRADE_ID, "FEDEX", LogisticsType.EXPRESS, "7767", "4711", ("/f/1", "/f/2"))
UNSHIPPED = Logistics("UNDELIVERED", (), nothing_shipped=True, payload={})
OPEN = RawOrder(TRADE_ID, "undeliver", None, {})


@dataclass
class Client:
    """Answers as told; keeps the order of the calls."""

    fails: errors.AlibabaError | None = None
    order: RawOrder = OPEN
    logistics: Logistics = UNSHIPPED
    calls: list[str] = field(default_factory=list)
    requests: list[ShippingRequest] = field(default_factory=list)
    before_call: Callable[[str], Awaitable[None]] | None = None

    async def _called(self, name: str, access_token: SecretStr, result: T) -> T:
        assert access_token is TOKEN
        self.calls.append(name)
        if self.before_call is not None:
            await self.before_call(name)
        if self.fails is not None:
            raise self.fails
        return result

    async def upload_attachment(self, name: str, content: bytes, *, access_token: SecretStr) -> str:
        return await self._called(f"upload {name}", access_token, f"/f/{content.decode()}")

    async def declare_shipment(
        self, request: ShippingRequest, *, access_token: SecretStr, may_start: Callable[[], bool]
    ) -> str:
        if not may_start():
            raise errors.NotSent("its start was not allowed", operation="declare_shipment")
        self.requests.append(request)
        return await self._called("declare", access_token, "V-1")

    async def get_order(self, trade_id: str, *, access_token: SecretStr) -> RawOrder:
        assert trade_id == TRADE_ID
        return await self._called("order", access_token, self.order)

    async def get_logistics(self, trade_id: str, *, access_token: SecretStr) -> Logistics:
        assert trade_id == TRADE_ID
        return await self._called("logistics", access_token, self.logistics)


@dataclass
class Desk:
    """A caller and one store's line."""

    client: Client = field(default_factory=Client)
    slots: int = 8

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.caller = Caller(self.clock)
        limits = RateLimitSettings(start_per_s=1_000, max_per_s=1_000, pause_s=2)

        async def passes(seconds: float) -> None:
            self.clock.passed_s += seconds

        limiter = StoreLimiter(limits, self.clock.boot_s())
        waiting = AsyncLimiter(limiter, now_s=self.clock.boot_s, sleep=passes)
        client, slots = cast("AlibabaClient", self.client), CallSlots(self.slots)
        self.line = StoreLine("store-1", client, TOKEN, waiting, slots, {})

    def upload(self, name: str = "claim-1") -> Coroutine[Any, Any, Done]:
        return self.caller.upload(self.line, 3, KEY, name, PAGES)

    def declare(
        self, may_start: Callable[[], bool] = lambda: True, request: DeclareRequest = REQUEST
    ) -> Coroutine[Any, Any, Done]:
        return self.caller.declare(self.line, 3, KEY, request, 2, may_start)

    def look_up(self) -> Coroutine[Any, Any, Done]:
        return self.caller.look_up(self.line, 3, KEY, TRADE_ID)


def _error(kind: type[errors.AlibabaError], **more: Any) -> errors.AlibabaError:
    return kind("scripted", operation="test", **more)


ENDS: list[tuple[errors.AlibabaError, CallOutcome]] = [
    (_error(errors.NotSent), NotSent("not_sent")),
    (_error(errors.NotDone), NotSent("not_done")),
    (_error(errors.Unauthorised, code="IllegalAccessToken"), Unauthorised()),
    (_error(errors.Misconfigured, code="AppWhiteIpLimit"), Unauthorised()),
    (_error(errors.Rejected, code="402", request_id="r1"), RejectedByAlibaba("402", "r1")),
    (_error(errors.Rejected), RejectedByAlibaba("rejected")),
    (_error(errors.InvalidRequest), RejectedByAlibaba("invalid_request")),
    (_error(errors.OutcomeUnknown, code="500", request_id="r1"), Unclear("500", "r1")),
    (_error(errors.NeedsLookup), Unclear("needs_lookup")),
    (_error(errors.Unavailable), Unclear("unavailable")),
    (_error(errors.AlibabaError), Unclear("error")),
]


def _name(value: object) -> str:
    return type(value).__name__


# ----------------------------------------------------------------------------------------- declare


def test_a_yes_is_accepted_with_its_voucher() -> None:
    desk = Desk()

    done = asyncio.run(desk.declare())

    assert done == Done(3, KEY, CallEnded(Accepted("V-1"), 2), "store-1")
    (sent,) = desk.client.requests
    assert (sent.trade_id, sent.service_provider, sent.tracking_number) == (
        TRADE_ID,
        "FEDEX",
        "7767",
    )
    assert sent.contact_mobile == "4711"
    assert [one.file_path for one in sent.attachments] == ["/f/1", "/f/2"]


@pytest.mark.parametrize(("error", "outcome"), ENDS, ids=_name)
def test_each_end_of_a_call_has_its_meaning(
    error: errors.AlibabaError, outcome: CallOutcome
) -> None:
    desk = Desk(Client(error))

    assert asyncio.run(desk.declare()).event == CallEnded(outcome, 2)
    assert desk.client.calls == ["declare"], "nothing is repeated here"


@pytest.mark.parametrize(("retry_after_s", "pause_s"), [(30.0, 30.0), (None, 1.0)])
def test_a_throttled_call_says_until_when(retry_after_s: float | None, pause_s: float) -> None:
    desk = Desk(Client(_error(errors.Throttled, retry_after_s=retry_after_s)))

    event = asyncio.run(desk.declare()).event

    assert event == CallEnded(Throttled(START + timedelta(seconds=pause_s)), 2)


def test_a_request_that_breaks_a_limit_is_rejected_and_not_sent() -> None:
    desk = Desk()
    request = DeclareRequest(TRADE_ID, "FEDEX", LogisticsType.EXPRESS, "7767", "not digits", ())

    event = asyncio.run(desk.declare(request=request)).event

    assert event == CallEnded(RejectedByAlibaba("invalid_request"), 2)
    assert desk.client.calls == []


def test_a_lease_that_ran_out_sends_nothing() -> None:
    desk = Desk()

    done = asyncio.run(desk.declare(lambda: False))

    assert done == Done(3, KEY, CallNeverStarted(2), "store-1")
    assert desk.client.calls == []


def test_a_lease_that_runs_out_while_the_connection_is_made_sends_nothing() -> None:
    desk = Desk()
    answers = iter([True, False])

    event = asyncio.run(desk.declare(lambda: next(answers))).event

    assert event == CallEnded(NotSent("not_sent"), 2)
    assert desk.client.requests == []


def test_a_lease_counts_while_a_call_waits_for_its_slot() -> None:
    desk = Desk(slots=1)
    allowed = True
    go_on = asyncio.Event()

    async def holds(_: str) -> None:
        await go_on.wait()

    desk.client.before_call = holds

    async def run() -> Done:
        nonlocal allowed
        first = asyncio.create_task(desk.declare())
        second = asyncio.create_task(desk.declare(lambda: allowed))
        await _settled()
        allowed = False
        go_on.set()
        await first
        return await second

    assert asyncio.run(run()).event == CallNeverStarted(2)
    assert desk.client.calls == ["declare"]


# ------------------------------------------------------------------------------------------ upload


def test_pages_are_uploaded_in_their_order() -> None:
    desk = Desk()

    done = asyncio.run(desk.upload())

    hashes = ("a" * 64, "b" * 64)
    assert done.event == Uploaded(("/f/one", "/f/two"), hashes, "claim-1")
    assert (done.partition, done.key, done.store_id, done.gate) == (3, KEY, "store-1", None)
    assert desk.client.calls == ["upload proof-1.png", "upload proof-2.png"]


@pytest.mark.parametrize(("error", "outcome"), ENDS, ids=_name)
def test_nothing_about_an_upload_is_unclear(
    error: errors.AlibabaError, outcome: CallOutcome
) -> None:
    desk = Desk(Client(error))
    wanted: CallOutcome = NotSent(error.outcome) if isinstance(outcome, Unclear) else outcome

    event = asyncio.run(desk.upload()).event

    assert isinstance(wanted, Failure)
    assert event == UploadFailed(wanted)
    assert len(desk.client.calls) == 1, "the second page is not sent when the first was not taken"


def test_an_upload_ends_only_when_a_call_may_follow_at_once() -> None:
    """The permit for the call is waited for before its lease begins to run."""
    desk = Desk()
    limiter = desk.line.limiter.limiter

    async def banned(_: str) -> None:
        now_s = desk.clock.boot_s()
        limiter.throttled(now_s, started_s=now_s, retry_after_s=40)

    desk.client.before_call = banned
    asyncio.run(desk.upload())

    assert desk.clock.passed_s >= 80, "one ban before the second page, one before the call"


# ------------------------------------------------------------------------------------------- slots


async def _settled() -> None:
    """Every task has come to its next wait."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_calls_at_once_are_bounded() -> None:
    slots = CallSlots(3)
    most = 0
    go_on = asyncio.Event()

    async def call() -> None:
        nonlocal most
        async with slots.taken(1):
            most = max(most, slots.in_use)
            await go_on.wait()

    async def run() -> None:
        calls = [asyncio.create_task(call()) for _ in range(10)]
        await _settled()
        assert slots.in_use == 3
        go_on.set()
        await asyncio.gather(*calls)

    asyncio.run(run())
    assert (most, slots.in_use) == (3, 0)


def test_a_call_goes_before_uploads_that_waited_longer() -> None:
    desk = Desk(slots=1)
    gate = asyncio.Event()

    async def first_waits(_: str) -> None:
        if len(desk.client.calls) == 1:
            await gate.wait()

    desk.client.before_call = first_waits

    async def run() -> None:
        tasks = [asyncio.create_task(desk.upload(f"claim-{n}")) for n in range(3)]
        await _settled()
        tasks.append(asyncio.create_task(desk.declare()))
        await _settled()
        gate.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())
    assert desk.client.calls[1] == "declare"
    assert len(desk.client.calls) == 7


def test_a_waiter_that_is_cancelled_takes_no_slot() -> None:
    slots = CallSlots(1)
    entered: list[str] = []

    async def call(name: str, gate: asyncio.Event) -> None:
        async with slots.taken(1):
            entered.append(name)
            await gate.wait()

    async def run() -> None:
        gate = asyncio.Event()
        first = asyncio.create_task(call("first", gate))
        await _settled()
        gone = asyncio.create_task(call("gone", gate))
        last = asyncio.create_task(call("last", gate))
        await _settled()
        gone.cancel()
        await _settled()
        gate.set()
        await asyncio.gather(first, last)

    asyncio.run(run())
    assert entered == ["first", "last"]
    assert slots.in_use == 0


def test_a_call_that_fails_gives_its_slot_back() -> None:
    desk = Desk(Client(_error(errors.OutcomeUnknown)), slots=1)

    for _ in range(3):
        asyncio.run(desk.declare())

    assert desk.line.slots.in_use == 0


# ----------------------------------------------------------------------------------------- limiter


def test_a_throttled_answer_holds_back_the_store() -> None:
    desk = Desk(Client(_error(errors.Throttled, retry_after_s=30)))

    done = asyncio.run(desk.declare())

    assert done.gate == "throttled"
    assert done.gate_s == pytest.approx(30)
    assert desk.line.limiter.limiter.banned_until_s == pytest.approx(desk.clock.boot_s() + 30)
    desk.client.fails = None
    asyncio.run(desk.upload())
    assert desk.clock.passed_s >= 30


GATES: list[tuple[errors.AlibabaError, str | None, float | None]] = [
    (_error(errors.Unauthorised), "unauthorised", None),
    (_error(errors.Misconfigured), "misconfigured", 60.0),
    (_error(errors.Rejected, code="402"), None, None),
    (_error(errors.NotSent), None, None),
    (_error(errors.OutcomeUnknown), None, None),
    (_error(errors.Unavailable), None, None),
]


@pytest.mark.parametrize(("error", "gate", "gate_s"), GATES, ids=_name)
@pytest.mark.parametrize("call", ["upload", "declare", "look_up"])
def test_conditions_of_the_store_close_its_gate_and_nothing_else_does(
    error: errors.AlibabaError, gate: str | None, gate_s: float | None, call: str
) -> None:
    desk = Desk(Client(error))

    done: Done = asyncio.run(getattr(desk, call)())

    assert (done.gate, done.gate_s) == (gate, gate_s)
    assert done.detail == (str(error) if gate else None)


# ----------------------------------------------------------------------------------------- look-up


def _logistics(*numbers: str, nothing: bool = False) -> Logistics:
    held = tuple(DeclaredShipment(number, "FEDEX", "EXPRESS") for number in numbers)
    return Logistics("DELIVERING", held, nothing_shipped=nothing, payload={})


ANSWERS = [
    ("undeliver", UNSHIPPED, HoldsNone(OrderStatus.AWAITING_SHIPMENT)),
    ("unpay", UNSHIPPED, HoldsNone(OrderStatus.AWAITING_PAYMENT)),
    ("trade_close", UNSHIPPED, HoldsNone(OrderStatus.CANCELLED)),
    ("frozen", UNSHIPPED, HoldsNone(OrderStatus.ON_HOLD)),
    ("delivering", UNSHIPPED, Contradicts()),
    ("a status nobody knows", UNSHIPPED, Contradicts()),
    (None, UNSHIPPED, Contradicts()),
    ("undeliver", _logistics(), Contradicts()),
    ("undeliver", _logistics("7767"), Holds((("7767", "FEDEX", None),))),
    (
        "delivering",
        _logistics("1Z", "7767"),
        Holds((("1Z", "FEDEX", None), ("7767", "FEDEX", None))),
    ),
    ("trade_close", _logistics("7767", nothing=True), Holds((("7767", "FEDEX", None),))),
]


@pytest.mark.parametrize(("status", "logistics", "answer"), ANSWERS)
def test_only_status_and_logistics_together_say_none_and_any_shipment_counts(
    status: str | None, logistics: Logistics, answer: object
) -> None:
    desk = Desk(Client(order=RawOrder(TRADE_ID, status, None, {}), logistics=logistics))

    done = asyncio.run(desk.look_up())

    assert done.event == LookedUp(answer, START)  # type: ignore[arg-type]
    assert sorted(desk.client.calls) == ["logistics", "order"]


def test_the_stores_own_reading_of_a_status_counts_in_a_look_up() -> None:
    desk = Desk(Client(order=RawOrder(TRADE_ID, "local_code", None, {})))
    desk.line.status_map = {"local_code": "awaiting_shipment"}

    answer = asyncio.run(desk.look_up()).event

    assert answer == LookedUp(HoldsNone(OrderStatus.AWAITING_SHIPMENT), START)


def test_a_typing_error_in_the_stores_table_leaves_doubt() -> None:
    desk = Desk()
    desk.line.status_map = {"undeliver": "awaiting_shipmnet"}

    assert asyncio.run(desk.look_up()).event == LookedUp(Contradicts(), START)


@pytest.mark.parametrize("error", [error for error, _ in ENDS], ids=_name)
def test_a_look_up_without_an_answer_says_nothing(error: errors.AlibabaError) -> None:
    desk = Desk(Client(error))

    assert asyncio.run(desk.look_up()).event == LookedUp(LookupFailed(error.code), START)


def test_a_look_up_was_asked_when_it_began_not_when_it_ended() -> None:
    desk = Desk()

    async def slow(_: str) -> None:
        desk.clock.passed_s += 20

    desk.client.before_call = slow
    event = asyncio.run(desk.look_up()).event

    assert isinstance(event, LookedUp)
    assert event.asked_at == START
    assert desk.clock.passed_s == pytest.approx(40, abs=1)
