"""A whole installation in one folder: broker, topics, the stand-in for Alibaba.com, its stores, the services.

Starting it again starts what does not run and leaves the rest alone; addresses, ports and keys stay the
same. All settings stand in `waybill.env` in the folder, which the services read and every `waybill` command
can: `WAYBILL_ENV_FILE=<folder>/waybill.env waybill …`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, SecretStr

from waybill import broker
from waybill.broker.ports import free_port
from waybill.cli.cluster import Cluster
from waybill.cli.store_book import StoreBook
from waybill.cli.store_changes import checked, connected, store_id_of
from waybill.contracts import Store, StoreTokens
from waybill.demo import processes
from waybill.demo.processes import Processes, Program, Running
from waybill.demo.sandbox_admin import SandboxAdmin, Seller
from waybill.settings import KafkaSettings
from waybill.streaming import topic_admin
from waybill.tokens import TokenLife, Tokens, TokenSeal, new_key

SITE = "sandbox"
SERVICES = ("importer", "proofgen", "notifier")
CARRIERS = {
    "fedex": "FEDEX",
    "dhl": "DHL",
    "ups": "UPS",
    "sf": "SF",
    "usps": "USPS",
    "ems": "EMS",
    "china post": "CHINA_POST",
}
"""How the shipping system calls its carriers, and Alibaba's codes for them."""

SETTINGS: Mapping[str, str] = {
    # seconds instead of minutes: the stand-in never acts later than it answers, unless it is told to
    "WAYBILL_CALL_HORIZON_S": "3",
    "WAYBILL_CALL_START_S": "3",
    "WAYBILL_LOOKUP_GAP_S": "1",
    "WAYBILL_LOOKUP_FIRST_S": "1",
    "WAYBILL_RETRY_FIRST_S": "1",
    "WAYBILL_CLAIM_TIMEOUT_S": "10",
    "WAYBILL_HINT_FIRST_S": "2",
    # a stand-in on the same machine may be asked often
    "WAYBILL_IMPORTER__POLL_INTERVAL_S": "2",
    "WAYBILL_IMPORTER__BACKOFF_FIRST_S": "1",
    "WAYBILL_IMPORTER__SETTLE_S": "1",
    "WAYBILL_IMPORTER__WINDOW_MAX_S": str(31 * 86_400),
}
_RATE = {"start_per_s": 60, "max_per_s": 200}
_CALL_S = 5
"""A killed service's last call counts as over after this: the stand-in answers in milliseconds."""
_HISTORY = timedelta(days=32)
"""The stand-in's orders were made in the thirty days before its first start."""

Tell = Callable[[str], None]


