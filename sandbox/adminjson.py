"""How the admin API reads and writes JSON, and says what is wrong with a call."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


class Body(BaseModel):
    """The body of a call: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def reply(content: Any, status: int = 200) -> Response:
    """An answer."""
    return Response(orjson.dumps(content), status, media_type="application/json")


async def bad_body(_request: Request, error: Exception) -> Response:
    """HTTP 422 that names every field that is wrong."""
    problems = (
        error.errors(include_url=False, include_input=False)
        if isinstance(error, ValidationError)
        else []
    )
    fields = [
        {"field": ".".join(map(str, problem["loc"])) or "body", "problem": problem["msg"]}
        for problem in problems
    ]
    return reply({"error": "the body does not fit", "fields": fields}, 422)


async def not_found(_request: Request, error: Exception) -> Response:
    """HTTP errors as JSON."""
    status, detail = (
        (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "error")
    )
    return reply({"error": detail}, status)


def number(request: Request, name: str, default: int) -> int:
    """A whole number in the query."""
    text = request.query_params.get(name) or str(default)
    if not text.isascii() or not text.isdigit():
        raise HTTPException(400, f"{name} must be a whole number")
    return int(text)
