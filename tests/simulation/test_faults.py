"""The simulation is not blind: each deliberate fault is found."""

from collections.abc import Iterator

import pytest
import structlog

from tests.simulation.faults import FAULTS
from tests.simulation.runs import first_failure, quiet

SEEDS_MAX = 1_000
RARE = {
    "lost_place_in_line": 464,
    "gate_of_old_tokens": 490,
    "results_by_order_alone": 490,
}
"""Seeds that find the rarest; the search begins there."""

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    quiet()
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deliberate_fault_is_found(fault: str) -> None:
    assert first_failure(fault, RARE.get(fault, 0), SEEDS_MAX) is not None, (
        f"{fault} in {SEEDS_MAX} seeds"
    )
