"""The older TOP gateway: its signatures, its system parameters and its way of writing JSON.

Written from the published description and its test vector, apart from any client. Times are texts
in GMT+8; codes of errors are numbers; arrays sit one object deeper than on the newer gateway,
unless ``simplify=true``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sandbox.protocol import App, GopError, OlderError

GMT8 = timezone(timedelta(hours=8))
SKEW_S = 600
VERSION = "2.0"
_MISSING = {
    "method": ("21", "Missing method"),
    "app_key": ("28", "Missing app key"),
    "timestamp": ("30", "Missing timestamp"),
    "v": ("32", "Missing version"),
    "sign_method": ("40", "Missing required arguments"),
    "sign": ("24", "Missing signature"),
}
_INNER = {
    "order_list": "trade_ecology_order",
    "order_products": "trade_ecology_order_product",
    "sku_attributes": "sku_attribute",
    "shipping_order_list": "shippingorderlist",
    "goods": "goods",
}
"""Names of the object between a list and its items, as seen in answers; others are guessed."""


def signature(params: Mapping[str, str], secret: str) -> str:
    """Signature of sorted ``name + value`` pairs by the ``sign_method`` among them, upper case hex.

    ``md5`` puts the secret before and behind, ``hmac`` (MD5) and ``hmac-sha256`` use it as key.
    """
    pairs = sorted((name, value) for name, value in params.items() if name != "sign" and value)
    text = "".join(name + value for name, value in pairs).encode()
    key = secret.encode()
    match params["sign_method"]:
        case "md5":
            digest = hashlib.md5(key + text + key, usedforsecurity=False).digest()
        case "hmac":
            digest = hmac.digest(key, text, "md5")
        case "hmac-sha256":
            digest = hmac.digest(key, text, "sha256")
        case _:
            raise _error("41", "Invalid arguments", "sign_method is md5, hmac or hmac-sha256")
    return digest.hex().upper()


def check(params: Mapping[str, str], app: App, now_ms: int) -> None:
    """Refuse a call whose system parameters are missing, unknown, stale or wrongly signed."""
    for name, (number, words) in _MISSING.items():
        if not params.get(name):
            raise _error(number, words, f"The input parameter {name} is missing")
    if params["app_key"] != app.key:
        raise _error("29", "Invalid app Key", "The specified App Key is invalid")
    if params["v"] != VERSION:
        raise _error("33", "Invalid version", f"v must be {VERSION}")
    if params.get("format") != "json":
        raise _error("23", "Invalid format", "format must be json")
    _check_timestamp(params["timestamp"], now_ms)
    expected = signature(params, app.secret)
    if not hmac.compare_digest(expected.encode(), params["sign"].encode()):
        raise _error("25", "Invalid signature", "The signature does not fit")


def _check_timestamp(text: str, now_ms: int) -> None:
    try:
        local = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8)
    except ValueError as error:
        raise _error(
            "31", "Invalid timestamp", "timestamp must be yyyy-MM-dd HH:mm:ss, GMT+8"
        ) from error
    behind_s = now_ms / 1000 - local.astimezone(UTC).timestamp()
    if abs(behind_s) > SKEW_S:
        raise _error("31", "Invalid timestamp", f"timestamp is more than {SKEW_S} s off")


def _error(number: str, words: str, said: str) -> GopError:
    return GopError("InvalidParameter", said, older=OlderError(number, words, "", said))


def root(method: str) -> str:
    """The name around an answer: ``alibaba_seller_order_list_response``.

    >>> root("taobao.top.auth.token.create")
    'top_auth_token_create_response'
    """
    return f"{method.removeprefix('taobao.').replace('.', '_')}_response"


def nested(value: Any) -> Any:
    """``value`` with an object between each list and its items."""
    if isinstance(value, dict):
        return {name: _inside(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [nested(item) for item in value]
    return value


def _inside(name: str, value: Any) -> Any:
    if not isinstance(value, list):
        return nested(value)
    inner = _INNER.get(name) or name.removesuffix("_list").removesuffix("s")
    return {inner: nested(value)} if value else {}
