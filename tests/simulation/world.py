"""The scheduler of one seed: who runs next, what breaks, and when time goes on.

First everything that may go wrong goes wrong. Then faults are off, time runs forward, and whatever was
published has to come to an end.
"""

import heapq
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random

from tests.simulation import records
from tests.simulation.alibaba import Call, ModelAlibaba, Moods
from tests.simulation.broker import ModelBroker, Transaction
from tests.simulation.checks import Watch, at_the_end
from tests.simulation.clients import Trouble
from tests.simulation.commands import Operator
from tests.simulation.disk import Disk
from tests.simulation.group import ModelGroup
from tests.simulation.losses import Losses
from tests.simulation.people import Inputs, ModelProofgen
from tests.simulation.process import (
    GAP_S,
    GROUP,
    HORIZON_S,
    SESSION_S,
    CrashError,
    Process,
)
from tests.simulation.weather import Occasion, Weather
from waybill.alibaba.models import ShippingRequest
from waybill.streaming.errors import FatalError

CALM = Moods()
STEPS_MAX = 20_000
"""More than any seed needs: whoever gets there goes round in circles."""
_WITH_PARTS = frozenset({3, 5, 6, 8})
"""Last digits of the seeds whose shipments come in parts too; the others draw as they did before."""
_WAKE_S = 5.0
"""Once nothing goes wrong any more, whoever was paused wakes up and learns what it lost."""


class ViolationError(AssertionError):
    """A promise of the product was broken; the message says which."""


