"""Logging: one line per change, as JSON for machines; secrets and personal data never get in.

Event names are constants and everything else is a field. The last processor drops fields that could
name a person or open a door, whatever the caller meant.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_FORBIDDEN = frozenset(
    {
        "access_token", "refresh_token", "token", "secret", "app_secret", "password", "seal_key", "code",
        "name", "email", "phone", "address", "ship_to", "buyer", "note", "authorization", "sign",
    }
)  # fmt: skip


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for field in _FORBIDDEN.intersection(event):
        event[field] = "[redacted]"
    return event


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
            structlog.processors.format_exc_info,
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
