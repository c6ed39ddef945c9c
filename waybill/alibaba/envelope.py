"""The layers around an answer's content, in both generations of the gateway. Pure.

GOP       ``{"code": "0", "value" | "result" | …: content, "request_id": …}``; an error has another
          code, a ``type`` and a ``message``; and a code of "0" may still wrap a failed ``result``
TOP       ``{"some_method_response": {…}}`` or ``{"error_response": {code, sub_code, …}}``;
          arrays sit one object deeper: ``{"order_list": {"trade_ecology_order": […]}}``
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

import orjson

from waybill.alibaba.scalars import ScalarError, flag, text

_FINE: Final = frozenset({"0", "200", "success", "ok"})
_CODE_NAMES: Final = (
    "error_code",
    "errorCode",
    "msg_code",
    "msgCode",
    "result_code",
    "code",
    "sub_code",
)
_TEXT_NAMES: Final = (
    "message", "msg", "sub_msg", "error_message", "errorMessage", "error_msg", "errorMsg",
)  # fmt: skip
_DEPTH_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that says no."""

    codes: tuple[str, ...]
    """All codes found, outermost first; an ``isv.`` in front of a number is taken off."""
    kind: str | None
    """``ISV``, ``ISP`` or ``SYSTEM``: whose fault it is."""
    said: str
    """Alibaba's texts. For classification only: they may repeat personal data."""
    request_id: str | None
    top: bool
    """Whether it has the shape of the TOP gateway, whose codes are numbers of their own."""
    caller_fault: bool = False
    """Whether a sub-code blames the caller, whatever ``kind`` says."""
    number: int | None = None
    """The TOP gateway's own number, the first of ``codes``; sub-codes have no such meaning."""


def refusal(body: object) -> Refusal | None:
    """The refusal in an answer, or ``None`` if it holds none."""
    if not is_object(body):
        return None
    error = body.get("error_response")
    if is_object(error):
        return _refusal([error], body, top=True)
    body = unwrapped(body)
    failed = [layer for layer in _layers(body) if _failed(layer)]
    code = _scalar(body.get("code"))
    if code is not None and code.lower() not in _FINE and body not in failed:
        failed.insert(0, body)
    return _refusal(failed, body, top=False) if failed else None


def _refusal(failed: list[dict[str, Any]], body: dict[str, Any], *, top: bool) -> Refusal:
    raw = [code for layer in failed for code in _codes(layer, top=top)]
    kinds = (_scalar(layer.get("type")) for layer in [*failed, body])
    texts = (_scalar(layer.get(name)) for layer in failed for name in _TEXT_NAMES)
    ids = (_scalar(layer.get("request_id")) for layer in [*failed, body])
    return Refusal(
        codes=tuple(dict.fromkeys(_bare(code) for code in raw)),
        kind=next((kind.upper() for kind in kinds if kind), None),
        said=" ".join(said for said in texts if said),
        request_id=next((found for found in ids if found), None),
        top=top,
        caller_fault=any(code.startswith("isv.") for code in raw),
        number=_number(failed[0]) if top else None,
    )


def _number(error: dict[str, Any]) -> int | None:
    code = _scalar(error.get("code")) or ""
    return int(code) if re.fullmatch(r"[1-9][0-9]{0,8}", code) and code not in _FINE else None


def _codes(layer: dict[str, Any], *, top: bool) -> Iterator[str]:
    names = ("code", "sub_code") if top else _CODE_NAMES
    for name in names:
        code = _scalar(layer.get(name))
        if code is not None and code.lower() not in _FINE:
            yield code


def _bare(code: str) -> str:
    number = code.removeprefix("isv.")
    return number if number.isdigit() else code


def _failed(layer: dict[str, Any]) -> bool:
    """Whether a result reports failure: by its flag, or without a flag by naming an error code."""
    flagged = next(
        (
            found
            for name in ("success", "is_success", "isSuccess")
            if (found := _flag(layer.get(name))) is not None
        ),
        None,
    )
    if flagged is not None:
        return not flagged
    named = (_scalar(layer.get(name)) for name in _CODE_NAMES if _tells(layer, name))
    return any(code is not None and code.lower() not in _FINE for code in named)


def _tells(layer: dict[str, Any], name: str) -> bool:
    """A bare ``code`` may be a carrier's or a country's; beside a message it is an error's."""
    return name != "code" or any(_scalar(layer.get(text)) for text in _TEXT_NAMES)


def _layers(body: dict[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    yield body
    if depth < _DEPTH_MAX:
        for name in ("result", "value", "data"):
            inner = opened(body.get(name))
            if is_object(inner):
                yield from _layers(inner, depth + 1)


def unwrapped(body: dict[str, Any]) -> dict[str, Any]:
    """Without the ``…_response`` object of the TOP gateway around it."""
    if len(body) <= 2:
        for name, inner in body.items():
            if name.endswith("_response") and is_object(inner):
                return inner
    return body


def contents(body: object) -> Iterator[dict[str, Any]]:
    """The objects in which an answer's fields may sit, innermost first."""
    if is_object(body):
        yield from reversed(list(_layers(unwrapped(body))))


def items(value: object) -> list[dict[str, Any]] | None:
    """The objects of an array, also of one an object deeper; ``None`` if there is no array."""
    value = opened(value)
    if is_object(value):
        arrays = [inner for inner in value.values() if isinstance(inner, list)]
        value = arrays[0] if len(arrays) == 1 else ([] if not value else None)
    if not isinstance(value, list):
        return None
    return [item for item in (opened(item) for item in value) if is_object(item)]


def opened(value: object) -> object:
    """``value``, parsed if it is JSON text: some answers hold their result as a string."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value  # a text that merely starts with a bracket
    return value


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object; JSON gives its names as strings."""
    return isinstance(value, dict)


def _scalar(value: object) -> str | None:
    try:
        return text(value)
    except ScalarError:
        return None  # an object or array where a code or text was looked for


def _flag(value: object) -> bool | None:
    try:
        return flag(value)
    except ScalarError:
        return None
