"""From a successful answer's JSON to the types of ``models``. Pure.

Field names differ between the two generations of the API and, for money and logistics, are
documented only for the older one: both are read. ``UnreadableAnswerError`` means that the answer
does not hold what it must; whether that is harmless is for the caller to say.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from pydantic import SecretStr

from waybill.alibaba.envelope import contents, is_object, items, opened
from waybill.alibaba.models import (
    Channel,
    DeclaredShipment,
    Logistics,
    Money,
    OrderListing,
    OrderPage,
    Payment,
    Payments,
    RawOrder,
    TokenGrant,
)
from waybill.alibaba.scalars import ScalarError, moment, number, text, whole

_DEPTH_MAX: Final = 12
_LOGISTICS_NOTHING: Final = "UNDELIVERED"
_TRACKING_NAMES: Final = ("tracking_number", "trackingNumber", "tracking_no", "trackingNo")
_SHIPMENT_LISTS: Final = ("shipping_order_list", "shippingOrderList", "shipping_orders")
_PAYMENT_LISTS: Final = ("fund_pay_list", "fundPayList", "fund_pay", "pay_list")
_CHANNEL_CODES: Final = (
    "service_provider",
    "provider_code",
    "channel_code",
    "carrier_code",
    "code",
)
_CHANNEL_NAMES: Final = (
    "service_provider_name", "provider_name", "channel_name", "carrier_name", "name", "display_name"
)  # fmt: skip
_SELLER_IDS: Final = ("seller_id", "user_id", "account_id", "havana_id", "taobao_user_id")
_HAVANA_IDS: Final = ("havana_id", "user_id", "taobao_user_id")
_LOGIN_IDS: Final = ("loginId", "login_id", "user_nick", "taobao_user_nick")


class UnreadableAnswerError(Exception):
    """An answer without what it must hold. Tells what is missing, never what was found."""


def order_page(body: object, page: int, page_size: int) -> OrderPage:
    """A page of the order list; an answer without a list is unreadable, an empty list is a page."""
    for content in contents(body):
        total = _lenient_whole(_first(content, ("total_count", "totalCount")))
        entries = items(_first(content, ("order_list", "orderList")))
        if entries is None and total == 0:
            entries = []  # nothing found may be told by the count alone
        if entries is not None:
            break
    else:
        raise UnreadableAnswerError("no order_list")
    orders = tuple(listing for listing in map(_listing, entries) if listing is not None)
    reached = len(entries) < page_size if total is None else (page + 1) * page_size >= total
    return OrderPage(
        page=page,
        orders=orders,
        total=total,
        masked=len(entries) - len(orders),
        is_last=reached or not entries,
    )


def _listing(entry: dict[str, Any]) -> OrderListing | None:
    trade_id = _lenient_text(entry.get("trade_id", entry.get("tradeId")))
    if trade_id is None or "*" in trade_id:
        return None
    return OrderListing(
        trade_id=trade_id,
        status=_lenient_text(entry.get("trade_status", entry.get("status"))),
        created=_lenient_moment(entry.get("create_date")),
        modified=_lenient_moment(entry.get("modify_date", entry.get("modified_date"))),
    )


def raw_order(body: object, trade_id: str) -> RawOrder:
    """The order asked for; an answer about another order is unreadable."""
    for content in contents(body):
        if "trade_status" in content or "order_products" in content:
            break
    else:
        raise UnreadableAnswerError("no order")
    answered = _lenient_text(content.get("trade_id"))
    if answered not in (None, trade_id):
        raise UnreadableAnswerError("the answer is about another order")
    return RawOrder(
        trade_id=trade_id,
        status=_lenient_text(content.get("trade_status")),
        modified=_lenient_moment(content.get("modify_date")),
        payload=content,
    )


def payments(body: object) -> Payments:
    """The payments of an order; an answer without a list of them has none."""
    content = next(
        (found for found in contents(body) if _first(found, _PAYMENT_LISTS) is not None), None
    )
    if content is None:
        return Payments(payments=(), payload=_innermost(body))
    found = items(_first(content, _PAYMENT_LISTS)) or []
    return Payments(payments=tuple(_payment(entry) for entry in found), payload=content)


def _payment(entry: dict[str, Any]) -> Payment:
    return Payment(
        method=_lenient_text(entry.get("pay_method")),
        step=_lenient_text(entry.get("pay_step")),
        status=_lenient_text(entry.get("pay_status")),
        paid_at=_lenient_moment(entry.get("pay_time")),
        amount=money(entry.get("pay_amount")),
    )


def money(value: object) -> Money | None:
    """An amount, as ``{amount, currency}`` or as a bare number; ``None`` if there is none."""
    value = opened(value)
    bare = value.get("amount") if is_object(value) else value
    currency = _lenient_text(value.get("currency")) if is_object(value) else None
    try:
        amount = number(bare)
    except ScalarError as unreadable:
        raise UnreadableAnswerError("an amount is not a number") from unreadable
    return None if amount is None else Money(amount=amount, currency=currency)


def logistics(body: object) -> Logistics:
    """The shipments of an order: wherever in the answer a tracking number stands, it is one.

    An answer with neither a status nor a list is unreadable, not "nothing shipped": on that reading
    an order would be sent a second time.
    """
    statuses: list[str | None] = []
    lists: list[object] = []
    for content in contents(body):
        statuses.append(_lenient_text(_first(content, ("logistic_status", "logisticStatus"))))
        lists.append(_first(content, _SHIPMENT_LISTS))
    status = next((found for found in statuses if found), None)
    listed = [found for found in lists if found is not None]
    shipments = tuple(dict.fromkeys(_shipments(body)))
    if status is None and not listed and not shipments:
        raise UnreadableAnswerError("neither logistic_status nor shipping_order_list")
    all_empty = not shipments and all(items(found) == [] for found in listed)
    return Logistics(
        status=status,
        shipments=shipments,
        nothing_shipped=all_empty and status in (None, _LOGISTICS_NOTHING),
        payload=_innermost(body),
    )


def _shipments(value: object) -> Iterator[DeclaredShipment]:
    for found in _objects(value):
        tracking = _lenient_text(_first(found, _TRACKING_NAMES))
        if tracking is not None:
            yield DeclaredShipment(
                tracking_number=tracking,
                service_provider=_lenient_text(
                    found.get("service_provider", found.get("serviceProvider"))
                ),
                logistics_type=_lenient_text(
                    found.get("logistics_type", found.get("logisticsType"))
                ),
            )


def file_path(body: object) -> str:
    """The path of an uploaded file."""
    for content in contents(body):
        for name in ("value", "file_path", "filePath", "result"):
            path = content.get(name)
            if isinstance(path, str) and path.strip():
                return path.strip()
    raise UnreadableAnswerError("no file path")


def voucher_id(body: object) -> str:
    """The number Alibaba gives a declared shipment, at the top or inside the result."""
    for content in contents(body):
        told = _lenient_text(_first(content, ("voucher_id", "voucherId")))
        bare = _lenient_text(_first(content, ("value", "result")))
        if told is not None:
            return told
        if bare is not None and bare.isdigit():
            return bare
    raise UnreadableAnswerError("no voucher_id")


def channels(body: object) -> tuple[Channel, ...]:
    """The carriers; the answer's shape is not public: every innermost object with a code is one."""
    found: dict[str, Channel] = {}
    for entry in _objects(body):
        code = _lenient_text(_first(entry, _CHANNEL_CODES))
        innermost = not any(isinstance(opened(value), (dict, list)) for value in entry.values())
        if code is not None and innermost and entry is not body:
            found.setdefault(code, Channel(code, _lenient_text(_first(entry, _CHANNEL_NAMES))))
    if not found:
        raise UnreadableAnswerError("no carriers")
    return tuple(found.values())


