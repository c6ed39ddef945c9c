"""A whole installation per test: real broker, real sandbox, the three services as processes."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.integration.pipeline.leaks import assert_nothing_leaked
from tests.integration.pipeline.shop import Shop
from tests.integration.pipeline.stock import Stock, shop_of

LOG_LINES = 60


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows the last lines of what the services logged."""
    report = yield
    arguments = item.funcargs if isinstance(item, pytest.Function) else {}
    for shop in arguments.values():
        if report.failed and isinstance(shop, Shop):
            report.sections += [
                (f"log of {running.name}", running.log_tail(LOG_LINES))
                for running in shop.installation.processes
            ]
    return report


@pytest.fixture(scope="session")
def stock(
    kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Stock]:
    """Has the shops of this session's tests ready in turn."""
    tests = [item for item in request.session.items if isinstance(item, pytest.Function)]
    orders = [
        int(str(test.callspec.params["shop"])) for test in tests if "stock" in test.fixturenames
    ]
    stock = Stock(tmp_path_factory.mktemp("shops"), kafka_bootstrap, orders)
    yield stock
    stock.close()


@pytest.fixture
def shop(stock: Stock, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """An installation for this test alone, on the session's broker; see `with_orders`."""
    shop = stock.take()
    assert shop.installation.wish.orders_per_store == request.param
    yield shop
    try:
        assert_nothing_leaked(shop)
    finally:
        stock.give_back(shop)


@pytest.fixture
def shop_on_own_broker(tmp_path: Path) -> Iterator[Shop]:
    """The same with a broker that may be killed; thirty orders in each store."""
    shop = shop_of(tmp_path, 30, None)
    yield shop
    shop.close()
