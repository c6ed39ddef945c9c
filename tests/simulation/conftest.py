"""What the simulated processes leave behind goes with the test that killed them."""

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _left_behind() -> Iterator[None]:
    """A killed process's calls never started: Python says so when it collects them, which is no fault."""
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="coroutine .* was never awaited")
        gc.collect()
