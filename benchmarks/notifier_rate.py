"""How fast the notifier is, beside what its users could run instead, in one run on one machine.

    (a) a bare loop: same HTTP client, same two calls, same concurrency, no Kafka, no promise
    (b) a plain consumer: poll, upload, declare, commit, one after another
    (c) the notifier with a backlog and a stand-in proof (one fixed image)
    (d) the notifier with the real proof at a steady rate: publishing to Alibaba's accepting

Ratios mean something on a busy machine, the digits do not. `python -m benchmarks.notifier_rate`.
"""

import argparse
import asyncio
import itertools
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from pydantic import SecretStr

from benchmarks.bench_world import World, bench_world
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.models import Attachment, LogisticsType, ShippingRequest
from waybill.contracts import Claim, Proof, Shipment
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.proof import ProofPage
from waybill.settings import KafkaSettings
from waybill.streaming.clients import plain_producer, worker_consumer

IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 240
"""60 kB that begin like a PNG; the sandbox looks no further."""


async def _send_one(client: AlibabaClient, token: SecretStr, trade_id: str, number: int) -> None:
    path = await client.upload_attachment(f"proof_{trade_id}.png", IMAGE, access_token=token)
    request = ShippingRequest(
        trade_id=trade_id,
        service_provider="FEDEX",
        logistics_type=LogisticsType.EXPRESS,
        tracking_number=f"77{number:010d}",
        attachments=(Attachment(file_name="proof-1.png", file_path=path),),
    )
    await client.declare_shipment(request, access_token=token)


def bare_loop(world: World, trade_ids: list[str], at_once: int) -> float:
    """(a): shipments per second."""

    async def run() -> float:
        numbers = itertools.count()
        waiting = iter(trade_ids)

        async def slot(client: AlibabaClient) -> None:
            for trade_id in waiting:
                await _send_one(client, world.token_of(trade_id), trade_id, next(numbers))

        async with AlibabaClient(world.site.api, world.site.app) as client:
            started = time.monotonic()
            await asyncio.gather(*(slot(client) for _ in range(at_once)))
            return len(trade_ids) / (time.monotonic() - started)

    return asyncio.run(run())


def plain_consumer(world: World, trade_ids: list[str]) -> float:
    """(b): shipments per second of the loop that most people write."""
    world.publish_shipments(trade_ids)
    consumer = worker_consumer(world.kafka, f"{world.prefix}plain")
    consumer.subscribe([world.kafka.physical("waybill.shipments.v1")])
    codec = Codec(Shipment, "shipment", SchemaBook())

    async def run() -> float:
        done, started = 0, 0.0
        async with AlibabaClient(world.site.api, world.site.app) as client:
            while done < len(trade_ids):
                message = await asyncio.to_thread(consumer.poll, 1.0)
                if message is None or message.error():
                    continue
                started = started or time.monotonic()
                trade_id = codec.decode(message.value()).order_key.split(":")[1]
                await _send_one(client, world.token_of(trade_id), trade_id, done)
                consumer.commit(message=message, asynchronous=False)
                done += 1
        return done / (time.monotonic() - started)

    try:
        return asyncio.run(run())
    finally:
        consumer.close()


def stand_in_proofgen(kafka: KafkaSettings, group: str) -> None:
    """Answers every claim with the same image at once; a process of its own."""
    book = SchemaBook()
    claims, proofs = Codec(Claim, "claim", book), Codec(Proof, "proof", book)
    page = ProofPage(image=IMAGE, media_type="image/png", sha256=sha256(IMAGE).hexdigest())
    consumer, producer = worker_consumer(kafka, group), plain_producer(kafka, group)
    consumer.subscribe([kafka.physical("waybill.claims.v1")])
    while True:
        first = consumer.poll(0.5)
        if first is None:
            continue
        for message in [first, *consumer.consume(99, 0)]:
            if message.error():
                continue
            claim = claims.decode(message.value())
            proof = Proof(
                claim_id=claim.claim_id,
                order_key=claim.order_key,
                store_id=claim.store_id,
                pages=(page,),
                template_version="stand-in",
            )
            topic = kafka.physical("waybill.proofs.v1")
            producer.produce(
                topic, proofs.encode(proof), message.key(), partition=message.partition() or 0
            )
        producer.flush(30)


