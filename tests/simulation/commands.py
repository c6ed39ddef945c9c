"""An operator: decides about orders by what the ledger says, at times too late or twice, and accepts losses.

Every decision is a record of the commands topic, and any of them may be read again later.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Protocol

from services.notifier.rule import Plan, plan_of
from tests.simulation import records
from tests.simulation.broker import ModelBroker
from tests.simulation.process import Process
from waybill.contracts import Command, LedgerEntry
from waybill.contracts.command import CommandKind, loss_key
from waybill.contracts.headers import WB_REPLAYED
from waybill.streaming.partition import Phase
from waybill.streaming.ports import Place
from waybill.streaming.records import Inbound

KINDS = (CommandKind.RELEASE, CommandKind.RESEND, CommandKind.CANCEL, CommandKind.ACKNOWLEDGE)


class Around(Protocol):
    """What an operator needs of the world."""

    broker: ModelBroker
    processes: list[Process | None]
    now_s: float

    def note(self, what: str, *about: object) -> None:
        """A line of the trace."""

    def plan(self, in_s: float, act: Callable[[], None]) -> None:
        """Do it at that time or soon after."""


class Operator:
    """See the module."""

    def __init__(
        self, rng: Random, world: Around, latest: Callable[[], dict[str, Inbound]]
    ) -> None:
        self.commands: dict[str, Command] = {}
        """What was written, by command id."""
        self.commanded: set[str] = set()
        """Orders that commands were written about."""
        self.replay: Callable[[], None] = lambda: None
        """Publishes all shipments again, as one does after a loss."""
        self._rng = rng
        self._world = world
        self._latest = latest
        self._written: list[tuple[Place, bytes, bytes]] = []
        self._accepting: set[tuple[int, str]] = set()

    def decide(self) -> None:
        """Write a command about some order, or write one of the past again."""
        if self._written and self._rng.random() < 0.2:
            place, key, value = self._rng.choice(self._written)
            self._world.note("operator", "replays a command about", key.decode()[-2:])
            self._world.broker.append(place, key, value, ((WB_REPLAYED, b"replay-2"),))
        elif latest := self._latest():
            self._about(self._rng.choice(sorted(latest)), latest)

    def _about(self, key: str, latest: dict[str, Inbound]) -> None:
        entry = records.CODECS.ledger.decode(latest[key].value)
        kind = self._kind(entry)
        behind = self._rng.choice((0, 0, 0, 0, 1, 2, -1))
        command = Command(
            command_id=f"C{len(self.commands) + 1}",
            order_key=key,
            kind=kind,
            entry_revision=max(0, entry.revision - behind),
            who="operator",
            why="a reason",
            issued_at=records.START,
        )
        self._world.note(
            "operator", kind, key[-2:], f"at r{command.entry_revision}", command.command_id
        )
        self.commands[command.command_id] = command
        self.commanded.add(key)
        partition = records.home(key)
        if self._rng.random() < 0.05:
            partition = (partition + 1) % records.PARTITIONS
        for _ in range(self._rng.choice((1, 1, 1, 2))):
            self._write(Place("commands", partition), key, command)

    def _kind(self, entry: LedgerEntry) -> CommandKind:
        """Mostly one that applies, as the command line would tell; now and then any."""
        fit = [kind for kind in KINDS if isinstance(plan_of(entry, kind), Plan)]
        return self._rng.choice(fit if fit and self._rng.random() < 0.8 else KINDS)

    def _write(self, place: Place, key: str, command: Command) -> None:
        value = records.CODECS.command.encode(command)
        self._written.append((place, key.encode(), value))
        self._world.broker.append(place, key.encode(), value)

    # ------------------------------------------------------------------------------------------ losses

    def watch_losses(self) -> None:
        """See which partitions stand still, and plan to accept what they lost."""
        for process in filter(None, self._world.processes):
            for partition in process.runtime.partitions:
                loss = partition.loss
                if partition.phase is not Phase.STOPPED or loss is None:
                    continue
                seen = partition.number, loss.loss_id
                if seen not in self._accepting:
                    self._accepting.add(seen)
                    self._world.note(process.name, "stands still:", loss.reason[:70])
                    in_s = self._rng.choice((0.5, 10.0, 60.0))
                    self._world.plan(in_s, partial(self._accept, *seen))

    def _accept(self, number: int, loss_id: str) -> None:
        ids = self._rng.choice(((loss_id,), (loss_id,), ("another", loss_id), (loss_id, loss_id)))
        for each in ids:
            self._world.note("operator", "accepts", each, "of", number)
            key = loss_key(number)
            command = Command(
                command_id=f"L{len(self._written)}",
                order_key=key,
                kind=CommandKind.ACCEPT_LOSS,
                entry_revision=0,
                loss_id=each,
                who="operator",
                why="a reason",
                issued_at=records.START,
            )
            self._write(Place("commands", number), key, command)
        self._world.plan(self._rng.choice((0.0, 5.0, 50.0)), self.replay)
