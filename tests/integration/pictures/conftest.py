"""A picture host, and the network on which its name leads to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.pictures.picture_host import Authority, PictureHost


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def host(authority: Authority) -> Iterator[PictureHost]:
    started = PictureHost(authority)
    yield started
    started.close()
