"""Commands in processes of their own, against topics of one test."""

import os
import subprocess
import sys

import pytest

from tests.integration.cli.command import Command
from tests.kafka import TopicSpace
from waybill.tokens import new_key


@pytest.fixture
def waybill(topic_space: TopicSpace) -> Command:
    """Run `waybill …` on the topics of this test; all of them are there."""
    topic_space.create_declared(partitions=4)
    own = {
        "WAYBILL_KAFKA__BOOTSTRAP_SERVERS": topic_space.bootstrap,
        "WAYBILL_KAFKA__TOPIC_PREFIX": topic_space.prefix,
        "WAYBILL_SEAL_KEY": new_key(),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WAYBILL_")}

    def run(*arguments: str, stdin: str = "", **env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-c", "from waybill.cli import main; main()", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=kept | own | env,
        )

    return run
