"""Does the deeds, each target in a thread of its own, and publishes the shipments meanwhile."""

from collections.abc import Callable, Sequence
from threading import Lock, Thread
from time import monotonic, sleep

from tests.fire import reconnecting
from tests.fire.house import House
from tests.fire.script import STORES, Deed
from tests.fire.stories import Planned
from waybill import broker
from waybill.cli.errors import CommandError
from waybill.contracts.keys import order_key
from waybill.demo.shipments import Maker
from waybill.streaming.records import Outbound

_WATCH_S = 0.3
_TICK_S = 0.1
_PUBLISH_S = 120.0
"""Longest time that publishing may fail: the broker is away for a few seconds at a time."""


class Fire:
    """One fire: `burn` returns when all deeds are done and all records are published."""

    def __init__(
        self, house: House, deeds: Sequence[Deed], records: Sequence[Planned], make: Maker
    ) -> None:
        self.house = house
        self.done: list[str] = []
        """What was done, with the second at which it began."""
        self.rewinds = 0
        self.published = 0
        self._deeds = deeds
        self._records = records
        self._make = make
        self._sellers = house.admin.sellers()
        self._sent: list[Outbound] = []
        self._began_s = 0.0
        self._stood_s = 0.0
        self._standing_since_s: float | None = None
        self._errors: list[Exception] = []
        self._lock = Lock()

    def burn(self, latecomers: Sequence[tuple[float, str]]) -> None:
        """`latecomers`: when an order of which seller comes to be. Raises what a thread raised."""
        self._began_s = monotonic()
        targets = dict.fromkeys(deed.target for deed in self._deeds)
        works: list[Callable[[], None]] = [self._publish_all, lambda: self._create(latecomers)]
        works += [lambda target=target: self._visit(target) for target in targets]  # type: ignore[misc]
        threads = [Thread(target=self._guarded, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.house.watch_over()
            sleep(_WATCH_S)
        if self._errors:
            raise ExceptionGroup("the driver failed", self._errors)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised again by burn, in the driver's thread
            self._errors.append(error)

    def _now_s(self) -> float:
        """Seconds of fire. While the broker starts, which takes long on a loaded machine, time stands still:
        otherwise all deeds would be over before anything could suffer from them."""
        with self._lock:
            until_s = self._standing_since_s or monotonic()
            return until_s - self._began_s - self._stood_s

    def _until(self, at_s: float) -> None:
        while (left_s := at_s - self._now_s()) > 0:
            sleep(min(left_s, _TICK_S))

    def _note(self, what: object) -> None:
        self.done.append(f"{monotonic() - self._began_s:5.1f} s  {what}")

    def _start_broker(self) -> None:
        with self._lock:
            self._standing_since_s = monotonic()
        broker.start(self.house.broker_folder)
        with self._lock:
            self._stood_s += monotonic() - self._standing_since_s
            self._standing_since_s = None

    # ---------------------------------------------------------------------------------------- deeds

    def _visit(self, target: str) -> None:
        for deed in self._deeds:
            if deed.target == target:
                self._until(deed.at_s)
                self._note(deed)
                self._do(deed)

    def _do(self, deed: Deed) -> None:
        match deed.target:
            case "broker":
                self._broker(deed)
            case "alibaba":
                self._alibaba(deed)
            case "operator":
                self._operator(deed)
            case "site":
                self._site(deed)
            case store if store in STORES:
                self._store(deed, STORES.index(store))
            case _:
                self._service(deed)

    def _service(self, deed: Deed) -> None:
        house, name = self.house, deed.target
        with house.turns[name]:
            running = house.processes.find(name)
            if running is None:
                return house.run(name)  # it fell by itself: `watch_over` has not come by yet
            if deed.kind == "freeze":
                running.suspend()
                sleep(deed.for_s)
                return running.resume()
            if deed.kind == "kill twice":
                running.kill()
                house.run(name)
                sleep(deed.for_s)  # somewhere in its start or its takeover
                running = house.processes.find(name)
            if running is not None:
                running.stop() if deed.kind == "restart" else running.kill()
            if deed.wipe:
                house.wipe(name)
            sleep(0 if deed.kind == "kill twice" else deed.for_s)
            return house.run(name)

    def _broker(self, deed: Deed) -> None:
        process = self.house.broker_process
        if process is None:
            raise RuntimeError("the broker ended by itself: see its log")
        if deed.kind == "freeze":
            process.suspend()
            sleep(deed.for_s)
            process.resume()
            return
        process.kill()
        process.wait(20)
        sleep(deed.for_s)
        self._start_broker()

    def _alibaba(self, deed: Deed) -> None:
        added = self.house.ask_sandbox("POST", "/faults", list(deed.faults))["faults"]
        self._until(self._now_s() + deed.for_s)
        in_force = {row["id"] for row in self.house.ask_sandbox("GET", "/faults")["faults"]}
        for row in added:
            if row["id"] in in_force:
                self.house.ask_sandbox("DELETE", f"/faults/{row['id']}")

    def _site(self, deed: Deed) -> None:
        running = self.house.processes.find("sandbox")
        if running is None:
            raise RuntimeError("the stand-in ended by itself: see its log")
        running.suspend()
        try:
            sleep(deed.for_s)
        finally:
            running.resume()

    def _store(self, deed: Deed, number: int) -> None:
        seller = self._sellers[number]
        reconnecting.end_tokens(self.house, seller, refresh=deed.kind == "tokens end")
        self._until(self._now_s() + deed.for_s)
        tries = reconnecting.connect(self.house, seller)
        self._note(f"{deed.target}: connected again, try {tries}")

    def _operator(self, deed: Deed) -> None:
        if deed.kind == "publish all again":
            with self._lock:
                again = list(self._sent)
            self._publish(again)
            return
        self.rewinds += 1
        if not self.house.rewind(wipe=deed.wipe, keep_note="without" not in deed.kind):
            self._note("the rewind was not taken by the broker")

    # ----------------------------------------------------------------------------------- publishing

    def _publish_all(self) -> None:
        left = list(self._records)
        while left:
            self._until(left[0].at_s)
            now_s = self._now_s()
            due = [planned.record for planned in left if planned.at_s <= now_s]
            self._publish(due)
            del left[: len(due)]

    def _create(self, latecomers: Sequence[tuple[float, str]]) -> None:
        """Orders that come to be during the fire, with their shipment at once: the import is behind."""
        for at_s, seller in latecomers:
            self._until(at_s)
            trade_id = self.house.admin.create_order(seller)
            self._note(f"new order {order_key('sandbox', trade_id)}")
            with self._lock:
                record = self._make.avro(self._make.shipment(trade_id))
            self._publish([record])

    def _publish(self, records: Sequence[Outbound]) -> None:
        """Until the broker has them; what it took before an error lies there twice then."""
        deadline_s = monotonic() + _PUBLISH_S
        while True:
            try:
                self.house.cluster.publish(records)
            except CommandError:
                if monotonic() > deadline_s:
                    raise
                sleep(0.5)
            else:
                break
        with self._lock:
            self._sent += records
            self.published += len(records)
