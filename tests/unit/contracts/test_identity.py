"""Which key a record has, and what decides its partition."""

import pytest

from tests.unit.contracts.builders import KEY, example
from waybill.contracts import RECORDS
from waybill.contracts.base import Money
from waybill.contracts.identity import partition_key, record_key
from waybill.contracts.topics import topics

STORE = "alibaba-200042360"
BY_STORE = {"store", "import_cursor", "store_tokens", "import_seen", "enrichment"}


@pytest.mark.parametrize("record", RECORDS)
def test_records_of_orders_lie_by_order_and_those_of_stores_by_store(record: str) -> None:
    one = example(record, "full").model()

    assert partition_key(one) == (STORE if record in BY_STORE else KEY)


def test_keys() -> None:
    keys = {record: record_key(example(record, "full").model()) for record in RECORDS}

    assert keys == {
        **dict.fromkeys(RECORDS, KEY),
        "store": STORE,
        "import_cursor": STORE,
        "store_tokens": f"{STORE}:2",
        "enrichment": f"{STORE}/order/255201166001024316",
    }


def test_the_topic_files_say_the_same() -> None:
    declared = {topic.record for topic in topics().values() if topic.keyed_by.startswith("store")}

    assert declared == BY_STORE


def test_a_part_of_a_record_has_no_key() -> None:
    with pytest.raises(TypeError, match="Money is no record of a topic"):
        record_key(Money.model_validate({"amount": "1", "currency": "USD"}))
