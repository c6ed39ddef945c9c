"""Waiting for something to become true: with a deadline, and never longer than needed."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def wait_until(
    condition: Callable[[], Result], deadline_s: float = 10.0, *, every_s: float = 0.02
) -> Result:
    """Return the first true result of `condition`, asked again every `every_s` seconds.

    An error inside `condition` is the test's error at once. What returns false until the deadline
    fails the test, with the last result in the message.
    """
    deadline = time.monotonic() + deadline_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            name = getattr(condition, "__qualname__", repr(condition))
            raise AssertionError(f"{name} was still {result!r} after {deadline_s:g} s")
        time.sleep(every_s)
