"""What an operator does about an error, in words. Pure.

Alibaba's own messages are left out of ours, because they may repeat what was sent; what they would
tell an operator, the code tells too. The one thing taken from a message is the IP address that
Alibaba refuses: it is this installation's own, and nobody behind a gateway knows it otherwise.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

_RENEW: Final = "refresh the access token or connect the store again: waybill stores connect"
_PERMISSION: Final = (
    "apply for the permission group of {api} in the app's console; once it is granted, connect the "
    "store again, because a token keeps the permissions it was given"
)
_SIGNATURE: Final = (
    "check the app secret, the gateway that is set for this site, and this machine's clock"
)
_ALLOW_LIST: Final = (
    "add {address} to the IP allow-list of the app in Alibaba's console, or set proxy_url to a "
    "proxy whose address is on it"
)
_WAIT: Final = "nothing to do: it goes on by itself, slower"
_APP_WAIT: Final = f"{_WAIT}; the limit is the app's, so ask Alibaba for a higher one if it returns"
_CLOCK: Final = "set this machine's clock right (NTP): Alibaba refuses calls that seem old"
_FIELD: Final = "a field of the request is missing or not accepted"
_OLD_METHOD: Final = "check the name of the API in the settings, and its permission in the console"

_GOP: Final = {
    "ApiCallLimit": _WAIT,
    "SellerCallLimit": _WAIT,
    "901": _WAIT,
    "AppCallLimit": _APP_WAIT,
    "IllegalAccessToken": _RENEW,
    "InvalidAccessToken": _RENEW,
    "IncompleteSignature": _SIGNATURE,
    "InvalidAppKey": "check the app key, and that it belongs to this gateway: an app of the newer "
    "platform is unknown to the older one",
    "MissingParameter": _FIELD,
    "InvalidParameter": f"{_FIELD}; if every call ends so, check this machine's clock",
    "InsufficientPermission": _PERMISSION,
    "InvalidApiPath": "apply for the permission group of {api} in the app's console, or correct its "
    "name in the settings",
    "AppWhiteIpLimit": _ALLOW_LIST,
    "402": _FIELD,
    "403": "the connected account neither owns nor administers this order: connect the account "
    "that does",
    "404": "Alibaba knows no such order",
}
_TOP: Final = {
    **dict.fromkeys(("4", "5", "6", "8"), _WAIT),
    "7": _APP_WAIT,
    **dict.fromkeys(("11", "12"), _PERMISSION),
    **dict.fromkeys(("21", "22", "23"), _OLD_METHOD),
    **dict.fromkeys(("24", "25"), _SIGNATURE),
    **dict.fromkeys(("26", "27"), _RENEW),
    **dict.fromkeys(("28", "29"), _GOP["InvalidAppKey"]),
    **dict.fromkeys(("30", "31"), _CLOCK),
    **dict.fromkeys(("40", "41"), _FIELD),
}
_SUB_CODES: Final = (
    ("isv.permission-", _PERMISSION),
    ("isv.ip-", _ALLOW_LIST),
    ("isp.call-limited", _WAIT),
    ("accesscontrol.limited-by-app", _APP_WAIT),
    ("accesscontrol.limited-by-", _WAIT),
)
_ADDRESS: Final = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)|(?<![\w.:])[0-9a-fA-F]*:[0-9a-fA-F:]+"
)


def advice(
    codes: Iterable[str], *, top: bool = False, api: str | None = None, said: str = ""
) -> str | None:
    """What to do about an answer with these codes, outermost first: the innermost that tells it.

    ``api`` is the path or method that was called. Of Alibaba's text ``said`` only an IP address is
    used, and only where the code says that the address is what it refuses.
    """
    found = next(
        (words for code in reversed(tuple(codes)) if (words := _words(code, top=top))), None
    )
    if found is None:
        return None
    return found.format(api=api or "this API", address=_address(said))


def clock_advice() -> str:
    """For an answer that speaks of the call's time stamp, for which no code is documented."""
    return _CLOCK


def _words(code: str, *, top: bool) -> str | None:
    if top and code in _TOP:
        return _TOP[code]
    if code in _GOP:
        return _GOP[code]
    return next((words for prefix, words in _SUB_CODES if code.startswith(prefix)), None)


def _address(said: str) -> str:
    for found in _ADDRESS.findall(said):
        try:
            return f"this installation's outgoing address {ipaddress.ip_address(found)}"
        except ValueError:
            continue  # digits and colons that are no address, such as a time of day
    return "this installation's outgoing IP address"
