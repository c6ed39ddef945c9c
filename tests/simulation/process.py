"""One notifier process of the simulation: the product's own parts over the model's ports.

It can be killed between any two steps (nothing of it is closed), paused for as long as you like, and
started again on what its disk kept.
"""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast
from unittest.mock import patch

from services.notifier.app import SOURCES, Notifier
from services.notifier.codecs import Codecs
from services.notifier.metrics import NotifierMetrics
from services.notifier.scheduling import Phase as Calling
from services.notifier.settings import NotifierSettings
from services.notifier.shared import Shared
from tests.simulation.alibaba import Call, ModelAlibaba, ModelClient
from tests.simulation.background import ModelBackground
from tests.simulation.broker import ModelBroker
from tests.simulation.clients import (
    ModelOpener,
    ModelReader,
    ModelTransactions,
    SilenceError,
    Steps,
    Trouble,
)
from tests.simulation.disk import Disk
from tests.simulation.group import Member, ModelGroup
from tests.simulation.records import CODECS, PARTITIONS, SEAL_KEY, START
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.models import ShippingRequest
from waybill.alibaba.settings import AlibabaSettings, AppCredentials, RateLimitSettings
from waybill.clock import Clock
from waybill.metrics import Registry
from waybill.settings import KafkaSettings, SiteSettings
from waybill.streaming.failures import FailureTally
from waybill.streaming.metrics import RuntimeMetrics
from waybill.streaming.partition import Phase
from waybill.streaming.runtime import Runtime, Surroundings

GROUP = "waybill-notifier"
SESSION_S = 6.0
HORIZON_S = 60
GAP_S = 20


class CrashError(BaseException):
    """The process ends here and now. No `Exception`: nothing of the product may catch it."""


@cache
def settings() -> NotifierSettings:
    """Short times and small limits, so that all of them are reached."""
    api = AlibabaSettings(rate_limit=RateLimitSettings(start_per_s=1_000, max_per_s=1_000))
    app = AppCredentials(app_key="50000", app_secret=SEAL_KEY)
    return NotifierSettings(
        kafka=KafkaSettings(partitions=PARTITIONS),
        sites={"alibaba": SiteSettings(app=app, api=api)},
        seal_key=SEAL_KEY,
        group=GROUP,
        works_per_store_max=2,
        works_max=3,
        calls_per_store_max=2,
        lookups_max=2,
        call_horizon_s=HORIZON_S,
        lookup_gap_s=GAP_S,
        lookup_first_s=3,
        claim_timeout_s=10,
        retry_first_s=1,
        retry_max_s=20,
        hint_first_s=5,
    )


@cache
def _metrics() -> tuple[NotifierMetrics, RuntimeMetrics]:
    """Nobody reads them here."""
    registry = Registry()
    return NotifierMetrics(registry), RuntimeMetrics(registry)


class World(Protocol):
    """What a process needs of the world around it."""

    broker: ModelBroker
    group: ModelGroup
    alibaba: ModelAlibaba
    now_s: float

    def note(self, what: str, *about: object) -> None:
        """A line of the trace."""

    def trouble(self) -> Trouble:
        """What happens to the next transaction."""

    def some(self, available: int) -> int:
        """How many of the records that there are come now."""

    def maybe_crash(self) -> None:
        """Raise CrashError, or not."""

    def called(self, call: Call, request: ShippingRequest) -> None:
        """A declaration leaves a process."""


class NoFailures(FailureTally):
    """All input is good here: an exception over a record is a defect of the product."""

    def failed(self, topic: str, error: Exception) -> None:
        raise AssertionError(f"the product failed over a record of {topic}") from error


class ProcessClock(Clock):
    """A wall clock that is wrong by some time, and seconds since this machine's boot."""

    def __init__(self, world: World, skew_s: float, boot_s: float) -> None:
        self._world, self._skew_s, self._boot_s = world, skew_s, boot_s

    def now(self) -> datetime:
        milliseconds = int((self._world.now_s + self._skew_s) * 1000)
        return START + timedelta(milliseconds=milliseconds)

    def boot_s(self) -> float:
        return self._boot_s + self._world.now_s


class Job:
    """A commit or a takeover on its pool thread: one request to the broker a step."""

    def __init__(self, steps: Steps[Any]) -> None:
        self.future: Future[Any] = Future()
        self._steps = steps
        self._begun = False

    def step(self) -> bool:
        """Go on to the next switch; False when it is over."""
        if not self._begun:
            self._begun = True
            if not self.future.set_running_or_notify_cancel():
                return False
        try:
            next(self._steps)
        except StopIteration as end:
            self.future.set_result(end.value)
            return False
        except SilenceError:
            return False  # its thread hangs; the runtime has to do without
        except Exception as error:  # noqa: BLE001 - as a pool does, whatever it is
            self.future.set_exception(error)
            return False
        return True


