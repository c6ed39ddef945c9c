"""`python -m tests.fire --runs N [--seed S] [--keep]`: exit code 1 when a promise was broken."""

import argparse
import secrets
import signal
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from statistics import median

from tests.fire.run import SPAN_S, Ground, Outcome

_PROBLEMS_SHOWN_MAX = 20


def main() -> int:
    """Run them all; 0 when every promise was kept in every run."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    first = options.seed if options.seed is not None else secrets.randbelow(900_000) + 1
    outcomes: list[Outcome] = []
    with Ground(options.folder) as ground:
        for seed in range(first, first + options.runs):
            outcome = ground.run(seed, keep=options.keep, span_s=options.span)
            outcomes.append(outcome)
            _tell(outcome)
    return _summary(outcomes)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.fire", description=__doc__)
    stamp = f"{datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005 - a folder's name, for people
    parser.add_argument("--runs", type=int, default=1, help="how many fires, each from its seed")
    parser.add_argument("--seed", type=int, help="seed of the first run; the others count on")
    parser.add_argument("--span", type=float, default=SPAN_S, help="seconds that it burns")
    parser.add_argument("--keep", action="store_true", help="keep the folders of good runs too")
    parser.add_argument("--folder", type=Path, default=Path(".run/fire") / stamp)
    return parser.parse_args()


def _tell(outcome: Outcome) -> None:
    lines = [str(outcome), *(f"    fell: {words}" for words in outcome.fell)]
    if not outcome.ok:
        shown = outcome.problems[:_PROBLEMS_SHOWN_MAX]
        lines += [f"    {problem}" for problem in shown]
        left = len(outcome.problems) - len(shown)
        lines += [f"    and {left} more"] if left else []
        lines += [f"    look into {outcome.folder}; again with --seed {outcome.seed} --runs 1"]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _summary(outcomes: list[Outcome]) -> int:
    numbers: Counter[str] = Counter()
    for outcome in outcomes:
        numbers.update(outcome.numbers)
    failed = [outcome.seed for outcome in outcomes if not outcome.ok]
    settled = sorted(outcome.settled_s for outcome in outcomes)
    sums = ", ".join(f"{count} {what}" for what, count in numbers.items() if count)
    times = f"settled in {median(settled):.1f} s (median), {settled[-1]:.1f} s (longest)"
    verdict = f"failed: seeds {', '.join(map(str, failed))}" if failed else "no promise broken"
    sys.stdout.write(f"{len(outcomes)} runs: {sums}; {times}; {verdict}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
