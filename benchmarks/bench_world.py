"""What the benchmarks run in: a broker, a sandbox, topics, services as processes; all gone at the end."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
from confluent_kafka import Producer
from pydantic import SecretStr

from waybill import broker
from waybill.alibaba.settings import AlibabaSettings, AppCredentials, RateLimitSettings
from waybill.broker.ports import free_port
from waybill.contracts import Order, Shipment, Store
from waybill.contracts.base import Address, LogisticsType, Money
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.keys import partition_of
from waybill.contracts.order import Buyer, OrderItem, OrderStatus
from waybill.contracts.shipment import Carrier
from waybill.contracts.store import StoreMode, StoreTokens
from waybill.settings import KafkaSettings, SiteSettings
from waybill.streaming import topic_admin
from waybill.streaming.clients import plain_producer
from waybill.tokens import TokenLife, Tokens, TokenSeal, new_key

_WAIT_S = 60.0


def make_order(trade_id: str, store_id: str) -> Order:
    """An order that can be shipped."""
    now = datetime.now(UTC)
    item = OrderItem(line_id="1", sku="LAMP-7", name="Desk lamp", quantity=2, unit="Piece")
    return Order(
        key=f"sandbox:{trade_id}",
        site="sandbox",
        trade_id=trade_id,
        store_id=store_id,
        order_number=trade_id,
        status=OrderStatus.AWAITING_SHIPMENT,
        raw_status="undeliver",
        mapping_version="1",
        importable=True,
        ordered_at=now - timedelta(days=1),
        modified_at=now,
        buyer=Buyer(name="Ana Kovač"),
        ship_to=Address(name="Ana Kovač", lines=("Ilica 1",), city="Zagreb", country_code="HR"),
        items=(item,),
        content_sha256="0" * 64,
        imported_at=now,
    )


@dataclass
class World:
    """Everything around what is measured."""

    url: str
    folder: Path
    bootstrap: str
    site: SiteSettings
    store_of: dict[str, str]
    """Trade id to store id."""
    tokens: dict[str, SecretStr]
    """Store id to access token."""
    prefix: str = ""
    seal_key: str = field(default_factory=new_key)
    ports: dict[str, int] = field(default_factory=dict)
    web: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))
    """One for all questions: making one costs more than what it asks."""
    _runs: int = 0
    _producer: tuple[str, Producer] | None = None

    @property
    def trade_ids(self) -> list[str]:
        """All orders, in turn from each store."""
        return list(self.store_of)

    @property
    def kafka(self) -> KafkaSettings:
        """The cluster, with the topics of the moment."""
        return KafkaSettings(bootstrap_servers=self.bootstrap, topic_prefix=self.prefix)

    def token_of(self, trade_id: str) -> SecretStr:
        """Access token for an order's store."""
        return self.tokens[self.store_of[trade_id]]

    @contextmanager
    def new_topics(self, refused: Collection[str] = ()) -> Iterator[None]:
        """Fresh topics with the stores in them; the tokens of some are refused by Alibaba."""
        self._runs += 1
        self.prefix = f"b{os.getpid()}-{self._runs}-"
        topic_admin.apply(self.kafka.client_config(), self.prefix, self.kafka.partitions, 1)
        self._add_stores(refused)
        yield

    def _add_stores(self, refused: Collection[str]) -> None:
        book, now = SchemaBook(), datetime.now(UTC)
        stores, sealed = Codec(Store, "store", book), Codec(StoreTokens, "store_tokens", book)
        seal = TokenSeal(SecretStr(self.seal_key))
        producer = plain_producer(self.kafka, "bench")
        for store_id, token in self.tokens.items():
            store = Store(
                store_id=store_id,
                site="sandbox",
                seller_id=store_id,
                name=store_id,
                revision=1,
                mode=StoreMode.LIVE,
                connected_at=now,
                ship_from=now - timedelta(days=30),
                carrier_map={"fedex": "FEDEX"},
            )
            given = SecretStr("of another time") if store_id in refused else token
            tokens = seal.seal(Tokens(given), store_id, 1, TokenLife(), now)
            number = partition_of(store_id, self.kafka.partitions)
            for topic, key, value in (
                ("waybill.stores.v1", store_id, stores.encode(store)),
                ("waybill.store-tokens.v1", f"{store_id}:1", sealed.encode(tokens)),
            ):
                producer.produce(self.kafka.physical(topic), value, key, partition=number)
        producer.flush(30)

    def publish_orders(self, trade_ids: list[str]) -> None:
        """As the importer would."""
        codec, producer = Codec(Order, "order", SchemaBook()), plain_producer(self.kafka, "bench")
        topic = self.kafka.physical("waybill.orders.v1")
        for trade_id in trade_ids:
            order = make_order(trade_id, self.store_of[trade_id])
            producer.produce(topic, codec.encode(order), order.key)
            producer.poll(0)
        producer.flush(30)

    def publish_shipments(self, trade_ids: list[str]) -> None:
        """As a shipping system would."""
        codec, now = _shipments(), datetime.now(UTC)
        producer = self._shipment_producer()
        topic = self.kafka.physical("waybill.shipments.v1")
        for trade_id in trade_ids:
            shipment = Shipment(
                order_key=f"sandbox:{trade_id}",
                shipment_id=f"se-{trade_id}",
                occurred_at=now,
                shipped_at=now,
                tracking_number=f"77{trade_id[-10:]}",
                carrier=Carrier(code="fedex", name="FedEx"),
                logistics_type=LogisticsType.EXPRESS,
                cost=Money(amount=12, currency="USD"),
            )
            producer.produce(topic, codec.encode(shipment), shipment.order_key)
            producer.poll(0)
        producer.flush(30)

    def _shipment_producer(self) -> Producer:
        if self._producer is None or self._producer[0] != self.prefix:
            self._producer = (self.prefix, plain_producer(self.kafka, "bench"))
        return self._producer[1]

    @contextmanager
    def service(self, name: str) -> Iterator[None]:
        """Run a service with fresh local views."""
        port = free_port()
        log = (self.folder / f"{name}-{self._runs}.log").open("w")
        process = subprocess.Popen(  # noqa: S603 - our own service
            [sys.executable, "-m", f"services.{name}"],
            env={**os.environ, **self._environment(name, port)},
            stderr=log,
        )
        self.ports[name] = port
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)
            log.close()

    def _environment(self, name: str, port: int) -> dict[str, str]:
        return {
            "WAYBILL_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "WAYBILL_KAFKA__TOPIC_PREFIX": self.prefix,
            "WAYBILL_GROUP": f"{self.prefix}{name}",
            "WAYBILL_SITES": json.dumps({"sandbox": _revealed(self.site)}),
            "WAYBILL_SEAL_KEY": self.seal_key,
            "WAYBILL_DATA_DIR": str(self.folder / self.prefix),
            "WAYBILL_HTTP__PORT": str(port),
            "WAYBILL_LOG_LEVEL": "warning",
        }

    def wait_ready(self, *names: str) -> None:
        """Until the services are at work."""
        deadline = time.monotonic() + _WAIT_S
        for name in names:
            while not _answers(f"http://127.0.0.1:{self.ports[name]}/readyz"):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{name} was not ready within {_WAIT_S:.0f} s")
                time.sleep(0.1)

    def metric(self, name: str, metric: str) -> float:
        """The sum of a metric's series now."""
        text = self.web.get(f"http://127.0.0.1:{self.ports[name]}/metrics").text
        found = re.findall(rf"^{metric}(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.MULTILINE)
        return sum(map(float, found))

    def set_latency(self, latency_ms: int) -> None:
        """How long each API call takes."""
        self.web.delete(f"{self.url}/admin/faults").raise_for_status()
        if latency_ms:
            fault = {"kind": "latency", "ms": latency_ms, "path": "/alibaba/*"}
            self.web.post(f"{self.url}/admin/faults", json=fault).raise_for_status()

    def accepted(self) -> int:
        """Shipments that the sandbox holds."""
        return int(self.web.get(f"{self.url}/admin/totals").json()["shipments"])

    def accepted_at(self, trade_ids: list[str]) -> dict[str, float]:
        """When each of these was accepted, epoch milliseconds."""
        wanted, after = set(trade_ids), 0
        found: dict[str, float] = {}
        while True:
            asked: dict[str, str | int] = {"after": after, "limit": 10_000, "kind": "shipment"}
            entries = self.web.get(f"{self.url}/admin/journal", params=asked).json()["entries"]
            if not entries:
                return found
            after = entries[-1]["seq"]
            found.update({e["trade_id"]: e["at_ms"] for e in entries if e["trade_id"] in wanted})

    def wait_accepted(self, trade_ids: list[str], wait_s: float) -> None:
        """Until all of these were accepted."""
        deadline = time.monotonic() + wait_s
        while len(self.accepted_at(trade_ids)) < len(trade_ids):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"not all of {len(trade_ids)} were accepted within {wait_s:.0f} s"
                )
            time.sleep(0.5)


