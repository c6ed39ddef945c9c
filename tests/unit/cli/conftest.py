"""The command line run in this process, as the console script runs it."""

import io
from collections.abc import Callable
from typing import NamedTuple

import pytest

from waybill.cli.app import execute


class Result(NamedTuple):
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


Waybill = Callable[..., Result]


@pytest.fixture
def waybill(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> Waybill:
    """Run one command line; `stdin` is what stands on standard input."""
    monkeypatch.delenv("WAYBILL_ENV_FILE", raising=False)

    def run(*arguments: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        code = execute(arguments)
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return run
