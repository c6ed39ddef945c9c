"""Fixtures for every test: a real Kafka broker, started once a session, and topics of one's own.

A test that asks for any of them carries the marker `kafka` by itself: `-m "not kafka"` leaves it out.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.kafka import KillableBroker, TopicSpace, new_prefix
from waybill import broker
from waybill.broker.jars import ensure_jars

KAFKA_FIXTURES = {"kafka_bootstrap", "killable_broker"}

# A busy machine is no bug: pytest-timeout limits a test as a whole, no example alone. In CI the
# examples are the same in every run.
settings.register_profile(
    "waybill",
    parent=settings.get_profile("ci" if "CI" in os.environ else "default"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("waybill")


def pytest_configure() -> None:
    """End in an orderly way when asked to (SIGTERM), as after Ctrl-C: fixtures stop their servers."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if KAFKA_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.kafka)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka's jars before the first test: its time limit is not for downloads."""
    wanted = any(item.get_closest_marker("kafka") for item in session.items)
    if wanted and not session.config.option.collectonly:
        ensure_jars()


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the session's one broker. Isolate by `topic_prefix`; never stop or kill it."""
    data_dir = tmp_path_factory.mktemp("kafka")
    handle = broker.start(data_dir)
    yield handle.bootstrap
    broker.stop(data_dir)
    _drop_data(data_dir)


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that no other test has: for topics, groups and transactional ids."""
    return new_prefix()


@pytest.fixture
def topic_space(kafka_bootstrap: str, topic_prefix: str) -> Iterator[TopicSpace]:
    """This test's topics in the session's broker; whatever begins with its prefix goes at its end."""
    space = TopicSpace(kafka_bootstrap, topic_prefix)
    yield space
    space.delete_all()


@pytest.fixture
def killable_broker(tmp_path: Path) -> Iterator[KillableBroker]:
    """A broker for this test alone, to be killed and started again."""
    killable = KillableBroker(tmp_path / "kafka")
    yield killable
    killable.stop()
    _drop_data(killable.data_dir)


def _drop_data(data_dir: Path) -> None:
    """Delete the records, which may be large; the log stays for whoever looks into a failure."""
    shutil.rmtree(data_dir / "data")
