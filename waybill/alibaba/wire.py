"""Signed parameters and request bodies, as bytes. Pure apart from the multipart boundary.

Everything goes into the body of a POST, so that tokens stay out of URLs and of the logs of whatever
lies between; and a body is built once, as one ``bytes``, since an image must not be copied per
layer.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, Literal
from urllib.parse import urlencode

from waybill.alibaba.settings import AlibabaSettings, AppCredentials
from waybill.alibaba.signing import TopSignMethod, sign_path, sign_sync, sign_top

TimestampFormat = Literal["epoch_ms", "text_utc", "text_gmt8"]

_GMT8: Final = timezone(timedelta(hours=8))
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
    """Where a call goes and how it is signed: a path under ``/rest``, or a dotted method."""

    url: str
    path: str | None
    method: str | None
    token_parameter: str
    top: TopSignMethod | None = None
    """How it is signed at the older gateway; ``None``: at the newer one."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Further parameters of every call."""
    timestamp_format: TimestampFormat = "epoch_ms"

    @classmethod
    def of(cls, settings: AlibabaSettings, name: str, *, base: str | None = None) -> "Target":
        """The target that ``name`` stands for in the settings; ``base`` replaces ``api_url``."""
        form, fixed = settings.timestamp_format, dict(settings.extra_parameters)
        if name.startswith("/"):
            url = (base or settings.api_url) + name
            return cls(url, name, None, "access_token", None, fixed, form)
        if settings.simplify:
            fixed.setdefault("simplify", "true")
        if settings.gateway == "top":
            fixed = {"v": "2.0", "format": "json", **fixed}
            sign = settings.top_sign_method
            return cls(settings.top_url, None, name, "session", sign, fixed, form)
        token = settings.sync_token_parameter
        return cls(settings.sync_url, None, name, token, None, fixed, form)

    @property
    def api(self) -> str:
        """What is called, as it stands in Alibaba's console."""
        return self.path or self.method or ""


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
        **target.fixed,
        "app_key": credentials.app_key,
        "timestamp": _timestamp(timestamp_ms, target.timestamp_format),
        "sign_method": target.top or "sha256",
        target.token_parameter: access_token,
        "method": target.method,
    }
    request = {name: value for name, value in {**system, **parameters}.items() if value}
    request["sign"] = _signature(target, request, credentials.app_secret.get_secret_value())
    return request


def _signature(target: Target, request: Mapping[str, str], secret: str) -> str:
    if target.top is not None:
        return sign_top(request, secret.encode(), target.top)
    if target.path is None:
        return sign_sync(request, secret.encode())
    return sign_path(target.path, request, secret.encode())


def _timestamp(ms: int, form: TimestampFormat) -> str:
    if form == "epoch_ms":
        return str(ms)
    zone = UTC if form == "text_utc" else _GMT8
    return datetime.fromtimestamp(ms // 1000, zone).strftime("%Y-%m-%d %H:%M:%S")


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
