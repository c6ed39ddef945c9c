"""What the command line refuses, and what it says then."""

from pathlib import Path

import pytest

from sandbox.__main__ import main
from sandbox.server import background
from sandbox.settings import Settings
from sandbox.world import World


def refused(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What stands on standard error when these options end the program with status 2."""
    try:
        status = main(list(options))
    except SystemExit as exit_:
        status = exit_.code  # type: ignore[assignment] # argparse ends with a number
    assert status == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--stores", "0"], "--stores"),
        (["--stores", "100", "--orders-per-store", "100000"], "1,000,000 orders"),
        (["--latency-ms", "-1"], "--latency-ms"),
        (["--channels-path", "channels"], "--channels-path"),
        (["--port", "70000"], "--port"),
    ],
)
def test_options_out_of_range_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert message in refused(capsys, "--data-dir", str(tmp_path), *options)


def test_a_data_directory_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--data-dir" in refused(capsys)


def test_two_sandboxes_do_not_share_a_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(Settings(data_dir=tmp_path))
    assert "belongs to a running sandbox" in refused(capsys, "--data-dir", str(tmp_path))
    world.close()


def test_a_directory_goes_with_its_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    World(Settings(data_dir=tmp_path, seed=5, orders_per_store=1)).close()
    message = refused(capsys, "--data-dir", str(tmp_path), "--seed", "6")
    assert "seed=5, not 6" in message


def test_a_port_in_use_is_an_error_and_the_directory_is_free_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with background(Settings(data_dir=tmp_path / "a", orders_per_store=1)) as url:
        port = url.rpartition(":")[2]
        other = str(tmp_path / "b")
        assert "sandbox:" in refused(capsys, "--data-dir", other, "--port", port)
    World(Settings(data_dir=tmp_path / "b")).close()
