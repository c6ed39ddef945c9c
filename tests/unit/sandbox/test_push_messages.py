"""Push messages: how long retries wait, and the published way of signing."""

from itertools import pairwise

import pytest

from sandbox.protocol import push_signature
from sandbox.push import RETRIES, retry_pause_s


def test_retries_wait_twice_as_long_each_time_and_fill_the_span() -> None:
    pauses = [retry_pause_s(attempts, 6 * 3600) for attempts in range(1, RETRIES + 1)]
    assert sum(pauses) == pytest.approx(6 * 3600)
    assert all(later == pytest.approx(2 * earlier) for earlier, later in pairwise(pauses))


def test_regression_vector_of_a_push_message() -> None:
    body = (
        b'{"havana_id":"17379911544","seller_id":"200042360","message_type":3,'
        b'"data":{"status":"trade_close","trade_id_str":"255201166001024316"},'
        b'"timestamp":1650435537,"site":"icbu_global"}'
    )
    assert (
        push_signature("123456", body, "helloworld")
        == "b2c0651819f3af36abb7ca69e035f29dc1f0c47685b508ed089cf59bf0cf66c4"
    )