def token_grant(body: object, now_ms: int) -> TokenGrant:
    """Tokens and their lifetimes, in seconds; told as a moment, they are counted from ``now_ms``."""
    for content in _grants(body):
        access = _lenient_text(content.get("access_token"))
        if access is not None:
            break
    else:
        raise UnreadableAnswerError("no access_token")
    refresh = _lenient_text(content.get("refresh_token"))
    found = opened(content.get("user_info"))
    user = found if is_object(found) else {}
    return TokenGrant(
        access_token=SecretStr(access),
        expires_in_s=_lifetime_s(content, ("expires_in",), "expire_time", now_ms),
        refresh_token=None if refresh is None else SecretStr(refresh),
        refresh_expires_in_s=_lifetime_s(
            content, ("refresh_expires_in", "re_expires_in"), "refresh_token_valid_time", now_ms
        ),
        seller_id=_identity(content, user, _SELLER_IDS),
        havana_id=_identity(content, user, _HAVANA_IDS),
        login_id=_identity(content, user, _LOGIN_IDS),
        country=_lenient_text(content.get("country")),
        account=_lenient_text(content.get("account")),
        account_platform=_lenient_text(content.get("account_platform")),
        request_id=_lenient_text(content.get("request_id")),
    )


def _grants(body: object) -> Iterator[dict[str, Any]]:
    for content in contents(body):
        inner = opened(content.get("token_result"))
        if is_object(inner):
            yield inner
        yield content


def _lifetime_s(
    content: dict[str, Any], names: tuple[str, ...], moment_name: str, now_ms: int
) -> int | None:
    told = _lenient_whole(_first(content, names))
    ends = None if told is not None else _lenient_moment(content.get(moment_name))
    return told if ends is None else max(0, int(ends.timestamp() - now_ms / 1000))


def _identity(content: dict[str, Any], user: dict[str, Any], names: tuple[str, ...]) -> str | None:
    told = (_lenient_text(source.get(name)) for name in names for source in (user, content))
    return next((found for found in told if found), None)


def _objects(value: object, depth: int = 0) -> Iterator[dict[str, Any]]:
    """All objects in a JSON value, outermost first."""
    if depth > _DEPTH_MAX:
        raise UnreadableAnswerError(f"nested deeper than {_DEPTH_MAX}")
    value = opened(value)
    if is_object(value):
        yield value
        for inner in value.values():
            yield from _objects(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner, depth + 1)


def _innermost(body: object) -> dict[str, Any]:
    return next(contents(body), {})


def _first(content: dict[str, Any], names: tuple[str, ...]) -> object:
    return next((content[name] for name in names if content.get(name) is not None), None)


def _lenient_text(value: object) -> str | None:
    try:
        return text(value)
    except ScalarError:
        return None  # an object where a text was looked for: this field tells nothing


def _lenient_whole(value: object) -> int | None:
    try:
        return whole(value)
    except ScalarError:
        return None


def _lenient_moment(value: object) -> datetime | None:
    try:
        return moment(value)
    except ScalarError:
        return None
