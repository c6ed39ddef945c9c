"""The calls of the import, on the asyncio thread: a page with its orders, or single orders.

Detail and payment calls of different orders run at the same time, under the store's limits. What
comes back is normalised here already, so that the loop's thread only compares and writes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import SecretStr

from services.importer.normalise import Draft, UnreadableOrder, normalise
from services.importer.schedule import PollStore, ReadOrders, Task
from services.importer.windows import Window
from waybill.alibaba import errors
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.models import OrderListing, OrderPage, OrderWindow
from waybill.alibaba.ratelimit import AsyncLimiter
from waybill.clock import Clock
from waybill.contracts import Order, Store
from waybill.contracts.keys import order_key, parse_order_key

T = TypeVar("T")


@dataclass(slots=True)
class StoreLine:
    """What calls for one store need."""

    store: Store
    client: AlibabaClient
    token: SecretStr = field(repr=False)
    limiter: AsyncLimiter
    at_once: asyncio.Semaphore
    """Calls under way for this store."""


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A task went well, perhaps but for some orders."""

    task: Task
    readings: tuple[Order | Draft, ...] = ()
    unread: tuple[str, ...] = ()
    """Orders that the site would not give."""
    unreadable: tuple[UnreadableOrder, ...] = ()
    page: OrderPage | None = None
    """The page of a poll."""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """The site did not answer, or refused the store."""

    task: Task
    outcome: str
    detail: str
    retry_at: datetime | None = None


class OrderReader:
    """Reads orders of any store; stateless, so that losing it loses nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def read_orders(self, line: StoreLine, task: ReadOrders) -> TaskEnded | TaskFailed:
        """Read the orders of a task."""
        try:
            return await self._details(line, task, task.order_keys, page=None)
        except errors.AlibabaError as error:
            return self._failed(line, task, error)

    async def read_page(
        self,
        line: StoreLine,
        task: PollStore,
        window: Window,
        page: int,
        needed: Callable[[str, datetime | None], bool],
    ) -> TaskEnded | TaskFailed:
        """Read one page of a window, and those of its orders that may have changed."""
        asked = OrderWindow(window.start, window.end)
        try:
            listed = await self._limited(
                line, lambda: line.client.list_orders(asked, page, access_token=line.token)
            )
            keyed = [(_key_of(line.store, order), order) for order in listed.orders]
            changed = [key for key, order in keyed if key and needed(key, order.modified)]
            return await self._details(line, task, changed, page=listed)
        except errors.AlibabaError as error:
            return self._failed(line, task, error)

    async def _details(
        self, line: StoreLine, task: Task, keys: Iterable[str], page: OrderPage | None
    ) -> TaskEnded:
        read_at = self._clock.now()
        wanted = list(dict.fromkeys(keys))
        found = await asyncio.gather(
            *(self._detail(line, key, read_at) for key in wanted), return_exceptions=True
        )
        unavailable = [one for one in found if isinstance(one, BaseException)]
        if unavailable and not _is_well(unavailable, len(wanted)):
            raise unavailable[0]
        unread = [
            key
            for key, one in zip(wanted, found, strict=True)
            if isinstance(one, str | BaseException)
        ]
        return TaskEnded(
            task,
            tuple(one for one in found if isinstance(one, Order | Draft)),
            tuple(unread),
            tuple(one for one in found if isinstance(one, UnreadableOrder)),
            page,
            read_at,
        )

    async def _detail(
        self, line: StoreLine, key: str, read_at: datetime
    ) -> Order | Draft | UnreadableOrder | str:
        """The order; its key when the site would not give it."""
        trade_id = parse_order_key(key).trade_id
        token, client = line.token, line.client
        try:
            raw = await self._limited(line, lambda: client.get_order(trade_id, access_token=token))
        except errors.Rejected:
            return key  # not this seller's, or gone: the store itself is well
        try:
            paid = await self._limited(
                line, lambda: client.get_payments(trade_id, access_token=token)
            )
            payments: Mapping[str, object] | None = paid.payload
        except errors.Rejected:
            payments = None  # some accounts may not ask; the order is worth having without
        try:
            return normalise(
                {"trade_id": raw.trade_id, **raw.payload},
                payments=payments,
                site=line.store.site,
                store=line.store,
                imported_at=read_at,
            )
        except UnreadableOrder as error:
            return error

    async def _limited(self, line: StoreLine, call: Callable[[], Awaitable[T]]) -> T:
        async with line.at_once:
            return await line.limiter.run(call)

    def _failed(self, line: StoreLine, task: Task, error: errors.AlibabaError) -> TaskFailed:
        retry_at = None
        if isinstance(error, errors.Throttled):
            banned_s = line.limiter.limiter.banned_until_s - self._clock.boot_s()
            retry_at = self._clock.now() + timedelta(seconds=max(0.0, banned_s))
        return TaskFailed(task, error.outcome, str(error), retry_at)


def _is_well(failures: list[BaseException], wanted: int) -> bool:
    """A single order that cannot be read must not hold up its store for ever; an outage is none of these."""
    single = all(isinstance(failure, errors.Unavailable) for failure in failures)
    return single and len(failures) < max(2, wanted // 2)


def _key_of(store: Store, listed: OrderListing) -> str | None:
    """The order's key; None for a number of a form that no call takes."""
    try:
        return order_key(store.site, listed.trade_id)
    except ValueError:
        return None