class World:
    """One seed; `run` raises ViolationError with the trace still at hand."""

    def __init__(self, seed: int, occasion: Occasion | None = None) -> None:
        """Without an occasion it is the seed's own."""
        self.rng = Random(seed)
        self.weather = Weather.draw(self.rng)
        self.rare = Random(f"{seed} rare")
        self.occasion = occasion or Occasion.draw(self.rare)
        if self.occasion.hangs:
            self.weather = replace(self.weather, processes=self.rare.choice((2, 3)))
        self.now_s = 1_000.0
        self.activity = 0
        self.trace: list[tuple[float, tuple[object, ...]]] = []
        self.is_calm = False
        self.calm_at_s = 0.0
        self.broker = ModelBroker(lambda: self.now_s, records.PARTITIONS)
        self.broker.on_commit = self._committed
        self.group = ModelGroup(GROUP, lambda: self.now_s, records.PARTITIONS, SESSION_S)
        self.alibaba = ModelAlibaba(
            lambda: self.now_s,
            self.rng,
            HORIZON_S,
            GAP_S - 1.0,
            self._acted,
            strict=self.occasion.strict,
        )
        self.alibaba.moods = self.weather.moods
        self.inputs = Inputs(self.rng, self.broker, self.alibaba, self.note)
        if seed % 10 in _WITH_PARTS:
            self.inputs.parts = Random(f"{seed} parts")
        self.proofgen = ModelProofgen(self.rng, self.broker)
        self.proofgen.trouble = self.weather.proofs
        self.watch = Watch(self)
        self.operator = Operator(self.rare, self, self.watch.latest)
        self.operator.replay = self.inputs.replay
        self.losses = Losses(self.rare, self, self.weather.processes)
        self.plans: list[tuple[float, int, Callable[[], None]]] = []
        self._planned = 0
        self.disks = [Disk() for _ in range(self.weather.processes)]
        self.processes: list[Process | None] = [None] * self.weather.processes
        self.restart_at_s = [
            self.now_s + self.rng.uniform(0, 3) for _ in range(self.weather.processes)
        ]
        self._boots = 0

    # ------------------------------------------------------------------------------ told by the parts

    def note(self, what: str, *about: object) -> None:
        """A line of the trace."""
        self.trace.append((self.now_s, (what, *about)))

    def violated(self, promise: str) -> ViolationError:
        """The error to raise."""
        self.note("VIOLATION", promise)
        return ViolationError(promise)

    def _committed(self, transactional_id: str, transaction: Transaction) -> None:
        self.watch.committed(transactional_id, transaction)

    def called(self, call: Call, request: ShippingRequest) -> None:
        """A declaration leaves a process."""
        self.note(call.process, "CALLS", call.trade_id[-2:], request.tracking_number)
        self.watch.called(call)
        if self.occasion.hangs:
            self._hit_while_calling(call)

    def _acted(self, call: Call) -> None:
        self.note("alibaba", "ACCEPTS", call.trade_id[-2:], call.tracking_number)
        self.watch.acted(call)
        if self.alibaba.is_late(call):  # the importer finds it changed
            self.inputs.import_order(f"alibaba:{call.trade_id}")

    def trouble(self) -> Trouble:
        """What happens to the next transaction."""
        if self.is_calm or self.rng.random() >= self.weather.transactions:
            return Trouble.NONE
        return self.rng.choice(list(Trouble))

    def some(self, available: int) -> int:
        """How many of the records that there are come now."""
        if self.is_calm or self.rng.random() >= self.weather.slow:
            return available
        return self.rng.randint(0, available)

    def plan(self, in_s: float, act: Callable[[], None]) -> None:
        """Do it at that time or soon after."""
        self._planned += 1
        heapq.heappush(self.plans, (self.now_s + in_s, self._planned, act))

    def _go_on(self) -> None:
        _, _, act = heapq.heappop(self.plans)
        act()

    def maybe_crash(self) -> None:
        """A process ends in the middle of its turn."""
        if not self.is_calm and self.rng.random() < self.weather.crash_in_turn:
            raise CrashError

    # --------------------------------------------------------------------------------------- the run

    def run(self) -> None:
        """Everything goes wrong, then nothing does any more."""
        self.inputs.draw(self.weather.orders, self.weather.stores)
        for _ in range(self.occasion.commands):
            self.plan(self.rare.uniform(0, 400), self.operator.decide)
        for _ in range(self.occasion.losses):
            self.plan(self.rare.uniform(5, 150), self.losses.strike)
        steps = self.rng.choice((150, 300, 600))
        while self.inputs.acts or (steps > 0 and not self.watch.is_settled(self.now_s + 60.0)):
            steps -= 1
            self._step()
            if self.rng.random() < self.weather.trouble:
                self._break_something()
        self._calm_down()
        for _ in range(STEPS_MAX):
            if not self._step():
                break
        else:
            raise self.violated("the world does not come to rest")
        at_the_end(self)

    def _calm_down(self) -> None:
        self.note("faults are off")
        self.is_calm, self.calm_at_s = True, self.now_s
        # answers from the past are no fault that ends: the doubts of before are settled under them
        self.alibaba.moods = replace(CALM, stale=self.alibaba.moods.stale)
        self.proofgen.trouble = 0.0
        for place, process in enumerate(self.processes):
            if process is None:
                self.restart_at_s[place] = min(self.restart_at_s[place], self.now_s + 1)
            else:
                process.paused_until_s = min(process.paused_until_s, self.now_s + 1)
                process.beat_at_s = min(process.beat_at_s, self.now_s + 2)
        for name, settings in self.inputs.settings.items():
            if settings["paused"]:
                self.inputs.change_store(name, paused=False)
            if records.token(name, self.inputs.generations[name]) not in self.alibaba.good_tokens:
                self.inputs.reconnect(name)
        self.inputs.free_held()
        self.inputs.import_all()

    def _step(self) -> bool:
        """Somebody does something; False when nobody has anything to do for a long time."""
        actors = self._actors()
        if not actors or (not self.is_calm and self.rng.random() < 0.03):
            if not self._pass_time(jump=not actors):
                return False
        else:
            self.activity += 1
            self.rng.choice(actors)()
            self.now_s += self.rng.random() * 0.01
        self.alibaba.act()
        return True

    def _actors(self) -> list[Callable[[], object]]:
        actors: list[Callable[[], object]] = []
        for place, process in enumerate(self.processes):
            if process is None:
                if self.now_s >= self.restart_at_s[place]:
                    actors.append(lambda place=place: self._start(place))  # type: ignore[misc]
            elif process.runs:
                self._of_process(place, process, actors)
        actors += self._of_others(bool(actors))
        return actors

    def _of_others(self, has_others: bool) -> list[Callable[[], object]]:
        actors: list[Callable[[], object]] = []
        if self.plans and self.plans[0][0] <= self.now_s:
            actors.append(self._go_on)
        if self.losses.struck:
            self.operator.watch_losses()
        if self.broker.markers_due:
            actors.append(lambda: self.broker.write_markers(1))
        if self.proofgen.has_news():
            actors.append(self.proofgen.read)
        if self.proofgen.answers:
            actors.append(self.proofgen.answer)
        if self.inputs.acts and self.rng.random() < (0.2 if has_others or actors else 0.7):
            actors.append(self.inputs.go_on)
        return actors

    def _of_process(self, place: int, process: Process, actors: list[Callable[[], object]]) -> None:
        self.group.alive(process.member)
        if process.has_work() or self.now_s >= process.turned_at[1]:
            actors.append(lambda: self._turn(place, process))
        wake_s = process.calls_wake_s()
        if wake_s is not None and wake_s <= self.now_s:
            actors.append(process.background.loop.step)
        numbers = range(len(process.pool.jobs))
        actors.extend(partial(process.step_job, number) for number in numbers)
        if self.now_s >= process.beat_at_s and process.member.wants_beat():
            actors.append(lambda: self._beat(process))

    def _turn(self, place: int, process: Process) -> None:
        try:
            process.runtime.turn()
        except CrashError:
            self.note(process.name, "dies in its turn")
            self._kill(place, process)
        except FatalError as error:
            self.note(process.name, "ends:", str(error)[:60])
            self._kill(place, process)
        else:
            process.turned_at = (self.activity, process.wake_s())
            if self.occasion.hangs and not self.is_calm:
                self._maybe_hang(process)

    def _beat(self, process: Process) -> None:
        process.member.beat()
        process.beat_at_s = self.now_s + self.rng.uniform(0.1, 1.0)

    def _pass_time(self, *, jump: bool) -> bool:
        """Go on to the next thing that happens by itself; False when there is none."""
        self.group.expire()
        self.broker.write_markers(0)
        if not jump:
            self.now_s += self.rng.choice((0.1, 1.0, 5.0))
            return True
        next_s = self._next_s()
        awake = self.is_calm and self.now_s > self.calm_at_s + _WAKE_S
        waits = self.plans or self.alibaba.next_act_s() is not None
        if awake and not waits and (next_s is None or self.watch.is_settled(next_s)):
            return False
        self.now_s = max(self.now_s + 0.001, next_s if next_s is not None else self.now_s + 30.0)
        return True

    def _next_s(self) -> float | None:
        plan_s = self.plans[0][0] if self.plans else None
        times = [plan_s, self.alibaba.next_act_s(), self.broker.open_until_s(), self._expiry_s()]
        for place, process in enumerate(self.processes):
            if process is None:
                times.append(self.restart_at_s[place])
            elif not process.runs:
                times.append(process.paused_until_s)
            else:
                times += self._times_of(process)
        known = [at_s + 0.001 for at_s in times if at_s is not None]
        return min(known, default=None)

    def _expiry_s(self) -> float | None:
        """When the next member that does not beat is thrown out."""
        living = {p.member for p in self.processes if p is not None and p.runs}
        return self.group.expiry_s(living)

    def _times_of(self, process: Process) -> list[float | None]:
        beat_s = process.beat_at_s if process.member.wants_beat() else None
        return [process.turned_at[1], process.calls_wake_s(), beat_s]

    # ----------------------------------------------------------------------------------- what breaks

    def _break_something(self) -> None:
        place = self.rng.randrange(len(self.processes))
        process = self.processes[place]
        if process is None:
            return
        match self.rng.choice(("kill", "kill", "pause", "pause", "leave", "forget", "foreign")):
            case "kill":
                self.note(process.name, "is killed")
                self._kill(place, process)
            case "pause":
                pause_s = self.rng.choice((0.5, 4.0, 8.0, 20.0, 50.0, 150.0, 400.0))
                self.note(process.name, "is paused for", pause_s)
                process.paused_until_s = self.now_s + pause_s
                process.beat_at_s = process.paused_until_s + self.rng.uniform(0, 1)
            case "leave":
                self.note(process.name, "stops in an orderly way")
                self._leave(place, process)
            case "forget":
                number = self.rng.randrange(records.PARTITIONS)
                self.broker.forget(f"ledger-{number}")
            case _:
                number = self.rng.randrange(records.PARTITIONS)
                if self.rng.random() < 0.2:
                    self.note("somebody else initialises the id of", number)
                    self.broker.initialise(f"ledger-{number}")

    def _maybe_hang(self, process: Process) -> None:
        """Its calls stay behind while it sleeps, and for a while after."""
        if process.hangs_until_s or not process.is_calling() or self.rare.random() < 0.5:
            return
        self._sleep(process, self.rare.uniform(90.0, 250.0))
        process.hangs_until_s = process.paused_until_s + self.rare.uniform(1.0, 60.0)

    def _hit_while_calling(self, call: Call) -> None:
        """Whoever calls for an order whose older call still hangs elsewhere loses it at once."""
        key = f"alibaba:{call.trade_id}"
        for process in filter(None, self.processes):
            hangs = process.hangs_until_s > self.now_s and key in process.is_calling()
            if hangs and process.name != call.process:
                self.plan(self.rare.choice((0.0, 0.0, 1.0)), lambda: self._hit(call.process))

    def _hit(self, name: str) -> None:
        for place, process in enumerate(self.processes):
            if process is None or process.name != name:
                continue
            if self.is_calm or self.rare.random() < 0.5:
                self.note(name, "is killed in its call")
                self._kill(place, process)
            else:
                self._sleep(process, 60.0)

    def _sleep(self, process: Process, pause_s: float) -> None:
        self.note(process.name, f"is paused for {pause_s:.1f}")
        process.paused_until_s = self.now_s + pause_s
        process.beat_at_s = process.paused_until_s + self.rare.uniform(0, 1)

    def restart(self, place: int) -> None:
        """End the process in this place; it comes back by itself."""
        process = self.processes[place]
        if process is None:
            return
        self.note(process.name, "is started anew")
        if process.runs and self.rare.random() < 0.5:
            self._leave(place, process)
        else:
            self._kill(place, process)

    def _kill(self, place: int, process: Process) -> None:
        """Nothing of it is closed: the group hears of it when its session ends."""
        self.alibaba.died(process.name)
        self.processes[place] = None
        self.disks[place].crash(self.rng)
        if self.rng.random() < 0.2:
            self.note("its disk is lost")
            self.disks[place].wipe()
        self.restart_at_s[place] = self.now_s + self.rng.choice((0.1, 1.0, 10.0, 90.0))

    def _leave(self, place: int, process: Process) -> None:
        try:
            process.runtime.close()
        except CrashError:
            self.note(process.name, "dies while it stops")
        self._kill(place, process)

    def _start(self, place: int) -> None:
        self._boots += 1
        name = f"n{place}.{self._boots}"
        self.note(name, "starts")
        skew_s = self.rng.choice((0.0, 0.0, -90.0, 90.0))
        boot_s = self.rng.uniform(0, 100_000)
        self.processes[place] = Process(self, name, self.disks[place], skew_s, boot_s)
