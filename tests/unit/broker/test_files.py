"""What a data folder remembers."""

from pathlib import Path

import pytest

from waybill import broker
from waybill.broker.errors import BrokerError
from waybill.broker.files import BrokerFiles, BrokerState


def test_the_state_is_read_back_as_written(tmp_path: Path) -> None:
    files = BrokerFiles(tmp_path)
    state = BrokerState(port=20001, controller_port=20002, pid=4711)

    assert files.read_state() is None

    files.write_state(state)

    assert files.read_state() == state
    assert [path.name for path in tmp_path.iterdir()] == ["broker.json"]


@pytest.mark.parametrize("text", ["", "{", '{"port": "x"}', '{"port": 1, "other": 2}'])
def test_a_damaged_state_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "broker.json").write_text(text)

    with pytest.raises(BrokerError, match=r"broker\.json is damaged.*delete"):
        broker.status(tmp_path)


def test_two_holders_take_turns(tmp_path: Path) -> None:
    with (
        BrokerFiles(tmp_path).locked(1),
        pytest.raises(BrokerError, match="Another start or stop"),
        BrokerFiles(tmp_path).locked(0),
    ):
        pytest.fail("both held the folder")
    with BrokerFiles(tmp_path).locked(0):
        pass


def test_the_end_of_the_log_is_short_and_has_both_sources(tmp_path: Path) -> None:
    files = BrokerFiles(tmp_path)

    assert files.log_tail().endswith("(nothing was logged)")

    files.console.write_text("java says no\n")
    files.log.write_text("".join(f"line {number}\n" for number in range(100)))
    tail = files.log_tail(lines_max=3).splitlines()

    assert tail[1:] == ["java says no", "line 97", "line 98", "line 99"]


def test_a_folder_that_was_never_used_has_no_broker_and_is_not_made(tmp_path: Path) -> None:
    unused = tmp_path / "unused"

    assert broker.status(unused) is None
    assert broker.stop(unused) is False
    assert not unused.exists()
