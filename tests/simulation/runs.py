"""Running one seed, and what came of it."""

import gc
import warnings
from dataclasses import dataclass

import structlog

from tests.simulation.faults import FAULTS
from tests.simulation.weather import Occasion
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a seed: no problem, or the first one with the steps that led to it."""

    seed: int
    problem: str | None
    trace: list[tuple[float, tuple[object, ...]]]


def quiet() -> None:
    """No log lines, and no collection of garbage in the middle of a seed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    gc.set_threshold(50_000)
    # a killed process leaves its calls as they are
    warnings.filterwarnings("ignore", message="coroutine .* was never awaited")


def run_seed(seed: int, occasion: Occasion | None = None) -> Result:
    """Run it; an exception of the product is a problem as well."""
    world = World(seed, occasion)
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the seed's result
        return Result(seed, f"{type(error).__name__}: {error}", world.trace)
    return Result(seed, None, world.trace)


def first_failure(fault: str, first: int, seeds: int) -> Result | None:
    """The first seed that finds the fault; None when none does."""
    with FAULTS[fault]():
        for seed in range(first, first + seeds):
            result = run_seed(seed)
            if result.problem is not None:
                if result.problem.startswith("ViolationError"):
                    return result
                raise RuntimeError(f"{fault} itself is broken: {result.problem}")
    return None


def trace_lines(result: Result) -> list[str]:
    """The steps, readable."""
    return [f"{at_s - 1_000:9.3f}  {' '.join(map(str, about))}" for at_s, about in result.trace]
