"""The three ways to call the API: ``/rest`` with paths, ``/sync`` and ``/router/rest`` with methods.

A dialect knows where a call names its operation, how it is signed, and how answers and errors are
written. What the operation does is the same in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sandbox import top
from sandbox.protocol import (
    App,
    BusinessError,
    GopError,
    SecondLayerError,
    check_signature,
)
from sandbox.world import World

REST, SYNC, TOP = "/rest", "/sync", "/router/rest"


class Dialect(Protocol):
    """One way to call."""

    def operation(self, path: str, params: Mapping[str, str]) -> str:
        """The path or method a call names."""

    def check(self, operation: str, params: Mapping[str, str], app: App, now_ms: int) -> None:
        """Refuse a call that is not signed as this gateway wants it."""

    def answer(
        self, operation: str, params: Mapping[str, str], fields: dict[str, Any], request_id: str
    ) -> dict[str, Any]:
        """What the operation found, as this gateway writes it."""

    def refusal(
        self, operation: str, params: Mapping[str, str], error: GopError, request_id: str
    ) -> dict[str, Any]:
        """An error, as this gateway writes it."""


class Rest:
    """Paths, HMAC-SHA256, flat answers with a code."""

    def __init__(self, world: World) -> None:
        self._world = world

    def operation(self, path: str, params: Mapping[str, str]) -> str:  # noqa: ARG002 - in the path
        """The path after ``/rest``."""
        return path.removeprefix(REST)

    def check(self, operation: str, params: Mapping[str, str], app: App, now_ms: int) -> None:
        """The signature covers the path."""
        check_signature(operation, params, app, now_ms, self._world.settings.timestamp_skew_s)

    def answer(
        self,
        operation: str,  # noqa: ARG002 - is not part of the answer here
        params: Mapping[str, str],  # noqa: ARG002 - nor does any parameter change it
        fields: dict[str, Any],
        request_id: str,
    ) -> dict[str, Any]:
        """The fields and a code of "0"."""
        return {**fields, "code": "0", "request_id": request_id}

    def refusal(
        self, operation: str, params: Mapping[str, str], error: GopError, request_id: str
    ) -> dict[str, Any]:
        """In ``code``; errors of the trade system in ``result`` if the settings say so."""
        in_result = self._world.settings.business_errors == "result" and isinstance(
            error, BusinessError
        )
        if in_result or isinstance(error, SecondLayerError):
            fields = error.nested(self._world.settings.business_error_names)
            return self.answer(operation, params, fields, request_id)
        return error.answer(request_id)


class Dotted:
    """Methods; answers in an object named after the method, errors in ``error_response``."""

    def __init__(self, world: World, *, sync: bool) -> None:
        self._world = world
        self._sync = sync

    def operation(self, path: str, params: Mapping[str, str]) -> str:  # noqa: ARG002 - in a parameter
        """The parameter ``method``."""
        return params.get("method", "").lstrip("/")

    def check(self, operation: str, params: Mapping[str, str], app: App, now_ms: int) -> None:  # noqa: ARG002 - signed as a parameter
        """``/sync`` signs like the newer gateway, ``/router/rest`` in the older way."""
        if self._sync:
            check_signature("", params, app, now_ms, self._world.settings.timestamp_skew_s)
        else:
            top.check(params, app, now_ms)

    def answer(
        self, operation: str, params: Mapping[str, str], fields: dict[str, Any], request_id: str
    ) -> dict[str, Any]:
        """The fields under ``result``, arrays one object deeper unless ``simplify=true``."""
        if "token_result" not in fields and "result" not in fields:
            fields = {"result": fields}
        if params.get("simplify") != "true":
            fields = top.nested(fields)
        elif not self._world.settings.simplified_root:
            return {**fields, "request_id": request_id}
        return {top.root(operation): {**fields, "request_id": request_id}}

    def refusal(
        self, operation: str, params: Mapping[str, str], error: GopError, request_id: str
    ) -> dict[str, Any]:
        """In ``error_response``, unless the error sits in the second layer."""
        if isinstance(error, SecondLayerError):
            fields = error.nested(self._world.settings.business_error_names)
            return self.answer(operation, params, fields, request_id)
        return error.older_answer(request_id)


def dialects(world: World) -> dict[str, Dialect]:
    """The dialects by the first part of their address."""
    return {
        REST: Rest(world),
        SYNC: Dotted(world, sync=True),
        TOP: Dotted(world, sync=False),
    }
