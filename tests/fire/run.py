"""One run: a fresh installation, a fire from a seed, calm, and the verdict."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import monotonic, sleep
from traceback import format_exception

from tests.fire.arsonist import Fire
from tests.fire.case import Problem
from tests.fire.evidence import Evidence, gather
from tests.fire.house import PARTITIONS, House
from tests.fire.script import script
from tests.fire.stories import planned
from tests.fire.verdict import problems
from tests.kafka import TopicSpace
from tests.waiting import wait_until
from waybill import broker
from waybill.contracts.keys import order_key
from waybill.contracts.ledger import State
from waybill.demo.installation import SITE
from waybill.demo.shipments import Maker
from waybill.settings import KafkaSettings

SPAN_S = 24.0
"""How long it burns."""
SETTLE_S = 120.0
"""Longest time from calm to the end. Longer than the lease of a call whose end nobody heard (92 s): what
takes that long ends all the same, and the line tells how long it took."""
_QUIET_S = 2.0
"""So long nothing may change after the end: a second call would come late."""
_LOOK_EVERY_S = 1.0
_IMPORT_FIRST = 0.7
"""Share of the runs whose orders are known before the fire begins: calls are made from its first second."""
_IMPORT_S = 60.0

Tell = Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """How a run ended."""

    seed: int
    folder: Path
    problems: list[Problem] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, int] = field(default_factory=dict)
    fell: list[str] = field(default_factory=list)
    settled_s: float = 0.0
    took_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything was as promised."""
        return not self.problems

    def __str__(self) -> str:
        """One line."""
        deeds = ", ".join(f"{count} {what}" for what, count in sorted(self.deeds.items()))
        numbers = ", ".join(f"{count} {what}" for what, count in self.numbers.items() if count)
        times = f"settled in {self.settled_s:.1f} s, {self.took_s:.0f} s in all"
        verdict = "ok" if self.ok else f"{len(self.problems)} PROBLEM(S)"
        return f"seed {self.seed}: {deeds} | {numbers} | {times} | {verdict}"


class Ground:
    """Where it burns: one broker for all runs. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker_folder = folder / "kafka"
        self.bootstrap = ""

    def __enter__(self) -> "Ground":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bootstrap = broker.start(self.broker_folder).bootstrap
        return self

    def __exit__(self, *_: object) -> None:
        broker.stop(self.broker_folder)
        shutil.rmtree(self.broker_folder / "data", ignore_errors=True)

    def run(self, seed: int, *, keep: bool = False, span_s: float = SPAN_S) -> Outcome:
        """One run. Its folder stays when it failed, or with `keep`."""
        outcome = Outcome(seed, self.folder / f"run-{seed}")
        shutil.rmtree(outcome.folder, ignore_errors=True)
        began_s = monotonic()
        prefix = f"fire-{seed}-"
        kafka = KafkaSettings(
            bootstrap_servers=self.bootstrap, topic_prefix=prefix, partitions=PARTITIONS
        )
        house = House(outcome.folder, kafka, self.broker_folder, seed)
        try:
            _burn(house, outcome, span_s)
        except Exception as error:  # noqa: BLE001 - one broken run is a result, and the next goes on
            outcome.problems.append(Problem(f"the run broke off: {type(error).__name__}: {error}"))
            (outcome.folder / "broke-off.txt").write_text("".join(format_exception(error)), "utf-8")
        finally:
            house.close()
            broker.start(self.broker_folder)
            TopicSpace(self.bootstrap, prefix).delete_all()
            outcome.took_s = monotonic() - began_s
            if outcome.ok and not keep:
                shutil.rmtree(outcome.folder, ignore_errors=True)
        return outcome


def _burn(house: House, outcome: Outcome, span_s: float) -> None:
    rng = Random(outcome.seed)
    house.start(lambda _: None)
    house.all_ready()
    make = Maker(datetime.now(UTC), PARTITIONS)
    records = planned(rng, make, house.admin.orders(), span_s)
    deeds = script(rng, span_s)
    latecomers = [
        (rng.uniform(0, span_s), seller.id) for seller in house.admin.sellers() for _ in range(2)
    ]
    if rng.random() < _IMPORT_FIRST:
        _await_import(house)
    fire = Fire(house, deeds, records, make)
    try:
        fire.burn(sorted(latecomers))
        house.calm()
        calm_s = monotonic()
        evidence, outcome.problems = _settled(house, fire)
        outcome.settled_s = monotonic() - calm_s
    finally:
        outcome.fell = house.fell
        outcome.deeds = Counter(f"{deed.target} {deed.kind}" for deed in deeds)
        done = [*fire.done, *(f"fell: {words}" for words in house.fell)]
        (outcome.folder / "done.txt").write_text("\n".join(done) + "\n", encoding="utf-8")
    outcome.numbers = _numbers(evidence, house)
    evidence.dump(outcome.folder / "evidence")
    told = "".join(f"{problem}\n" for problem in outcome.problems)
    (outcome.folder / "problems.txt").write_text(told, encoding="utf-8")


def _await_import(house: House) -> None:
    ready = {o.trade_id for o in house.admin.orders() if o.status == "undeliver" and o.has_address}
    keys = {order_key(SITE, trade_id).encode() for trade_id in ready}
    wait_until(
        lambda: keys <= {record.key for record in house.cluster.read(["orders"])},
        _IMPORT_S,
        every_s=0.3,
    )


def _settled(house: House, fire: Fire) -> tuple[Evidence, list[Problem]]:
    """Look until nothing is unfinished and nothing changed for a while, or the time is up."""
    deadline_s = monotonic() + SETTLE_S
    while True:
        house.watch_over()
        evidence = gather(house)
        # a transaction that the broker lost the end of is ended, and its records are read again
        rewinds = fire.rewinds + house.left_open
        found = problems(evidence, rewinds)
        if not any(problem.unfinished for problem in found):
            sleep(_QUIET_S)
            again = gather(house)
            if _size(again) == _size(evidence):
                return again, problems(again, rewinds)
        if monotonic() > deadline_s:
            return evidence, found
        sleep(_LOOK_EVERY_S)


def _size(evidence: Evidence) -> tuple[int, ...]:
    found = evidence
    return len(found.ledger), len(found.notifications), len(found.dead), len(found.journal)


def _numbers(evidence: Evidence, house: House) -> dict[str, int]:
    states = Counter({entry.key: entry.state for entry in evidence.ledger}.values())
    kinds = Counter(row["kind"] for row in evidence.journal)
    doubts = {e.key for e in evidence.ledger if e.state is State.IN_DOUBT}
    attempts = {e.key: e.attempt.number for e in evidence.ledger if e.attempt}
    return {
        "records": len(evidence.published),
        **{state.value: count for state, count in sorted(states.items())},
        "dead letters": len(evidence.dead),
        "declare calls": house.admin.totals()["shipping_calls_received"],
        "acted": kinds["shipment"],
        "acted late": sum(r["kind"] == "shipment" and r["late"] for r in evidence.journal),
        "orders once in doubt": len(doubts),
        "tried again": sum(number > 1 for number in attempts.values()),
        "fell by themselves": len(house.fell),
    }
