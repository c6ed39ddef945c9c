"""How fast orders are imported, beside a bare loop that makes the same calls, in one run on one machine.

    (a) a bare loop: same client, same list, detail and payment calls, as many at once; no Kafka, no promise
    (b) the importer: the same calls; orders normalised, compared, published and remembered in transactions

One store, since that is what the limits of Alibaba are about. The two take turns, so that they meet the same
machine. Ratios mean something on a busy one, the digits do not. `python -m benchmarks.import_rate`.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil
from pydantic import SecretStr

from benchmarks.bench_world import World, bench_world
from services.importer.settings import ImporterSettings
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.models import OrderWindow

AT_ONCE = 8
"""Calls at once for one store: the importer's own default."""
_WAIT_S = 900.0
_LOOK_S = 0.25


def windows(now: datetime) -> Iterator[OrderWindow]:
    """The windows of a first import: a month in steps of a day."""
    rules = ImporterSettings()
    start = now - timedelta(days=rules.first_import_days)
    step = timedelta(seconds=rules.window_max_s)
    while start < now:
        yield OrderWindow(start, min(start + step, now))
        start += step


async def _bare(world: World, token: SecretStr) -> tuple[int, float]:
    """Orders read, and the seconds that it took."""
    waiting: asyncio.Queue[str | None] = asyncio.Queue(1_000)
    done = 0

    async def slot(client: AlibabaClient) -> None:
        nonlocal done
        while (trade_id := await waiting.get()) is not None:
            await client.get_order(trade_id, access_token=token)
            await client.get_payments(trade_id, access_token=token)
            done += 1

    async with AlibabaClient(world.site.api, world.site.app) as client:
        started = time.monotonic()
        slots = [asyncio.create_task(slot(client)) for _ in range(AT_ONCE)]
        for window in windows(datetime.now(UTC) + timedelta(minutes=1)):
            page, read, is_last = 0, 0, False
            while not is_last:
                listed = await client.list_orders(window, page, access_token=token)
                for order in listed.orders:
                    await waiting.put(order.trade_id)
                page, read = page + 1, read + len(listed.orders)
                is_last = not listed.orders or read == listed.total
        for _ in slots:
            await waiting.put(None)
        await asyncio.gather(*slots)
    return done, time.monotonic() - started


def bare_loop(world: World) -> float:
    """(a): orders per second."""
    (token,) = world.tokens.values()
    done, seconds = asyncio.run(_bare(world, token))
    return done / seconds


class Memory:
    """Resident megabytes of the importer while it works."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, float]] = []

    def look(self, share: float) -> None:
        """Take a sample at this share of the work."""
        own = psutil.Process()
        mine = [p for p in own.children() if "services.importer" in " ".join(p.cmdline())]
        self.samples.append((share, sum(p.memory_info().rss for p in mine) / 1e6))

    def between(self, low: float, high: float) -> float:
        """The median while so much of the work was done."""
        found = [mb for share, mb in self.samples if low <= share < high]
        return statistics.median(found) if found else 0.0


def importer(world: World, orders: int, memory: Memory) -> float:
    """(b): orders per second between the first and the last tenth, without the start of the process."""
    times: list[tuple[int, float]] = []
    deadline = time.monotonic() + _WAIT_S
    with world.service("importer"):
        world.wait_ready("importer")
        done = 0
        while done < orders and time.monotonic() < deadline:
            done = int(world.metric("importer", "waybill_orders_published_total"))
            times.append((done, time.monotonic()))
            memory.look(done / orders)
            time.sleep(_LOOK_S)
    if done < orders:
        raise TimeoutError(f"only {done} of {orders} orders were imported within {_WAIT_S:.0f} s")
    tenth = orders // 10
    first = next(one for one in times if one[0] >= tenth)
    last = next(one for one in times if one[0] >= orders - tenth)
    return (last[0] - first[0]) / (last[1] - first[1])


@contextmanager
def one_store(orders: int, latency_ms: int) -> Iterator[World]:
    """A broker and a sandbox with one store."""
    with bench_world(orders=orders, stores=1) as world:
        world.set_latency(latency_ms)
        yield world


def main() -> None:
    """Run both in turn and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    with one_store(asked.orders, asked.latency_ms) as world:
        bare, ours, memory = [], [], Memory()
        for _ in range(asked.rounds):
            bare.append(bare_loop(world))
            print(f"(a) bare loop, {AT_ONCE} at once   {bare[-1]:8.1f} orders/s", flush=True)
            with world.new_topics():
                ours.append(importer(world, asked.orders, memory))
            print(f"(b) importer              {ours[-1]:8.1f} orders/s", flush=True)
    print(f"    {statistics.median(ours) / statistics.median(bare):.2f} x bare loop")
    early, late = memory.between(0.2, 0.4), memory.between(0.8, 1.0)
    print(
        f"    memory {early:.0f} MB at a third, {late:.0f} MB at the end ({late - early:+.0f} MB)"
    )


if __name__ == "__main__":
    main()
