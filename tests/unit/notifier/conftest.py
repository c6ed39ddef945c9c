"""A notifier for each test that asks for one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.unit.notifier.world import Desk

OpenDesk = Callable[..., Desk]


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """Lines as services write them: drawing a pretty traceback takes longer than a test."""
    renderers: list[Any] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(processors=renderers)
    yield
    structlog.reset_defaults()


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[OpenDesk]:
    """Makes a notifier with its partitions at work."""
    opened: list[Desk] = []

    def start(*numbers: int, folder: str = "view", **options: Any) -> Desk:
        desk = Desk(tmp_path / folder, **options)
        opened.append(desk)
        for number in numbers or (0,):
            desk.open(number)
        return desk

    yield start
    for desk in opened:
        for handler in list(desk.notifier._handlers.values()):
            handler.close()


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """One partition, one live store."""
    return open_desk()
