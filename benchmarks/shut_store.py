"""One store cannot send, and its shipments pile up: does it slow another one?

The same backlog of the healthy store is sent twice by the same notifier: first alone, then with so many
shipments of the other store standing in line, whose tokens Alibaba refuses. Printed: the healthy store's
rates and their ratio, the notifier's memory, and ledger writes per second for the store that stands still.
Exit code 1 when the healthy store got less than `RATIO_MIN` of its rate.
`python -m benchmarks.shut_store --waiting 50000`.
"""

import argparse
import sys
import time

from benchmarks.bench_world import World, bench_world
from benchmarks.notifier_rate import stand_in
from benchmarks.outage import entries, notifier_process, written

RATIO_MIN = 0.8
"""One is the aim; a busy machine makes two equal runs differ by a tenth."""
_WAIT_S_MAX = 1_800.0
_STILL_S = 20.0


def send(world: World, trade_ids: list[str]) -> float:
    """Shipments per second between the first and the last tenth of this backlog."""
    world.publish_orders(trade_ids)
    world.publish_shipments(trade_ids)
    world.wait_accepted(trade_ids, _WAIT_S_MAX)
    times = sorted(world.accepted_at(trade_ids).values())
    tenth = len(times) // 10
    return (len(times) - 2 * tenth) * 1000 / (times[-tenth] - times[tenth])


def pile_up(world: World, trade_ids: list[str]) -> None:
    """Take in shipments that cannot go."""
    before, started_s = entries(world), time.monotonic()
    world.publish_orders(trade_ids)
    world.publish_shipments(trade_ids)
    while entries(world) - before < len(trade_ids):
        if time.monotonic() - started_s > _WAIT_S_MAX:
            raise TimeoutError(f"intake took more than {_WAIT_S_MAX:.0f} s")
        time.sleep(0.2)


def run(world: World, shut: str, backlog: int, waiting: int) -> float:
    """Measure and print; returns the ratio."""
    mine = [trade_id for trade_id, store_id in world.store_of.items() if store_id == shut]
    others = [trade_id for trade_id, store_id in world.store_of.items() if store_id != shut]
    with stand_in(world), world.service("notifier"):
        world.wait_ready("notifier")
        send(world, others[2 * backlog :][: backlog // 2])  # the first are slower, and not measured
        alone = send(world, others[:backlog])
        print(f"alone             {alone:8.1f} shipments/s of the healthy store")
        pile_up(world, mine[:waiting])
        before = written(world)
        time.sleep(_STILL_S)
        writes = (written(world) - before) / _STILL_S
        print(f"{waiting:,} of the other store in line: {writes:.1f} ledger writes/s for them")
        beside = send(world, others[backlog : 2 * backlog])
        mb = notifier_process().memory_info().rss / 1e6
        print(
            f"beside them       {beside:8.1f} shipments/s, {beside / alone:.2f} x alone; {mb:.0f} MB"
        )
    accepted = len(world.accepted_at(mine))
    if accepted:
        raise AssertionError(f"{accepted} shipments of the store that cannot send were accepted")
    return beside / alone


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiting", type=int, default=50_000)
    parser.add_argument("--backlog", type=int, default=3_000)
    asked = parser.parse_args()
    with bench_world(orders=2 * max(asked.waiting, 3 * asked.backlog)) as world:
        world.set_latency(50)
        shut = next(iter(world.tokens))
        with world.new_topics(refused={shut}):
            ratio = run(world, shut, asked.backlog, asked.waiting)
    return 0 if ratio >= RATIO_MIN else 1


if __name__ == "__main__":
    sys.exit(main())