class ModelPool:
    """Jobs that the scheduler steps, in any order."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def submit(self, function: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        owner = getattr(function, "__self__", None)
        match owner:
            case ModelTransactions():
                job = Job(owner.commit_steps(*args))
            case ModelOpener():
                job = Job(owner.open_steps(*args))
            case _:
                raise TypeError(f"the model does not know how to step {function}")
        self.jobs.append(job)
        return job.future


class Process:
    """See the module."""

    def __init__(self, world: World, name: str, disk: Disk, skew_s: float, boot_s: float) -> None:
        self.name = name
        self.world = world
        self.clock = ProcessClock(world, skew_s, boot_s)
        self.background = ModelBackground(self.clock.boot_s)
        self.pool = ModelPool()
        self.reader = ModelReader(world.broker, world.some)
        self.paused_until_s = 0.0
        self.hangs_until_s = 0.0
        """Its calls' thread does nothing until then."""
        self.beat_at_s = world.now_s
        self.turned_at: tuple[int, float] = (-1, 0.0)
        """Activity of the world at the last turn, and until when an idle turn may be left out."""
        self.notifier, self.shared = self._notifier(disk)
        opener = ModelOpener(world.broker, GROUP, SOURCES, "ledger", world.trouble)
        around = Surroundings(
            reader=self.reader,
            opener=opener,
            pool=self.pool,
            clock=self.clock.boot_s,
            pause=lambda _seconds: None,
            now=self.clock.now,
        )
        self.runtime = Runtime(self.notifier, around, _metrics()[1])
        self.member = Member(world.group, self._gained, self._lost)
        self.runtime.join(self.member, PARTITIONS)

    def _notifier(self, disk: Disk) -> tuple[Notifier, Shared]:
        world = self.world
        client = ModelClient(world.alibaba, self.name, self.background.loop, world.called)
        clients = {"alibaba": cast("AlibabaClient", client)}
        with patch("services.notifier.shared.Codecs", _codecs):
            shared = Shared(
                settings(), self.clock, _metrics()[0], self.background, clients, "simulated"
            )
        folder = Path(self.name)
        notifier = Notifier(
            shared, folder, lambda path, identity: disk.open(path, identity, world.maybe_crash)
        )
        shared.failures = NoFailures()
        return notifier, shared

    def _gained(self, number: int) -> None:
        self.world.note(self.name, "gains", number)
        self.runtime.gained(number)

    def _lost(self, number: int) -> None:
        self.world.note(self.name, "loses", number)
        self.runtime.lost(number)

    @property
    def runs(self) -> bool:
        """Whether it is not paused."""
        return self.world.now_s >= self.paused_until_s

    def calls_wake_s(self) -> float | None:
        """When its calls' thread has something to do; None for never."""
        boot_s = self.background.loop.wake_s()
        if boot_s is None:
            return None
        return max(boot_s - self.clock.boot_s() + self.world.now_s, self.hangs_until_s)

    def is_calling(self) -> set[str]:
        """Orders whose call has begun and not come back."""
        return {work.key for work in self.shared.works if work.phase is Calling.CALLING}

    def step_job(self, place: int) -> None:
        """One request of a commit or takeover."""
        job = self.pool.jobs[place]
        if not job.step():
            self.pool.jobs.remove(job)

    def has_work(self) -> bool:
        """Whether a turn would do something at once."""
        return (
            bool(self.member.news)
            or self.background.has_results()
            or self.reader.has_news()
            or any(_is_ready(p) for p in self.runtime.partitions)
        )

    def wake_s(self) -> float:
        """When a turn will have something to do without anybody else's doing."""
        now_s, shared = self.world.now_s, self.shared
        times = [now_s + 60.0]
        times += [now_s + self._pause_s(partition) for partition in self.runtime.partitions]
        if len(shared.works):
            times.append(now_s + 1.0)
        gates = shared.gates.closed.values()
        ends_s = [gate.until_s for gate in gates if gate.until_s is not None]
        times += [until_s - self.clock.boot_s() + now_s for until_s in ends_s]
        return max(min(times), now_s + 0.001)

    def _pause_s(self, partition: Any) -> float:
        if partition.phase is Phase.OPENING and partition.opening is None:
            return 0.5
        if partition.phase is Phase.FENCED:
            return 3.0
        if partition.commit is not None:
            return 5.0
        handler = partition.handler
        if partition.phase is Phase.RUNNING and handler._next_due_ms is not None:
            now = self.clock.now()
            due_s = handler._next_due_ms / 1000 - now.timestamp()
            return max(float(due_s), 0.002)
        return 60.0


def _codecs() -> Codecs:
    return CODECS


def _is_ready(partition: Any) -> bool:
    if partition.opening is not None:
        return bool(partition.opening.done())
    if partition.commit is not None:
        return bool(partition.commit.future.done())
    if partition.phase is not Phase.RUNNING:
        return False
    handler = partition.handler
    waiting = handler._results or handler._granted or handler._takeovers or handler._stores_changed
    return bool(partition.inbox or waiting)
