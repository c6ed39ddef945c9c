"""The push endpoint with a real cluster and the stand-in's own sender."""

import hashlib
import hmac
import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from sandbox.server import background
from sandbox.settings import Settings as SandboxSettings
from tests.integration.sandbox.client import Api
from tests.kafka import KillableBroker, TopicSpace
from tests.waiting import wait_until
from waybill.alibaba.settings import AppCredentials
from waybill.broker.ports import free_port
from waybill.cli.cluster import Cluster
from waybill.cli.store_book import StoreBook
from waybill.cli.store_changes import connected, switched
from waybill.contracts import OrderHint, Store
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.keys import partition_of
from waybill.metrics import Registry
from waybill.push import PushEndpoint, PushMetrics, PushSettings
from waybill.settings import KafkaSettings, SiteSettings
from waybill.streaming import lifeline
from waybill.streaming.errors import FatalError
from waybill.streaming.lifeline import Lifeline

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]

KEY, SECRET = "123456", "helloworld"
SELLER = "200042360"
PARTITIONS = 3


class Site:
    """One endpoint with its topics; `say` does what Alibaba does."""

    def __init__(self, kafka: KafkaSettings, key: str = KEY, secret: str = SECRET) -> None:
        self.kafka = kafka
        self.key, self.secret = key, secret
        self.registry = Registry()
        self.cluster = Cluster(kafka)
        app = AppCredentials(app_key=key, app_secret=SecretStr(secret))
        self.endpoint = PushEndpoint(
            PushSettings(port=0, body_bytes_max=2_000),
            kafka,
            {"sandbox": SiteSettings(app=app)},
            PushMetrics(self.registry),
        )
        self.url = ""

    @contextmanager
    def serving(self) -> Iterator["Site"]:
        with self.endpoint.serving() as port:
            self.url = f"http://127.0.0.1:{port}/push/sandbox"
            yield self

    def connect(self, seller: str = SELLER) -> None:
        now = datetime.now(UTC)
        store_id = f"sandbox-{seller}"
        StoreBook(self.cluster).change(
            store_id, lambda former: (connected("sandbox", seller, None, now, former), None)
        )

    def message(self, trade_id: str, **changes: Any) -> bytes:
        data = {"status": "undeliver", "trade_id_str": trade_id}
        told = {"seller_id": SELLER, "havana_id": "17379911544", "message_type": 3, "data": data}
        return json.dumps(told | changes).encode()

    def signature(self, body: bytes, secret: str | None = None) -> str:
        key = (secret or self.secret).encode()
        return hmac.new(key, self.key.encode() + body, hashlib.sha256).hexdigest()

    def say(self, body: bytes, signature: str | None = None) -> int:
        given = self.signature(body) if signature is None else signature
        headers = {b"authorization": given.encode(), b"content-type": b"application/json"}
        answer = httpx.post(self.url, content=body, headers=headers, trust_env=False, timeout=20)
        return answer.status_code

    def ready(self, seller: str = SELLER) -> bool:
        """Whether a message of this seller becomes a hint."""
        self.say(self.message("1", seller_id=seller))
        return self.count("hinted") == 1

    def count(self, result: str) -> float:
        labels = {"result": result}
        found = self.registry.collectors.get_sample_value("waybill_push_messages_total", labels)
        return found or 0.0

    def answered_in_time(self) -> float:
        """Messages that were answered within Alibaba's half a second."""
        found = self.registry.collectors.get_sample_value(
            "waybill_push_seconds_bucket", {"le": "0.5"}
        )
        return found or 0.0

    def hints(self) -> list[tuple[int, OrderHint]]:
        codec = Codec(OrderHint, "order_hint", SchemaBook())
        return [
            (record.partition, codec.decode(record.value or b""))
            for record in self.cluster.read(["order-hints"])
        ]


@pytest.fixture
def kafka(topic_space: TopicSpace) -> KafkaSettings:
    topic_space.create_declared(
        "schemas", "stores", "store-tokens", "order-hints", partitions=PARTITIONS
    )
    return KafkaSettings(
        bootstrap_servers=topic_space.bootstrap,
        topic_prefix=topic_space.prefix,
        partitions=PARTITIONS,
    )


Serve = Callable[..., Site]


@pytest.fixture
def serve(kafka: KafkaSettings) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(*app: str) -> Site:
            return stack.enter_context(Site(kafka, *app).serving())

        yield start


def test_the_stand_ins_messages_become_hints_at_once(serve: Serve, tmp_path: Path) -> None:
    settings = SandboxSettings(data_dir=tmp_path, orders_per_store=0, stores=2)
    with background(settings) as url, closing(Api(url)) as api:
        site = serve(api.key, api.secret)
        first, second = api.stores
        site.connect(first.id)
        wait_until(lambda: site.ready(first.id), 60)  # a fresh broker takes its time
        before = site.count("unknown_seller")
        api.admin("PUT", "/push", {"url": site.url})
        trade_id = api.order(seller=first.id)
        api.order(seller=second.id)  # nobody connected it

        wait_until(lambda: site.count("hinted") == 2, 60)
        wait_until(lambda: site.count("unknown_seller") == before + 1, 60)

    _, (partition, hint) = sorted(site.hints(), key=lambda found: found[1].hinted_at)
    assert partition == partition_of(f"sandbox:{trade_id}", PARTITIONS)
    assert (hint.order_key, hint.store_id) == (f"sandbox:{trade_id}", f"sandbox-{first.id}")
    assert hint.reason == "pushed"
    assert abs((datetime.now(UTC) - hint.hinted_at).total_seconds()) < 60


