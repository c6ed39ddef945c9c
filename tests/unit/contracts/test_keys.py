"""Order keys, and Kafka's partitioner."""

import pytest

from waybill.contracts.keys import murmur2, order_key, parse_order_key, partition_of, shown_key


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        # the vectors of Apache Kafka's own UtilsTest
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_murmur2_is_that_of_kafka(key: str, expected: int) -> None:
    assert murmur2(key.encode()) == expected


def test_an_order_key_is_site_and_trade_id() -> None:
    assert order_key("alibaba", "255201166001024316") == "alibaba:255201166001024316"
    assert parse_order_key("alibaba:255201166001024316").trade_id == "255201166001024316"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("255201166001024316", "want <site>:<trade_id>"),
        ("Alibaba:1", "want a lower-case name"),
        (":1", "want a lower-case name"),
        ("alibaba:", "want 1 to 64 letters"),
        ("alibaba:1 2", "want 1 to 64 letters"),
        ("alibaba:1:2", "want 1 to 64 letters"),
        ("alibaba:21***54", "want 1 to 64 letters"),  # ids that some interfaces mask
        ("alibaba:１２", "want 1 to 64 letters"),  # full-width digits
        ("alibaba:1\n", "want 1 to 64 letters"),
    ],
)
def test_what_is_no_order_key_is_refused_with_what_to_write(key: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_order_key(key)


def test_partitions_of_twelve() -> None:
    assert [partition_of(f"sandbox:{n}", 12) for n in (1, 1001)] == [1, 5]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (None, None),
        (b"alibaba:255201166001024316", "alibaba:255201166001024316"),
        ("Jürgen Müller".encode(), "no order key, 15 bytes"),
        (b"alibaba:Jane Doe", "no order key, 16 bytes"),
        (b"", "no order key, 0 bytes"),
        (b"\xff", "no order key, 1 bytes"),
    ],
)
def test_only_order_keys_are_shown(key: bytes | None, shown: str | None) -> None:
    assert shown_key(key) == shown
