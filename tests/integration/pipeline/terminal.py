"""`waybill` on an installation, as its operator types it."""

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.integration.pipeline.shop import Shop

COMMAND_S = 120.0
WAYBILL = (sys.executable, "-c", "from waybill.cli import main; main()")


def environment(shop: Shop) -> dict[str, str]:
    """This process's, with the installation's settings and no others of Waybill."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WAYBILL_")}
    return kept | {"WAYBILL_ENV_FILE": str(shop.installation.env_file)}


def run(
    shop: Shop, *arguments: str, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """A command on this installation, whatever it ends with."""
    return subprocess.run(  # noqa: S603 - our own command
        [*WAYBILL, *arguments],
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
        env=environment(shop) | dict(env or {}),
    )


def waybill(shop: Shop, *arguments: str, code: int = 0) -> str:
    """The output of a command that has to end with `code`."""
    ended = run(shop, *arguments)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout
