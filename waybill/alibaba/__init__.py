"""The client of Alibaba.com's open platform: signing, tokens, orders, shipping, rate limits.

Start with ``client`` and ``errors``. Knows nothing of Kafka and of the services; there was no live
account to try it with, so every host, path, limit and code is in ``settings``.
"""

from waybill.alibaba.authorisation import authorise_url
from waybill.alibaba.client import AlibabaClient, CallObserver
from waybill.alibaba.errors import (
    AlibabaError,
    InvalidRequest,
    Misconfigured,
    NeedsLookup,
    NotDone,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
)
from waybill.alibaba.models import (
    Attachment,
    Channel,
    DeclaredShipment,
    Logistics,
    LogisticsType,
    Money,
    OrderListing,
    OrderPage,
    OrderWindow,
    Payment,
    Payments,
    RawOrder,
    ShippingRequest,
    TokenGrant,
)
from waybill.alibaba.ratelimit import AsyncLimiter, StoreLimiter
from waybill.alibaba.settings import (
    AlibabaSettings,
    AnswerCodes,
    AppCredentials,
    RateLimitSettings,
)
from waybill.alibaba.signing import push_is_authentic
from waybill.alibaba.statuses import OrderStatus, order_status

__all__ = [
    "AlibabaClient",
    "AlibabaError",
    "AlibabaSettings",
    "AnswerCodes",
    "AppCredentials",
    "AsyncLimiter",
    "Attachment",
    "CallObserver",
    "Channel",
    "DeclaredShipment",
    "InvalidRequest",
    "Logistics",
    "LogisticsType",
    "Misconfigured",
    "Money",
    "NeedsLookup",
    "NotDone",
    "NotSent",
    "OrderListing",
    "OrderPage",
    "OrderStatus",
    "OrderWindow",
    "OutcomeUnknown",
    "Payment",
    "Payments",
    "RateLimitSettings",
    "RawOrder",
    "Rejected",
    "ShippingRequest",
    "StoreLimiter",
    "Throttled",
    "TokenGrant",
    "Unauthorised",
    "Unavailable",
    "authorise_url",
    "order_status",
    "push_is_authentic",
]
