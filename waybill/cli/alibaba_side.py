"""What Alibaba says of a store's orders, asked slowly and read only: one call after the other.

Nothing is written, neither to Alibaba nor to a topic. What does not answer is named, never guessed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import TypeVar

from pydantic import SecretStr

from waybill.alibaba import errors
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.models import OrderListing, OrderPage, OrderWindow
from waybill.alibaba.ratelimit import AsyncLimiter, StoreLimiter
from waybill.alibaba.settings import RateLimitSettings
from waybill.alibaba.statuses import OrderStatus, order_status
from waybill.contracts import Store
from waybill.contracts.keys import order_key, parse_order_key
from waybill.reprocessing.differences import AtAlibaba, Standing

T = TypeVar("T")

_STEP = timedelta(days=1)
"""Deep pages of long windows are slow."""
_AHEAD = timedelta(hours=1)
"""Clocks may differ: the last window reaches into the future."""
_PAGES_MAX = 2_000
"""Of one day; a list that never ends is stopped."""
_TRIES_MAX = 4
_BACKOFF_S = 2.0
_BAN_MAX_S = 60.0
"""A longer ban is not waited for."""
_STANDING = {
    OrderStatus.AWAITING_SHIPMENT: Standing.SHIPPABLE,
    OrderStatus.SHIPPED: Standing.SHIPPED,
    OrderStatus.IGNORED: Standing.DRAFT,
}


class NotToldError(Exception):
    """Alibaba could not be asked, or gave no answer that can be used; the message holds no values."""


@dataclass(slots=True)
class StoreSide:
    """One store's side at Alibaba."""

    store: Store
    client: AlibabaClient
    token: SecretStr = field(repr=False)
    limiter: AsyncLimiter

    @classmethod
    def of(
        cls, store: Store, client: AlibabaClient, token: SecretStr, limits: RateLimitSettings
    ) -> "StoreSide":
        """With a limiter of its own, which adapts to what importer and notifier leave."""
        return cls(store, client, token, AsyncLimiter(StoreLimiter(limits, monotonic())))

    async def listed(self, since: datetime, until: datetime) -> tuple[dict[str, AtAlibaba], int]:
        """Orders changed since then, by order key, and how many entries have no number one can use."""
        found: dict[str, AtAlibaba] = {}
        masked = 0
        start, end = since, until + _AHEAD
        while start < end:
            window = OrderWindow(start, min(start + _STEP, end))
            masked += await self._window(window, found)
            start = window.end
        return found, masked

    async def _window(self, window: OrderWindow, found: dict[str, AtAlibaba]) -> int:
        masked = 0
        for page in range(_PAGES_MAX):
            answer = await self._asked(self._lister(window, page))
            masked += answer.masked
            for order in answer.orders:
                masked += not self._take(order, found)
            if answer.is_last:
                return masked
        raise NotToldError(f"a day has more than {_PAGES_MAX} pages of orders: choose --since")

    def _lister(self, window: OrderWindow, page: int) -> Callable[[], Awaitable[OrderPage]]:
        return lambda: self.client.list_orders(window, page, access_token=self.token)

    def _take(self, order: OrderListing, found: dict[str, AtAlibaba]) -> bool:
        try:
            key = order_key(self.store.site, order.trade_id)
        except ValueError:
            return False
        standing = self._standing(order.status)
        found[key] = AtAlibaba(True, self.store.store_id, standing, order.modified)
        return True

    def _standing(self, raw: str | None) -> Standing:
        try:
            meaning = order_status(raw, self.store.status_map)
        except ValueError:  # the store's own table names no known status: the order is held
            return Standing.OTHER
        return _STANDING.get(meaning, Standing.OTHER)

    async def order(self, key: str) -> AtAlibaba:
        """One order that no list named; raises NotToldError."""
        trade_id = parse_order_key(key).trade_id
        try:
            raw = await self._asked(
                lambda: self.client.get_order(trade_id, access_token=self.token)
            )
        except errors.Rejected as error:
            if error.code == "404":
                return AtAlibaba(False, self.store.store_id)
            raise NotToldError(f"the order was refused with code {error.code}") from error
        return AtAlibaba(True, self.store.store_id, self._standing(raw.status), raw.modified)

    async def tracking_numbers(self, key: str) -> tuple[str, ...] | None:
        """Of the shipments that Alibaba holds of the order; None when its answer leaves doubt."""
        trade_id = parse_order_key(key).trade_id
        try:
            held = await self._asked(
                lambda: self.client.get_logistics(trade_id, access_token=self.token)
            )
        except errors.Rejected as error:
            raise NotToldError(f"the logistics were refused with code {error.code}") from error
        if held.shipments:
            return tuple(one.tracking_number for one in held.shipments)
        return () if held.nothing_shipped else None

    async def _asked(self, call: Callable[[], Awaitable[T]]) -> T:
        """One answer; tried again while trying may help. Raises NotToldError, or Rejected as it came."""
        last: errors.AlibabaError | None = None
        for attempt in range(_TRIES_MAX):
            started_s = await self.limiter.acquire()
            try:
                answer = await call()
            except errors.Throttled as error:
                last = error
                if (error.retry_after_s or 0) > _BAN_MAX_S:
                    break
                self.limiter.limiter.throttled(
                    monotonic(), started_s=started_s, retry_after_s=error.retry_after_s
                )
            except errors.Unavailable as error:
                last = error
                await asyncio.sleep(_BACKOFF_S * 2**attempt)
            except errors.Rejected:
                raise
            except errors.AlibabaError as error:
                raise NotToldError(f"{error.outcome}: {error}") from error
            else:
                self.limiter.limiter.succeeded(monotonic())
                return answer
        raise NotToldError(f"{last.outcome if last else 'no answer'} {_TRIES_MAX} times")
