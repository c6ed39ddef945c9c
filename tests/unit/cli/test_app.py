"""What the command line does before any sub-command works: help, versions, wrong use."""

from importlib import import_module

import pytest

from tests.unit.cli.outcome import Waybill
from waybill import __version__
from waybill.cli.app import COMMANDS

NOBODY = "127.0.0.1:1"
"""An address where nobody listens."""


def test_the_version_is_the_packages(waybill: Waybill) -> None:
    assert waybill("--version") == (0, f"waybill {__version__}\n", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_explains_itself(waybill: Waybill, name: str) -> None:
    # the stand-in explains itself by its own parser, in a process of its own
    if name == "sandbox":
        assert import_module(COMMANDS[name]).app is not None
        return

    told = waybill(name, "--help")

    assert told.code == 0
    assert f"waybill {name}" in told.out


def test_without_arguments_it_shows_what_there_is(waybill: Waybill) -> None:
    told = waybill()

    assert told.code == 2
    assert all(name in told.out + told.err for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["ship"], "No such command 'ship'"),
        (["orders", "show"], "Missing argument 'key'"),
        (["shipments", "publish", "-", "--colour"], "No such option: --colour"),
        (["run", "postman"], "postman"),
        (["orders", "show", "255201"], "want <site>:<trade_id>"),
        (["stores", "add", "--site", "sandbox"], "--seller-id"),
        (["shipments", "publish", "no-such-file.jsonl"], "No such file"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    waybill: Waybill, arguments: list[str], word: str
) -> None:
    told = waybill(*arguments)

    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    assert word in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["orders", "show", "sandbox:1"],
        ["orders", "list"],
        ["stores", "list"],
        ["stores", "set", "sandbox-1", "mode=live"],
    ],
)
def test_a_cluster_that_is_away_is_one_line_with_its_address_and_exit_code_1(
    waybill: Waybill, arguments: list[str]
) -> None:
    told = waybill(*arguments, "--bootstrap", NOBODY)

    assert told.code == 1
    assert told.err.count("\n") == 1
    assert NOBODY in told.err
    assert "waybill kafka start" in told.err


def test_a_broken_setting_is_named_by_its_variable_without_its_value(
    waybill: Waybill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYBILL_KAFKA__PARTITIONS", "a-dozen")

    told = waybill("orders", "list")

    assert told.code == 2
    assert "WAYBILL_KAFKA__PARTITIONS" in told.err
    assert "a-dozen" not in told.err