class _State(BaseModel):
    """The content of `installation.json`: what stays the same from start to start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sandbox_port: int
    http_ports: dict[str, int]


@dataclass(frozen=True, slots=True)
class Wish:
    """What an installation is to be like."""

    folder: Path
    kafka: KafkaSettings | None = None
    """An existing cluster, with its topic prefix; None starts a broker of its own in the folder."""
    orders_per_store: int = 100
    sandbox_options: tuple[str, ...] = ()


class Installation:
    """See the module. Making it touches nothing; `start` and `stop` may be repeated."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.folder = wish.folder.resolve()
        self.processes = Processes(self.folder)
        self.env_file = self.folder / "waybill.env"
        self.kafka = wish.kafka or KafkaSettings()
        self._state: _State | None = None
        self._seal_key = ""
        self._signing_key = ""

    # ------------------------------------------------------------------------------------- starting

    def start(self, tell: Tell) -> None:
        """Start all that does not run yet; returns when everything is ready.

        Raises BrokerError, ProcessError, TopicError or CommandError with what to do.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start_broker(tell)
        self._apply_topics(tell)
        self.start_sandbox(tell)
        self._connect_stores(tell)
        self.start_services(tell)

    def start_broker(self, tell: Tell) -> None:
        """Start this folder's broker, unless an existing cluster is used."""
        if self.wish.kafka is None:
            tell("starting Kafka")
            handle = broker.start(self.folder / "kafka")
            self.kafka = KafkaSettings(bootstrap_servers=handle.bootstrap)

    def _apply_topics(self, tell: Tell) -> None:
        tell("making the topics")
        kafka = self.kafka
        quiet = {**kafka.client_config(), "log_level": 0}  # a fresh broker makes clients try twice
        topic_admin.apply(quiet, kafka.topic_prefix, kafka.partitions, kafka.replication)

    def start_sandbox(self, tell: Tell) -> None:
        """Start the stand-in, and write down how the services reach it."""
        if self.processes.find("sandbox") is None:
            tell("starting the stand-in for Alibaba.com")
            orders = ("--orders-per-store", str(self.wish.orders_per_store))
            data_dir, port = self.folder / "sandbox", self.state.sandbox_port
            options = (*orders, *self.wish.sandbox_options)
            self.processes.start(processes.sandbox(data_dir, port, *options)).wait_ready()
        self._write_settings()

    def start_services(self, tell: Tell) -> None:
        """Start the three services, side by side, and wait until each is at work."""
        tell(f"starting {', '.join(SERVICES)}")
        started: list[Running] = []
        for name in SERVICES:
            running = self.processes.find(name)
            started.append(running or self.processes.start(self.program(name)))
        for running in started:
            running.wait_ready()

    def program(self, name: str) -> Program:
        """How a service of this installation is run."""
        group = {"WAYBILL_GROUP": f"{self.kafka.topic_prefix}waybill-{name}"}
        return processes.service(name, self.env_file, self.state.http_ports[name], group)

    def stop(self) -> list[str]:
        """Stop services, stand-in and broker; returns the names of those that had to be killed."""
        killed = self.processes.stop_all()
        if self.wish.kafka is None:
            broker.stop(self.folder / "kafka")
        return killed

    # ------------------------------------------------------------------------------------ addresses

    @property
    def cluster(self) -> Cluster:
        """The cluster, for reading and writing."""
        return Cluster(self.kafka)

    @property
    def sandbox_url(self) -> str:
        """Where the stand-in answers."""
        return f"http://127.0.0.1:{self.state.sandbox_port}"

    def service_url(self, name: str) -> str:
        """Where /metrics, /livez and /readyz of a service answer."""
        return f"http://127.0.0.1:{self.state.http_ports[name]}"

    @property
    def state(self) -> _State:
        """Ports: those of the last start, if there was one."""
        if self._state is None:
            self._state = self._loaded() or self._new_state()
        return self._state

    def _loaded(self) -> _State | None:
        try:
            return _State.model_validate_json(self._state_file.read_bytes())
        except FileNotFoundError:
            return None

    def _new_state(self) -> _State:
        taken: list[int] = []
        while len(taken) <= len(SERVICES):
            port = free_port()
            if port not in taken:
                taken.append(port)
        state = _State(
            sandbox_port=taken[0], http_ports=dict(zip(SERVICES, taken[1:], strict=True))
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        self._state_file.write_text(state.model_dump_json() + "\n", encoding="utf-8")
        return state

    @property
    def _state_file(self) -> Path:
        return self.folder / "installation.json"

    # ------------------------------------------------------------------------------------- settings

    def _write_settings(self) -> None:
        """Keys are in it: nobody else may read the file."""
        self._seal_key = self._kept("WAYBILL_SEAL_KEY") or new_key()
        self._signing_key = self._kept("WAYBILL_SIGNING_KEY") or new_key()
        lines = [f"{name}='{value}'" for name, value in self._settings()]
        self.env_file.touch(mode=0o600)
        self.env_file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _kept(self, variable: str) -> str | None:
        """A key of an earlier start."""
        if not self.env_file.exists():
            return None
        prefix = f"{variable}='"
        lines = self.env_file.read_text("utf-8").splitlines()
        found = [line.removeprefix(prefix).rstrip("'") for line in lines if line.startswith(prefix)]
        return found[0] if found else None

    def _settings(self) -> Iterator[tuple[str, str]]:
        yield from _kafka_settings(self.kafka)
        yield "WAYBILL_DATA_DIR", str(self.folder / "data")
        yield "WAYBILL_SEAL_KEY", self._seal_key
        yield "WAYBILL_SIGNING_KEY", self._signing_key
        yield "WAYBILL_SITES", orjson.dumps({SITE: self._site()}).decode()
        yield from SETTINGS.items()

    def _site(self) -> dict[str, Any]:
        admin = SandboxAdmin(self.sandbox_url)
        try:
            key, secret = admin.app()
        finally:
            admin.close()
        rest = f"{self.sandbox_url}/rest"
        urls = {
            "authorise_url": f"{self.sandbox_url}/oauth/authorize",
            "api_url": rest,
            "token_url": rest,
            "sync_url": f"{self.sandbox_url}/sync",
        }
        app = {"app_key": key, "app_secret": secret}
        return {"app": app, "api": {**urls, "rate_limit": _RATE, "call_s": _CALL_S}}

    # --------------------------------------------------------------------------------------- stores

    def _connect_stores(self, tell: Tell) -> None:
        admin = SandboxAdmin(self.sandbox_url)
        try:
            sellers = admin.sellers()
        finally:
            admin.close()
        book = StoreBook(self.cluster)
        there = book.stores()
        tell(f"connecting {len(sellers)} stores")
        for seller in sellers:
            if store_id_of(SITE, seller.id) not in there:
                self._connect(book, seller)

    def _connect(self, book: StoreBook, seller: Seller) -> None:
        now = datetime.now(UTC)
        seal = TokenSeal(SecretStr(self._seal_key))
        tokens = Tokens(SecretStr(seller.access_token), SecretStr(seller.refresh_token))

        def change(former: Store | None) -> tuple[Store, StoreTokens]:
            store = connected(SITE, seller.id, seller.name, now, former)
            wanted = {
                "mode": "live",
                "carrier_map": CARRIERS,
                "import_from": now - _HISTORY,
                "branding": {"name": seller.name, "address_lines": ("1 Harbour Road", "Ningbo")},
                "time_zone": "Asia/Shanghai",
            }
            store = checked(store.model_dump() | wanted)
            generation = store.token_generation
            return store, seal.seal(tokens, store.store_id, generation, TokenLife(), now)

        book.change(store_id_of(SITE, seller.id), change)


def _kafka_settings(kafka: KafkaSettings) -> Iterator[tuple[str, str]]:
    """Whatever differs from the defaults, as variables."""
    for name, field in KafkaSettings.model_fields.items():
        value = getattr(kafka, name)
        if name == "bootstrap_servers" or value != field.default:
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            yield f"WAYBILL_KAFKA__{name.upper()}", text
