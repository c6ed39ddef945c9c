"""One notifier around a real local store: the runtime's side, Alibaba's side and the clock are played here.

`Desk` commits as the runtime does. Calls are noted instead of made; a test answers them when it likes.
"""

from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast
from unittest.mock import patch

from pydantic import SecretStr

from services.notifier.app import Notifier
from services.notifier.caller import Caller, Done, Page, StoreLine
from services.notifier.codecs import Codecs
from services.notifier.handler import NotifierPartition
from services.notifier.metrics import NotifierMetrics
from services.notifier.rule import CallEnded, DeclareRequest, Event, LookedUp, Uploaded
from services.notifier.settings import NotifierSettings
from services.notifier.shared import Shared
from services.notifier.view import entry_key, unpack
from tests.unit.notifier.rule.builders import START, make_order, make_shipment, make_store
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.settings import AlibabaSettings, AppCredentials, RateLimitSettings
from waybill.clock import Clock
from waybill.contracts import Claim, LedgerEntry, Notification, Order, Proof, Shipment, Store
from waybill.contracts.base import Record
from waybill.contracts.codec import Codec
from waybill.contracts.headers import ORDER_STATUS
from waybill.contracts.proof import ProofPage
from waybill.metrics import Registry
from waybill.settings import KafkaSettings, SiteSettings
from waybill.streaming.background import Background
from waybill.streaming.ports import Batch
from waybill.streaming.records import Header, Inbound, Outbound
from waybill.streaming.store import RocksStore
from waybill.tokens import TokenLife, Tokens, TokenSeal, new_key

SEAL_KEY = SecretStr(new_key())
IMAGE = b"\x89PNG proof"
SHA = "c" * 64
R = TypeVar("R", bound=Record)

_CODECS = Codecs()
"""Parsing the schemas takes longer than most tests."""


def key_of(number: int) -> str:
    """The key of the n-th order."""
    return f"alibaba:{number:018d}"


