"""What readers see, on either rig."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.conformance.rigs import WAIT_S, Rig
from tests.waiting import wait_until
from waybill.streaming.ports import BEGINNING, Place, Reader

LEDGER, SHIPMENTS = Place("ledger", 0), Place("shipments", 0)


@dataclass
class Seen:
    """What a reader brought so far."""

    rig: Rig
    reader: Reader
    values: list[bytes | None] = field(default_factory=list)
    end: int = -1
    lost: list[Place] = field(default_factory=list)

    def step(self) -> "Seen":
        self.rig.pass_time()
        batch = self.reader.read(100, 0.1)
        self.values += [record.value for record in batch.records]
        self.end = max([self.end, *(end for _, end in batch.ends)])
        self.lost += batch.lost
        return self

    def up_to(self, end: int) -> Sequence[bytes | None]:
        wait_until(lambda: self.step().end >= end, WAIT_S)
        return self.values


def reading(rig: Rig, place: Place, offset: int = BEGINNING) -> Seen:
    """A reader of one place."""
    reader = rig.reader()
    reader.assign({place: offset})
    return Seen(rig, reader)
