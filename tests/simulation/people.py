"""Who writes into the simulated world: shipping systems, buyers, the importer, proofgen, an operator.

What they do is drawn at the start of a seed and let go one by one, in any order the scheduler likes.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from tests.simulation import records
from tests.simulation.alibaba import ModelAlibaba
from tests.simulation.broker import ModelBroker
from tests.simulation.clients import ModelReader
from waybill.contracts.order import OrderStatus
from waybill.contracts.shipment import Action, Part
from waybill.streaming.ports import BEGINNING, Place
from waybill.streaming.records import Header, Outbound


@dataclass(frozen=True, slots=True)
class Published:
    """A record of the shipments topic, in words."""

    key: str
    shipment_id: str
    revision: int
    action: Action
    tracking_number: str | None
    carrier: str = "fedex"
    part: Part | None = None

    def encoded(self) -> bytes:
        return records.shipment(
            self.key,
            self.shipment_id,
            self.revision,
            self.action,
            self.tracking_number,
            self.carrier,
            self.part,
        )


@dataclass
class Inputs:
    """Everything that people publish; the truth that the end is compared with."""

    rng: Random
    broker: ModelBroker
    alibaba: ModelAlibaba
    note: Callable[..., None]
    keys: list[str] = field(default_factory=list)
    stores: dict[str, str] = field(default_factory=dict)
    """Order to store."""
    told: dict[str, OrderStatus] = field(default_factory=dict)
    """Newest status that the importer published."""
    published: list[Published] = field(default_factory=list)
    acts: deque[Callable[[], None]] = field(default_factory=deque)
    generations: dict[str, int] = field(default_factory=dict)
    settings: dict[str, dict[str, bool]] = field(default_factory=dict)
    parts: Random | None = None
    """Decides which stores collect parts, wait or shut, and which orders come in parts; None: none do."""
    _versions: int = 0
    _store_revisions: int = 0
    _imported: int = 0

    # -------------------------------------------------------------------------------- what will happen

    def draw(self, orders: int, stores: int) -> None:
        """Decide what will be published, in an order of its own for each thing."""
        names = [f"store-{number + 1}" for number in range(stores)]
        for name in names:
            self.generations[name] = 0
            self.settings[name] = {"yodel": False, "paused": False, "live": True}
            self.settings[name]["asks"] = self.rng.random() < 0.1
            self.settings[name]["collects"] = self._chance(0.4)
            self.settings[name]["delays"] = self._chance(0.15)
            self.settings[name]["shut"] = False
            self.reconnect(name)
            self.publish_store(name)
        lines = [self._of_order(key, names) for key in self._made(orders)]
        lines += [self._of_store(name) for name in names if self.rng.random() < 0.5]
        lines += [self._stops_collecting(name) for name in names if self._chance(0.1)]
        lines += [self._shuts_for_a_while(name) for name in names if self._chance(0.15)]
        if self.rng.random() < 0.4:
            lines.append([self.replay])
        self.acts.extend(_woven(self.rng, lines))

    def _made(self, orders: int) -> list[str]:
        first = self.rng.randrange(40)
        self.keys = [records.key_of(first + number) for number in range(orders)]
        return self.keys

    def _of_order(self, key: str, names: list[str]) -> list[Callable[[], None]]:
        """One order's records: each chain in its own order, the chains in any."""
        rng = self.rng
        self.stores[key] = rng.choice(names)
        first = OrderStatus.AWAITING_SHIPMENT
        if rng.random() < 0.2:
            first = rng.choice((OrderStatus.AWAITING_PAYMENT, OrderStatus.ON_HOLD))
        self.alibaba.trade(records.trade_of(key), records.RAW[first])
        chains = [self._order_chain(key, first)]
        published = [self._shipment_chain(key, "S1")]
        if rng.random() < 0.35:
            published.append(self._shipment_chain(key, "S2"))
        chains += [[partial(self.ship, one) for one in chain] for chain in self._divided(published)]
        return _woven(rng, chains)

    def _divided(self, chains: list[list[Published]]) -> list[list[Published]]:
        """Some orders come in parts; now and then the last one never does."""
        if not self._chance(0.35):
            return chains
        if len(chains) == 1 and self._chance(0.7):
            (chain,) = chains
            second = [
                replace(one, shipment_id="S2") for one in chain if one.action is Action.CREATE
            ]
            chains = [chain, [_renumbered(one) for one in second]]
        ends = self._chance(0.9)
        return [
            [replace(one, part=Part(number=n, final=ends and n == len(chains))) for one in chain]
            for n, chain in enumerate(chains, start=1)
        ]

    def _chance(self, share: float) -> bool:
        return self.parts is not None and self.parts.random() < share

    def _shuts_for_a_while(self, name: str) -> list[Callable[[], None]]:
        on, off = {"shut": True}, {"shut": False, "delays": False}
        return [lambda: self.change_store(name, **on), lambda: self.change_store(name, **off)]

    def _stops_collecting(self, name: str) -> list[Callable[[], None]]:
        return [lambda: self.change_store(name, collects=not self.settings[name]["collects"])]

    def _order_chain(self, key: str, first: OrderStatus) -> list[Callable[[], None]]:
        chain = [lambda: self.import_order(key)]
        if first is not OrderStatus.AWAITING_SHIPMENT and self.rng.random() < 0.8:
            chain.append(lambda: self.becomes(key, OrderStatus.AWAITING_SHIPMENT))
        for chance, then in (
            (0.15, lambda: self.import_order(key)),
            (0.1, lambda: self.becomes(key, OrderStatus.ON_HOLD)),
            (0.05, lambda: self.becomes(key, OrderStatus.CANCELLED)),
            (0.05, lambda: self.by_hand(key)),
            (0.15, lambda: self.import_order(key)),
        ):
            if self.rng.random() < chance:
                chain.append(then)
        return chain

    def _shipment_chain(self, key: str, shipment_id: str) -> list[Published]:
        rng = self.rng
        carrier = "yodel" if rng.random() < 0.1 else "fedex"
        numbered = rng.random() < 0.9
        chain: list[Published] = []

        def put(action: Action) -> None:
            revision = len(chain) + 1
            number = records.tracking(shipment_id, revision) if numbered or revision > 1 else None
            number = None if action is Action.VOID else number
            chain.append(Published(key, shipment_id, revision, action, number, carrier))

        put(Action.CREATE)
        while rng.random() < 0.3 and len(chain) < 4:
            put(rng.choice((Action.CORRECT, Action.VOID, Action.CREATE)))
        # a publisher may send again what it sent before, and at times mixes the order up
        sent = [one for one in chain for _ in range(rng.choice((1, 1, 1, 2)))]
        if rng.random() < 0.2:
            rng.shuffle(sent)
        return sent

    def _of_store(self, name: str) -> list[Callable[[], None]]:
        what = self.rng.choice(("yodel", "paused", "live", "tokens", "tokens"))
        if what == "tokens":
            return [lambda: self.end_tokens(name), lambda: self.reconnect(name)]
        if what == "yodel":
            return [lambda: self.change_store(name, yodel=True)]
        if what == "paused":
            on, off = {"paused": True}, {"paused": False}
        else:
            on, off = {"live": False}, {"live": True}
        return [lambda: self.change_store(name, **on), lambda: self.change_store(name, **off)]

    # --------------------------------------------------------------------------------------- what does

    def go_on(self) -> None:
        """The next thing happens."""
        self.acts.popleft()()

    def ship(self, one: Published, headers: tuple[Header, ...] = ()) -> None:
        """A shipping system publishes; a foreign partitioner at times picks the wrong partition."""
        self.note("shipper", one.action, one.key[-2:], one.shipment_id, f"r{one.revision}")
        partition = records.home(one.key)
        if self.rng.random() < 0.05:
            partition = (partition + 1) % records.PARTITIONS
        self.published.append(one)
        place = Place("shipments", partition)
        self.broker.append(place, one.key.encode(), one.encoded(), headers)

    def replay(self) -> None:
        """An operator publishes all shipments of the past again."""
        self.note("operator", "replays the shipments")
        for one in list(dict.fromkeys(self.published)):
            self.ship(one, (("wb-replayed", b"replay-1"),))

    def becomes(self, key: str, status: OrderStatus) -> None:
        """The order changes at Alibaba, and the importer reads it."""
        trade = self.alibaba.orders[records.trade_of(key)]
        if not trade.shipments:
            self.alibaba.becomes(records.trade_of(key), records.RAW[status])
        self.import_order(key)

    def by_hand(self, key: str) -> None:
        """The seller ships on Alibaba's own pages, unless a shipment is there already."""
        if not self.alibaba.orders[records.trade_of(key)].shipments:
            self.note("seller", "ships by hand", key[-2:])
            self.alibaba.ship_by_hand(records.trade_of(key), "BYHAND1")

    def import_order(self, key: str) -> None:
        """The importer publishes the order as Alibaba has it now, in a transaction of its own."""
        raw = self.alibaba.orders[records.trade_of(key)].status(float("inf"))
        status = next(mapped for mapped, word in records.RAW.items() if word == raw)
        self.note("importer", key[-2:], status)
        self._versions += 1
        value = records.order(key, self.stores[key], status, self._versions % 8)
        name = f"importer-{self._imported}"
        self._imported += 1
        epoch = self.broker.initialise(name)
        for commit in (False, True) if self.rng.random() < 0.2 else (True,):
            self.broker.begin(name, epoch)
            output = Outbound("orders", records.home(key), key.encode(), value)
            self.broker.produce(name, epoch, output)
            self.broker.end(name, epoch, commit=commit)
        self.told[key] = status

    def free_held(self) -> None:
        """An order in doubt that is on hold stays in doubt; some day it moves on."""
        for key in self.keys:
            order = self.alibaba.orders[records.trade_of(key)]
            was_free = len(order.changes) > 1
            if was_free and order.status(float("inf")) == records.RAW[OrderStatus.ON_HOLD]:
                moved = self.rng.choice((OrderStatus.AWAITING_SHIPMENT, OrderStatus.CANCELLED))
                self.becomes(key, moved)

    def import_all(self) -> None:
        """The importer catches up with everything."""
        for key in self.keys:
            raw = self.alibaba.orders[records.trade_of(key)].status(float("inf"))
            told = self.told.get(key)
            if told is None or records.RAW[told] != raw:
                self.import_order(key)

    def change_store(self, name: str, **changes: bool) -> None:
        """Somebody changes settings of a store."""
        self.note("operator", "sets", name, changes)
        self.settings[name].update(changes)
        self.publish_store(name)

    def publish_store(self, name: str) -> None:
        """The store as it is set now."""
        self._store_revisions += 1
        value = records.store(name, self._store_revisions, **self.settings[name])
        self.broker.append(Place("stores", 0), name.encode(), value)

    def end_tokens(self, name: str) -> None:
        """The authorisation of a store ends."""
        self.note("alibaba", "ends the tokens of", name)
        self.alibaba.good_tokens.discard(records.token(name, self.generations[name]))

    def reconnect(self, name: str) -> None:
        """The seller authorises again."""
        self.generations[name] += 1
        self.alibaba.good_tokens.add(records.token(name, self.generations[name]))
        value = records.tokens(name, self.generations[name])
        self.broker.append(Place("store-tokens", 0), name.encode(), value)


