"""Runs the scenario on an installation of its own, watches what comes of it, and compares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console
from rich.text import Text

from sandbox.orders import trade_id as trade_id_of
from waybill.cli.cluster import Delivery
from waybill.cli.errors import CommandError
from waybill.cli.proof_files import save_pages
from waybill.contracts import Proof
from waybill.demo import report
from waybill.demo.installation import SERVICES, Installation, Wish
from waybill.demo.processes import Running
from waybill.demo.progress import Aims, Progress
from waybill.demo.sandbox_admin import SandboxAdmin, Seller
from waybill.demo.scenario import CONFIRMED, Scenario, Wave, build, imported
from waybill.demo.shipments import Maker
from waybill.demo.stage import cleared, sole, stoppable, unstoppable
from waybill.demo.watch import Observed, Watch
from waybill.settings import KafkaSettings

SEED = 1
"""The stand-in's orders are the same in every demo."""
ORDERS_PER_STORE = 150
RATE_PER_S = 12.0
"""Shipments a second: what a busy warehouse prints, and what a laptop keeps up with beside all the rest."""
IMPORT_S = 120.0
"""Longest wait for the import; it takes a tenth of that."""
WAVE_S = 120.0
"""Longest wait until a wave has come to rest, after its last record; it takes a tenth of that."""
_TURN_S = 0.1
_QUIET_S = 2.0
"""So long nothing more may come after the end, since a second call would come late."""
_QUIET_MAX_S = 30.0
_PROOFS_SAVED_MAX = 60
_MISSING_SHOWN_MAX = 5
_DEAD_S = 10.0
"""A supervisor, or a test, starts a service again within this time."""
_SHIPPING, _UPLOAD = "/alibaba/v2/order/shipping", "/alibaba/order/attachment/upload"

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "latency", "ms": 15, "jitter_ms": 30},
    {"kind": "throttle", "path": _SHIPPING, "ban_s": 1, "probability": 0.02, "times": 2},
    {"kind": "throttle", "path": "/alibaba/order/get", "ban_s": 1, "probability": 0.01, "times": 2},
    {"kind": "cut_before", "path": _SHIPPING, "probability": 0.03, "times": 4},
    {"kind": "cut_after", "path": _SHIPPING, "probability": 0.03, "times": 4},
    {"kind": "http_error", "path": _SHIPPING, "status": 502, "acted": True, "probability": 0.02,
     "times": 2},
    {"kind": "cut_before", "path": _UPLOAD, "probability": 0.02, "times": 3},
)  # fmt: skip
"""How the stand-in misbehaves: answers that are lost before and after acting, bans, slowness."""


class DemoError(CommandError):
    """The demo came to no end in time; the message says what is missing and where to look."""