@contextmanager
def stand_in(world: World) -> Iterator[None]:
    """(c)'s proofgen, for as long as it lasts."""
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(
        target=stand_in_proofgen, args=(world.kafka, f"{world.prefix}stand-in"), daemon=True
    )
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def backlog(world: World, trade_ids: list[str]) -> tuple[float, float]:
    """(c): shipments per second, and calls in flight, between a tenth and nine tenths of the backlog."""
    before = world.accepted()
    with stand_in(world), world.service("notifier"):
        # shipments from before its first start would be a past that it looks up at Alibaba first
        world.wait_ready("notifier")
        world.publish_orders(trade_ids)
        world.publish_shipments(trade_ids)
        in_flight = []
        while (done := world.accepted() - before) < len(trade_ids):
            if 0.1 < done / len(trade_ids) < 0.9:
                in_flight.append(world.metric("notifier", "waybill_api_requests_in_flight"))
            time.sleep(0.2)
    times = sorted(at_ms for at_ms in world.accepted_at(trade_ids).values())
    tenth = len(times) // 10
    took_s = (times[-tenth] - times[tenth]) / 1000
    return (len(times) - 2 * tenth) / took_s, statistics.median(in_flight or [0.0])


def latency(world: World, trade_ids: list[str], per_s: float) -> list[float]:
    """(d): milliseconds from publishing to Alibaba's accepting, ascending."""
    world.publish_orders(trade_ids)
    published: dict[str, float] = {}
    with world.service("notifier"), world.service("proofgen"):
        world.wait_ready("notifier", "proofgen")
        time.sleep(2)  # let the group settle: starting is not what is measured
        for trade_id in trade_ids:
            published[trade_id] = time.time() * 1000
            world.publish_shipments([trade_id])
            time.sleep(1 / per_s)
        world.wait_accepted(trade_ids, 60)
    accepted = world.accepted_at(trade_ids)
    return sorted(accepted[trade_id] - published[trade_id] for trade_id in trade_ids)


def main() -> None:
    """Run all four and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backlog", type=int, default=5_000)
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--steady", type=int, default=400)
    parser.add_argument("--per-s", type=float, default=20)
    asked = parser.parse_args()
    bare_count, plain_count = asked.backlog // 2, 100
    total = asked.backlog + bare_count + plain_count + asked.steady
    with bench_world(orders=total) as world:
        supply = iter(world.trade_ids)

        def take(count: int) -> list[str]:
            return list(itertools.islice(supply, count))

        world.set_latency(asked.latency_ms)
        bare = bare_loop(world, take(bare_count), asked.at_once)
        print(f"(a) bare loop, {asked.at_once} at once        {bare:8.1f} shipments/s")
        with world.new_topics():
            plain = plain_consumer(world, take(plain_count))
        print(f"(b) plain consumer, one by one    {plain:8.1f} shipments/s")
        with world.new_topics():
            rate, in_flight = backlog(world, take(asked.backlog))
        print(f"(c) notifier, backlog {asked.backlog:6d}      {rate:8.1f} shipments/s")
        print(f"    {rate / bare:.2f} x bare loop, {rate / plain:.0f} x plain consumer")
        print(f"    {in_flight:.0f} calls in flight at the median")
        world.set_latency(0)
        with world.new_topics():
            waits = latency(world, take(asked.steady), asked.per_s)
        p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
        print(
            f"(d) publish to accepted at {asked.per_s:.0f}/s   {p50:8.1f} ms median, {p99:.1f} ms p99"
        )


if __name__ == "__main__":
    main()
