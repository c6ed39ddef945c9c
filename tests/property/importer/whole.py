"""The importer whole, on a clock of our own: its real code and client, the sandbox's, a log instead of Kafka.

What is modelled is time, the broker's log (a commit is there as a whole or not at all), and the disk.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
from pydantic import SecretStr

from sandbox import events, payloads
from sandbox.faults import Faults
from sandbox.gateway import BEGAN, CUT, Gateway
from sandbox.settings import Settings as SandboxSettings
from sandbox.world import World
from services.importer.app import SOURCES, Importer
from services.importer.enriching import Facts, codes_of
from services.importer.handler import ImporterPartition
from services.importer.metrics import ImporterMetrics
from services.importer.settings import ImporterSettings
from services.importer.shared import ImporterServiceSettings, Shared
from tests.simulation.background import ModelBackground
from tests.simulation.disk import Disk
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.settings import AlibabaSettings, AppCredentials, RateLimitSettings
from waybill.clock import Clock
from waybill.contracts import Order, OrderHint, Store
from waybill.contracts.base import Record, millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.enrichment import (
    Enrichment,
    enrichment_key,
    order_enrichment_key,
    sku_enrichment_key,
)
from waybill.contracts.identity import partition_key, record_key
from waybill.contracts.imports import HintReason
from waybill.contracts.keys import order_key, partition_of
from waybill.metrics import Registry
from waybill.settings import KafkaSettings, SiteSettings
from waybill.streaming.ports import Batch
from waybill.streaming.records import Inbound, Outbound
from waybill.tokens import TokenLife, Tokens, TokenSeal

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PARTITIONS = 3
SEAL_KEY = SecretStr("A" * 43 + "=")
STATUSES = ("undeliver", "unpay", "delivering", "trade_success", "frozen", "export_review_hold")
"""A status of the talking-about kind is not among them: such an order is not published."""


class ModelClock(Clock):
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now(self) -> datetime:
        return START + timedelta(milliseconds=int(self.at_s * 1_000))

    def boot_s(self) -> float:
        return self.at_s


class Log:
    """Topics: what is in a commit appears at once."""

    def __init__(self) -> None:
        self.places: defaultdict[tuple[str, int], list[Inbound]] = defaultdict(list)

    def append(self, outputs: Sequence[Outbound], at_ms: int) -> None:
        for out in outputs:
            place = self.places[out.topic, out.partition]
            place.append(
                Inbound(
                    out.topic, out.partition, len(place), out.key, out.value, out.headers, at_ms
                )
            )

    def since(self, topic: str, partition: int, position: int | None) -> list[Inbound]:
        return self.places[topic, partition][position or 0 :]

    def all(self, topic: str) -> Iterator[Inbound]:
        for number in range(PARTITIONS):
            yield from self.places[topic, number]


@dataclass
class Chances:
    """What may happen at any call, and how often at most, so that a run has an end."""

    change: float = 0.0
    new: float = 0.0
    push: float = 0.0
    crash: float = 0.0
    settings: float = 0.0
    left: int = 60

    def roll(self, random: Random, chance: float) -> bool:
        if self.left <= 0 or random.random() >= chance:
            return False
        self.left -= 1
        return True


@dataclass
class Installation:
    """All that outlives a process: the site, the log, the disk."""

    folder: Path
    random: Random
    skew: timedelta
    page_size: int
    stores_count: int = 2
    clock: ModelClock = field(default_factory=ModelClock)
    log: Log = field(default_factory=Log)
    disk: Disk = field(default_factory=Disk)
    chances: Chances = field(default_factory=Chances)
    rules: ImporterSettings = field(
        default_factory=lambda: ImporterSettings(passes_max=3, pages_max=30, first_import_days=3)
    )
    crashes: int = 0
    dying: bool = False
    states: int = 0

    def __post_init__(self) -> None:
        settings = SandboxSettings(
            data_dir=self.folder,
            stores=self.stores_count,
            orders_per_store=0,
            timestamp_skew_s=7_200,
            list_order=self.random.choice(("newest", "oldest")),
            list_by=self.random.choice(("window", "created")),
        )
        self.world = World(settings, self.site_ms)
        self.faults = Faults(1, self.clock.boot_s)
        self.gateway = Gateway(self.world, self.faults)
        self.book = SchemaBook()
        self.stores: dict[str, Store] = {}
        for seller in self.world.sellers.values():
            self._connect(seller.id)
        self.process = Process(self)

    def site_ms(self) -> int:
        """The site's clock."""
        return millis(self.clock.now() + self.skew)

    # --------------------------------------------------------------------------------------- writing

    def write(self, name: str, topic: str, record: Record, **more: Any) -> None:
        """As another program would: a record on its right partition."""
        value = Codec(type(record), name, self.book).encode(record)
        key = record_key(record).encode()
        partition = more.get("partition", partition_of(partition_key(record), PARTITIONS))
        self.log.append([Outbound(topic, partition, key, value)], millis(self.clock.now()))

    def _connect(self, seller: str) -> None:
        store = Store(
            store_id=f"sandbox-{seller}",
            site="sandbox",
            seller_id=seller,
            name=seller,
            revision=1,
            connected_at=START,
            ship_from=START,
        )
        self.put_store(store)
        tokens = Tokens(SecretStr(self.world.tokens.newest(seller).access_token))
        sealed = TokenSeal(SEAL_KEY).seal(tokens, store.store_id, 1, TokenLife(), START)
        self.write("store_tokens", "store-tokens", sealed)

    def put_store(self, store: Store) -> None:
        """Write a store or its new settings."""
        self.stores[store.store_id] = store
        self.write("store", "stores", store)

    def set_store(self, store_id: str, **changes: Any) -> None:
        """The next revision of a store."""
        before = self.stores[store_id]
        self.put_store(before.model_copy(update={"revision": before.revision + 1, **changes}))

    def hint(self, trade_id: str, age_s: float = 0.0, store_id: str | None = None) -> None:
        """What a push message leads to."""
        hint = OrderHint(
            order_key=order_key("sandbox", trade_id),
            store_id=store_id,
            reason=HintReason.PUSHED,
            hinted_at=self.clock.now() - timedelta(seconds=age_s),
        )
        self.write("order_hint", "order-hints", hint)

    # ------------------------------------------------------------------------------------- the seller

    def create(self, age_s: float = 0.0, **payload: Any) -> str:
        """A new order, some time ago; its number."""
        seller = self.random.choice(list(self.world.sellers))
        status = self.random.choice(STATUSES)
        (order,) = self.world.record(
            events.OrdersCreated(
                at_ms=self.site_ms() - int(age_s * 1_000),
                seller=seller,
                first=self.world.orders.count(seller),
                count=1,
                status=status,
                payload=self._state() | payload,
            )
        )
        return order.trade_id

    def change(self, trade_id: str, status: str | None = None, age_s: float = 0.0) -> None:
        """An order changes; each of its states can be told from all others."""
        self.world.record(
            events.OrderChanged(
                at_ms=self.site_ms() - int(age_s * 1_000),
                trade_id=trade_id,
                status=status or self.random.choice((None, *STATUSES)),
                payload=self._state(),
                shipped_elsewhere=None,
            )
        )

    def _state(self) -> dict[str, Any]:
        self.states += 1
        return {"remark": f"state {self.states}"}

    def mischief(self) -> None:
        """Between two calls, or in the middle of one: changes, new orders, pushes, the process's end."""
        chances, random = self.chances, self.random
        known = list(self.world.orders.by_id)
        if known and chances.roll(random, chances.change):
            self.change(random.choice(known))
        if chances.roll(random, chances.new):
            self.create()
        if chances.roll(random, chances.push):
            trade_id = random.choice([*known, "4711"])
            for _ in range(random.choice((1, 1, 3))):
                self.hint(trade_id, age_s=random.choice((0, 0, 30, 5_000)))
        if chances.roll(random, chances.settings):
            self._change_settings()
        if chances.roll(random, chances.crash):
            self.dying = True

    def _change_settings(self) -> None:
        """Somebody maps a status otherwise, tells a fact, takes one back, or wants history read."""
        random, store_id = self.random, self.random.choice(list(self.stores))
        match random.randrange(4):
            case 0:
                status = random.choice(("on_hold", "awaiting_shipment", "typing error"))
                self.set_store(store_id, status_map={random.choice(STATUSES): status})
            case 1:
                start = random.choice((None, START - timedelta(hours=random.randint(1, 200))))
                request = self.stores[store_id].backfill + 1
                self.set_store(store_id, backfill=request, backfill_from=start)
            case _:
                self._tell_facts(store_id)

    def _tell_facts(self, store_id: str) -> None:
        """About an order or an article, on the right partition or a wrong one, or none any more."""
        random = self.random
        mine = [o for o in self.world.orders.by_id.values() if o.seller.id in store_id]
        if not mine:
            return
        order = random.choice(mine)
        detail, _ = self.answers(order.trade_id)
        code = str(detail["order_products"][0]["sku_code"])
        about: dict[str, Any] = random.choice(
            (
                {"trade_id": order.trade_id, "internal_note": f"note {self.states}"},
                {"sku": code, "warehouse_location": f"A-{random.randrange(99)}"},
            )
        )
        facts = Enrichment(store_id=store_id, given_at=self.clock.now(), **about)
        key = enrichment_key(facts).encode()
        gone = random.random() < 0.2
        value = None if gone else Codec(Enrichment, "enrichment", self.book).encode(facts)
        partition = random.choice(
            (partition_of(store_id, PARTITIONS), random.randrange(PARTITIONS))
        )
        self.log.append([Outbound("enrichments", partition, key, value)], millis(self.clock.now()))

    # ---------------------------------------------------------------------------------------- running

    def run(self, seconds: float) -> None:
        """Let the time pass with a process at work; one that dies is followed by another."""
        end_s = self.clock.at_s + seconds
        while self.clock.at_s < end_s:
            worked = self.process.turn()
            if self.dying:
                self.crash()
            elif not worked:
                self.clock.at_s = min(end_s, max(self.clock.at_s + 0.001, self.process.wakes_s()))

    def crash(self) -> None:
        """The process dies; of its disk something, or all, may be lost."""
        self.crashes += 1
        self.process.die()
        self.dying = False
        if self.random.random() < 0.3:
            self.disk.wipe()
        self.disk.crash(self.random)
        self.process = Process(self)

    # ---------------------------------------------------------------------------------------- reading

    def published(self) -> dict[str, list[Order]]:
        """Every record of every order, in the order of the log."""
        codec = Codec(Order, "order", self.book)
        found: dict[str, list[Order]] = {}
        for record in self.log.all("orders"):
            order = codec.decode(record.value)
            assert record.key == order.key.encode()
            assert record.partition == partition_of(order.key, PARTITIONS)
            found.setdefault(order.trade_id, []).append(order)
        return found

    def facts(self, store_id: str, order: Order) -> Facts:
        """What the topic says of an order, read by the books: the last record of a key that is not older."""
        codec = Codec(Enrichment, "enrichment", self.book)
        last: dict[bytes | None, Enrichment] = {}
        for record in self.log.places["enrichments", partition_of(store_id, PARTITIONS)]:
            given = codec.decode(record.value) if record.value else None
            if given is None:
                last.pop(record.key, None)
            elif record.key not in last or last[record.key].given_at <= given.given_at:
                last[record.key] = given

        def known(key: str) -> Enrichment | None:
            return last.get(key.encode())

        by_code = {code: known(sku_enrichment_key(store_id, code)) for code in codes_of(order)}
        found = {code: facts for code, facts in by_code.items() if facts}
        return Facts(known(order_enrichment_key(store_id, order.trade_id)), found)

    def answers(self, trade_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the site would answer now."""
        order = self.world.orders.by_id[trade_id]
        seed = self.world.settings.seed
        return payloads.detail(seed, order), payloads.funds(seed, order)


class Process:
    """One run of the service: the importer, and the little that the runtime does for it."""

    def __init__(self, around: Installation) -> None:
        self._around = around
        self._clock = around.clock
        self.background = _Background(around.clock.boot_s)
        app = around.world.app
        limits = RateLimitSettings(start_per_s=1_000, max_per_s=1_000)
        api = AlibabaSettings(
            api_url="http://site/rest",
            token_url="http://site/rest",
            page_size=around.page_size,
            rate_limit=limits,
        )
        credentials = AppCredentials(app_key=app.key, app_secret=SecretStr(app.secret))
        client = AlibabaClient(
            api, credentials, _Wire(around), now_ms=lambda: millis(around.clock.now())
        )
        settings = ImporterServiceSettings(
            kafka=KafkaSettings(partitions=PARTITIONS),
            sites={"sandbox": SiteSettings(app=credentials, api=api)},
            importer=around.rules,
            seal_key=SEAL_KEY,
            reads_at_once=4,
        )
        metrics = ImporterMetrics(Registry())
        self.shared = Shared(settings, around.clock, metrics, self.background, {"sandbox": client})
        self.importer = Importer(
            self.shared, Path("view"), lambda path, name: around.disk.open(path, name, lambda: None)
        )
        self._at: dict[tuple[str, int], int] = {}
        self._handlers: dict[int, ImporterPartition] = {}
        self._undecided: dict[int, tuple[Batch, dict[str, int]]] = {}
        self._tables()
        for number in range(PARTITIONS):
            self._open(number)

    def _open(self, number: int) -> None:
        handler = self.importer.open(number, "one")
        assert isinstance(handler, ImporterPartition)
        self._handlers[number] = handler
        for topic in (*SOURCES.views, *SOURCES.state):
            records = self._around.log.since(topic, number, handler.position(topic))
            self._at[topic, number] = len(self._around.log.places[topic, number])
            for record in records:
                handler.absorb([record])
        handler.opened()

    def turn(self) -> bool:
        """One turn of the runtime's loop; whether anything happened."""
        self._tables()
        self.importer.turn()
        moved = [self._step(number) for number in self._handlers]
        return self._calls() or any(moved)

    def _calls(self) -> bool:
        loop = self.background.loop
        stepped = False
        while (wake_s := loop.wake_s()) is not None and wake_s <= self._clock.at_s:
            loop.step()
            stepped = True
            if self._around.dying:
                return True
        return stepped or self.background.has_results()

    def _tables(self) -> None:
        for topic in SOURCES.tables:
            for number in range(PARTITIONS):
                if news := self._news(topic, number):
                    self.importer.on_table(news)

    def _news(self, topic: str, number: int) -> list[Inbound]:
        news = self._around.log.since(topic, number, self._at.get((topic, number)))
        self._at[topic, number] = len(self._around.log.places[topic, number])
        return news

    def _step(self, number: int) -> bool:
        """Decide, and a turn later commit: the process may die before, in between, or after."""
        handler, around = self._handlers[number], self._around
        if number in self._undecided:
            batch, positions = self._undecided.pop(number)
            around.log.append(batch.outputs, millis(around.clock.now()))
            around.mischief()
            if not around.dying:
                for topic in SOURCES.state:
                    positions[topic] = len(around.log.places[topic, number])
                handler.committed(batch, positions, around.clock.at_s)
            return True
        news = [record for topic in SOURCES.views for record in self._news(topic, number)]
        if not news and not handler.wants_turn():
            return False
        batch = handler.process(news)
        positions = {topic: self._at[topic, number] for topic in SOURCES.views}
        self._undecided[number] = batch, positions
        return True

    def die(self) -> None:
        """Whatever was under way is cut off; nothing of it can be seen."""
        self.background.cancel_all()

    def wakes_s(self) -> float:
        """When something happens next, if nothing comes from outside."""
        loop_s = self.background.loop.wake_s()
        due_at = self.shared.schedule.due_at(self._clock.now())
        due_s = (due_at - START).total_seconds() + 0.001 if due_at else float("inf")
        return min(float("inf") if loop_s is None else loop_s, due_s)


class _Background(ModelBackground):
    """Its calls can be cut off."""

    def cancel_all(self) -> None:
        """End all calls; what they would have brought is lost."""
        self._run_ready()  # one that has not begun could not be cut off
        for task in tuple(self._tasks):
            task.cancel()
        self._run_ready()

    def _run_ready(self) -> None:
        while (wake_s := self.loop.wake_s()) is not None and wake_s < 0:
            self.loop.step()


class _Wire(httpx.AsyncBaseTransport):
    """Requests to the sandbox's own code; the way there and back takes a while, in which things happen."""

    def __init__(self, around: Installation) -> None:
        self._around = around

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._way()
        answer = _Answer(request.content)
        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "extensions": {CUT: answer.cut, BEGAN: asyncio.get_running_loop().time()},
        }
        await self._around.gateway(scope, answer.receive, answer.send)
        await self._way()
        if answer.status is None:
            raise httpx.RemoteProtocolError("the connection was cut")
        return httpx.Response(answer.status, content=bytes(answer.body), request=request)

    async def _way(self) -> None:
        await asyncio.sleep(self._around.random.choice((0.005, 0.02, 0.4)))
        if not self._around.dying:
            self._around.mischief()


@dataclass
class _Answer:
    """One exchange as ASGI sees it."""

    request: bytes
    status: int | None = None
    body: bytearray = field(default_factory=bytearray)

    def cut(self) -> None:
        """The connection breaks: see `receive`."""

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self.request, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message.get("body", b"")


def number_of(order: Order) -> int:
    """Which of all states the record shows."""
    assert order.notes is not None
    return int(order.notes.customer[0].text.removeprefix("state "))


def as_json(value: object) -> str:
    """For messages of failed tests."""
    return json.dumps(value, default=str)