@cache
def _shipments() -> Codec[Shipment]:
    """Made once: parsing the schemas takes as long as a third of the way that is measured."""
    return Codec(Shipment, "shipment", SchemaBook())


def _revealed(site: SiteSettings) -> dict[str, object]:
    plain = site.model_dump(mode="json", exclude_defaults=True)
    plain["app"] = {
        "app_key": site.app.app_key,
        "app_secret": site.app.app_secret.get_secret_value(),
    }
    return plain


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@contextmanager
def bench_world(orders: int, stores: int = 2) -> Iterator[World]:
    """A broker and a sandbox with so many orders, in a folder that goes away."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waybill-bench-")))
        handle = broker.start(folder / "kafka")
        stack.callback(broker.stop, folder / "kafka")
        url = stack.enter_context(_sandbox(folder, stores, -(-orders // stores)))
        sellers = httpx.get(f"{url}/admin/sellers").json()
        limits = RateLimitSettings(start_per_s=10_000, max_per_s=10_000)
        api = AlibabaSettings(api_url=f"{url}/rest", token_url=f"{url}/rest", rate_limit=limits)
        app = AppCredentials(app_key=sellers["app_key"], app_secret=sellers["app_secret"])
        store_ids = {s["id"]: f"sandbox-{s['id']}" for s in sellers["sellers"]}
        yield World(
            url=url,
            folder=folder,
            bootstrap=handle.bootstrap,
            site=SiteSettings(app=app, api=api),
            store_of=_orders(url, store_ids),
            tokens={store_ids[s["id"]]: SecretStr(s["access_token"]) for s in sellers["sellers"]},
        )


def _orders(url: str, store_ids: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    while True:
        asked = {"offset": len(found), "limit": 10_000}
        orders = httpx.get(f"{url}/admin/orders", params=asked, timeout=60).json()["orders"]
        if not orders:
            return found
        found.update({order["trade_id"]: store_ids[order["seller"]] for order in orders})


@contextmanager
def _sandbox(folder: Path, stores: int, orders_per_store: int) -> Iterator[str]:
    process = subprocess.Popen(  # noqa: S603 - our own sandbox
        [
            *(sys.executable, "-m", "sandbox", "--data-dir", str(folder / "sandbox")),
            *("--stores", str(stores), "--orders-per-store", str(orders_per_store)),
            *("--all-shippable", "--lenient"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        process.terminate()
        process.wait(20)
