"""The GOP protocol: signatures, answers, errors and Alibaba's way of writing time.

Written from the published description of the gateway and its public test vectors, apart from any
client, so that a misreading on one side shows up as a refused call.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")

ErrorType = Literal["ISV", "ISP", "SYSTEM"]
ResultNames = Literal["error", "msg", "result"]
_RESULT_NAMES: dict[ResultNames, tuple[str, str]] = {
    "error": ("error_code", "error_message"),
    "msg": ("msg_code", "msg"),
    "result": ("result_code", "message"),
}


class OlderError(NamedTuple):
    """An error as the older TOP gateway writes it: a number, and the real code beneath it."""

    number: str
    message: str
    sub_code: str
    sub_message: str


class GopError(Exception):
    """A call is refused with an error answer of the gateway (HTTP 200 unless told otherwise)."""

    def __init__(
        self,
        code: str,
        message: str,
        type_: ErrorType = "ISV",
        *,
        http_status: int = 200,
        older: OlderError | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.type = type_
        self.http_status = http_status
        number, words = _OLDER_CODES.get(code, ("15", "Remote service error"))
        self.older = older or OlderError(number, words, code, message)

    @property
    def meaning(self) -> int:
        """The HTTP status that says the same, for a gateway that does not answer 200 to all."""
        if self.code in _STATUSES:
            return _STATUSES[self.code]
        return 400 if self.type == "ISV" else 503

    def answer(self, request_id: str) -> dict[str, Any]:
        """The error as the gateway writes it."""
        return {
            "type": self.type,
            "code": self.code,
            "message": self.message,
            "request_id": request_id,
            "_trace_id_": request_id,
        }

    def older_answer(self, request_id: str) -> dict[str, Any]:
        """The error as the dotted methods write it: in the form of the older TOP gateway."""
        error = {
            "code": self.older.number,
            "type": "ISP",
            "msg": self.older.message,
            "request_id": request_id,
        }
        if self.older.sub_code:
            error |= {"sub_code": self.older.sub_code, "sub_msg": self.older.sub_message}
        return {"error_response": error}

    def nested(self, names: ResultNames) -> dict[str, Any]:
        """The error in the second layer: ``result`` of an answer that calls itself a success."""
        code, message = _RESULT_NAMES[names]
        return {"result": {"success": False, code: self.code, message: self.message}}


_STATUSES = {
    **dict.fromkeys(("ApiCallLimit", "AppCallLimit", "SellerCallLimit", "901"), 429),
    **dict.fromkeys(("IllegalAccessToken", "InvalidAccessToken"), 401),
    **dict.fromkeys(("InsufficientPermission", "InvalidApiPath", "AppWhiteIpLimit", "403"), 403),
    "404": 404,
    "500": 500,
}
_THROTTLED = ("7", "App Call Limited")
_OLDER_CODES = {
    "ApiCallLimit": _THROTTLED,
    "AppCallLimit": _THROTTLED,
    "SellerCallLimit": _THROTTLED,
    "IncompleteSignature": ("25", "Invalid signature"),
    "IllegalAccessToken": ("27", "Invalid session"),
    "InvalidAppKey": ("29", "Invalid app Key"),
    "MissingParameter": ("40", "Missing required arguments"),
    "InvalidParameter": ("41", "Invalid arguments"),
    "InvalidAccessToken": ("27", "Invalid session"),
    "InvalidApiPath": ("22", "Invalid method"),
}


class BusinessError(GopError):
    """A call that passed the gateway is refused by the trade system (402, 403, 404, 500)."""

    def __init__(self, code: str, message: str) -> None:
        older = OlderError("15", "Remote service error", f"isv.{code}", message)
        super().__init__(code, message, older=older)


class SecondLayerError(GopError):
    """An error that always sits in the second layer, whatever the settings say."""


def signature(path: str, params: Mapping[str, str], secret: str) -> str:
    """HMAC-SHA256 of path and sorted ``name + value`` pairs, upper case hex.

    ``sign`` and empty values stay out; names sort by their UTF-8 bytes; nothing is URL-encoded.
    Pass an empty ``path`` for dotted methods, which sign the method as an ordinary parameter.
    """
    # Code point order of Python strings is the byte order of their UTF-8 form.
    parts = [name + params[name] for name in sorted(params) if name != "sign" and params[name]]
    text = path + "".join(parts)
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex().upper()


def push_signature(app_key: str, body: bytes, secret: str) -> str:
    """``Authorization`` header of a push message: lower case hex over app key and raw body."""
    return hmac.digest(secret.encode(), app_key.encode() + body, "sha256").hex()


class App(NamedTuple):
    """The registered application every store authorises."""

    key: str
    secret: str


def check_signature(
    path: str, params: Mapping[str, str], app: App, now_ms: int, skew_s: int
) -> None:
    """Refuse a call whose system parameters are missing, unknown, stale or wrongly signed."""
    for name in ("app_key", "timestamp", "sign_method", "sign"):
        if not params.get(name):
            raise GopError("MissingParameter", f"The input parameter {name} is missing")
    if params["app_key"] != app.key:
        raise GopError("InvalidAppKey", "The specified App Key is invalid")
    if params["sign_method"] != "sha256":
        raise GopError("InvalidParameter", "sign_method must be sha256")
    _check_timestamp(params["timestamp"], now_ms, skew_s)
    expected = signature(path, params, app.secret)
    if not hmac.compare_digest(expected.encode(), params["sign"].encode()):
        raise GopError(
            "IncompleteSignature",
            "The request signature does not conform to platform standards",
        )


def _check_timestamp(text: str, now_ms: int, skew_s: int) -> None:
    if not re.fullmatch(r"\d{13}", text):
        raise GopError("InvalidParameter", "timestamp must be epoch milliseconds, 13 digits")
    if abs(int(text) - now_ms) > skew_s * 1000:
        raise GopError("InvalidParameter", f"timestamp is more than {skew_s} s from server time")


_MONTHS = (
    *("Jan.", "Feb.", "Mar.", "Apr.", "May", "Jun."),
    *("Jul.", "Aug.", "Sep.", "Oct.", "Nov.", "Dec."),
)


def date_forms(at_ms: int) -> dict[str, str]:
    """Both forms of a moment in order data: Pacific-time text and epoch milliseconds as text.

    >>> date_forms(1754021376000)["format_date"]
    'Jul. 31, 2025, 21:09:36 PDT.'
    """
    local = datetime.fromtimestamp(at_ms // 1000, PACIFIC)
    text = f"{_MONTHS[local.month - 1]} {local:%d, %Y, %H:%M:%S %Z}."
    return {"format_date": text, "timestamp": str(at_ms)}


def pacific_text(at_ms: int) -> str:
    """``yyyy-MM-dd HH:mm:ss`` in America/Los_Angeles, as windows of the order list are written."""
    return f"{datetime.fromtimestamp(at_ms // 1000, PACIFIC):%Y-%m-%d %H:%M:%S}"


def parse_pacific(text: str, *, end_of_window: bool) -> int:
    """Epoch milliseconds of a Pacific-time text. In the hour that occurs twice a window stays wide.

    The start of a window takes the earlier reading, its end the later one and the whole second.
    Raises ValueError on any other form.
    """
    wall = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(
        tzinfo=PACIFIC, fold=1 if end_of_window else 0
    )
    return int(wall.astimezone(UTC).timestamp()) * 1000 + (999 if end_of_window else 0)
