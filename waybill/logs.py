"""Logging: one line per change, as JSON for machines; secrets and personal data never get in.

Event names are constants and everything else is a field. The last processor drops fields that could
name a person or open a door, whatever the caller meant.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

_FORBIDDEN = frozenset(
    {
        "access_token", "refresh_token", "token", "secret", "app_secret", "password", "seal_key",
        "signing_key", "code", "name", "email", "phone", "address", "ship_to", "buyer", "note",
        "authorization", "sign",
    }
)  # fmt: skip
_CHAIN_MAX = 5
"""Exceptions behind an exception that are worth a look."""


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for field in _FORBIDDEN.intersection(event):
        event[field] = "[redacted]"
    return event


def _frames(exc_info: Any) -> str:
    """Where it happened and of what kind, without messages: a library's may quote a whole record."""
    error: BaseException | None = exc_info[1]
    blocks: list[str] = []
    while error is not None and len(blocks) < _CHAIN_MAX:
        frames = "".join(traceback.format_tb(error.__traceback__))
        blocks.append(f"{frames}{type(error).__module__}.{type(error).__qualname__}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhile handling\n".join(blocks)


def configure_logging(service: str, level: str, form: str) -> None:
    """Set up structlog for this process; lines go to standard error."""
    renderer = (
        structlog.dev.ConsoleRenderer()
        if form == "console"
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_frames),
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
