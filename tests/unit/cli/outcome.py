"""How a command line ended."""

from collections.abc import Callable
from typing import NamedTuple


class Outcome(NamedTuple):
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


Waybill = Callable[..., Outcome]
"""Runs one command line; `stdin` is what stands on standard input."""
