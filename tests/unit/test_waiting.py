"""`wait_until` can fail, and says why."""

import pytest

from tests.waiting import wait_until


def test_the_first_true_result_is_returned() -> None:
    results = iter([0, None, "", "ready", "later"])

    assert wait_until(lambda: next(results), 5, every_s=0) == "ready"


def test_what_never_becomes_true_fails_with_its_last_result() -> None:
    def orders_arrived() -> list[str]:
        return []

    with pytest.raises(AssertionError, match=r"orders_arrived was still \[\] after 0\.05 s"):
        wait_until(orders_arrived, 0.05)


def test_an_error_is_not_waited_out() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, 60)
