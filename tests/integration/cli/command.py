"""How the tests call the command line."""

import subprocess
from collections.abc import Callable

Command = Callable[..., "subprocess.CompletedProcess[str]"]
"""Runs `waybill …` in a process of its own; `stdin` is its input, other keywords are variables."""
