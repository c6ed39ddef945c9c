"""A short fire from a fixed seed; `python -m tests.fire --runs 50` makes many long ones."""

from pathlib import Path

import pytest

from tests.fire.run import Ground

SEED = 8
SPAN_S = 12.0


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(360)
def test_no_promise_is_broken_while_it_burns(tmp_path: Path) -> None:
    with Ground(tmp_path) as ground:
        outcome = ground.run(SEED, keep=True, span_s=SPAN_S)

    assert outcome.problems == [], str(outcome)
    assert outcome.numbers["acted"] > 0
    assert outcome.deeds.total() > 0
