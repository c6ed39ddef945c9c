"""A whole installation per test: real broker, real sandbox, the three services as processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.pipeline.shop import Shop
from waybill.demo.installation import Installation, Wish
from waybill.settings import KafkaSettings

OpenShop = Callable[..., Shop]


@pytest.fixture
def open_shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[OpenShop]:
    """Starts an installation with so many orders; stops everything at the end."""
    opened: list[Shop] = []

    def start(orders_per_store: int = 30, *, own_broker: bool = False, **more: str) -> Shop:
        kafka = None
        if not own_broker:
            bootstrap = request.getfixturevalue("kafka_bootstrap")
            prefix = request.getfixturevalue("topic_prefix")
            kafka = KafkaSettings(bootstrap_servers=bootstrap, topic_prefix=prefix)
        options = ("--lenient", "--seed", "7")
        wish = Wish(tmp_path, kafka, orders_per_store, options)
        shop = Shop(Installation(wish), more)
        opened.append(shop)
        shop.installation.start(print)
        return shop

    yield start
    for shop in opened:
        shop.close()
