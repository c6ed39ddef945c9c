"""A short run of the simulation; `make sim` runs more of them."""

from collections.abc import Iterator

import pytest
import structlog

from tests.simulation.runs import quiet, run_seed, trace_lines
from tests.simulation.weather import PLAIN, Occasion

SEEDS = 150
KEPT = ((490, None), (447, PLAIN), (957, PLAIN), (872, None))
"""Seeds that failed once: a gate that tokens no longer in use closed for good; an order that lost its
place in line; a shipment by hand while ours was under way; a second loss that had the id of the first."""

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    quiet()
    yield
    structlog.reset_defaults()


def test_no_seed_breaks_a_promise() -> None:
    for seed in range(SEEDS):
        _passes(seed)


@pytest.mark.parametrize(("seed", "occasion"), KEPT)
def test_a_seed_that_failed_once_passes(seed: int, occasion: Occasion | None) -> None:
    _passes(seed, occasion)


def test_a_seed_is_the_same_at_every_run() -> None:
    assert run_seed(7).trace == run_seed(7).trace


def _passes(seed: int, occasion: Occasion | None = None) -> None:
    result = run_seed(seed, occasion)
    assert result.problem is None, "\n".join([*trace_lines(result)[-200:], f"seed {seed}"])
