"""What a push message says. Pure.

Source: the push guide of Alibaba's open platform (`ICBU_TRADE_SYNC_MSG`), whose samples are of the buyer's
side. Which `message_type` sellers get is not documented, so an order message is known by what it holds: the
number of an order. Everything else in it may be old or out of order, and is read from the API instead.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson

_NUMBERS: Final = ("trade_id_str", "trade_order_id", "trade_id")
_SELLERS: Final = ("seller_id", "havana_id")
_TRADE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class UnreadablePushError(Exception):
    """The message cannot be read; nothing of it is in the error."""


@dataclass(frozen=True, slots=True)
class OrderPush:
    """An order changed."""

    trade_id: str
    sellers: tuple[str, ...]
    """Identities of its seller, the one that stores are named after first."""


def read(body: bytes) -> OrderPush | None:
    """The order that a message speaks of; None for messages of another kind.

    Raises UnreadablePushError for what is no JSON object, or names an order by no number.
    """
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UnreadablePushError("no JSON") from None
    if not isinstance(message, dict):
        raise UnreadablePushError("no JSON object")
    data = _opened(message.get("data"))
    number = next((data[name] for name in _NUMBERS if data.get(name) not in (None, "")), None)
    if number is None:
        return None
    trade_id = _text(number)
    if trade_id is None or not _TRADE_ID.fullmatch(trade_id):
        raise UnreadablePushError("no order number that a call would take")
    told = (_text(source.get(name)) for name in _SELLERS for source in (message, data))
    return OrderPush(trade_id, tuple(dict.fromkeys(seller for seller in told if seller)))


def _opened(data: object) -> dict[str, Any]:
    """The older platform sends the content as a text of JSON."""
    if isinstance(data, str):
        try:
            data = orjson.loads(data)
        except orjson.JSONDecodeError:
            return {}
    return data if isinstance(data, dict) else {}


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return None
    return str(value).strip() if isinstance(value, (str, int)) else None
