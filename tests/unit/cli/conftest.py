"""The command line run in this process, as the console script runs it."""

import io

import pytest

from tests.unit.cli.outcome import Outcome, Waybill
from waybill.cli.app import execute


@pytest.fixture
def waybill(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Waybill:
    """Run one command line; `stdin` is what stands on standard input."""

    def run(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        code = execute(arguments)
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run
