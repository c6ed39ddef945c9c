"""Our murmur2 is Kafka's."""

from confluent_kafka import murmur2 as librdkafka_murmur2
from hypothesis import given
from hypothesis import strategies as st

from waybill.contracts.keys import murmur2, order_key, parse_order_key, partition_of


@given(key=st.binary(max_size=300), count=st.integers(1, 2**31 - 1))
def test_partitions_are_those_of_librdkafka(key: bytes, count: int) -> None:
    assert partition_of(key, count) == librdkafka_murmur2(key, count)


@given(key=st.binary(max_size=300))
def test_the_hash_is_a_signed_32_bit_integer(key: bytes) -> None:
    assert -(2**31) <= murmur2(key) < 2**31


@given(key=st.text(st.characters(exclude_categories=["Cs"])), count=st.integers(1, 1_000))
def test_a_partition_lies_within_the_count(key: str, count: int) -> None:
    assert 0 <= partition_of(key, count) < count
    assert partition_of(key, count) == partition_of(key.encode(), count)


@given(
    site=st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True),
    trade_id=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
)
def test_an_order_key_can_be_taken_apart(site: str, trade_id: str) -> None:
    assert parse_order_key(order_key(site, trade_id)) == (site, trade_id)
