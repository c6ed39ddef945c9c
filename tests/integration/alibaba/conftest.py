"""One stand-in for Alibaba.com per module of tests."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.integration.alibaba.stand_in import Sandbox, run


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox, started as a process of its own."""
    data_dir: Path = tmp_path_factory.mktemp("sandbox")
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--orders-per-store", "120"]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--data-dir", str(data_dir), "--keep-files"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        sandbox = Sandbox(json.loads(process.stdout.readline())["url"])
        yield sandbox
        sandbox.close()
        process.terminate()
        assert process.wait(10) == 0


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """The sandbox in good order: no faults, strict."""
    running.clear()
    return running


@pytest.fixture
def token(sandbox: Sandbox) -> SecretStr:
    """An access token of the first store."""
    code = SecretStr(sandbox.grant()["code"])
    return run(sandbox, lambda c: c.create_token(code)).access_token