def _renumbered(one: Published) -> Published:
    number = one.tracking_number and records.tracking(one.shipment_id, one.revision)
    return replace(one, tracking_number=number)


def _woven(rng: Random, chains: list[list[Callable[[], None]]]) -> list[Callable[[], None]]:
    """All of them, each chain in its own order."""
    turns = [place for place, chain in enumerate(chains) for _ in chain]
    rng.shuffle(turns)
    left = [deque(chain) for chain in chains]
    return [left[place].popleft() for place in turns]


class ModelProofgen:
    """Answers claims: late, twice, never, with a refusal."""

    def __init__(self, rng: Random, broker: ModelBroker) -> None:
        self.trouble = 0.0
        self.answers: deque[tuple[bytes, bytes]] = deque()
        self._rng = rng
        self._broker = broker
        self._reader = ModelReader(broker)
        self._reader.assign({Place("claims", n): BEGINNING for n in range(records.PARTITIONS)})
        self._decided: dict[str, bool] = {}

    def has_news(self) -> bool:
        """Whether claims came."""
        return self._reader.has_news()

    def read(self) -> None:
        """Take the claims that came, and decide what becomes of each."""
        rng = self._rng
        for record in self._reader.read(100, 0).records:
            claim = records.CODECS.claim.decode(record.value)
            # the same claim always gets the same answer
            refused = self._decided.setdefault(
                claim.claim_id, rng.random() < min(self.trouble, 0.05)
            )
            copies = rng.choice((0, 1, 2)) if rng.random() < self.trouble else 1
            answer = (claim.order_key.encode(), records.proof(claim, refused=refused))
            self.answers.extend([answer] * copies)

    def answer(self) -> None:
        """Publish one of the answers."""
        place = self._rng.randrange(len(self.answers))
        key, value = self.answers[place]
        del self.answers[place]
        self._broker.append(Place("proofs", records.home(key.decode())), key, value)
