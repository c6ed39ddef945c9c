"""Signatures of Alibaba's gateways. Pure functions; none of them sees a file's content.

GOP (paths)      HMAC-SHA256 over the path and the sorted parameters, keyed with the app secret
GOP ``/sync``    the same without the path; ``method`` is an ordinary parameter
TOP              MD5 over secret + sorted parameters + secret; or HMAC-MD5 or HMAC-SHA256 over the
                 sorted parameters
push messages    HMAC-SHA256 over app key + raw body, lower-case hex, in ``Authorization``

Source: the vendor's Python SDK of 2022 (``iop-sdk-python``), the TOP signing page, and the push
guide of its sibling platforms. Tested against the published vectors.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal


def _concatenated(parameters: Mapping[str, str]) -> str:
    """Names and values, by name in code-point order, without separators.

    Empty values are left out here as they have to be left out of the request.
    """
    return "".join(
        name + value for name, value in sorted(parameters.items()) if name != "sign" and value
    )


def sign_path(path: str, parameters: Mapping[str, str], secret: bytes) -> str:
    """Sign a path call. ``path`` is without the gateway's ``/rest``; files are not parameters."""
    text = path + _concatenated(parameters)
    return hmac.digest(secret, text.encode(), "sha256").hex().upper()


def sign_sync(parameters: Mapping[str, str], secret: bytes) -> str:
    """Sign a call of a dotted method on ``/sync``; ``method`` is among the parameters."""
    return sign_path("", parameters, secret)


TopSignMethod = Literal["md5", "hmac", "hmac-sha256"]


def sign_top(parameters: Mapping[str, str], secret: bytes, method: TopSignMethod) -> str:
    """Sign a call of the older TOP gateway; ``sign_method`` is among the parameters."""
    text = _concatenated(parameters).encode()
    if method == "md5":
        # The protocol's own choice; it guards nothing else here.
        return hashlib.md5(secret + text + secret, usedforsecurity=False).hexdigest().upper()
    return hmac.digest(secret, text, "md5" if method == "hmac" else "sha256").hex().upper()


def push_signature(app_key: str, body: bytes, secret: bytes) -> str:
    """The ``Authorization`` header that Alibaba sends with a push message of these bytes."""
    return hmac.digest(secret, app_key.encode() + body, "sha256").hex()


def push_is_authentic(authorization: str, app_key: str, body: bytes, secret: bytes) -> bool:
    """Whether a push message comes from Alibaba. ``body`` is what arrived, before any parsing.

    Compared in constant time. Says nothing about age: pushes may be repeated for hours, so a
    message is only ever a hint to read the order again.
    """
    expected = push_signature(app_key, body, secret)
    return hmac.compare_digest(authorization.strip().lower().encode(), expected.encode())
