"""How bad a seed is, and what only some seeds have."""

from dataclasses import dataclass
from random import Random

from tests.simulation.alibaba import Moods


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad a seed is."""

    processes: int
    orders: int
    stores: int
    trouble: float
    """Chance that a step is followed by a crash, a pause or a change in the group."""
    transactions: float
    """Chance that a transaction fails in some way."""
    crash_in_turn: float
    moods: Moods
    proofs: float
    slow: float
    """Chance that only some of the records that there are come at once."""

    @staticmethod
    def draw(rng: Random) -> "Weather":
        bad = rng.choice((0.0, 0.3, 1.0, 1.0))
        return Weather(
            processes=rng.choice((1, 2, 2, 3)),
            orders=rng.choice((1, 2, 2, 3, 4)),
            stores=rng.choice((1, 1, 2)),
            trouble=rng.choice((0.0, 0.005, 0.01, 0.03)),
            transactions=rng.choice((0.0, 0.03, 0.1)),
            crash_in_turn=rng.choice((0.0, 0.0, 0.005)),
            moods=Moods(
                unclear=rng.choice((0.1, 0.3, 0.6)) * bad,
                refused=rng.choice((0.05, 0.2)) * bad,
                rejected=rng.choice((0.0, 0.05)) * bad,
                slow=rng.choice((0.05, 0.3)) * bad,
                stale=rng.choice((0.2, 0.7)) * bad,
            ),
            proofs=rng.choice((0.0, 0.1, 0.4)),
            slow=rng.choice((0.0, 0.3)),
        )


@dataclass(frozen=True, slots=True)
class Occasion:
    """What only some seeds have; drawn apart from the weather."""

    strict: bool = False
    """Alibaba refuses a second shipment, and calls may act far beyond the horizon."""
    commands: int = 0
    """What an operator decides about orders."""
    losses: int = 0
    """How often the ledger loses records, or the group its positions."""
    hangs: bool = False
    """The thread of the calls hangs while its process goes on, and others die in the same call."""

    @staticmethod
    def draw(rng: Random) -> "Occasion":
        return Occasion(
            strict=rng.random() < 0.2,
            commands=rng.choice((0, 0, 0, 2, 5)),
            losses=rng.choice((0,) * 8 + (1, 2)),
            hangs=rng.random() < 0.4,
        )


PLAIN = Occasion()
"""Of most seeds."""
