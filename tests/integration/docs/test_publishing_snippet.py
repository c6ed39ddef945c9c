"""The Python snippet of docs/publishing.md publishes what its page says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

import waybill
from tests.kafka import TopicSpace
from tests.waiting import wait_until
from waybill.contracts import Shipment
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.files import schemas_dir
from waybill.contracts.identity import check_key
from waybill.contracts.keys import partition_of

pytestmark = pytest.mark.kafka

PAGE = Path(waybill.__file__).parent.parent / "docs" / "publishing.md"
RUN_S = 30.0


def test_the_python_snippet_publishes_the_shipment(topic_space: TopicSpace, tmp_path: Path) -> None:
    (topic,) = topic_space.create("waybill.shipments.v1", partitions=12)
    (code,) = re.findall(r"```python\n(.*?)\n```", PAGE.read_text(), re.DOTALL)
    code = code.replace("localhost:9092", topic_space.bootstrap)
    code = code.replace("waybill.shipments.v1", topic)
    shutil.copy(schemas_dir() / "avro/shipment/v1.avsc", tmp_path / "shipment-v1.avsc")

    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, timeout=RUN_S, check=True)  # noqa: S603 - our own page

    message = _only_message(topic_space.bootstrap, topic)
    shipment = Codec(Shipment, "shipment", SchemaBook()).decode(message.value())
    check_key(message.key(), shipment)
    assert message.partition() == partition_of(shipment.order_key, 12)
    assert shipment.cost is not None
    assert str(shipment.cost.amount) == "61.2500"


def _only_message(bootstrap: str, topic: str) -> Message:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test"})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(12)])
    found: list[Message] = []

    def read_some() -> bool:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            found.append(message)
        return bool(found)

    wait_until(read_some, RUN_S)
    consumer.close()
    return found[0]
