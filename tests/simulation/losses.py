"""What the broker may lose: the end, the beginning or all of the ledger, or the group's positions.

Only what the note beside the positions can tell of: that it does not see the records of the very last
transaction is what `waybill.streaming.witness` states.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol

from tests.simulation import records
from tests.simulation.broker import ModelBroker
from tests.simulation.checks import Watch
from tests.simulation.process import GROUP
from waybill.streaming.ports import Place
from waybill.streaming.witness import Note, decode


class Around(Protocol):
    """What a loss touches."""

    broker: ModelBroker
    watch: Watch

    def note(self, what: str, *about: object) -> None:
        """A line of the trace."""

    def plan(self, in_s: float, act: Callable[[], None]) -> None:
        """Do it at that time or soon after."""

    def restart(self, place: int) -> None:
        """End the process in this place; it comes back by itself."""


class Losses:
    """See the module."""

    def __init__(self, rng: Random, world: Around, places: int) -> None:
        self.struck = False
        self._rng = rng
        self._world = world
        self._places = places

    def strike(self) -> None:
        """Lose something; whoever had it open is started anew sooner or later, as after a broken broker."""
        self.struck = True
        kind = self._rng.choice(("end", "end", "all", "beginning", "topic", "positions"))
        match kind:
            case "topic":
                self._world.note("broker", "loses the ledger topic, which is made anew")
                self._world.broker.recreate("ledger")
                for number in range(records.PARTITIONS):
                    self._world.watch.lost(number)
            case "positions":
                self._positions()
                return
            case _:
                self._part(kind, self._rng.randrange(records.PARTITIONS))
        for place in range(self._places):
            in_s = self._rng.choice((0.0, 3.0, 20.0))
            self._world.plan(in_s, lambda place=place: self._world.restart(place))  # type: ignore[misc]  # bound now

    def _positions(self) -> None:
        """They expire when no member was there for days: by then the calls of all are long over."""
        for place in range(self._places):
            self._world.restart(place)
        self._world.note("broker", "forgets the group's positions")
        self._world.broker.committed.pop(GROUP, None)
        self._world.watch.begun_anew()

    def _part(self, kind: str, number: int) -> None:
        noted = self._noted(number)
        log = self._world.broker.log(Place("ledger", number))
        end = min(noted.end, len(log.slots)) if noted else 0
        if noted is None or end <= noted.start + 1:
            return
        self._world.note("broker", "loses the", kind, "of ledger", number)
        if kind == "beginning":
            log.start = self._rng.randrange(noted.start + 1, end)
        else:
            log.truncate(0 if kind == "all" else self._rng.randrange(end))
        self._world.watch.lost(number)

    def _noted(self, number: int) -> Note | None:
        found = self._world.broker.committed.get(GROUP, {}).get(Place("shipments", number))
        return decode(found.note) if found else None
