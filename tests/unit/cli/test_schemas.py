"""`waybill schemas …`: what it tells, and how it ends."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from waybill.cli import schemas
from waybill.contracts.evolution import Violation
from waybill.contracts.release import PublishError

BROKEN = [Violation("order v2", "has no example full.json")]


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(schemas.app, [*words])
    return result.exit_code, result.output


def test_the_contracts_of_this_release() -> None:
    assert run("check") == (0, "the contracts are whole\n")


def test_violations_end_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "release_violations", lambda: BROKEN)

    assert run("check") == (1, "order v2: has no example full.json\n")


def test_nothing_to_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    def publish(*, replace: bool) -> list[Path]:
        assert not replace
        return []

    monkeypatch.setattr(schemas, "publish", publish)

    assert run("publish") == (0, "nothing to do\n")


def test_a_publication_that_breaks_a_rule_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*, replace: bool) -> None:
        raise PublishError(BROKEN)

    monkeypatch.setattr(schemas, "publish", refuse)

    assert run("publish", "--replace") == (1, "order v2: has no example full.json\n")
