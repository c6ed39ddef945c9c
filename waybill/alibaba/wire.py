"""Signed parameters and request bodies, as bytes. Pure apart from the multipart boundary.

Everything goes into the body of a POST, so that tokens stay out of URLs and of the logs of whatever
lies between; and a body is built once, as one ``bytes``, since an image must not be copied per
layer.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from waybill.alibaba.settings import AlibabaSettings, AppCredentials
from waybill.alibaba.signing import sign_path, sign_sync

_FORM: Final = "application/x-www-form-urlencoded;charset=utf-8"
_MEDIA_TYPES: Final = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "pdf": "application/pdf",
    "doc": "application/msword",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file part: field name, plain-ASCII file name and content. Files are not signed."""

    field: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes and how it is signed: a path under ``/rest``, or a method on ``/sync``."""

    url: str
    path: str | None
    method: str | None
    token_parameter: str

    @classmethod
    def of(cls, settings: AlibabaSettings, name: str, *, base: str | None = None) -> "Target":
        """The target that ``name`` stands for in the settings; ``base`` replaces ``api_url``."""
        if name.startswith("/"):
            return cls((base or settings.api_url) + name, name, None, "access_token")
        return cls(settings.sync_url, None, name, settings.sync_token_parameter)


def signed(
    target: Target,
    parameters: Mapping[str, str | None],
    credentials: AppCredentials,
    *,
    access_token: str | None,
    timestamp_ms: int,
) -> dict[str, str]:
    """All parameters of a request with its signature. Empty ones are left out altogether."""
    system = {
        "app_key": credentials.app_key,
        "timestamp": str(timestamp_ms),
        "sign_method": "sha256",
        target.token_parameter: access_token,
        "method": target.method,
        # Without it, arrays of dotted methods come wrapped in one object more.
        "simplify": "true" if target.method else None,
    }
    request = {name: value for name, value in {**system, **parameters}.items() if value}
    secret = credentials.app_secret.get_secret_value().encode()
    if target.path is None:
        request["sign"] = sign_sync(request, secret)
    else:
        request["sign"] = sign_path(target.path, request, secret)
    return request


def encoded(parameters: Mapping[str, str], file: File | None) -> tuple[str, bytes]:
    """Content type and body: a form, or multipart with the parameters before the file."""
    if file is None:
        return _FORM, urlencode(parameters).encode()
    # 128 random bits: the chance that an image contains them is nil.
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parameters.items()
    ]
    media_type = _MEDIA_TYPES.get(file.name.rpartition(".")[2].lower(), "application/octet-stream")
    parts.append(
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{file.field}"; filename="{file.name}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n"
    )
    body = b"".join(("".join(parts).encode(), file.content, f"\r\n--{boundary}--\r\n".encode()))
    return f"multipart/form-data; boundary={boundary}", body