class FakeClock(Clock):
    """Wall time and seconds since boot that go on together, when told."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed_s)

    def boot_s(self) -> float:
        return 5_000.0 + self.passed_s


class FakeBackground(Background):
    """Runs a coroutine up to its first wait, which in these tests is its end."""

    def __init__(self) -> None:
        self.done: deque[Done] = deque()

    def spawn(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        work = make()
        try:
            work.send(None)
        except StopIteration:
            return
        raise AssertionError("a call that waits")

    def collect(self) -> list[Any]:
        done, self.done = list(self.done), deque()
        return done


@dataclass(frozen=True)
class Upload:
    """A proof on its way to Alibaba."""

    key: str
    claim_id: str
    pages: Sequence[Page]


@dataclass(frozen=True)
class Declare:
    """The one call."""

    key: str
    request: DeclareRequest
    attempt: int
    may_start: Callable[[], bool]
    store_id: str


class FakeCaller(Caller):
    """Notes what would be called, and by which tokens."""

    def __init__(self) -> None:
        self.uploads: list[Upload] = []
        self.declares: list[Declare] = []
        self.lookups: list[str] = []
        self.partitions: dict[str, int] = {}
        self.lines: dict[str, StoreLine] = {}

    async def upload(
        self, line: StoreLine, partition: int, key: str, claim_id: str, pages: Sequence[Page]
    ) -> Done:
        self.partitions[key], self.lines[key] = partition, line
        self.uploads.append(Upload(key, claim_id, pages))
        return cast("Done", None)

    async def declare(
        self,
        line: StoreLine,
        partition: int,
        key: str,
        request: DeclareRequest,
        attempt: int,
        may_start: Callable[[], bool],
    ) -> Done:
        self.partitions[key] = partition
        self.declares.append(Declare(key, request, attempt, may_start, line.store_id))
        return cast("Done", None)

    async def look_up(self, line: StoreLine, partition: int, key: str, trade_id: str) -> Done:
        assert key.endswith(f":{trade_id}")
        self.partitions[key], self.lines[key] = partition, line
        self.lookups.append(key)
        return cast("Done", None)


def make_settings(partitions: int = 1, **changes: Any) -> NotifierSettings:
    """Settings of an installation with one site."""
    api = AlibabaSettings(rate_limit=RateLimitSettings(start_per_s=1_000, max_per_s=1_000))
    app = AppCredentials(app_key="50000", app_secret=SecretStr("secret"))
    fields: dict[str, Any] = {
        "kafka": KafkaSettings(partitions=partitions),
        "sites": {"alibaba": SiteSettings(app=app, api=api)},
        "seal_key": SEAL_KEY,
    }
    return NotifierSettings(**(fields | changes))


@dataclass
class Desk:
    """A notifier; `process` decides and commits, `answer` ends a call."""

    folder: Path
    partitions: int = 1
    stores: tuple[Store, ...] = field(default_factory=lambda: (make_store(),))
    settings: dict[str, Any] = field(default_factory=dict)
    usual_schemas: bool = True
    """False for a test that learns others."""

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.background = FakeBackground()
        self.registry = Registry()
        settings = make_settings(self.partitions, **self.settings)
        clients = {"alibaba": cast("AlibabaClient", object())}
        metrics = NotifierMetrics(self.registry)
        with patch(
            "services.notifier.shared.Codecs", lambda: _CODECS if self.usual_schemas else Codecs()
        ):
            self.shared = Shared(settings, self.clock, metrics, self.background, clients, "0.1.0")
        self.caller = self.shared.caller = FakeCaller()
        self.notifier = Notifier(self.shared, self.folder)
        self.outputs: list[Outbound] = []
        self.offsets: dict[tuple[str, int], int] = {}
        for store in self.stores:
            self.connect(store)

    # ------------------------------------------------------------------------------ stores, partitions

    def connect(self, store: Store) -> None:
        """A store and its tokens appear on their topics."""
        self.table("store-tokens", self._tokens(store.store_id))
        self.table("stores", self.shared.codecs.store.encode(store))

    def _tokens(self, store_id: str, generation: int = 1) -> bytes:
        tokens = Tokens(SecretStr("access"))
        life, now = TokenLife(), self.clock.now()
        sealed = TokenSeal(SEAL_KEY).seal(tokens, store_id, generation, life, now)
        return self.shared.codecs.tokens.encode(sealed)

    def reconnect(self, store_id: str) -> None:
        """New tokens of a store."""
        self.table("store-tokens", self._tokens(store_id, generation=2))

    def table(self, topic: str, value: bytes | None) -> None:
        """A record of a table."""
        self.notifier.on_table([self.record(topic, "row", value)])

    def open(self, number: int = 0) -> NotifierPartition:
        """Take a partition over, and put it to work."""
        handler = cast("NotifierPartition", self.notifier.open(number, "identity"))
        self.shared.tick()
        handler.opened()
        return handler

    def handler(self, number: int = 0) -> NotifierPartition:
        return self.notifier._handlers[number]

    # ----------------------------------------------------------------------------------------- records

    def record(
        self,
        topic: str,
        key: str | bytes | None,
        value: bytes | None,
        headers: Iterable[Header] = (),
        partition: int = 0,
    ) -> Inbound:
        offset = self.offsets[topic, partition] = self.offsets.get((topic, partition), -1) + 1
        raw = key.encode() if isinstance(key, str) else key
        return Inbound(topic, partition, offset, raw, value, tuple(headers), 0)

    def order(self, key: str, *, partition: int = 0, **changes: Any) -> Inbound:
        order = self.make_order(key, **changes)
        headers = ((ORDER_STATUS, order.status.value.encode()),)
        value = self.shared.codecs.order.encode(order)
        return self.record("orders", key, value, headers, partition)

    @staticmethod
    def make_order(key: str, **changes: Any) -> Order:
        trade_id = key.partition(":")[2]
        return make_order(**{"key": key, "trade_id": trade_id, **changes})

    def shipment(
        self, key: str, shipment_id: str | None = None, *, partition: int = 0, **changes: Any
    ) -> Inbound:
        shipment = self.make_shipment(key, shipment_id, **changes)
        value = self.shared.codecs.shipment.encode(shipment)
        return self.record("shipments", key, value, partition=partition)

    @staticmethod
    def make_shipment(key: str, shipment_id: str | None = None, **changes: Any) -> Shipment:
        fields = {"order_key": key, "tracking_number": f"7767{key[-8:]}", **changes}
        return make_shipment(shipment_id or f"S-{key[-4:]}", **fields)

    def proof(self, key: str, *, partition: int = 0, **changes: Any) -> Inbound:
        """The answer to the latest claim of an order."""
        claim = self.claims(key)[-1]
        fields: dict[str, Any] = {
            "claim_id": claim.claim_id,
            "order_key": key,
            "store_id": claim.store_id,
            "pages": (ProofPage(image=IMAGE, media_type="image/png", sha256=SHA),),
            "template_version": "1",
        }
        value = self.shared.codecs.proof.encode(Proof.model_validate(fields | changes))
        return self.record("proofs", key, value, partition=partition)

    # -------------------------------------------------------------------------------------- the runtime

    def turn(self) -> None:
        """One turn of the runtime: results, grants, and every partition's work without records."""
        self.notifier.turn()
        for number, handler in list(self.notifier._handlers.items()):
            if handler.running and handler.wants_turn():
                self.process(number=number)

    def process(self, *records: Inbound, number: int = 0) -> Batch:
        """Decide on records and commit."""
        batch = self.decide(*records, number=number)
        self.commit(batch, number=number)
        return batch

    def decide(self, *records: Inbound, number: int = 0) -> Batch:
        """Decide only: the commit is under way."""
        self.shared.tick()
        return self.handler(number).process(records)

    def commit(self, batch: Batch, number: int = 0, *, took_s: float = 0.0) -> None:
        """The transaction counts."""
        sent_at_s = self.clock.boot_s()
        self.clock.passed_s += took_s
        self.outputs += batch.outputs
        ledger = sum(output.topic == "ledger" for output in self.outputs)
        self.handler(number).committed(batch, {"ledger": ledger}, sent_at_s)

    def wait(self, seconds: float) -> None:
        """Time passes, and the runtime turns."""
        self.clock.passed_s += seconds
        self.turn()

    # ---------------------------------------------------------------------------------------- Alibaba

    def answer(self, key: str, event: Event, **gate: Any) -> None:
        """A call ends; the runtime turns."""
        self.background.done.append(self.done(key, event, **gate))
        self.turn()

    def done(self, key: str, event: Event, **gate: Any) -> Done:
        return Done(self.caller.partitions.get(key, 0), key, event, "store-1", **gate)

    def uploaded(self, key: str) -> Uploaded:
        """The end of the latest upload of an order."""
        upload = [upload for upload in self.caller.uploads if upload.key == key][-1]
        return Uploaded(("/f/1.png",), (SHA,), upload.claim_id)

    def called(self, key: str, outcome: Any) -> CallEnded:
        """The end of the latest call of an order."""
        declare = [declare for declare in self.caller.declares if declare.key == key][-1]
        return CallEnded(outcome, declare.attempt)

    def looked_up(self, answer: Any) -> LookedUp:
        return LookedUp(answer, self.clock.now())

    # ------------------------------------------------------------------------------- what came of it

    def entry(self, key: str, number: int = 0) -> LedgerEntry:
        """The entry as the view has it."""
        (value,) = self.handler(number)._store.get_many([entry_key(key)])
        assert value is not None
        return self.shared.codecs.ledger.decode(unpack(value)[1])

    def at(self, key: str, number: int = 0) -> str:
        """State and reason, in short."""
        entry = self.entry(key, number)
        return entry.state.value + (f": {entry.reason.value}" if entry.reason else "")

    def claims(self, key: str | None = None) -> list[Claim]:
        claims = self._sent("claims", self.shared.codecs.claim)
        return [claim for claim in claims if key in (None, claim.order_key)]

    def notifications(self, key: str | None = None) -> list[Notification]:
        sent = self._sent("notifications", self.shared.codecs.notification)
        return [told for told in sent if key in (None, told.order_key)]

    def told(self, key: str) -> list[str]:
        """Outcomes and reasons, in short."""
        return [
            told.outcome.value + (f": {told.reason.value}" if told.reason else "")
            for told in self.notifications(key)
        ]

    def _sent(self, topic: str, codec: Codec[R]) -> list[R]:
        return [codec.decode(output.value) for output in self.to(topic)]

    def to(self, topic: str) -> list[Outbound]:
        """What was written to a topic."""
        return [output for output in self.outputs if output.topic == topic]

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.collectors.get_sample_value(name, labels) or 0.0

    # ------------------------------------------------------------------------------- ways to a state

    def claimed(self, key: str) -> str:
        """A shipment of a known order: its claim is out."""
        self.process(self.order(key), self.shipment(key))
        assert self.at(key) == "claimed"
        return key

    def uploading(self, key: str) -> str:
        """Its proof is on its way."""
        self.claimed(key)
        self.process(self.proof(key))
        assert self.caller.uploads[-1].key == key
        return key

    def calling(self, key: str) -> str:
        """The call is under way."""
        self.uploading(key)
        self.answer(key, self.uploaded(key))
        assert self.at(key) == "dispatched"
        assert self.caller.declares[-1].key == key
        return key


def outbound_as_inbound(outputs: Iterable[Outbound], topic: str) -> list[Inbound]:
    """What was written, as the next owner reads it."""
    written = [output for output in outputs if output.topic == topic]
    return [
        Inbound(topic, one.partition, offset, one.key, one.value, one.headers, 0)
        for offset, one in enumerate(written)
    ]


def index_keys(store: RocksStore) -> dict[bytes, bytes]:
    """Everything in the view but entries, orders and positions."""
    found = dict(store.scan(b"", 1_000_000))
    return {k: v for k, v in found.items() if k[:2] in (b"q/", b"d/", b"w/", b"x/")}
