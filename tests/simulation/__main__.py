"""`python -m tests.simulation --seeds N`: run seeds, print progress and the trace of the first that fails."""

# ruff: noqa: T201 - a command for people

import argparse
import sys
import time

from tests.simulation.faults import FAULTS
from tests.simulation.runs import Result, first_failure, quiet, run_seed, trace_lines

_PROGRESS_EVERY = 500
_LINES_MAX = 400
"""Of a trace: a world that goes round in circles has tens of thousands."""


def main() -> int:
    """Exit code 1 when a seed fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--trace", action="store_true", help="print the trace of each seed")
    parser.add_argument("--fault", choices=sorted(FAULTS), help="run with this fault")
    parser.add_argument("--faults", action="store_true", help="find every fault")
    arguments = parser.parse_args()
    quiet()
    if arguments.faults:
        return _faults(arguments.first, arguments.seeds)
    if arguments.fault:
        with FAULTS[arguments.fault]():
            return _seeds(arguments.first, arguments.seeds, traced=arguments.trace)
    return _seeds(arguments.first, arguments.seeds, traced=arguments.trace)


def _seeds(first: int, seeds: int, *, traced: bool) -> int:
    began_s = time.perf_counter()
    for number, seed in enumerate(range(first, first + seeds), start=1):
        result = run_seed(seed)
        if traced or result.problem is not None:
            _print(result)
        if result.problem is not None:
            return 1
        if number % _PROGRESS_EVERY == 0 or number == seeds:
            passed_s = time.perf_counter() - began_s
            print(f"{number} seeds without a violation, {passed_s / number * 1000:.0f} ms each")
    return 0


def _faults(first: int, seeds: int) -> int:
    missed = 0
    for name in FAULTS:
        found = first_failure(name, first, seeds)
        missed += found is None
        told = f"seed {found.seed}: {found.problem}" if found else f"NOT FOUND in {seeds} seeds"
        print(f"{name:28} {told}", flush=True)
    return min(missed, 1)


def _print(result: Result) -> None:
    lines = trace_lines(result)
    if len(lines) > _LINES_MAX:
        half = _LINES_MAX // 2
        lines = [*lines[:half], f"… {len(lines) - _LINES_MAX} lines …", *lines[-half:]]
    print(*lines, sep="\n")
    print(f"seed {result.seed}: {result.problem or 'ok'}")


if __name__ == "__main__":
    sys.exit(main())
