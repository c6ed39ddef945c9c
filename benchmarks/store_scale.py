"""The local store at scale: how fast a notifier is at work again, and what it weighs.

A ledger of so many finished entries, as the notifier writes them, on a real broker. Then, one after another:

    (a) bare read     the client's own consume loop over the log, nothing else
    (b) cold rebuild  the notifier's process without its local views: from its first record to ready
    (c) warm start    the same process again after a clean stop: from its start to ready
    (d) random gets   entries by key out of those views, a hundred at once

(b) and (c) are real processes, watched from outside: readiness and metrics over HTTP, memory from the
system. Ratios mean something on a busy machine, the digits do not.
`python -m benchmarks.store_scale --orders 1000000`; `--folder` keeps the log for the next run.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import psutil
from confluent_kafka import TopicPartition
from rocksdict import Options, Rdict

from services.notifier import view
from services.notifier.view import Card
from waybill import broker
from waybill.broker.ports import free_port
from waybill.contracts import LedgerEntry
from waybill.contracts.base import LogisticsType
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.headers import LEDGER_CARD, TRACEPARENT, new_traceparent
from waybill.contracts.keys import partition_of
from waybill.contracts.ledger import Attempt, Result, ResultVia, Seen, SeenEnd, State, Step
from waybill.settings import KafkaSettings
from waybill.streaming import topic_admin
from waybill.streaming.clients import plain_producer, reader_consumer
from waybill.streaming.store import IDENTITY, RocksStore

_PREFIX = "scale-"
_LEDGER = _PREFIX + "waybill.ledger.v1"
_FIRST_TRADE_ID = 255_201_166_001_024_316
_READY_S = 1_800.0
_LOOK_EVERY_S = 0.05
_GETS = 20_000
_GETS_AT_ONCE = 100
_FRAME = 10
"""Bytes before the body; they name the schema, which may be another one in a kept log."""
_NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def key_of(number: int) -> str:
    """Order key of the n-th entry."""
    return f"sandbox:{_FIRST_TRADE_ID + number}"


class Entries:
    """Finished entries, framed; encoded once, then only what differs is put in its place."""

    def __init__(self) -> None:
        self._key, self._parcel, self._request = key_of(0), "a" * 64, "b" * 64
        entry = LedgerEntry(
            key=self._key,
            store_id="sandbox-200042360979",
            revision=3,
            state=State.CONFIRMED,
            shipment_id="se-100482907",
            shipment_revision=1,
            parcel_sha256=self._parcel,
            seen=(Seen(shipment_id="se-100482907", revision=1, end=SeenEnd.CURRENT),),
            attempt=Attempt(
                number=1,
                request_sha256=self._request,
                tracking_number="776701024316",
                carrier_code="FEDEX",
                logistics_type=LogisticsType.EXPRESS,
                dispatched_at=_NOW,
            ),
            result=Result(voucher_id="71000482907", via=ResultVia.CALL, at=_NOW),
            history=tuple(
                Step(at=_NOW + timedelta(seconds=second), state=state)
                for second, state in enumerate((State.CLAIMED, State.DISPATCHED, State.CONFIRMED))
            ),
            partition_count=12,
            writer="0.1.0",
        )
        self._framed = Codec(LedgerEntry, "ledger_entry", SchemaBook()).encode(entry)
        self.card = Card.of(entry).encoded()

    @property
    def size(self) -> int:
        """Bytes of one entry."""
        return len(self._framed)

    def make(self, number: int) -> bytes:
        """The n-th entry; its hashes are its own, as real ones cannot be compressed either."""
        parcel = sha256(number.to_bytes(8, "big")).hexdigest()
        request = sha256(parcel.encode()).hexdigest()
        framed = self._framed.replace(self._key.encode(), key_of(number).encode())
        framed = framed.replace(self._parcel.encode(), parcel.encode())
        return framed.replace(self._request.encode(), request.encode())


def fill(kafka: KafkaSettings, orders: int) -> None:
    """Write the ledger, unless it is there from an earlier run."""
    written = log_end(kafka, _LEDGER)
    if written == orders:
        return
    if written:
        raise SystemExit(f"the kept log has {written} entries, not {orders}: use another --folder")
    entries, producer = Entries(), plain_producer(kafka, "scale")
    headers = [
        (LEDGER_CARD, entries.card),
        (TRACEPARENT, new_traceparent("any").encode()),
    ]
    for number in range(orders):
        key = key_of(number)
        while True:
            try:
                producer.produce(_LEDGER, entries.make(number), key, headers=list(headers))
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    if left := producer.flush(60):
        raise TimeoutError(f"{left} entries were not written within 60 s")


def log_end(kafka: KafkaSettings, topic: str) -> int:
    """Sum of the end offsets of a topic: its records, and the markers of its transactions."""
    consumer = reader_consumer(kafka, "scale-count")
    try:
        places = [TopicPartition(topic, number) for number in range(kafka.partitions)]
        return sum(consumer.get_watermark_offsets(place, 10)[1] for place in places)
    finally:
        consumer.close()


def bare_read(kafka: KafkaSettings, orders: int) -> float:
    """(a): entries per second of the loop that anybody could write."""
    consumer = reader_consumer(kafka, "scale-bare")
    places = [TopicPartition(_LEDGER, number, 0) for number in range(kafka.partitions)]
    read, started_s = 0, time.monotonic()
    consumer.assign(places)
    try:
        while read < orders:
            for message in consumer.consume(1_000, 1.0):
                read += message.error() is None
        return read / (time.monotonic() - started_s)
    finally:
        consumer.close()


@dataclass(frozen=True)
class Start:
    """How a start went."""

    ready_s: float
    """From the start of the process."""
    reading_s: float
    """From the first ledger record it took."""
    rss_mb: float
    """Some seconds after it was ready."""
    peak_mb: float
    """The most it ever had."""
    read: int
    """Ledger records it took."""


@contextmanager
def notifier(kafka: KafkaSettings, data: Path) -> Iterator[tuple[psutil.Process, str]]:
    """The service as a process, and where it answers; stopped cleanly at the end."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "services.notifier"],
        env={
            **os.environ,
            "WAYBILL_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "WAYBILL_KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
            "WAYBILL_GROUP": f"{_PREFIX}notifier",
            "WAYBILL_DATA_DIR": str(data),
            "WAYBILL_HTTP__PORT": str(port),
            "WAYBILL_LOG_LEVEL": "warning",
        },
    )
    try:
        yield psutil.Process(process.pid), f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def start(kafka: KafkaSettings, data: Path) -> Start:
    """(b) and (c): start it, wait until it is ready, look at its memory."""
    started_s, first_s = time.monotonic(), None
    with notifier(kafka, data) as (process, url), httpx.Client(timeout=60) as web:
        while not _is_ready(web, url):
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                raise RuntimeError("the notifier ended while it was starting; its log says why")
            if time.monotonic() - started_s > _READY_S:
                raise TimeoutError(f"not ready within {_READY_S:.0f} s")
            if first_s is None and _taken(web, url):
                first_s = time.monotonic()
            time.sleep(_LOOK_EVERY_S)
        ready_s = time.monotonic()
        read = _taken(web, url)
        time.sleep(3)  # memory is measured at work, not in the moment of the last record
        rss = process.memory_info().rss
        return Start(
            ready_s=ready_s - started_s,
            reading_s=ready_s - (first_s or ready_s),
            rss_mb=rss / 1e6,
            peak_mb=_peak_bytes(process.pid) / 1e6,
            read=read,
        )


