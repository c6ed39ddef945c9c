"""Alibaba is away and shipments pile up: what the notifier weighs, what it writes, and what goes first after.

So many shipments of known orders are published while every connection to Alibaba is cut. The notifier takes
them in, and stays in the outage for `--outage-s` more; then Alibaba is back. Printed: how fast intake was,
memory over time (flat after intake), ledger records per second in the outage (few: one order tries at a
time, however many wait), and how old, among those that waited, the first accepted ones were.

An outage of an hour is scaled down to minutes: after its first half minute every pause has its full length,
so the minutes that follow are alike. `python -m benchmarks.outage --shipments 200000`.
"""

import argparse
import time
from collections.abc import Sequence

import psutil

from benchmarks.bench_world import World, bench_world
from benchmarks.notifier_rate import stand_in
from benchmarks.store_scale import log_end

_SAMPLE_S = 5.0
_INTAKE_S_MAX = 1_800.0
_FIRST = 500
_DRAIN_S_MAX = 180.0


def outage(world: World, cut: bool) -> None:
    """Begin or end it."""
    world.web.delete(f"{world.url}/admin/faults").raise_for_status()
    if cut:
        fault = {"kind": "cut_before", "path": "/alibaba/*"}
        world.web.post(f"{world.url}/admin/faults", json=fault).raise_for_status()


def notifier_process() -> psutil.Process:
    """The service among the children of this process."""
    for child in psutil.Process().children():
        if "services.notifier" in child.cmdline():
            return child
    raise RuntimeError("the notifier does not run; its log in the bench folder says why")


def entries(world: World) -> float:
    """Orders in the ledger: in the outage an entry's first state is the only one it enters."""
    return world.metric("notifier", "waybill_ledger_transitions_total")


def written(world: World) -> int:
    """Ledger records and the markers of their transactions."""
    return log_end(world.kafka, world.kafka.physical("waybill.ledger.v1"))


def watch(world: World, process: psutil.Process, seconds: float) -> list[tuple[float, float]]:
    """(resident MB, ledger writes per second), sampled and printed."""
    found, before, started_s = [], written(world), time.monotonic()
    while time.monotonic() - started_s < seconds:
        at_s = time.monotonic()
        time.sleep(_SAMPLE_S)
        now = written(world)
        sample = process.memory_info().rss / 1e6, (now - before) / (time.monotonic() - at_s)
        before = now
        found.append(sample)
        print(
            f"    {time.monotonic() - started_s:6.0f} s {sample[0]:8.0f} MB {sample[1]:8.1f} writes/s"
        )
    return found


def intake(world: World, trade_ids: Sequence[str]) -> float:
    """Seconds from the start of publishing until all are in the ledger."""
    started_s = time.monotonic()
    world.publish_shipments(list(trade_ids))
    while entries(world) < len(trade_ids):
        if time.monotonic() - started_s > _INTAKE_S_MAX:
            raise TimeoutError(f"intake took more than {_INTAKE_S_MAX:.0f} s")
        time.sleep(0.2)
    return time.monotonic() - started_s


def first_accepted(world: World, trade_ids: Sequence[str]) -> list[int]:
    """Places in the line of the first accepted shipments, in the order of their acceptance."""
    place = {trade_id: number for number, trade_id in enumerate(trade_ids)}
    wanted, deadline_s = min(_FIRST, len(trade_ids)), time.monotonic() + _DRAIN_S_MAX
    while len(accepted := world.accepted_at(list(trade_ids))) < wanted:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"only {len(accepted)} were accepted within {_DRAIN_S_MAX:.0f} s")
        time.sleep(0.5)
    in_order = sorted(accepted, key=lambda trade_id: accepted[trade_id])
    return [place[trade_id] for trade_id in in_order[:wanted]]


def run(world: World, outage_s: float) -> None:
    """Publish, wait, let Alibaba come back; print."""
    trade_ids = world.trade_ids
    world.publish_orders(trade_ids)
    outage(world, cut=True)
    with stand_in(world), world.service("notifier"):
        world.wait_ready("notifier")
        process = notifier_process()
        empty_mb = process.memory_info().rss / 1e6
        took_s = intake(world, trade_ids)
        print(f"intake            {len(trade_ids) / took_s:8.0f} shipments/s, Alibaba away")
        full_mb = process.memory_info().rss / 1e6
        print(f"memory            {empty_mb:8.0f} MB before, {full_mb:.0f} MB after intake")
        samples = watch(world, process, outage_s)
        settled = samples[len(samples) // 2 :]
        writes = sum(writes for _, writes in settled) / len(settled)
        print(
            f"in the outage     {writes:8.1f} ledger writes/s, at most {max(mb for mb, _ in samples):.0f} MB"
        )
        back_s = time.monotonic()
        outage(world, cut=False)
        places = first_accepted(world, trade_ids)
        print(f"after the outage  {len(places)} accepted within {time.monotonic() - back_s:.0f} s")
        oldest = sum(place < 4 * len(places) for place in places) / len(places)
        print(f"                  {oldest:8.0%} of them from the oldest {4 * len(places)} in line")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shipments", type=int, default=200_000)
    parser.add_argument("--outage-s", type=float, default=300)
    asked = parser.parse_args()
    with bench_world(orders=asked.shipments) as world, world.new_topics():
        run(world, asked.outage_s)


if __name__ == "__main__":
    main()
