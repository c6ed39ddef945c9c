"""Installations for tests that need one to themselves: the next one starts while a test runs.

Most of such a test is waiting, for polls, pauses and time-outs, and most of a start is work; so one hides the
other. Every installation has topics, ports and a folder of its own.
"""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.pipeline.shop import Shop
from tests.kafka import new_prefix
from waybill.demo.installation import Installation, Wish
from waybill.demo.processes import Program
from waybill.settings import KafkaSettings

START_S = 120.0
"""A dozen seconds while nothing else runs; a loaded machine needs more."""
_QUICK = {
    # a look-up after a change of owner waits for the sum of both; the stand-in answers in milliseconds
    "WAYBILL_CALL_START_S": "2",
    "WAYBILL_SITES__SANDBOX__API__CALL_S": "3",
    "WAYBILL_IMPORTER__POLL_INTERVAL_S": "1",
}


class QuickInstallation(Installation):
    """The demo's installation with shorter times."""

    def program(self, name: str) -> Program:
        """See `Installation.program`."""
        program = super().program(name)
        return replace(program, env={**program.env, **_QUICK})


def with_orders(per_store: int) -> pytest.MarkDecorator:
    """Marks a test whose `shop` is to have so many orders in each of its two stores."""
    return pytest.mark.parametrize("shop", [per_store], indirect=True, ids=[f"{per_store}-orders"])


def shop_of(folder: Path, orders_per_store: int, kafka: KafkaSettings | None) -> Shop:
    """A shop that is ready; without a cluster it starts a broker of its own. Whoever asked closes it."""
    options = ("--lenient", "--seed", "7")
    shop = Shop(QuickInstallation(Wish(folder, kafka, orders_per_store, options)))
    try:
        shop.installation.start(print)
    except BaseException:
        shop.close()
        raise
    return shop


class Stock:
    """Starts and stops shops on a thread of its own, in the order in which the tests want them."""

    def __init__(self, folder: Path, bootstrap: str, orders_per_store: Iterable[int]) -> None:
        """`orders_per_store`: what each of the coming tests wants."""
        self._folder = folder
        self._bootstrap = bootstrap
        self._coming = deque(orders_per_store)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stock")
        self._next: Future[Shop] | None = None
        self._closing: list[Future[None]] = []

    def take(self) -> Shop:
        """The shop for the test that begins; the one after it starts now."""
        ready = self._next or self._begin()
        self._next = None
        shop = ready.result(START_S)
        if self._coming:
            self._next = self._begin()
        return shop

    def give_back(self, shop: Shop) -> None:
        """Stop it, while the next test runs."""
        self._closing.append(self._thread.submit(shop.close))

    def _begin(self) -> Future[Shop]:
        prefix = new_prefix()
        kafka = KafkaSettings(bootstrap_servers=self._bootstrap, topic_prefix=prefix)
        return self._thread.submit(shop_of, self._folder / prefix, self._coming.popleft(), kafka)

    def close(self) -> None:
        """Stop what nobody has taken, and tell what could not be stopped."""
        if self._next is not None and not self._next.cancel():
            self._next.result(START_S).close()
        self._thread.shutdown()
        for closing in self._closing:
            closing.result()