def _is_ready(web: httpx.Client, url: str) -> bool:
    try:
        return web.get(f"{url}/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _taken(web: httpx.Client, url: str) -> int:
    """Ledger records consumed so far."""
    try:
        text = web.get(f"{url}/metrics").text
    except httpx.TransportError:
        return 0
    found = re.search(
        r'^waybill_records_consumed_total\{topic="ledger"\} (\S+)', text, re.MULTILINE
    )
    return int(float(found[1])) if found else 0


def _peak_bytes(pid: int) -> int:
    """Linux counts the high water mark of a process's memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def random_gets(kafka: KafkaSettings, data: Path, orders: int) -> float:
    """(d): gets per second; each has to find the entry of its order."""
    rng = random.Random(7)  # noqa: S311 - no secret
    wanted: dict[int, list[int]] = {}
    for _ in range(_GETS):
        number = rng.randrange(orders)
        wanted.setdefault(partition_of(key_of(number), kafka.partitions), []).append(number)
    stores = {int(folder.name[1:]): _opened(folder) for folder in data.glob("notifier/*/p*")}
    calls = [
        (stores[partition], numbers[at : at + _GETS_AT_ONCE])
        for partition, numbers in wanted.items()
        for at in range(0, len(numbers), _GETS_AT_ONCE)
    ]
    asked = [(store, [view.entry_key(key_of(n)) for n in numbers]) for store, numbers in calls]
    started_s = time.monotonic()
    found = [store.get_many(keys) for store, keys in asked]
    took_s = time.monotonic() - started_s
    _check_found(found, [numbers for _, numbers in calls])
    for store in stores.values():
        store.close()
    return _GETS / took_s


def _opened(folder: Path) -> RocksStore:
    """The view under its own identity: under another one it would be wiped."""
    columns = {"default": Options(raw_mode=True)}
    bare = Rdict(str(folder), Options(raw_mode=True), column_families=columns)
    identity = bare.get(IDENTITY)
    bare.close()
    if identity is None:
        raise RuntimeError(f"{folder} holds no view")
    return RocksStore(folder, identity.decode())


def _check_found(found: Sequence[list[bytes | None]], numbers: Sequence[list[int]]) -> None:
    entries = Entries()
    for values, wanted in zip(found, numbers, strict=True):
        for value, number in zip(values, wanted, strict=True):
            if value is None or view.unpack(value)[1][_FRAME:] != entries.make(number)[_FRAME:]:
                raise AssertionError(f"the view does not hold the entry of {key_of(number)}")


def run(orders: int, folder: Path) -> None:
    """Measure all four on one log, and print."""
    handle = broker.start(folder / "kafka")
    try:
        kafka = KafkaSettings(bootstrap_servers=handle.bootstrap, topic_prefix=_PREFIX)
        topic_admin.apply(kafka.client_config(), _PREFIX, kafka.partitions, 1)
        fill(kafka, orders)
        print(
            f"{orders:,} finished entries of {Entries().size} bytes on {kafka.partitions} partitions"
        )
        data = folder / "views"
        shutil.rmtree(data, ignore_errors=True)
        bare = bare_read(kafka, orders)
        print(f"(a) bare read     {bare:10,.0f} entries/s")
        cold = start(kafka, data)
        rate = orders / cold.reading_s
        print(f"(b) cold rebuild  {rate:10,.0f} entries/s, {rate / bare:.2f} x (a); {_told(cold)}")
        warm = start(kafka, data)
        print(
            f"(c) warm start    {warm.ready_s:10.1f} s, {warm.read:,} entries read; {_told(warm)}"
        )
        print(f"(d) random gets   {random_gets(kafka, data, orders):10,.0f} entries/s")
        print(f"    on disk       {_disk_mb(data):10,.0f} MB of views")
    finally:
        broker.stop(folder / "kafka")


def _told(start_: Start) -> str:
    return f"ready after {start_.ready_s:.1f} s, {start_.rss_mb:.0f} MB, at most {start_.peak_mb:.0f} MB"


def _disk_mb(data: Path) -> float:
    return sum(file.stat().st_size for file in data.rglob("*") if file.is_file()) / 1e6


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument(
        "--folder", type=Path, help="keeps log and views here; default: thrown away"
    )
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = asked.folder
        if folder is None:
            made = tempfile.TemporaryDirectory(prefix="waybill-scale-")
            folder = Path(stack.enter_context(made))
        run(asked.orders, folder)


if __name__ == "__main__":
    main()
