"""A model of Kafka's log and transaction coordinator, as far as the notifier can notice it.

Partitions are lists; a commit or abort marker takes an offset and is never read. A transactional id has
an epoch: whoever initialises it anew shuts its predecessor out and aborts what that one left open.
Markers may lag behind the commit's answer, as they do on a real broker. Checked against Apache Kafka by
`tests/conformance`.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from waybill.streaming.errors import FencedError, UnclearError
from waybill.streaming.ports import Place
from waybill.streaming.records import Header, Inbound, Outbound


class Abortable(Exception):  # noqa: N818 - named as the client names its errors
    """The transaction has to be aborted and may be made again."""


class Fate(StrEnum):
    """What a transaction is."""

    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(slots=True, eq=False)
class Transaction:
    """One transaction of one producer; its records count when it is committed."""

    began_s: float
    places: dict[Place, None] = field(default_factory=dict)
    offsets: list[tuple[str, Place, int, str]] = field(default_factory=list)
    fate: Fate = Fate.OPEN


@dataclass(slots=True)
class Log:
    """One partition: records and markers (None), each with the transaction it belongs to."""

    slots: list[tuple[Inbound | None, Transaction | None]] = field(default_factory=list)
    start: int = 0
    open: dict[Transaction, int] = field(default_factory=dict)
    """Transactions without a marker here, with their first offset."""

    @property
    def high_watermark(self) -> int:
        """One behind the last record or marker."""
        return len(self.slots)

    @property
    def last_stable(self) -> int:
        """One behind the last record whose end is known: committed readers get no further."""
        return min(self.open.values()) if self.open else len(self.slots)

    def truncate(self, end: int) -> None:
        """Lose everything from here on, markers that are still to come included."""
        del self.slots[end:]
        self.start = min(self.start, end)
        self.open = {transaction: at for transaction, at in self.open.items() if at < end}

    def committed(self, start: int, end: int) -> Iterator[Inbound]:
        """Committed records of a range, in order."""
        for record, transaction in self.slots[start:end]:
            if record is None or (transaction is not None and transaction.fate is Fate.ABORTED):
                continue
            yield record


@dataclass(slots=True)
class Coordinator:
    """What the broker knows of a transactional id."""

    epoch: int
    transaction: Transaction | None = None


@dataclass(slots=True)
class Position:
    """A committed offset, with the text that was written beside it."""

    offset: int
    note: str = ""


class ModelBroker:
    """Topics of `partitions` partitions each; made by their first use."""

    def __init__(
        self, clock_s: Callable[[], float], partitions: int, transaction_timeout_s: float = 15.0
    ) -> None:
        self.partitions = partitions
        self.version = 0
        """Grows with whatever readers may notice."""
        self.committed: dict[str, dict[Place, Position]] = {}
        self.on_commit: Callable[[str, Transaction], None] = lambda _id, _transaction: None
        """Told of every transaction that counts, at the moment from which it does."""
        self._clock_s = clock_s
        self._timeout_s = transaction_timeout_s
        self._logs: dict[Place, Log] = {}
        self._ids: dict[str, str] = {}
        self._coordinators: dict[str, Coordinator] = {}
        self._forgotten: dict[str, int] = {}
        """Up to which epoch the producers of an id are strangers, shut out or not."""
        self._epochs = count(1)
        self._markers: deque[tuple[Transaction, Place]] = deque()
        self._made = count(1)

    # -------------------------------------------------------------------------------------- topics

    def log(self, place: Place) -> Log:
        """The partition's log."""
        log = self._logs.get(place)
        if log is None:
            log = self._logs[place] = Log()
        return log

    def topic_id(self, topic: str) -> str:
        """Stays the same until the topic is made anew."""
        return self._ids.setdefault(topic, f"id-{next(self._made)}")

    def recreate(self, topic: str) -> None:
        """The topic is deleted and made again: empty, with another id."""
        self._logs = {place: log for place, log in self._logs.items() if place.topic != topic}
        self._ids[topic] = f"id-{next(self._made)}"

    def delete_before(self, place: Place, offset: int) -> None:
        """What retention does."""
        self.log(place).start = offset

    def append(
        self,
        place: Place,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[Header] = (),
        transaction: Transaction | None = None,
    ) -> int:
        """Write a record, in a transaction or at once; its offset."""
        log = self.log(place)
        offset = len(log.slots)
        now_ms = int(self._clock_s() * 1000)
        record = Inbound(place.topic, place.partition, offset, key, value, headers, now_ms)
        self.version += 1
        log.slots.append((record, transaction))
        if transaction is not None:
            log.open.setdefault(transaction, offset)
        return offset

    def records(self, topic: str, partition: int) -> list[Inbound]:
        """The committed records of a partition, up to the last stable offset."""
        log = self.log(Place(topic, partition))
        return list(log.committed(log.start, log.last_stable))

    # -------------------------------------------------------------------------------- transactions

    def initialise(self, transactional_id: str) -> int:
        """Shut out the predecessor and abort what it left open; the new epoch."""
        known = self._coordinators.get(transactional_id)
        if known is not None and known.transaction is not None:
            self._end(transactional_id, known, Fate.ABORTED)
        self.write_markers()  # the answer comes when the predecessor's transaction is over
        epoch = next(self._epochs)
        self._coordinators[transactional_id] = Coordinator(epoch)
        return epoch

    def begin(self, transactional_id: str, epoch: int) -> None:
        """The first request of a transaction waits until the one before is over."""
        known = self._current(transactional_id, epoch)
        if known.transaction is None:
            self.write_markers()
            known.transaction = Transaction(self._clock_s())

    def produce(self, transactional_id: str, epoch: int, output: Outbound) -> int:
        """Write a record that counts when the transaction does; its offset."""
        transaction = self._open(transactional_id, epoch)
        place = Place(output.topic, output.partition)
        transaction.places[place] = None
        return self.append(place, output.key, output.value, output.headers, transaction)

    def send_offsets(
        self,
        transactional_id: str,
        epoch: int,
        group: str,
        positions: Mapping[Place, tuple[int, str]],
    ) -> None:
        """Positions that count when the transaction does."""
        transaction = self._open(transactional_id, epoch)
        for place, (offset, note) in positions.items():
            transaction.offsets.append((group, place, offset, note))

    def end(self, transactional_id: str, epoch: int, *, commit: bool) -> None:
        """Decide the transaction; its markers are written soon, see `write_markers`."""
        known = self._current(transactional_id, epoch)
        if known.transaction is not None:
            fate = Fate.COMMITTED if commit else Fate.ABORTED
            self._end(transactional_id, known, fate)

    def _open(self, transactional_id: str, epoch: int) -> Transaction:
        transaction = self._current(transactional_id, epoch).transaction
        if transaction is None:
            raise Abortable("no transaction is open")
        return transaction

    def _current(self, transactional_id: str, epoch: int) -> Coordinator:
        self._time_out()
        known = self._coordinators.get(transactional_id)
        if known is None or epoch <= self._forgotten.get(transactional_id, 0):
            raise UnclearError("INVALID_PRODUCER_ID_MAPPING: the transactional id has expired")
        if known.epoch != epoch:
            raise FencedError("a newer producer has this transactional id")
        return known

    def _end(self, transactional_id: str, known: Coordinator, fate: Fate) -> None:
        transaction, known.transaction = known.transaction, None
        assert transaction is not None
        transaction.fate = fate
        self._markers.extend((transaction, place) for place in transaction.places)
        if fate is Fate.COMMITTED:
            for group, place, offset, note in transaction.offsets:
                self.committed.setdefault(group, {})[place] = Position(offset, note)
            self.on_commit(transactional_id, transaction)

    def _time_out(self) -> None:
        """The coordinator aborts what is open for too long, and shuts its producer out."""
        for transactional_id, known in self._coordinators.items():
            transaction = known.transaction
            if transaction and self._clock_s() - transaction.began_s > self._timeout_s:
                self._end(transactional_id, known, Fate.ABORTED)
                known.epoch = next(self._epochs)

    def write_markers(self, markers_max: int = 1_000_000) -> None:
        """Write markers that are due, oldest first: from then on committed readers get past them."""
        self._time_out()
        while self._markers and markers_max > 0:
            transaction, place = self._markers.popleft()
            markers_max -= 1
            log = self.log(place)
            if log.open.pop(transaction, None) is not None:
                self.version += 1
                log.slots.append((None, transaction))

    @property
    def markers_due(self) -> int:
        """Markers that are not written yet."""
        return len(self._markers)

    def open_until_s(self) -> float | None:
        """When the next open transaction is aborted by the coordinator."""
        open_ = [k.transaction.began_s for k in self._coordinators.values() if k.transaction]
        return min(open_) + self._timeout_s if open_ else None

    def forget(self, transactional_id: str) -> None:
        """The id was unused for too long (`transactional.id.expiration.ms`)."""
        known = self._coordinators.get(transactional_id)
        if known is not None and known.transaction is None:
            self._forgotten[transactional_id] = known.epoch
            del self._coordinators[transactional_id]
