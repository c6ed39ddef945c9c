"""What tests need of a real Kafka: topics of their own, and a broker that may be killed."""

import secrets
from collections.abc import Mapping
from pathlib import Path

import psutil
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.waiting import wait_until
from waybill import broker
from waybill.contracts.topics import topics

_ADMIN_S = 20.0  # a loaded machine needs a second or two for the topics of one test


def new_prefix() -> str:
    """Return a prefix that no other test has: for topics, groups and transactional ids."""
    return f"t{secrets.token_hex(4)}-"


class TopicSpace:
    """The topics of one test: every name starts with `prefix`, and all of them go at its end."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self._admin = AdminClient({"bootstrap.servers": bootstrap})

    def name(self, logical: str) -> str:
        """Return the physical name of a topic."""
        return self.prefix + logical

    def create(
        self, *logical: str, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> list[str]:
        """Create topics and return their physical names, in the order given."""
        names = [self.name(one) for one in logical]
        self._create([NewTopic(name, partitions, 1, config=dict(config or {})) for name in names])
        return names

    def create_declared(self, *logical: str, partitions: int = 3) -> dict[str, str]:
        """Create topics as `schemas/topics` declares them: all, or those named (`orders` …).

        Returns the physical name, prefix and declared name, of each.
        """
        declared = [topics()[one] for one in logical or topics()]
        self._create(
            [
                NewTopic(self.name(topic.name), partitions, 1, config=topic.kafka_config())
                for topic in declared
            ]
        )
        return {topic.logical: self.name(topic.name) for topic in declared}

    def _create(self, new: list[NewTopic]) -> None:
        for created in self._admin.create_topics(new).values():
            created.result(_ADMIN_S)
        # Kafka answers when the controller has decided; the broker hears of it a little later
        names = {topic.topic for topic in new}
        wait_until(lambda: names <= set(self.existing()), _ADMIN_S)

    def existing(self) -> list[str]:
        """Return the names of this test's topics that exist now, whoever made them."""
        metadata = self._admin.list_topics(timeout=_ADMIN_S)
        return sorted(name for name in metadata.topics if name.startswith(self.prefix))

    def delete_all(self) -> None:
        """Delete every topic of this test."""
        names = self.existing()
        if names:
            for deleted in self._admin.delete_topics(names).values():
                deleted.result(_ADMIN_S)
            wait_until(lambda: not set(names) & set(self.existing()), _ADMIN_S)


class KillableBroker:
    """A broker for one test alone, which may kill it; address and data stay the same."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.handle = broker.start(data_dir)

    @property
    def bootstrap(self) -> str:
        """The broker's address, `host:port`; still the same after `kill` and `start`."""
        return self.handle.bootstrap

    def kill(self) -> None:
        """Kill the process (SIGKILL) and return when it is gone."""
        process = psutil.Process(self.handle.pid)
        process.kill()
        process.wait(20)

    def start(self) -> None:
        """Start it again, on the same address with the same data; return when it is ready."""
        self.handle = broker.start(self.data_dir)

    def stop(self) -> None:
        """Stop it in an orderly way, if it runs."""
        broker.stop(self.data_dir)