@dataclass(frozen=True, slots=True)
class Play:
    """What a demo is to be like."""

    folder: Path
    kafka: KafkaSettings | None = None
    """An existing cluster, with a topic prefix of this demo's own; None starts one in the folder."""
    orders_per_store: int = ORDERS_PER_STORE
    rate_per_s: float = RATE_PER_S
    faults: tuple[dict[str, Any], ...] = FAULTS


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: what was read, and how it differs from what was to come."""

    observed: Observed
    totals: dict[str, Any]
    differences: list[str]
    elapsed_s: float
    proofs: list[Path] = field(default_factory=list)


Meanwhile = Callable[["Demo"], None]
"""Called many times a second while the waves run, e.g. by a test that kills a service."""


class Demo:
    """One demo: plays the scenario from an empty folder to its end, and stops all that it started."""

    def __init__(self, play: Play, console: Console, meanwhile: Meanwhile = lambda _: None) -> None:
        self.play = play
        options = ("--seed", str(SEED), "--lenient")
        wish = Wish(play.folder, play.kafka, play.orders_per_store, options)
        self.installation = Installation(wish)
        self.observed = Observed()
        self._console = console
        self._progress = Progress(console)
        self._meanwhile = meanwhile
        self._proofs: dict[str, list[Path]] = {}
        self._seen_s: dict[str, tuple[float, Running]] = {}

    def run(self) -> Ended:
        """Play. Raises CommandError, BrokerError or ProcessError when there is no end to come to."""
        with sole(self.play.folder), stoppable():
            cleared(self.play.folder)
            try:
                with self._progress.shown():
                    return self._run()
            finally:
                with unstoppable():
                    self._console.print(Text("          stopping everything", style="dim"))
                    self.installation.stop()

    def _run(self) -> Ended:
        self.installation.start(self._progress.phase)
        self.admin = SandboxAdmin(self.installation.sandbox_url)
        self.watch = Watch(self.installation.cluster, self.admin, self._save)
        self.observed = self.watch.observed
        try:
            return self._play()
        finally:
            self._progress.end_phase()
            self.watch.close()
            self.admin.close()

    def _play(self) -> Ended:
        sellers, stock = self.admin.sellers(), self.admin.orders()
        self._import(len(imported(stock)), len(sellers))
        partitions = self.installation.cluster.partitions("shipments")
        scenario = build(stock, _future(sellers), Maker(datetime.now(UTC), partitions))
        self.admin.add_faults(self.play.faults)
        first, second = scenario.waves
        self._progress.phase(f"publishing {len(first.records)} records of shipments")
        self._wave(scenario, first)
        self._progress.phase("what was missing arrives, and what comes too late")
        self._wave(scenario, second)
        self._progress.phase("making sure that nothing more comes")
        self._quiet()
        found = report.differences(scenario, self.observed)
        elapsed_s = self._progress.elapsed_s
        proofs = [path for paths in self._proofs.values() for path in paths]
        return Ended(self.observed, self.admin.totals(), found, elapsed_s, proofs)

    # --------------------------------------------------------------------------------------- phases

    def _import(self, wanted: int, stores: int) -> None:
        self._progress.phase(f"importing {wanted} orders of {stores} stores")
        deadline_s = monotonic() + IMPORT_S
        while (found := len(self.observed.orders)) < wanted:
            self._turn({"orders imported": (found, wanted)})
            if monotonic() > deadline_s:
                raise DemoError(
                    f"{found} of {wanted} orders were imported within {IMPORT_S:.0f} s: "
                    f"see {self.installation.folder / 'importer.log'}"
                )

    def _wave(self, scenario: Scenario, wave: Wave) -> None:
        for trade_id in wave.paid:
            self.admin.set_status(trade_id, "undeliver")
        for seller in wave.created:
            self.admin.create_order(seller)
        self._publish(scenario, wave)
        deadline_s = monotonic() + WAVE_S
        while missing := self._missing(wave):
            self._turn(self._aims(scenario, wave, len(missing)))
            if monotonic() > deadline_s:
                raise DemoError(self._no_rest(scenario, missing))

    def _publish(self, scenario: Scenario, wave: Wave) -> None:
        """At an even pace, as labels are printed; what comes of it is read at the same time."""
        cluster = self.installation.cluster
        delivery = Delivery(cluster.writer(), cluster.name)
        started_s = monotonic()
        for number, record in enumerate(wave.records):
            while monotonic() < started_s + number / self.play.rate_per_s:
                self._turn(self._aims(scenario, wave, len(self._missing(wave))), wait_s=0.02)
            delivery.send(record)
        delivery.finish()

    def _missing(self, wave: Wave) -> list[tuple[str, str]]:
        """The shipments that have not come to rest as they are to."""
        found = []
        for key, expected in wave.expected.items():
            last = self.observed.last(key)
            if last is None or not expected.matches(last.outcome, last.reason):
                found.append(key)
        return found

    def _no_rest(self, scenario: Scenario, missing: list[tuple[str, str]]) -> str:
        shown = "; ".join(
            f"{' '.join(key)} ({scenario.cases[key]})" for key in missing[:_MISSING_SHOWN_MAX]
        )
        return (
            f"{len(missing)} shipments have not come to rest within {WAVE_S:.0f} s, e.g. {shown}: "
            f"see {self.installation.folder / 'notifier.log'}"
        )

    def _quiet(self) -> None:
        """Go on reading until nothing has come for a while, and nothing is under way."""
        quiet_since_s = started_s = monotonic()
        before = self._mark()
        while monotonic() - quiet_since_s < _QUIET_S and monotonic() - started_s < _QUIET_MAX_S:
            self.watch.turn(_TURN_S)
            if self._mark() != before or self.observed.under_way:
                before, quiet_since_s = self._mark(), monotonic()
        self.watch.read_journal()

    def _mark(self) -> tuple[int, int, int]:
        seen = self.observed
        return seen.notification_ids.total(), seen.shipments_accepted, seen.dead.total()

    # ------------------------------------------------------------------------------------- progress

    def _turn(self, aims: Aims, wait_s: float = _TURN_S) -> None:
        self.watch.turn(wait_s)
        self._progress.update(self.observed, aims)
        self._meanwhile(self)
        self._check_alive()

    def _check_alive(self) -> None:
        """A service that ended and is not started again ends the demo: waiting longer is of no use."""
        for name in SERVICES:
            running = self.installation.processes.find(name)
            if running is not None:
                self._seen_s[name] = monotonic(), running
            elif name in self._seen_s and monotonic() - self._seen_s[name][0] > _DEAD_S:
                tail = self._seen_s[name][1].log_tail()
                raise DemoError(f"the {name} ended by itself.\n{tail}")

    def _aims(self, scenario: Scenario, wave: Wave, missing: int) -> Aims:
        seen = self.observed
        to_accept = sum(expected == CONFIRMED for expected in wave.expected.values())
        return {
            "orders imported": (len(seen.orders), len(scenario.orders)),
            "records published": (seen.shipments_read, sum(len(w.records) for w in scenario.waves)),
            "accepted by Alibaba": (
                seen.shipments_accepted,
                max(to_accept, len(scenario.accepted)),
            ),
            "come to rest": (len(wave.expected) - missing, len(wave.expected)),
        }

    def _save(self, proof: Proof) -> None:
        """Keep one proof of each country, so that every script can be seen."""
        order = self.observed.orders.get(proof.order_key)
        country = order.ship_to.country_code if order and order.ship_to else None
        is_new = country is not None and country not in self._proofs
        if country and proof.pages and is_new and len(self._proofs) < _PROOFS_SAVED_MAX:
            name = f"{country}-{proof.order_key.partition(':')[2]}.png"
            self._proofs[country] = save_pages(proof, self.installation.folder / "proofs" / name)


def _future(sellers: list[Seller]) -> dict[str, str]:
    """The number that each seller's next order will have."""
    return {seller.id: trade_id_of(SEED, seller.number, seller.orders) for seller in sellers}