def test_each_message_gets_the_answer_that_alibaba_should_act_upon(serve: Serve) -> None:
    site = serve()
    site.connect()
    wait_until(site.ready, 60)
    kinds = ("unauthorised", "too_long", "unknown_type", "unknown_seller", "unreadable")
    before = {kind: site.count(kind) for kind in kinds}
    good = site.message("255201166001024316")
    other_order = site.message("255201166001024317")

    answers = {
        "right": site.say(good),
        "upper case": site.say(good, site.signature(good).upper()),
        "by havana id": site.say(site.message("2", seller_id="1", havana_id=SELLER)),
        "wrong": site.say(good, "0" * 64),
        "missing": site.say(good, ""),
        "of other bytes": site.say(other_order, site.signature(good)),
        "of another secret": site.say(good, site.signature(good, "other")),
        "no hex": site.say(good, "é"),
        "too long": site.say(b'{"pad":"' + b"x" * 2_000 + b'"}'),
        "another kind": site.say(site.message("3", data={"product_id": "1600"})),
        "another seller": site.say(site.message("4", seller_id="1")),
        "no json": site.say(b"not json"),
        "masked": site.say(site.message("21***54")),
    }

    assert answers == {
        "right": 200, "upper case": 200, "by havana id": 200, "wrong": 401, "missing": 401,
        "of other bytes": 401, "of another secret": 401, "no hex": 401, "too long": 413,
        "another kind": 200, "another seller": 200, "no json": 200, "masked": 200,
    }  # fmt: skip
    counted = {kind: site.count(kind) - before[kind] for kind in kinds}
    assert counted == {
        "unauthorised": 5, "too_long": 1, "unknown_type": 1, "unknown_seller": 1, "unreadable": 2,
    }  # fmt: skip
    assert {hint.order_key for _, hint in site.hints()} == {
        "sandbox:1", "sandbox:2", "sandbox:255201166001024316",
    }  # fmt: skip
    assert httpx.get(site.url, trust_env=False).status_code == 405
    elsewhere = site.url.replace("/sandbox", "/mars")
    assert httpx.post(elsewhere, content=good, trust_env=False).status_code == 404


def test_a_body_without_a_length_is_not_read_past_the_limit(serve: Serve) -> None:
    site = serve()
    host, port = site.url.split("/")[2].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)

    def endless() -> Iterator[bytes]:
        for _ in range(50):
            yield b"x" * 1_000

    try:
        connection.request("POST", "/push/sandbox", endless(), encode_chunked=True,
                           headers={"Transfer-Encoding": "chunked"})  # fmt: skip
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # closed while we were still sending: as good
    finally:
        connection.close()
    wait_until(lambda: site.count("too_long") == 1, 10)


def test_a_disconnected_stores_messages_ask_nothing_any_more(serve: Serve) -> None:
    site = serve()
    site.connect()
    wait_until(site.ready, 60)

    def disconnect(former: Store | None) -> tuple[Store, None]:
        assert former is not None
        return switched(former, disconnected=True), None

    StoreBook(site.cluster).change(f"sandbox-{SELLER}", disconnect)

    before = site.count("unknown_seller")
    wait_until(
        lambda: site.say(site.message("2")) == 200 and site.count("unknown_seller") > before, 30
    )


def test_while_kafka_is_away_alibaba_is_asked_to_repeat(killable_broker: KillableBroker) -> None:
    space = TopicSpace(killable_broker.bootstrap, "")
    space.create_declared("stores", "store-tokens", "order-hints", partitions=PARTITIONS)
    kafka = KafkaSettings(bootstrap_servers=killable_broker.bootstrap, partitions=PARTITIONS)
    site = Site(kafka)
    site.connect()
    with site.serving():
        wait_until(site.ready, 60)
        killable_broker.kill()

        in_time = site.answered_in_time()
        answers = [site.say(site.message(str(number))) for number in range(10, 20)]
        in_time = site.answered_in_time() - in_time
        killable_broker.start()

        assert answers == [503] * 10
        assert in_time >= 1  # all of them, but on a machine that is busy with other tests
        wait_until(lambda: site.say(site.message("20")) == 200, 90)
        assert "sandbox:20" in {hint.order_key for _, hint in site.hints()}
        assert site.count("unavailable") >= 10


def test_its_clients_are_watched(kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "_ANSWER_S", 1.0)
    nowhere = kafka.model_copy(update={"bootstrap_servers": f"127.0.0.1:{free_port()}"})

    with Site(kafka).serving() as here, Site(nowhere).serving() as cut_off:
        watched = Lifeline(kafka, here.endpoint.clients)
        for _ in range(lifeline._UNANSWERED_MAX):
            watched.ask()
        watched.check()

        for name, client in cut_off.endpoint.clients.items():
            watched = Lifeline(kafka, {name: client})
            for _ in range(lifeline._UNANSWERED_MAX):
                watched.ask()
            with pytest.raises(FatalError, match=f"the Kafka client of the {name} lost"):
                watched.check()
